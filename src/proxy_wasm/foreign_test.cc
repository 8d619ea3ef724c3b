// proxy_call_foreign_function, and what a guest can do by it.
#include "proxy_wasm/foreign.h"

#include "base/wire.h"
#include "proxy_wasm/expression_attributes.h"
#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/kept_expressions.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;

// A field of a message.
template <typename Value>
std::string field(uint32_t number, const Value& value) {
  std::string out;
  if constexpr (std::is_integral_v<Value>) {
    base::putField(number, static_cast<uint64_t>(value), out);
  } else {
    base::putField(number, std::string_view(value), out);
  }
  return out;
}

class ForeignTest : public PluginTest {
 protected:
  ~ForeignTest() override {
    if (stream_.filter != nullptr) stream_.finish();
  }
  // $foreign calls the function whose name and argument lie at those places,
  // and logs status and result.
  static GuestText guest() {
    GuestText text;
    text.import(
        R"((import "env" "proxy_call_foreign_function" (func $call (param i32 i32 i32 i32 i32 i32) (result i32))))");
    text.more(
        "(func $foreign (param $n i32) (param $nn i32) (param $a i32) "
        "(param $an i32)"
        "(call $status (call $call (local.get $n) (local.get $nn) "
        "(local.get $a) (local.get $an) (i32.const 8) (i32.const "
        "12))) (call $text))");
    return text;
  }
  // Adds a call to the body of a callback.
  static std::string call(GuestText& text, std::string_view name, std::string_view argument, uint32_t& at) {
    text.data(at, name).data(at + 64, argument);
    const std::string out = fmt::format(
        "(call $foreign (i32.const {}) (i32.const {}) (i32.const "
        "{}) (i32.const {}))",
        at, name.size(), at + 64, argument.size());
    at += 64 + static_cast<uint32_t>(argument.size());
    return out;
  }
  // What one call in the request's headers logs: its status and its result.
  std::vector<std::string> run(std::string_view name, std::string_view argument) {
    if (stream_.filter != nullptr) stream_.finish();
    GuestText text = guest();
    uint32_t at = 100;
    const std::string body = call(text, name, argument, at);
    start(text.onRequestHeaders(body + "(i32.const 0)"));
    stream_ = stream();
    stream_.handle->request_headers.add(":path", "/a?b");
    stream_.requestHeaders();
    return lines();
  }
  Stream stream_;
};

TEST_F(ForeignTest, WhatIsNotThereIsNotFoundAndWhatIsOutsideTheMemoryIsRefused) {
  EXPECT_EQ(run("nothing", "").front(), "= 1");
  EXPECT_EQ(run("", "").front(), "= 1");
  start(guest()
            .data(100, "compress")
            .onRequestHeaders("(call $status (call $call (i32.const -16) (i32.const 64) "
                              "(i32.const 0) (i32.const 0) (i32.const 8) (i32.const 12)))"
                              "(call $status (call $call (i32.const 100) (i32.const 8) "
                              "(i32.const -16) (i32.const 64) (i32.const 8) (i32.const 12)))"
                              "(call $status (call $call (i32.const 100) (i32.const 8) "
                              "(i32.const 0) (i32.const 1) (i32.const -16) (i32.const 12)))"
                              "(call $status (call $call (i32.const 100) (i32.const 8) "
                              "(i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))"
                              "(i32.const 0)"));
  stream_ = stream();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 6", "= 6", "= 6", "= 0"));
}

