// Who says what a plugin may use, and that plugins are held to it. Time, memory, log and shared data: in the tests of
// those.
#include "proxy_wasm/budgets.h"

#include "proxy_wasm/calling_fixture.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BudgetTable, ANameComesBeforeAllAndTheCommandLineBeforeTheConfiguration) {
  BudgetRules configuration, flags;
  configuration.defaults = {.memory_bytes = 1, .queue_bytes = 1, .pending_calls = 1, .metrics = 1};
  flags.defaults = {.queue_bytes = 2, .pending_calls = 2, .metrics = 2};
  configuration.by_plugin["p"] = {.pending_calls = 3, .metrics = 3};
  flags.by_plugin["p"] = {.metrics = 4};
  const Budgets budgets = BudgetTable(configuration, flags).of("p");
  EXPECT_EQ(budgets.memory_bytes, 1u);
  EXPECT_EQ(budgets.queue_bytes, 2u);
  EXPECT_EQ(budgets.pending_calls, 3u);
  EXPECT_EQ(budgets.metrics, 4u);
  EXPECT_EQ(budgets.pending_grpc, Budgets().pending_grpc);
  EXPECT_EQ(BudgetTable(configuration, flags).of("q").metrics, 2u);
  EXPECT_EQ(BudgetTable().of("p"), Budgets());
}

class BudgetsTest : public CallingPluginTest {
 protected:
  uint64_t count(std::string_view name) { return stats_.counter(name).value(); }
};

TEST_F(BudgetsTest, PluginsWithDifferentLimitsShareNoVm) {
  const auto one = load(spec(GuestText())), same = load(spec(GuestText(), "other")),
             small = load(spec(GuestText(), "small"));
  ASSERT_TRUE(one.ok() && same.ok() && small.ok());
  EXPECT_EQ((*one)->code, (*same)->code);
  EXPECT_NE((*one)->code, (*small)->code);
  EXPECT_EQ((*one)->code->shared_data, (*small)->code->shared_data);
}

TEST_F(BudgetsTest, LimitsOfItsOwnAreTold) {
  ASSERT_TRUE(load(spec(GuestText(), "small")).ok());
  EXPECT_THAT(rawLines(), testing::Contains(testing::HasSubstr(
                              "plugin small has limits of its own: call 400 ms, start 1000 ms, pause 600000 ms, memory "
                              "1048576, log 8388608/s, body 1024, shared data 16777216, queue 8, "
                              "calls 1, gRPC 2, metrics 1")));
}

TEST_F(BudgetsTest, OneCalloutMoreThanMayBeUnderWayIsRefused) {
  const std::string head = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  GuestText guest;
  guest.data(100, "web").data(200, head);
  guest.import(
      R"((import "env" "proxy_http_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32))))");
  guest.onRequestHeaders(
      fmt::format("(call $status (call $call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const {}) (i32.const "
                  "0) (i32.const 0) "
                  "(i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 16))) (i32.const 1)",
                  head.size()));
  EXPECT_THAT(run(guest, "small"), ElementsAre("= 0"));
  EXPECT_EQ(count("wasm.calls_refused"), 0u);
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 10"));
  EXPECT_EQ(count("wasm.calls_refused"), 1u);
}

TEST_F(BudgetsTest, OneMetricMoreThanAnInstanceMayDefineIsRefused) {
  GuestText guest;
  guest.data(100, "ab");
  guest.import(R"((import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32))))");
  guest.onRequestHeaders(
      "(call $status (call $define (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 16)))"
      "(call $status (call $define (i32.const 0) (i32.const 101) (i32.const 1) (i32.const 16))) (i32.const 0)");
  EXPECT_THAT(run(guest), ElementsAre("= 0", "= 0"));
  EXPECT_EQ(count("wasm.metrics_refused"), 0u);
  stream_.finish();
  EXPECT_THAT(run(guest, "small"), ElementsAre("= 0", "= 10"));
  EXPECT_EQ(count("wasm.metrics_refused"), 1u);
}

