// Plugins of which each stream has an instance of its own.
#include "proxy_wasm/calling_fixture.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using filter::HeadersAction;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StreamInstancesTest : public CallingPluginTest {
 protected:
  void useBudget(BudgetChange change) {
    BudgetRules rules;
    change.instance_per_stream = true;
    rules.defaults = change;
    PluginHost::Settings settings;
    settings.budgets = BudgetTable(BudgetRules(), rules);
    useHost(std::move(settings));
  }
  void SetUp() override { useBudget({}); }

  uint64_t counter(std::string_view name) { return stats_.counter(name).value(); }
  int64_t gauge(std::string_view name) { return stats_.gauge(name).value(); }
};

// Counts in its memory: what the configuration made of it, and each request that it sees.
GuestText counting() {
  return GuestText()
      .onConfigure(
          "(i32.store (i32.const 512) (i32.const 40))"
          "(call $event (i32.const 70) (local.get $id) (i32.const 0) (i32.const 0)) (i32.const 1)")
      .onRequestHeaders(
          "(i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (i32.const 1)))"
          "(call $event (i32.const 72) (local.get $id) (i32.load (i32.const 512)) (i32.const 0))"
          "(i32.const 0)");
}

TEST_F(StreamInstancesTest, EachBeginsAsTheConfigurationLeftThePlugin) {
  const auto plugin = load(spec(counting()));
  EXPECT_THAT(lines(), Contains("F 1 0 0"));
  factory_ = worker_->createFactory(*plugin);
  EXPECT_EQ(gauge("wasm.plugin.snapshot"), 1);
  for (int i = 0; i < 3; ++i) {
    Stream s = stream();
    EXPECT_EQ(s.requestHeaders(), HeadersAction::Continue);
    s.finish();
    loop_.runReady();
    EXPECT_THAT(lines(), ElementsAre("H 2 41 0"));
  }
}

TEST_F(StreamInstancesTest, StreamsAtTheSameTimeHaveNothingOfEachOther) {
  start(counting());
  lines();
  Stream first = stream();
  Stream second = stream();
  first.requestHeaders();
  second.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("H 2 41 0", "H 2 41 0"));
  first.finish();
  second.finish();
}

TEST_F(StreamInstancesTest, AreGoneWithTheirStreams) {
  start(counting());
  const int64_t before = gauge("wasm..active");
  std::vector<Stream> streams;
  for (int i = 0; i < 5; ++i) streams.push_back(stream());
  EXPECT_EQ(gauge("wasm..active"), before + 5);
  for (Stream& each : streams) each.finish();
  streams.clear();
  loop_.runReady();
  EXPECT_EQ(gauge("wasm..active"), before);
}

TEST_F(StreamInstancesTest, BeyondThePoolAreMappedByThemselves) {
  start(counting());
  lines();
  std::vector<Stream> streams;
  const auto pooled = wasm::EngineSettings().pooled_instances;
  for (uint32_t i = 0; i < pooled; ++i) streams.push_back(stream());
  EXPECT_EQ(counter("wasm.instances_unpooled"), 0u);
  Stream more = stream();
  EXPECT_EQ(counter("wasm.instances_unpooled"), 1u);
  more.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("H 2 41 0"));
  more.finish();
  for (Stream& each : streams) each.finish();
}

TEST_F(StreamInstancesTest, OneThatDiesTakesNobodyWithIt) {
  start(GuestText().onRequestHeaders("(if (i32.eq (local.get $end) (i32.const 1)) (then unreachable)) (i32.const 0)"));
  Stream good = stream();
  Stream bad = stream();
  EXPECT_EQ(good.requestHeaders(false), HeadersAction::Continue);
  bad.requestHeaders(true);
  ASSERT_THAT(bad.handle->replies, SizeIs(1));
  EXPECT_EQ(bad.handle->replies[0].status, 503);
  bad.finish();
  loop_.runReady();
  EXPECT_THAT(good.handle->replies, IsEmpty());
  good.finish();
  EXPECT_EQ(counter("wasm.plugin.fault_unreachable"), 1u);
  EXPECT_EQ(counter("wasm.plugin.vm_reload_success"), 0u);
}

TEST_F(StreamInstancesTest, HaveTheMetricsThatTheConfigurationDefined) {
  start(
      GuestText()
          .data(256, "seen")
          .onConfigure("(drop (call $define_metric (i32.const 0) (i32.const 256) (i32.const 4) (i32.const 512)))"
                       "(i32.const 1)")
          .onRequestHeaders("(drop (call $increment_metric (i32.load (i32.const 512)) (i64.const 2))) (i32.const 0)"));
  for (int i = 0; i < 3; ++i) {
    Stream s = stream();
    s.requestHeaders();
    s.finish();
  }
  EXPECT_EQ(counter("wasmcustom.seen"), 6u);
}

