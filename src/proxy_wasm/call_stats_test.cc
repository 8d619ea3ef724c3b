// Calls, errors, time and memory of plugins in the statistics; use and faults in a stream's own.
#include "proxy_wasm/call_stats.h"

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using std::chrono::milliseconds;
constexpr int64_t kPage = 65536;

class CallStatsTest : public PluginTest {
 protected:
  uint64_t counted(std::string_view what) { return stats_.counter(fmt::format("wasm.plugin.call.{}", what)).value(); }
  stats::Histogram& time(std::string_view callback) {
    return stats_.histogram(fmt::format("wasm.plugin.call.{}.time_ns", callback));
  }
  int64_t memory(std::string_view plugin = "plugin") {
    return stats_.gauge(fmt::format("wasm.{}.memory_bytes", plugin)).value();
  }
  void publish() {
    clock_.advance(milliseconds(101));
    loop_.runReady();
  }
  void ask() {
    Stream s = stream();
    s.requestHeaders();
    s.finish();
  }
};

TEST_F(CallStatsTest, EachCallbacksCallsAreCountedATenthOfASecondLater) {
  start(GuestText().everything());
  for (int i = 0; i < 20; ++i) ask();
  publish();
  EXPECT_EQ(counted("proxy_on_request_headers.calls"), 20u);
  EXPECT_EQ(counted("proxy_on_log.calls"), 20u);
  EXPECT_EQ(counted("proxy_on_context_create.calls"), 21u);
  EXPECT_EQ(counted("proxy_on_configure.calls"), 1u);
  EXPECT_EQ(counted("proxy_on_request_headers.errors"), 0u);
}

TEST_F(CallStatsTest, TheTrialIsNotCounted) {
  const auto loaded = load(spec(GuestText().everything()));
  ASSERT_TRUE(loaded.ok());
  publish();
  EXPECT_EQ(counted("proxy_on_configure.calls"), 0u);
  EXPECT_EQ(memory(), 0);
}

TEST_F(CallStatsTest, OfSixteenCallsOneIsTimedTheFirstToo) {
  start(GuestText().everything());
  ask();
  EXPECT_EQ(time("proxy_on_request_headers").count(), 1u);
  for (int i = 0; i < 31; ++i) ask();
  EXPECT_EQ(time("proxy_on_request_headers").count(), 2u);
}

TEST_F(CallStatsTest, EveryCallOrNoneIsTimedWhereThatIsAsked) {
  for (const uint32_t one_in : {0u, 1u}) {
    CallStats stats(stats_, "plugin", one_in);
    int timed = 0;
    for (int i = 0; i < 100; ++i) timed += stats.begin(Callback::Tick) ? 1 : 0;
    EXPECT_EQ(timed, one_in == 0 ? 0 : 100);
  }
}

TEST_F(CallStatsTest, ACallInWhichTheGuestDiesIsAnError) {
  start(GuestText().onRequestHeaders("unreachable"));
  ask();
  ask();
  publish();
  EXPECT_EQ(counted("proxy_on_request_headers.errors"), 2u);
  EXPECT_EQ(counted("proxy_on_request_headers.calls"), 2u);
}

TEST_F(CallStatsTest, MemoryIsThatOfTheVmAsItGrowsAndNothingWhenTheVmGoes) {
  start(GuestText().onRequestHeaders("(drop (memory.grow (i32.const 3))) (i32.const 0)"));
  publish();
  EXPECT_EQ(memory(), 2 * kPage);
  ask();
  publish();
  EXPECT_EQ(memory(), 5 * kPage);
  EXPECT_EQ(stats_.gauge("wasm.vm_memory_bytes").value(), 5 * kPage);
  factory_.reset();
  loop_.runReady();
  EXPECT_EQ(memory(), 0);
  EXPECT_EQ(stats_.gauge("wasm.vm_memory_bytes").value(), 0);
}

TEST_F(CallStatsTest, AVmThatTwoPluginsShareIsInTheGaugeOfEachAndOnceInTheWhole) {
  const GuestText guest = GuestText().onRequestHeaders("(i32.const 0)");
  start(spec(guest));
  const auto first = std::move(factory_);
  start(spec(guest, "second"));
  publish();
  EXPECT_EQ(memory(), 2 * kPage);
  EXPECT_EQ(memory("second"), 2 * kPage);
  EXPECT_EQ(stats_.gauge("wasm.vm_memory_bytes").value(), 2 * kPage);
}

TEST_F(CallStatsTest, AStreamKnowsItsPluginsCallsOnceAFormatWantsThem) {
  filter::PluginUses::want();
  start(GuestText().everything());
  Stream s = stream();
  s.requestHeaders();
  s.responseHeaders();
  s.filter->onLog();
  const filter::PluginUse& use = s.handle->info().plugins.of("plugin");
  EXPECT_EQ(use.calls, 4u);  // Created, two headers, log.
  EXPECT_EQ(use.fault, "");
  s.finish();
}

TEST_F(CallStatsTest, ACallOfTheRootInWhichTheGuestChoseAStreamIsTheStreams) {
  filter::PluginUses::want();
  start(GuestText()
            .onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)")
            .onRequestHeaders("(i32.const 4)")
            .on("proxy_on_tick", "(param i32)", "(drop (call $effective (i32.const 2)))"));
  Stream s = stream();
  s.requestHeaders();
  EXPECT_EQ(s.handle->info().plugins.of("plugin").calls, 1u);
  clock_.advance(milliseconds(12));
  loop_.runReady();
  EXPECT_EQ(s.handle->info().plugins.of("plugin").calls, 2u);
  s.finish();
}

TEST_F(CallStatsTest, AStreamKnowsWhatItsPluginDiedOf) {
  start(GuestText().onRequestHeaders("unreachable"));
  Stream s = stream();
  s.requestHeaders();
  EXPECT_EQ(s.handle->info().plugins.of("plugin").fault, "unreachable:proxy_on_request_headers");
  s.finish();
}

TEST_F(CallStatsTest, AStreamThatWaitedForAGuestWhichDiedForAnotherKnowsItToo) {
  // Pauses the first, dies of the second.
  start(GuestText()
            .more("(global $n (mut i32) (i32.const 0))")
            .onRequestHeaders("(if (global.get $n) (then unreachable)) (global.set $n (i32.const 1)) (i32.const 4)"));
  Stream waiting = stream(), other = stream();
  waiting.requestHeaders();
  other.requestHeaders();
  loop_.runReady();
  EXPECT_EQ(waiting.handle->info().plugins.of("plugin").fault, "unreachable:proxy_on_request_headers");
  waiting.finish();
  other.finish();
}

}  // namespace
}  // namespace weir::proxy_wasm
