// Which callbacks come when, with which arguments, and what their answers do to the stream.
#include <filesystem>

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using filter::BodyAction;
using filter::HeadersAction;
using filter::TrailersAction;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kHeaders = "(param $id i32) (param $n i32) (param $end i32) (result i32)";

TEST_F(PluginTest, TellsAWholeStreamInOrder) {
  start(GuestText().everything());
  EXPECT_THAT(lines(), ElementsAre("C 1 0 0", "V 1 0 0", "F 1 0 0"));
  Stream s = stream();
  s.handle->request_headers.add(":path", "/");
  s.requestHeaders(false);
  s.requestBody("abc", false);
  s.requestBody("", true);
  s.filter->onRequestTrailers(s.handle->request_trailers);
  s.responseHeaders(false);
  base::BufferChain body("xy");
  s.filter->onResponseBody(body, true);
  s.filter->onResponseTrailers(s.handle->response_trailers);
  s.finish();
  EXPECT_THAT(lines(), ElementsAre("C 2 1 0", "H 2 1 0", "B 2 3 0", "B 2 0 1", "T 2 0 0", "h 2 0 0", "b 2 2 1",
                                   "t 2 0 0", "L 2 0 0", "D 2 0 0", "X 2 0 0"));
}

TEST_F(PluginTest, TellsHowManyFieldsMetadataHas) {
  start(GuestText().everything());
  Stream s = stream();
  http::Metadata metadata;
  metadata.add("a", "1");
  metadata.add("b", "2");
  s.requestHeaders(false);
  lines();
  s.filter->onRequestMetadata(metadata);
  s.filter->onResponseMetadata(metadata);
  EXPECT_THAT(lines(), ElementsAre("M 2 2 0", "m 2 2 0"));
  EXPECT_TRUE(s.handle->replies.empty());
  s.finish();
}

TEST_F(PluginTest, AGuestThatTrapsInMetadataFailsItsStream) {
  start(GuestText().on("proxy_on_request_metadata", "(param i32 i32) (result i32)", "(unreachable)"));
  Stream s = stream();
  http::Metadata metadata;
  metadata.add("a", "1");
  s.requestHeaders(false);
  s.filter->onRequestMetadata(metadata);
  ASSERT_EQ(s.handle->replies.size(), 1u);
  EXPECT_EQ(s.handle->replies[0].status, 503);
  s.filter->onRequestMetadata(metadata);
  s.filter->onResponseMetadata(metadata);
  EXPECT_EQ(s.handle->replies.size(), 1u);
  s.finish();
}

TEST_F(PluginTest, CountsContextsFromOneAndRootsAmongThem) {
  start(GuestText().everything());
  for (const char* created : {"C 2 1 0", "C 3 1 0"}) {
    lines();
    Stream s = stream();
    s.requestHeaders();
    s.finish();
    EXPECT_EQ(lines().front(), created);
  }
}

TEST_F(PluginTest, KeepsContextsApartBeyondTheFirstTable) {
  start(GuestText().everything());
  std::vector<Stream> streams;
  for (int i = 0; i < 3000; ++i) streams.push_back(stream());
  for (Stream& s : streams) s.requestHeaders();
  lines();
  streams[2998].requestBody("x", true);
  EXPECT_THAT(lines(), ElementsAre("B 3000 1 1"));
  for (Stream& s : streams) s.finish();
}

TEST_F(PluginTest, TellsAStreamThatItNeverSawAtItsLog) {
  start(GuestText().everything());
  lines();
  Stream s = stream();
  s.responseHeaders();
  s.finish();
  EXPECT_THAT(lines(), ElementsAre("C 2 1 0", "L 2 0 0", "D 2 0 0", "X 2 0 0"));
}

TEST_F(PluginTest, RunsAGuestWithoutAnyCallback) {
  start(GuestText());
  Stream s = stream();
  EXPECT_EQ(s.requestHeaders(false), HeadersAction::Continue);
  EXPECT_EQ(s.requestBody("x", true), BodyAction::Continue);
  EXPECT_EQ(s.left, "x");
  s.finish();
}

TEST_F(PluginTest, GivesHeaderCallbacksTheArityThatTheyWereExportedWith) {
  for (const char* marker : {"proxy_abi_version_0_1_0", "proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"}) {
    GuestText two;
    two.marker(marker).on("proxy_on_request_headers", "(param $id i32) (param $n i32) (result i32)",
                          "(call $event (i32.const 72) (local.get $id) (local.get $n) (i32.const 9)) (i32.const 0)");
    start(two);
    Stream s = stream();
    s.requestHeaders();
    EXPECT_THAT(lines(), ElementsAre("H 2 0 9"));
    s.finish();
    start(GuestText().marker(marker).onRequestHeaders(
        "(call $event (i32.const 72) (local.get $id) (local.get $n) (local.get $end)) (i32.const 0)"));
    Stream t = stream();
    t.requestHeaders();
    EXPECT_THAT(lines(), ElementsAre("H 2 0 1"));
    t.finish();
  }
}