TEST_F(StreamInstancesTest, TickWhileTheirStreamLives) {
  start(GuestText()
            .onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)")
            .on("proxy_on_tick", "(param $id i32)",
                "(call $event (i32.const 75) (local.get $id) (i32.const 0) (i32.const 0))"));
  EXPECT_EQ(gauge("wasm.plugin.snapshot"), 1);
  const auto pass = [&] {
    clock_.advance(std::chrono::milliseconds(12));
    loop_.runReady();
  };
  lines();
  pass();
  EXPECT_THAT(lines(), IsEmpty());
  Stream s = stream();
  s.requestHeaders();
  pass();
  EXPECT_THAT(lines(), ElementsAre("K 1 0 0"));
  s.finish();
  pass();
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(StreamInstancesTest, AreConfiguredOneByOneWhereThePluginCallsWhileItStarts) {
  const std::string request = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  GuestText guest = counting();
  guest.data(100, "web").data(200, request);
  guest.onConfigure(
      fmt::format("(drop (call $http_call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const {})"
                  " (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const "
                  "16))) (i32.store (i32.const 512) (i32.const 7)) (i32.const 1)",
                  request.size()));
  const auto plugin = load(spec(guest));
  factory_ = worker_->createFactory(*plugin);
  EXPECT_EQ(gauge("wasm.plugin.snapshot"), 0);
  EXPECT_THAT(rawLines(), Contains(HasSubstr("each is started and configured anew: it makes a call while it starts")));
  for (int i = 0; i < 2; ++i) {
    Stream s = stream();
    s.requestHeaders();
    s.finish();
    EXPECT_THAT(lines(), ElementsAre("H 2 8 0"));
  }
}

TEST_F(StreamInstancesTest, BeyondTheLimitStreamsGetWhatThePolicySays) {
  useBudget({.instances = 2});
  start(counting());
  Stream first = stream();
  Stream second = stream();
  Stream third = stream();
  EXPECT_EQ(third.requestHeaders(), HeadersAction::StopAllAndWatermark);
  ASSERT_THAT(third.handle->replies, SizeIs(1));
  EXPECT_EQ(third.handle->replies[0].status, 503);
  EXPECT_EQ(counter("wasm.instances_refused"), 1u);
  first.finish();
  loop_.runReady();
  Stream fourth = stream();
  EXPECT_EQ(fourth.requestHeaders(), HeadersAction::Continue);
  second.finish();
  third.finish();
  fourth.finish();
}

TEST_F(StreamInstancesTest, StayUntilTheCallsOfTheirStreamAreAnswered) {
  const std::string request = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  GuestText guest = counting();
  guest.data(100, "web").data(200, request);
  guest.on("proxy_on_log", "(param $id i32)",
           fmt::format("(drop (call $http_call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const {})"
                       " (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 16)))",
                       request.size()));
  guest.on("proxy_on_http_call_response", "(param $id i32) (param $token i32) (param $n i32) (param i32 i32)",
           "(call $event (i32.const 82) (local.get $id) (local.get $token) (i32.load (i32.const 512)))");
  const int64_t before = gauge("wasm..active");
  EXPECT_THAT(run(guest), Contains("H 2 41 0"));
  stream_.finish();
  loop_.runReady();
  EXPECT_EQ(gauge("wasm..active"), before + 1);
  cluster_.refuse();
  EXPECT_THAT(lines(), ElementsAre("R 1 4 41"));
  loop_.runReady();
  EXPECT_EQ(gauge("wasm..active"), before);
}

TEST_F(StreamInstancesTest, ThatWaitForAnswersEndWithTheWorker) {
  const std::string request = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  GuestText guest;
  guest.data(100, "web").data(200, request);
  guest.on("proxy_on_log", "(param $id i32)",
           fmt::format("(drop (call $http_call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const {})"
                       " (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 16)))",
                       request.size()));
  run(guest);
  stream_.finish();
  loop_.runReady();
  factory_.reset();
  EXPECT_EQ(gauge("wasm..active"), 1);
  worker_.reset();
  loop_.runReady();
  EXPECT_EQ(gauge("wasm..active"), 0);
}

TEST_F(StreamInstancesTest, ShareTheNumberOfCallsThatThePluginMayHave) {
  useBudget({.pending_calls = 2});
  const std::string request = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  GuestText guest;
  guest.data(100, "web").data(200, request);
  guest.onRequestHeaders(fmt::format(
      "(call $event (i32.const 72) (call $http_call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const "
      "{}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 16))"
      " (i32.const 0) (i32.const 0)) (i32.const 1)",
      request.size()));
  EXPECT_THAT(run(guest), ElementsAre("H 0 0 0"));
  Stream second = stream();
  second.requestHeaders();
  Stream third = stream();
  third.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("H 0 0 0", "H 10 0 0"));
  EXPECT_EQ(counter("wasm.calls_refused"), 1u);
  clock_.advance(std::chrono::milliseconds(1001));
  loop_.runReady();
  Stream fourth = stream();
  fourth.requestHeaders();
  EXPECT_THAT(lines(), Contains("H 0 0 0"));
  for (Stream* each : {&second, &third, &fourth}) each->finish();
}

TEST_F(StreamInstancesTest, CountTheirCallsTogether) {
  start(counting());
  for (int i = 0; i < 3; ++i) {
    Stream s = stream();
    s.requestHeaders();
    s.finish();
  }
  clock_.advance(std::chrono::milliseconds(200));
  loop_.runReady();
  EXPECT_EQ(counter("wasm.plugin.call.proxy_on_request_headers.calls"), 3u);
}

TEST_F(StreamInstancesTest, ConfigurationThatFailsIsStillAnError) {
  EXPECT_THAT(load(spec(GuestText().onConfigure("(i32.const 0)"))).error().detail,
              HasSubstr("proxy_on_configure returned false"));
  EXPECT_THAT(load(spec(GuestText().onConfigure("unreachable"))).error().detail, HasSubstr("unreachable"));
}

}  // namespace
}  // namespace weir::proxy_wasm
