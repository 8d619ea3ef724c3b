// envoy_resolve_dns and what comes of it.
#include "proxy_wasm/dns_lookups.h"
#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;

// Answers when the test says so, or at once.
struct FakeNames final : net::Resolver {
  struct FakeQuery final : Query {
    explicit FakeQuery(FakeNames& names) : names(names) {}
    ~FakeQuery() override { --names.open; }
    FakeNames& names;
  };
  std::unique_ptr<Query> resolve(std::string_view name, net::LookupFamily, OnAnswer on_answer) override {
    asked.emplace_back(name);
    if (at_once) {
      on_answer(addresses());
      return nullptr;
    }
    waiting.push_back(std::move(on_answer));
    ++open;
    return std::make_unique<FakeQuery>(*this);
  }
  static net::Resolved addresses() {
    return {{{net::Address::parseIp("10.0.0.1", 0).value(), std::chrono::seconds(7)},
             {net::Address::parseIp("::1", 0).value(), {}}}};
  }
  bool at_once = false;
  int open = 0;
  std::vector<std::string> asked;
  std::vector<OnAnswer> waiting;
};

class DnsTest : public PluginTest {
 protected:
  DnsTest() { worker_ = std::make_unique<WorkerPlugins>(WorkerPlugins::Environment{loop_, random_, nullptr, &names_}); }
  ~DnsTest() override {
    if (stream_.filter != nullptr) stream_.finish();
    factory_.reset();
    worker_.reset();
  }
  std::vector<std::string> run(std::string_view more = "") {
    GuestText text;
    text.import(R"((import "env" "envoy_resolve_dns" (func $dns (param i32 i32 i32) (result i32))))");
    text.data(100, "a.example");
    text.onRequestHeaders(
        fmt::format("{} (call $status (call $dns (i32.const 100) (i32.const 9) (i32.const 16))) (call $status "
                    "(i32.load (i32.const 16)))"
                    "(call $status (call $dns (i32.const -1) (i32.const 9) (i32.const 16))) (i32.const 1)",
                    more));
    text.on("envoy_on_resolve_dns", "(param $id i32) (param $token i32) (param $size i32)",
            "(call $event (i32.const 78) (local.get $id) (local.get $token) (local.get $size))"
            "(drop (call $get_buffer (i32.const 8) (i32.const 8) (i32.const -1) (i32.const 8) (i32.const 12))) (call "
            "$text)");
    start(text);
    stream_ = stream();
    stream_.requestHeaders();
    return lines();
  }
  FakeNames names_;
  Stream stream_;
};

TEST_F(DnsTest, AnAnswerIsToldWithItsTokenOnTheRoot) {
  EXPECT_THAT(run(), ElementsAre("= 0", "= 2", "= 6"));
  EXPECT_THAT(names_.asked, ElementsAre("a.example"));
  names_.waiting[0](FakeNames::addresses());
  EXPECT_EQ(lines().at(0), "N 1 2 31");
}

TEST_F(DnsTest, WhatIsAnsweredAtOnceIsToldWhenTheGuestHasReturned) {
  names_.at_once = true;
  const auto told = run();
  EXPECT_EQ(told.at(2), "= 6");
  EXPECT_EQ(told.at(3), "N 1 2 31");
}

TEST_F(DnsTest, AFailureHasNoBytes) {
  run();
  names_.waiting[0](base::Error{base::Code::NotFound, base::Side::Upstream, base::Retry::No, ""});
  EXPECT_EQ(lines().at(0), "N 1 2 0");
}

TEST_F(DnsTest, EndsWithThePluginAndNotWithItsStream) {
  run();
  stream_.finish();
  EXPECT_EQ(names_.open, 1);
  stream_.filter.reset();
  factory_.reset();
  EXPECT_EQ(names_.open, 0);
}

TEST_F(DnsTest, SoManyMayBeUnderWay) {
  const auto told = run(fmt::format(
      "(loop $more (drop (call $dns (i32.const 100) (i32.const 9) (i32.const 16))) (br_if $more (i32.le_u (i32.load "
      "(i32.const 16)) (i32.const {}))))",
      DnsLookups::kMaxPending));
  EXPECT_EQ(told.front(), "= 10");
}

}  // namespace
}  // namespace weir::proxy_wasm