TEST_F(PluginTest, TakesHeaderActionsAsEnvoyDoesAndGoesOnAfterAnyOtherNumber) {
  const std::pair<int, HeadersAction> actions[] = {
      {0, HeadersAction::Continue},         {1, HeadersAction::StopAllAndWatermark}, {2, HeadersAction::Continue},
      {3, HeadersAction::StopAllAndBuffer}, {4, HeadersAction::StopAllAndWatermark}, {99, HeadersAction::Continue}};
  for (const auto& [result, action] : actions) {
    PluginSpec plain = spec(GuestText().onRequestHeaders(fmt::format("(i32.const {})", result)));
    start(plain);
    Stream s = stream();
    EXPECT_EQ(s.requestHeaders(), action) << result;
    s.finish();
    plain.allow_on_headers_stop_iteration = true;
    start(plain);
    Stream t = stream();
    EXPECT_EQ(t.requestHeaders(), result == 1 ? HeadersAction::StopIteration : action) << result;
    t.finish();
  }
}

TEST_F(PluginTest, TakesBodyAndTrailersActionsAndGoesOnAfterAnyOtherNumber) {
  const std::pair<int, BodyAction> actions[] = {{0, BodyAction::Continue},
                                                {1, BodyAction::StopAndBuffer},
                                                {2, BodyAction::StopAndWatermark},
                                                {3, BodyAction::StopNoBuffer},
                                                {99, BodyAction::Continue}};
  for (const auto& [result, action] : actions) {
    GuestText guest;
    guest.on("proxy_on_request_body", kHeaders, fmt::format("(i32.const {})", result));
    guest.on("proxy_on_request_trailers", "(param i32 i32) (result i32)", fmt::format("(i32.const {})", result));
    start(guest);
    Stream s = stream();
    s.requestHeaders(false);
    EXPECT_EQ(s.requestBody("x", false), action);
    EXPECT_EQ(s.filter->onRequestTrailers(s.handle->request_trailers),
              result == 1 ? TrailersAction::Stop : TrailersAction::Continue);
    s.finish();
  }
}

TEST_F(PluginTest, ShowsAllThatWasBufferedAfterABufferAndOnlyTheNewPieceAfterAWatermark) {
  for (const int action : {1, 2}) {
    GuestText guest;
    guest.on("proxy_on_request_body", kHeaders,
             fmt::format("(call $event (i32.const 66) (local.get $n) (local.get $end) (i32.const 0)) (i32.const {})",
                         action));
    start(guest);
    Stream s = stream();
    s.requestHeaders(false);
    lines();
    s.requestBody("abc", false);
    s.handle->request_buffer.append("abc");  // As the chain does.
    s.requestBody("de", true);
    EXPECT_THAT(lines(), ElementsAre("B 3 0 0", action == 1 ? "B 5 1 0" : "B 2 1 0"));
    s.finish();
  }
}

TEST_F(PluginTest, TicksUntilThePeriodIsZero) {
  GuestText guest;
  guest.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
  guest.on("proxy_on_tick", "(param $id i32)",
           "(call $event (i32.const 75) (local.get $id) (i32.const 0) (i32.const 0))"
           "(global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))"
           "(if (i32.eq (global.get $ticks) (i32.const 2)) (then (drop (call $tick (i32.const 0)))))");
  guest.more("(global $ticks (mut i32) (i32.const 0))");
  start(guest);
  std::vector<size_t> counts;
  for (int i = 0; i < 4; ++i) {
    clock_.advance(std::chrono::milliseconds(12));
    loop_.runReady();
    counts.push_back(lines().size());
  }
  EXPECT_THAT(counts, ElementsAre(1, 1, 0, 0));
}

TEST_F(PluginTest, SharesAVmBetweenPluginsOfOneIdentityWithARootEach) {
  const GuestText guest = GuestText().everything();
  PluginSpec first = spec(guest, "first"), second = spec(guest, "second"), other = spec(guest, "other");
  other.vm.vm_id = "another";
  std::vector<std::unique_ptr<filter::FilterFactory>> factories;
  for (const PluginSpec& spec : {first, second, other}) {
    auto loaded = load(spec);
    ASSERT_TRUE(loaded.ok());
    lines();
    factories.push_back(worker_->createFactory(*loaded));
    EXPECT_EQ(lines().front(), spec.name == "second" ? "C 2 0 0" : "C 1 0 0");
  }
  Stream s = stream(*factories[1]);
  s.requestHeaders();
  EXPECT_EQ(lines().front(), "C 3 2 0");
  s.finish();
}