TEST_F(BudgetsTest, AnotherPluginsContextsAreOutOfReachUnlessThatIsGranted) {
  // Roots have the numbers 1 and 2, the stream of the first plugin 3.
  GuestText guest;
  guest.onRequestHeaders(
      "(call $status (call $effective (i32.const 1))) (call $status (call $effective (i32.const 3)))"
      "(call $status (call $effective (i32.const 2))) (i32.const 0)");
  const auto reach = [&](std::string one, std::string two) {
    start(spec(guest, std::move(one)));
    const auto first = std::move(factory_);
    start(spec(guest, std::move(two)));
    Stream of_first = stream(*first), own = stream();
    of_first.requestHeaders();
    lines();
    own.requestHeaders();
    const auto seen = lines();
    of_first.finish();
    own.finish();
    return seen;
  };
  EXPECT_THAT(reach("first", "second"), ElementsAre("= 2", "= 2", "= 0"));
  EXPECT_EQ(count("wasm.contexts_refused"), 3u);  // The first plugin tried the other's root.
  EXPECT_THAT(reach("open one", "open two"), ElementsAre("= 0", "= 0", "= 0"));
  EXPECT_EQ(count("wasm.contexts_refused"), 3u);
}

// What is kept of a message where it asks for `wanted`, and the listener says `limit`.
TEST_F(BudgetsTest, APluginMayHaveAsMuchOfABodyKeptAsTheListenerOrItsBudgetSays) {
  const auto granted = [&](std::string_view wanted, size_t limit, std::string name, std::string_view ask) {
    if (stream_.filter != nullptr) stream_.finish();
    GuestText guest;
    guest.data(100, ask).data(200, wanted);
    guest.onRequestHeaders(
        fmt::format("(call $status (call $set_property (i32.const 100) (i32.const {}) (i32.const 200) (i32.const {})))"
                    "(i32.const 0)",
                    ask.size(), wanted.size()));
    start(spec(guest, std::move(name)));
    stream_ = stream();
    stream_.handle->configured_limit = limit;
    stream_.handle->buffer_limit = 10;  // As another plugin has asked before: it is no bound.
    stream_.requestHeaders();
    return stream_.handle->buffer_limit;
  };
  for (const char* ask : {"set_decoder_buffer_limit", "set_encoder_buffer_limit"}) {
    EXPECT_EQ(granted("1024", 100, "small", ask), 1024u);
    EXPECT_EQ(granted("50", 100, "small", ask), 50u);
    EXPECT_EQ(granted("3000", 5000, "small", ask), 3000u);
    EXPECT_EQ(granted("3000", 0, "small", ask), 3000u);
    EXPECT_EQ(granted("0", 0, "small", ask), 0u);
    for (const char* nothing : {"", "much", "-1", "4294967296"}) EXPECT_EQ(granted(nothing, 100, "small", ask), 10u);
    EXPECT_EQ(granted("65536", 100, "plugin", ask), 65536u);
  }
  EXPECT_EQ(count("wasm.body_limits_refused"), 0u);
  EXPECT_EQ(granted("1025", 100, "small", "set_decoder_buffer_limit"), 1024u);
  EXPECT_EQ(granted("1025", 1025, "small", "set_decoder_buffer_limit"), 1025u);
  EXPECT_EQ(count("wasm.body_limits_refused"), 1u);
  EXPECT_EQ(granted("0", 100, "small", "set_decoder_buffer_limit"), 1024u);
  EXPECT_EQ(granted("6000", 5000, "small", "set_decoder_buffer_limit"), 5000u);
  EXPECT_EQ(count("wasm.body_limits_refused"), 3u);
  EXPECT_THAT(rawLines(),
              testing::Contains(testing::HasSubstr("plugin small asks that 6000 bytes of a body be kept, and may "
                                                   "have 5000 (--plugin-limit small:body-mb=...)")));
}

TEST_F(BudgetsTest, AQueueTakesNoMoreThanItMayHold) {
  GuestText guest;
  guest.data(100, "12345678").data(120, "q");
  guest.import(R"((import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32))))");
  guest.import(R"((import "env" "proxy_enqueue_shared_queue" (func $enqueue (param i32 i32 i32) (result i32))))");
  guest.onRequestHeaders(
      "(call $status (call $register (i32.const 120) (i32.const 1) (i32.const 16)))"
      "(call $status (call $enqueue (i32.load (i32.const 16)) (i32.const 100) (i32.const 8)))"
      "(call $status (call $enqueue (i32.load (i32.const 16)) (i32.const 100) (i32.const 1))) (i32.const 0)");
  const std::vector<std::string> seen = run(guest, "small");
  ASSERT_GE(seen.size(), 3u);
  EXPECT_THAT(std::vector(seen.begin(), seen.begin() + 2), ElementsAre("= 0", "= 0"));
  EXPECT_EQ(seen.back(), "= 1");
  EXPECT_EQ(count("wasm.shared_queue_full"), 1u);
}

}  // namespace
}  // namespace weir::proxy_wasm
