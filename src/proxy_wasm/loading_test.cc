// What load() checks: imports, exports, version, and the trial run.
#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(PluginTest, LoadsWhatPassesTheTrialAndRefusesEqualSpecsASecondTrial) {
  const GuestText guest = GuestText().everything();
  auto first = load(spec(guest));
  ASSERT_TRUE(first.ok()) << first.error().detail;
  EXPECT_THAT(lines(), ElementsAre("C 1 0 0", "V 1 0 0", "F 1 0 0"));
  auto second = load(spec(guest));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(first->get(), second->get());
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(PluginTest, NamesAllMissingImportsAtOnce) {
  GuestText guest;
  guest.import("(import \"env\" \"foo\" (global i32)) (import \"other\" \"bar\" (global i32))");
  auto loaded = load(spec(guest, "p"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().detail,
            "Unable to create Wasm plugin p: inline code: Failed to load Wasm module due to a missing import: env.foo, "
            "other.bar");
}

TEST_F(PluginTest, RunsAModuleThatImportsWhatThereIsNotUntilItCallsThat) {
  GuestText guest;
  guest.import("(import \"env\" \"foo\" (func $foo (param f64 i64) (result f32)))");
  guest.onRequestHeaders("(if (local.get $end) (then (drop (call $foo (f64.const 1) (i64.const 2))))) (i32.const 0)");
  const auto kept = load(spec(guest, "p"));
  EXPECT_THAT(rawLines(), Contains(HasSubstr("plugin p imports env.foo, which weir does not have: it dies where it "
                                             "calls that")));
  start(spec(guest, "p"));
  Stream good = stream();
  EXPECT_EQ(good.requestHeaders(false), filter::HeadersAction::Continue);
  Stream bad = stream();
  bad.requestHeaders(true);
  EXPECT_THAT(rawLines(), Contains(HasSubstr("failed: called a missing import: env.foo")));
  good.finish();
  bad.finish();
}

TEST_F(PluginTest, RefusesAPluginThatCallsAMissingImportOnTrialByTheImportsName) {
  GuestText guest;
  guest.import("(import \"env\" \"foo\" (func $foo))").onConfigure("(call $foo) (i32.const 1)");
  auto loaded = load(spec(guest));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail, HasSubstr("called a missing import: env.foo"));
}

TEST_F(PluginTest, TellsAnImportOfAnotherType) {
  GuestText guest;
  guest.import("(import \"env\" \"proxy_get_log_level\" (func (param i32 i32) (result i32)))");
  auto loaded = load(spec(guest));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail,
              HasSubstr("due to an import type mismatch: env.proxy_get_log_level, want: i32 i32 -> "
                        "i32, but host exports: i32 -> i32"));
}

TEST_F(PluginTest, RefusesAnUnknownVersion) {
  auto loaded = load(spec(GuestText().marker("proxy_abi_version_0_3_0")));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail, HasSubstr("Missing or unknown Proxy-Wasm ABI version"));
}

// Higress' SDKs export it; their header callbacks tell the end.
TEST_F(PluginTest, TakesTheMarkerOfHigressForThatOf021) {
  GuestText guest = GuestText().everything().marker("proxy_abi_version_0_2_100");
  guest.data(100, "x-none");
  guest.onRequestHeaders(
      "(call $event (i32.const 72) (local.get $id) (local.get $n) (local.get $end))"
      "(call $status (call $get_header (i32.const 0) (i32.const 100) (i32.const 6) (i32.const 8) (i32.const 12)))"
      "(i32.const 0)");
  start(guest);
  lines();
  Stream one = stream();
  one.requestHeaders(true);
  EXPECT_THAT(lines(), ElementsAre("C 2 1 0", "H 2 0 1", "= 1"));
  one.finish();
}

TEST_F(PluginTest, RefusesAModuleWithoutAnAllocator) {
  auto loaded = load(spec(GuestText().allocator("")));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail, HasSubstr("Wasm module is missing malloc function."));
}

TEST_F(PluginTest, RefusesACallbackOfAnotherType) {
  auto loaded = load(spec(GuestText().on("proxy_on_tick", "(param i32 i32)", "")));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(
      loaded.error().detail,
      HasSubstr("Bad function signature for: proxy_on_tick, want: i32 -> void, but the module exports: i32 i32 -> "
                "void"));
}

TEST_F(PluginTest, RefusesAConfigurationThatThePluginRefuses) {
  auto loaded = load(spec(GuestText().onConfigure("(i32.const 0)"), "mine"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().detail, "Unable to create Wasm plugin mine: inline code: proxy_on_configure returned false");
}

TEST_F(PluginTest, RefusesAPluginThatTrapsOrLoopsOnTrialWhateverItsPolicy) {
  for (const char* body : {"unreachable", "(loop $again (br $again)) (i32.const 1)"}) {
    PluginSpec open = spec(GuestText().onConfigure(body));
    open.failure_policy = FailurePolicy::Open;
    auto loaded = load(open);
    ASSERT_FALSE(loaded.ok());
    EXPECT_THAT(loaded.error().detail, HasSubstr("Function: proxy_on_configure failed: "));
  }
}

TEST_F(PluginTest, TellsWhichFileIsMissing) {
  PluginSpec missing = spec(GuestText(), "p");
  missing.vm.code = {CodeSource::Kind::File, "/nowhere/x.wasm", ""};
  auto loaded = load(missing);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(
      loaded.error().detail,
      "Unable to create Wasm plugin p: /nowhere/x.wasm: Invalid path: /nowhere/x.wasm: No such file or directory");
}

TEST_F(PluginTest, CallsStartOrInitializeAndThenMain) {
  (void)load(spec(GuestText().everything().on(
      "_start", "", "(call $event (i32.const 83) (i32.const 0) (i32.const 0) (i32.const 0))")));
  EXPECT_EQ(lines().front(), "S 0 0 0");
  GuestText both = GuestText().everything();
  both.on("_initialize", "", "(call $status (i32.const 1))").on("_start", "", "unreachable");
  both.on("main", "(param i32 i32) (result i32)", "(call $status (i32.const 2)) (i32.const 0)");
  (void)load(spec(both));
  EXPECT_THAT(lines(), ElementsAre("= 1", "= 2", "C 1 0 0", "V 1 0 0", "F 1 0 0"));
}

TEST_F(PluginTest, TrapsOnAHostCallThatIsNotForStarting) {
  auto loaded = load(spec(GuestText().on("_start", "", "(drop (call $done))")));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail, HasSubstr("restricted_callback"));
}

}  // namespace
}  // namespace weir::proxy_wasm