TEST_F(PluginTest, TellsARootOfItsEndAndWaitsForOneThatIsNotDone) {
  start(GuestText().everything());
  lines();
  factory_.reset();
  EXPECT_THAT(lines(), ElementsAre("D 1 0 0", "X 1 0 0"));

  GuestText slow = GuestText().everything();
  slow.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
  slow.on("proxy_on_done", "(param $id i32) (result i32)", "(call $status (call $done)) (i32.const 0)");
  slow.on("proxy_on_tick", "(param $id i32)", "(call $status (call $done))");
  start(slow);
  lines();
  factory_.reset();
  EXPECT_THAT(lines(), ElementsAre("= 1"));
  clock_.advance(std::chrono::milliseconds(12));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("= 0", "X 1 0 0"));
  loop_.runReady();
  EXPECT_EQ(stats_.gauge("wasm..active").value(), 0);
}

TEST_F(PluginTest, ARootThatSaysTwiceThatItIsDoneEndsOnce) {
  GuestText twice = GuestText().everything();
  twice.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
  twice.on("proxy_on_done", "(param $id i32) (result i32)", "(i32.const 0)");
  twice.on("proxy_on_tick", "(param $id i32)", "(call $status (call $done)) (call $status (call $done))");
  start(twice);
  lines();
  factory_.reset();
  clock_.advance(std::chrono::milliseconds(12));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 0", "X 1 0 0"));
  loop_.runReady();
  EXPECT_EQ(stats_.gauge("wasm..active").value(), 0);
}

// However often it asks: two million times would be 48 MB otherwise.
TEST_F(PluginTest, AStreamThatAsksAgainAndAgainToGoOnGoesOnOnce) {
  start(
      GuestText().onRequestHeaders("(local $left i32) (local.set $left (i32.const 100000))"
                                   "(loop $again (drop (call $continue (i32.const 0)))"
                                   "  (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"
                                   "(i32.const 1)"));
  Stream s = stream();
  EXPECT_EQ(s.requestHeaders(), filter::HeadersAction::StopAllAndWatermark);
  EXPECT_EQ(s.handle->continued_requests, 1);
}

TEST_F(PluginTest, EndsRootsThatAreNeverDoneWithTheWorker) {
  GuestText never = GuestText().everything();
  never.on("proxy_on_done", "(param $id i32) (result i32)", "(i32.const 0)");
  start(never);
  factory_.reset();
  lines();
  worker_.reset();
  EXPECT_THAT(lines(), ElementsAre("X 1 0 0"));
  loop_.runReady();
  EXPECT_EQ(stats_.gauge("wasm..active").value(), 0);
}

TEST_F(PluginTest, LogsWithNameRootAndVmAndARootWithoutTheName) {
  start(GuestText().everything());
  EXPECT_EQ(rawLines().front(), "info wasm log root vm: C 1 0 0");
  Stream s = stream();
  s.requestHeaders();
  EXPECT_EQ(rawLines().front(), "info wasm log plugin root vm: C 2 1 0");
  s.finish();
}

TEST_F(PluginTest, TracesCallsBothWaysWhenAskedTo) {
  start(GuestText().onRequestHeaders("(call $status (call $done)) (i32.const 0)"));
  rawLines();
  base::setLogLevel(base::LogComponent::Wasm, base::LogLevel::Trace);
  Stream s = stream();
  s.requestHeaders();
  base::setLogLevel(base::LogComponent::Wasm, base::LogLevel::Info);
  EXPECT_THAT(rawLines(),
              ElementsAre("trace [host->vm] proxy_on_request_headers(2, 0, 1)", "trace [vm->host] env.proxy_done()",
                          "trace [vm<-host] env.proxy_done return: 1", "trace [vm->host] env.proxy_log(2, 60000, 3)",
                          "info wasm log plugin root vm: = 1", "trace [vm<-host] env.proxy_log return: 0",
                          "trace [host<-vm] proxy_on_request_headers return: 0"));
  s.finish();
}

// The collection of odd modules that the integration tests use, too.
TEST_F(PluginTest, LoadsTheOddModulesOfTheCollection) {
  const std::filesystem::path folder = std::filesystem::path(WEIR_GUESTS) / "wat";
  for (const char* name : {"abi_010_two.wat", "abi_010_three.wat", "tinygo_2021.wat", "silent.wat", "fault.wat"}) {
    PluginSpec file = spec(GuestText(), name);
    file.vm.code = {CodeSource::Kind::File, folder / name, ""};
    auto loaded = load(file);
    EXPECT_TRUE(loaded.ok()) << loaded.error().detail;
  }
  for (const char* name : {"bad_signature.wat", "no_malloc.wat", "no_marker.wat", "unknown_import.wat"}) {
    PluginSpec file = spec(GuestText(), name);
    file.vm.code = {CodeSource::Kind::File, folder / name, ""};
    EXPECT_FALSE(load(file).ok()) << name;
  }
}

}  // namespace
}  // namespace weir::proxy_wasm