TEST_F(ForeignTest, CompressAndUncompress) {
  std::string packed, text;
  EXPECT_EQ(run("compress", "hello")[0], "= 0");
  EXPECT_EQ(deflated(std::string(100'000, 'x'), packed), AbiStatus::Ok);
  EXPECT_LT(packed.size(), 1000u);
  EXPECT_EQ(inflated(packed + "more", text), AbiStatus::Ok);
  EXPECT_EQ(text, std::string(100'000, 'x'));
  for (const std::string& bad : {std::string(), std::string("nonsense"), packed.substr(0, packed.size() - 1)}) {
    text.clear();
    EXPECT_EQ(inflated(bad, text), AbiStatus::SerializationFailure);
    EXPECT_TRUE(text.empty());
  }
}

TEST_F(ForeignTest, UncompressHasALimit) {
  std::string packed, text;
  deflated(std::string(kMaxUncompressed + 1, 'x'), packed);
  EXPECT_EQ(inflated(packed, text), AbiStatus::SerializationFailure);
  packed.clear();
  deflated(std::string(kMaxUncompressed, 'x'), packed);
  EXPECT_EQ(inflated(packed, text), AbiStatus::Ok);
  EXPECT_EQ(text.size(), kMaxUncompressed);
}

TEST_F(ForeignTest, SignaturesAreRefusedWithoutAKeyOrWithTwo) {
  EXPECT_EQ(run("verify_signature", "").front(), "= 2");
  EXPECT_EQ(run("verify_signature", field(2, "k") + field(5, "k")).front(), "= 2");
  EXPECT_EQ(run("verify_signature", field(1, "\xff") + field(2, "k")).front(), "= 2");
  EXPECT_EQ(run("sign", "\xff").front(), "= 2");
  EXPECT_THAT(run("sign", field(1, "none") + field(2, "k")), ElementsAre("= 0", field(3, "none is not supported.")));
  EXPECT_THAT(run("verify_signature", field(1, "sha256") + field(2, "k")),
              ElementsAre("= 0", field(2, "Failed to initialize digest verify.")));
}

TEST_F(ForeignTest, FilterStateIsSetForKnownKeysAndFittingValues) {
  EXPECT_EQ(run("set_envoy_filter_state", field(1, "envoy.string") + field(2, "v")).front(), "= 0");
  EXPECT_EQ(stream_.handle->info().filter_state["envoy.string"], "v");
  EXPECT_EQ(run("set_envoy_filter_state", field(1, "other") + field(2, "v")).front(), "= 1");
  EXPECT_EQ(run("set_envoy_filter_state", field(1, "envoy.network.ip") + field(2, "v")).front(), "= 2");
  EXPECT_EQ(run("set_envoy_filter_state", field(1, "envoy.network.ip") + field(2, "::1")).front(), "= 0");
  EXPECT_EQ(run("set_envoy_filter_state", field(1, "envoy.upstream.dynamic_port") + field(2, "65536")).front(), "= 2");
  const std::string address = "envoy.network.transport_socket.original_dst_address";
  EXPECT_EQ(run("set_envoy_filter_state", field(1, address) + field(2, "[::1]:80")).front(), "= 0");
  EXPECT_EQ(run("set_envoy_filter_state", field(1, address) + field(2, "::1:80")).front(), "= 2");
  EXPECT_EQ(run("set_envoy_filter_state", "\xff").front(), "= 2");
}

TEST_F(ForeignTest, TheRouteCacheIsCleared) {
  EXPECT_EQ(run("clear_route_cache", "").front(), "= 0");
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
}

TEST_F(ForeignTest, AResponseThatHasNoBodyGetsOneWhenTheGuestHasReturned) {
  const std::string arguments = field(1, "a body") + field(2, uint64_t{1});
  for (const char* name : {"inject_encoded_data_to_filter_chain", "inject_encoded_data_to_filter_chain_on_header"}) {
    if (stream_.filter != nullptr) stream_.finish();
    GuestText text = guest();
    uint32_t at = 100;
    const std::string some = call(text, name, field(1, "some"), at);
    const std::string nothing = call(text, name, "", at);
    const std::string last = call(text, name, arguments, at);
    text.on("proxy_on_response_headers", "(param $id i32) (param $n i32) (param $end i32) (result i32)",
            some + nothing + last + "(i32.const 1)");
    start(text);
    stream_ = stream();
    stream_.requestHeaders();
    stream_.responseHeaders(true);
    EXPECT_THAT(lines(), ElementsAre("= 0", "", "= 0", "", "= 0", "")) << name;
    EXPECT_THAT(stream_.handle->injected, ElementsAre("some", "", "a body$")) << name;
  }
}

TEST_F(ForeignTest, ABodyThatIsNoMessageOrNoTextIsRefused) {
  const char* const name = "inject_encoded_data_to_filter_chain_on_header";
  EXPECT_EQ(run(name, "\x0a\x05").front(), "= 2");
  EXPECT_EQ(run(name, field(1, "\xff")).front(), "= 2");
  EXPECT_THAT(stream_.handle->injected, ElementsAre());
}

TEST_F(ForeignTest, TheLogLevelIsFourBytes) {
  const std::string level(1, static_cast<char>(base::logLevel(base::LogComponent::Wasm)));
  EXPECT_THAT(run("get_log_level", ""), ElementsAre("= 0", level + std::string(3, '\0')));
}

TEST_F(ForeignTest, APropertyIsDeclaredOnceByTheRootAndMayBeReadOnly) {
  GuestText text = guest();
  uint32_t at = 100;
  const std::string once = call(text, "declare_property", field(1, "once") + field(2, uint64_t{1}), at);
  const std::string ineffective = call(text, "declare_property", field(1, "free") + field(2, uint64_t{1}), at);
  text.data(900, "oncefree");
  text.onConfigure(once + once + "(i32.const 1)");
  const auto set = [](int name) {
    return fmt::format(
        "(call $status (call $set_property (i32.const {}) "
        "(i32.const 4) (i32.const 900) (i32.const 1)))",
        name);
  };
  text.onRequestHeaders(ineffective + set(900) + set(900) + set(904) + set(904) + "(i32.const 0)");
  start(text);
  EXPECT_THAT(lines(), ElementsAre("= 0", "", "= 2", ""));
  stream_ = stream();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 0", "", "= 0", "= 2", "= 0", "= 0"));
}

TEST_F(ForeignTest, ExpressionsAreMadeEvaluatedAndDropped) {
  GuestText text = guest();
  uint32_t at = 100;
  std::string body = call(text, "expr_create", "request.path == '/a?b' ? 'yes' : 'no'", at);
  const std::string token("\0\0\0\0", 4), other("\1\0\0\0", 4);
  for (const auto& [name, argument] : {std::pair<std::string, std::string>{"expr_evaluate", token},
                                       {"expr_evaluate", other},
                                       {"expr_evaluate", "\1"},
                                       {"expr_delete", token},
                                       {"expr_evaluate", token},
                                       {"expr_delete", token},
                                       {"expr_delete", ""},
                                       {"expr_create", "1 +"}}) {
    body += call(text, name, argument, at);
  }
  start(text.onRequestHeaders(body + "(i32.const 0)"));
  stream_ = stream();
  stream_.handle->request_headers.add(":path", "/a?b");
  stream_.requestHeaders();
  std::vector<std::string> statuses;
  for (const std::string& line : lines()) {
    if (line.starts_with("= ") || line == "yes") statuses.push_back(line);
  }
  EXPECT_THAT(statuses, ElementsAre("= 0", "= 0", "yes", "= 1", "= 2", "= 0", "= 1", "= 0", "= 2", "= 2"));
}

TEST_F(ForeignTest, SharedDataIsWrittenDeletedListedAndBoundedByMessages) {
  const std::string lock = field(1, "lock") + field(2, "me") + field(4, 1000) + field(5, 1);
  const std::vector<std::pair<const char*, std::string>> calls = {
      {"weir_set_shared_data", lock},
      {"weir_set_shared_data", lock},
      {"weir_set_shared_data", field(1, "lock") + field(3, 77)},
      {"weir_set_shared_data", field(1, "lock") + field(3, 1)},
      {"weir_list_shared_data", field(1, "l") + field(3, 10)},
      {"weir_bound_shared_data", field(2, 1)},
      {"weir_set_shared_data", field(1, "more")},
      {"weir_bound_shared_data", field(3, 1)},
      {"weir_set_shared_data", field(1, "more")},
      {"weir_delete_shared_data", field(1, "lock")},
      {"weir_delete_shared_data", field(1, "more") + field(2, 77)},
      {"weir_delete_shared_data", field(1, "more")},
      {"weir_set_shared_data", "\x0a\x7f"},
      {"weir_list_shared_data", "\x0a\x7f"},
      {"weir_bound_shared_data", "\x0a\x7f"},
      {"weir_delete_shared_data", "\x0a\x7f"}};
  GuestText text = guest();
  std::string body;
  uint32_t at = 100;
  for (const auto& [name, argument] : calls) body += call(text, name, argument, at);
  start(text.onRequestHeaders(body + "(i32.const 0)"));
  stream_ = stream();
  stream_.requestHeaders();
  std::vector<std::string> statuses;
  for (const std::string& line : lines()) {
    if (line.starts_with("= ")) statuses.push_back(line.substr(2));
  }
  EXPECT_THAT(statuses, ElementsAre("0", "8", "8", "0", "0", "0", "10", "0", "0", "1", "8", "0", "2", "2", "2", "2"));
}

TEST(KeptExpressions, AreLimited) {
  KeptExpressions kept;
  for (size_t i = 0; i < KeptExpressions::kMax; ++i) ASSERT_TRUE(kept.keep(std::move(*cel::Expression::create("1"))));
  EXPECT_FALSE(kept.keep(std::move(*cel::Expression::create("1"))));
  kept.drop(5);
  EXPECT_EQ(kept.find(5), nullptr);
  EXPECT_EQ(kept.keep(std::move(*cel::Expression::create("1"))), KeptExpressions::kMax);
}

TEST(ToProperty, WritesListsAndMapsAsPairsAndKnowsNoNull) {
  using cel::Value;
  std::string out;
  EXPECT_EQ(toProperty(Value(Value::List{Value::string("a")}), out), AbiStatus::Ok);
  EXPECT_EQ(out, std::string("\1\0\0\0\1\0\0\0\0\0\0\0a\0\0", 15));
  EXPECT_EQ(toProperty(Value(Value::Map{{Value::string("a"), Value(true)}}), out), AbiStatus::Ok);
  EXPECT_EQ(out, std::string("\1\0\0\0\1\0\0\0\1\0\0\0a\0\1\0", 16));
  EXPECT_EQ(toProperty(Value(), out), AbiStatus::SerializationFailure);
  EXPECT_EQ(toProperty(Value(Value::List{Value()}), out), AbiStatus::SerializationFailure);
}

}  // namespace
}  // namespace weir::proxy_wasm
