// A guest that traps, loops or hoards: what becomes of its stream, of others, and of the plugin.
#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/plugin_on_worker.h"

namespace weir::proxy_wasm {
namespace {

using filter::BodyAction;
using filter::HeadersAction;
using testing::Contains;
using testing::HasSubstr;

// Goes wrong as the path's first letter says: t trap, l loop, m memory; p pauses; others go on.
GuestText faulty() {
  GuestText guest;
  guest.data(100, ":path");
  guest.onRequestHeaders(R"(
    (local $letter i32)
    (drop (call $get_header (i32.const 0) (i32.const 100) (i32.const 5) (i32.const 8) (i32.const 12)))
    (local.set $letter (i32.load8_u offset=1 (i32.load (i32.const 8))))
    (if (i32.eq (local.get $letter) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $letter) (i32.const 108)) (then (loop $again (br $again))))
    (if (i32.eq (local.get $letter) (i32.const 109)) (then
      (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable))
    (i32.eq (local.get $letter) (i32.const 112)))");
  guest.on("proxy_on_response_headers", "(param i32 i32 i32) (result i32)", "(i32.const 0)");
  return guest;
}

class FailureTest : public PluginTest {
 protected:
  Stream open(const char* path) {
    Stream s = stream();
    s.handle->request_headers.add(":path", path);
    return s;
  }
  HeadersAction ask(const char* path) {
    Stream s = open(path);
    const HeadersAction action = s.requestHeaders();
    replies_ = std::move(s.handle->replies);
    s.finish();
    return action;
  }
  void pass(base::Duration time) {
    clock_.advance(time);
    loop_.runReady();
  }
  static PluginHost::Settings withPauses(base::Duration limit) {
    BudgetRules rules;
    rules.defaults.pause = limit;
    return {.budgets = BudgetTable(rules, {}), .node = "", .knows_cluster = nullptr};
  }
  std::vector<filter::LocalReply> replies_;
};

TEST_F(FailureTest, EndsItsOwnStreamWith503AndServesTheNext) {
  start(faulty());
  for (const char* path : {"/trap", "/loop", "/memory"}) {
    EXPECT_EQ(ask(path), HeadersAction::StopAllAndWatermark) << path;
    ASSERT_EQ(replies_.size(), 1u);
    EXPECT_EQ(replies_[0].status, 503);
    EXPECT_EQ(replies_[0].details, "wasm_fail_stream{plugin}");
    EXPECT_EQ(replies_[0].body, "");
    EXPECT_EQ(replies_[0].grpc_status, 14);
    EXPECT_EQ(ask("/good"), HeadersAction::Continue) << path;
    EXPECT_TRUE(replies_.empty());
  }
  EXPECT_EQ(stats_.counter("wasm.plugin.vm_reload_success").value(), 3u);
  for (const char* kind : {"unreachable", "deadline", "memory_limit"}) {
    EXPECT_EQ(stats_.counter(fmt::format("wasm.plugin.fault_{}", kind)).value(), 1u) << kind;
  }
  EXPECT_THAT(rawLines(),
              Contains(HasSubstr("error plugin plugin root vm: Function: proxy_on_request_headers failed: ")).Times(3));
}

TEST_F(FailureTest, IsCountedByEachKindOfDeath) {
  const std::string kept =
      "(drop (call $get_header (i32.const 0) (i32.const 100) (i32.const 5) (i32.const 8) "
      "(i32.const 12))) (i32.const 0)";
  const std::pair<const char*, GuestText> kDeaths[] = {
      {"deadline", GuestText().onRequestHeaders("(loop $again (br $again)) (i32.const 0)")},
      {"stack", GuestText().more("(func $deep call $deep)").onRequestHeaders("call $deep (i32.const 0)")},
      {"memory_limit", GuestText().onRequestHeaders("(drop (memory.grow (i32.const 20000))) unreachable")},
      {"memory_access", GuestText().onRequestHeaders("(i32.load (i32.const -16))")},
      {"unreachable", GuestText().onRequestHeaders("unreachable")},
      // In its allocator it may not set a timer.
      {"host", GuestText().allocator("(call $tick (i32.const 1))").data(100, ":path").onRequestHeaders(kept)},
      {"other", GuestText().onRequestHeaders("(i32.div_u (i32.const 1) (i32.const 0))")},
  };
  for (const auto& [kind, guest] : kDeaths) {
    start(guest);
    EXPECT_EQ(ask("/"), HeadersAction::StopAllAndWatermark) << kind;
    EXPECT_EQ(stats_.counter(fmt::format("wasm.plugin.fault_{}", kind)).value(), 1u) << kind;
  }
}

TEST_F(FailureTest, IsReplacedAtOnceWithoutWaitingForARequest) {
  start(faulty());
  ask("/trap");
  EXPECT_EQ(stats_.counter("wasm.plugin.vm_reload_success").value(), 0u);
  loop_.runReady();
  EXPECT_EQ(stats_.counter("wasm.plugin.vm_reload_success").value(), 1u);
}

TEST_F(FailureTest, LetsTheStreamGoOnWherePolicyIsOpen) {
  PluginSpec open = spec(faulty());
  open.failure_policy = FailurePolicy::Open;
  start(open);
  Stream s = this->open("/trap");
  EXPECT_EQ(s.requestHeaders(false), HeadersAction::Continue);
  EXPECT_EQ(s.requestBody("x", true), BodyAction::Continue);
  EXPECT_EQ(s.responseHeaders(), HeadersAction::Continue);
  EXPECT_TRUE(s.handle->replies.empty());
  s.finish();
}

TEST_F(FailureTest, EndsWaitingStreamsOfTheSameVmAndLeavesOthersToTheirNextCallback) {
  start(faulty());
  Stream waiting = open("/pause"), going = open("/good"), done = open("/good");
  EXPECT_EQ(waiting.requestHeaders(), HeadersAction::StopAllAndWatermark);
  EXPECT_EQ(going.requestHeaders(), HeadersAction::Continue);
  EXPECT_EQ(done.requestHeaders(), HeadersAction::Continue);
  ask("/trap");
  EXPECT_TRUE(waiting.handle->replies.empty());
  loop_.runReady();
  EXPECT_EQ(waiting.handle->replies.size(), 1u);
  EXPECT_TRUE(going.handle->replies.empty());
  // The answer to it passes.
  EXPECT_EQ(waiting.responseHeaders(), HeadersAction::Continue);
  EXPECT_EQ(going.responseHeaders(), HeadersAction::StopAllAndWatermark);
  EXPECT_EQ(going.handle->replies.size(), 1u);
  EXPECT_TRUE(done.handle->replies.empty());
  for (Stream* s : {&waiting, &going, &done}) s->finish();
}

TEST_F(FailureTest, LetsWaitingStreamsGoWherePolicyIsOpen) {
  PluginSpec open = spec(faulty());
  open.legacy_fail_open = true;
  start(open);
  Stream waiting = this->open("/pause");
  waiting.requestHeaders();
  ask("/trap");
  loop_.runReady();
  EXPECT_EQ(waiting.handle->continued_requests, 1);
  EXPECT_TRUE(waiting.handle->replies.empty());
  waiting.finish();
}

TEST_F(FailureTest, AStreamThatThePluginDoesNotLetGoOnGetsWhatThePolicySays) {
  useHost(withPauses(std::chrono::seconds(3)));
  for (const bool is_open : {false, true}) {
    PluginSpec policy = spec(faulty());
    policy.legacy_fail_open = is_open;
    start(policy);
    Stream waiting = open("/pause");
    EXPECT_EQ(waiting.requestHeaders(), HeadersAction::StopAllAndWatermark);
    pass(std::chrono::seconds(2));
    EXPECT_TRUE(waiting.handle->replies.empty());
    pass(std::chrono::seconds(2));
    EXPECT_EQ(waiting.handle->replies.size(), is_open ? 0u : 1u);
    EXPECT_EQ(waiting.handle->continued_requests, is_open ? 1 : 0);
    EXPECT_EQ(waiting.handle->info().plugins.of("plugin").fault, "pause");
    waiting.finish();
  }
  EXPECT_EQ(stats_.counter("wasm.pauses_ended").value(), 2u);
}

// A plugin that waits for the rest of a body waits for the client.
TEST_F(FailureTest, APauseThatTheClientCanEndHasNoLimit) {
  useHost(withPauses(std::chrono::seconds(3)));
  GuestText guest;
  guest.on("proxy_on_request_body", "(param i32 i32 i32) (result i32)", "(i32.const 1)");
  start(guest);
  Stream s = stream();
  s.requestHeaders(false);
  EXPECT_EQ(s.requestBody("some", false), BodyAction::StopAndBuffer);
  pass(std::chrono::seconds(10));
  EXPECT_TRUE(s.handle->replies.empty());
  EXPECT_EQ(s.requestBody("more", true), BodyAction::StopAndBuffer);
  pass(std::chrono::seconds(10));
  EXPECT_EQ(s.handle->replies.size(), 1u);
  s.finish();
}

TEST_F(FailureTest, OpensTheBreakerAfterLivesThatServeNothingAndClosesItAfterOneThatDoes) {
  start(faulty());
  for (uint32_t i = 0; i < Breaker::kUselessLives + 20; ++i) {
    ask("/trap");
    loop_.runReady();
  }
  const stats::Gauge& open = stats_.gauge("wasm.plugin.breaker_open");
  EXPECT_EQ(open.value(), 1);
  EXPECT_EQ(stats_.counter("wasm.plugin.breaker_opened").value(), 1u);
  EXPECT_GT(stats_.counter("wasm.plugin.vm_reload_backoff").value(), 0u);
  const uint64_t made = stats_.counter("wasm..created").value();
  EXPECT_THAT(rawLines(),
              testing::Contains(testing::AllOf(
                  testing::HasSubstr("plugin plugin: its breaker is open on this worker, as 201 instance(s)"),
                  testing::HasSubstr("its streams are refused; the last died of: Function: "
                                     "proxy_on_request_headers failed"))));
  EXPECT_EQ(ask("/good"), HeadersAction::StopAllAndWatermark);
  EXPECT_EQ(stats_.counter("wasm..created").value(), made) << "the policy decides without an instance";
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_EQ(replies_[0].details, "wasm_fail_stream{plugin}");
  clock_.advance(std::chrono::milliseconds(1600));
  loop_.runReady();
  EXPECT_EQ(stats_.counter("wasm..created").value(), made + 1) << "by time alone";
  EXPECT_EQ(open.value(), 1) << "half open";
  EXPECT_EQ(ask("/good"), HeadersAction::Continue);
  clock_.advance(std::chrono::milliseconds(1002));
  loop_.runReady();
  EXPECT_EQ(open.value(), 0);
  EXPECT_THAT(rawLines(), testing::Contains(testing::HasSubstr("its breaker is closed again on this worker")));
}

TEST_F(FailureTest, TheBreakerOpensAgainForLongerWhenTheNextLifeServesNothingEither) {
  start(faulty());
  for (uint32_t i = 0; i < Breaker::kUselessLives + 2; ++i) {
    ask("/trap");
    loop_.runReady();
  }
  clock_.advance(std::chrono::milliseconds(1600));
  loop_.runReady();
  ask("/trap");
  loop_.runReady();
  EXPECT_EQ(ask("/good"), HeadersAction::StopAllAndWatermark);
  clock_.advance(std::chrono::milliseconds(1600));
  loop_.runReady();
  EXPECT_EQ(ask("/good"), HeadersAction::StopAllAndWatermark) << "two seconds at least";
  clock_.advance(std::chrono::milliseconds(1600));
  loop_.runReady();
  EXPECT_EQ(ask("/good"), HeadersAction::Continue);
  EXPECT_EQ(stats_.counter("wasm.plugin.breaker_opened").value(), 1u);
}

TEST_F(FailureTest, AnOpenBreakerOfAPluginThatGoesIsForgotten) {
  start(faulty());
  for (uint32_t i = 0; i < Breaker::kUselessLives + 2; ++i) {
    ask("/trap");
    loop_.runReady();
  }
  EXPECT_EQ(stats_.gauge("wasm.plugin.breaker_open").value(), 1);
  factory_.reset();
  EXPECT_EQ(stats_.gauge("wasm.plugin.breaker_open").value(), 0);
}

TEST_F(FailureTest, NeverWaitsWhenGoodRequestsComeBetween) {
  start(faulty());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask("/good"), HeadersAction::Continue) << i;
    ask("/trap");
    loop_.runReady();
  }
  EXPECT_EQ(stats_.counter("wasm.plugin.vm_reload_backoff").value(), 0u);
}

TEST_F(FailureTest, FreesTheDeadVmWithItsLastStream) {
  start(faulty());
  ask("/trap");
  loop_.runReady();
  EXPECT_EQ(stats_.gauge("wasm..active").value(), 1);
}

TEST_F(FailureTest, TellsADeadGuestNothingMore) {
  GuestText guest = GuestText().everything();
  guest.onRequestHeaders("unreachable");
  start(guest);
  Stream s = stream();
  s.requestHeaders();
  lines();
  s.responseHeaders();
  s.finish();
  EXPECT_THAT(lines(), testing::IsEmpty());
}

TEST_F(FailureTest, SurvivesATrapInEveryOtherCallback) {
  for (const char* callback : {"proxy_on_log", "proxy_on_delete", "proxy_on_tick"}) {
    GuestText guest = faulty();
    guest.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
    guest.on(callback, "(param i32)", "unreachable");
    start(guest);
    Stream s = open("/good");
    s.requestHeaders();
    s.finish();
    clock_.advance(std::chrono::milliseconds(12));
    loop_.runReady();
    EXPECT_EQ(ask("/good"), HeadersAction::Continue) << callback;
  }
}

}  // namespace
}  // namespace weir::proxy_wasm
