// Each host function's statuses and effects, as a guest sees them.
#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/little_endian.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HostFunctionTest : public PluginTest {
 protected:
  // Runs body in the request headers of one stream and gives what it logged.
  std::vector<std::string> run(GuestText guest, std::string_view body) {
    guest.onRequestHeaders(std::string(body) + "(i32.const 0)");
    start(guest);
    stream_ = stream();
    stream_.handle->request_headers.add(":method", "GET");
    stream_.handle->request_headers.add(":authority", "here");
    stream_.handle->request_headers.add(":path", "/a?b=c#d");
    stream_.handle->request_headers.add("x-a", "1");
    stream_.handle->request_headers.add("x-a", "2");
    stream_.handle->request_headers.add("user-agent", "curl");
    lines();
    stream_.requestHeaders();
    return lines();
  }
  ~HostFunctionTest() override {
    if (stream_.filter != nullptr) stream_.finish();
  }
  std::string header(std::string_view name) {
    std::string storage;
    const auto joined = stream_.handle->request_headers.joined(name, storage);
    return joined ? std::string(*joined) : "absent";
  }
  Stream stream_;
};

// Where texts lie in the guest: name at 100, value at 200.
GuestText with(std::string_view name, std::string_view value = "") {
  GuestText guest;
  guest.data(100, name).data(200, value);
  return guest;
}
std::string at(uint32_t address, std::string_view text) {
  return fmt::format("(i32.const {}) (i32.const {})", address, text.size());
}
constexpr std::string_view kOut = "(i32.const 8) (i32.const 12)";
constexpr std::string_view kOutside = "(i32.const 0x7fffffff)";

std::string get(int map, std::string_view name) {
  return fmt::format("(call $status (call $get_header (i32.const {}) {} {})) (call $text)", map, at(100, name), kOut);
}
std::string change(std::string_view how, int map, std::string_view name, std::string_view value) {
  return fmt::format("(call $status (call ${} (i32.const {}) {} {}))", how, map, at(100, name), at(200, value));
}

TEST_F(HostFunctionTest, GetsTheFirstOfSeveralValuesByAnyCase) {
  EXPECT_THAT(run(with("X-A"), get(0, "X-A")), ElementsAre("= 0", "1"));
}

TEST_F(HostFunctionTest, TakesHostForAuthorityInRequests) {
  EXPECT_THAT(run(with("Host", "there"), get(0, "Host") + change("set_header", 0, "Host", "there")),
              ElementsAre("= 0", "here", "= 0"));
  EXPECT_EQ(header(":authority"), "there");
}

TEST_F(HostFunctionTest, AnswersAMissingHeaderByVersion) {
  EXPECT_THAT(run(with("x-b"), get(0, "x-b")), ElementsAre("= 1", ""));
  EXPECT_THAT(run(with("x-b").marker("proxy_abi_version_0_1_0"), get(0, "x-b")), ElementsAre("= 0", ""));
}

TEST_F(HostFunctionTest, RefusesMapsThatAreNoneOrNotThere) {
  EXPECT_THAT(run(with("x-a"), get(8, "x-a")), ElementsAre("= 2", ""));
  EXPECT_THAT(run(with("x-a"), get(2, "x-a")), ElementsAre("= 2", ""));
  EXPECT_THAT(run(with("x-a", "v"), change("add_header", 2, "x-a", "v")), ElementsAre("= 2"));
  EXPECT_THAT(run(with("x-a", "v"), change("set_header", 6, "x-a", "v")), ElementsAre("= 2"));
  EXPECT_THAT(run({}, "(call $status (call $map_size (i32.const 2) (i32.const 8)))"), ElementsAre("= 2"));
  EXPECT_THAT(run({},
                  "(call $status (call $get_pairs (i32.const 2) (i32.const 8) (i32.const 12)))"
                  "(call $status (i32.load (i32.const 12)))"),
              ElementsAre("= 0", "= 0"));
}

TEST_F(HostFunctionTest, RefusesAddressesOutsideTheMemory) {
  const std::string bodies[] = {
      fmt::format("(call $get_header (i32.const 0) {} (i32.const 1) {})", kOutside, kOut),
      fmt::format("(call $get_header (i32.const 0) {} {} (i32.const 12))", at(100, "x-a"), kOutside),
      fmt::format("(call $add_header (i32.const 0) {} {} (i32.const 5))", at(100, "x-a"), kOutside),
      fmt::format("(call $add_header (i32.const 0) (i32.const 131070) (i32.const 3) {})", at(100, "x-a")),
      fmt::format("(call $remove_header (i32.const 0) {} (i32.const -1))", kOutside),
      fmt::format("(call $get_pairs (i32.const 0) {} (i32.const 8))", kOutside),
      fmt::format("(call $set_pairs (i32.const 0) {} (i32.const 8))", kOutside),
      fmt::format("(call $get_buffer (i32.const 6) (i32.const 0) (i32.const 9) {} (i32.const 8))", kOutside),
      fmt::format("(call $get_property {} (i32.const 8) {})", kOutside, kOut),
      fmt::format("(call $set_property {} (i32.const 8) {})", kOutside, at(100, "x")),
      fmt::format("(call $set_shared {} (i32.const 8) {} (i32.const 0))", kOutside, at(100, "x")),
      fmt::format("(call $define_metric (i32.const 0) {} (i32.const 8) (i32.const 8))", kOutside),
      fmt::format("(call $log (i32.const 2) {} (i32.const 8))", kOutside),
      fmt::format("(call $reply (i32.const 200) {} (i32.const 8) {} {} (i32.const -1))", kOutside, at(0, ""),
                  at(0, "")),
      fmt::format("(call $http_call {} (i32.const 8) {} {} {} (i32.const 0) (i32.const 8))", kOutside, at(0, ""),
                  at(0, ""), at(0, "")),
  };
  for (const std::string& body : bodies) {
    EXPECT_THAT(run(with("x-a"), "(call $status " + body + ")"), ElementsAre("= 6")) << body;
  }
}

TEST_F(HostFunctionTest, JoinsInlineHeadersAndMovesReplacedOnesToTheEnd) {
  run(with("user-agent", "more"), change("add_header", 0, "user-agent", "more"));
  EXPECT_EQ(header("user-agent"), "curl,more");
  EXPECT_EQ(stream_.handle->request_headers.size(), 6u);
  run(with(":path", "/new"), change("set_header", 0, ":path", "/new"));
  EXPECT_EQ(stream_.handle->request_headers.entries()[2].value, "/new");
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
  run(with("x-a", "3"), change("set_header", 0, "x-a", "3"));
  EXPECT_EQ(stream_.handle->request_headers.entries().back().value, "3");
  EXPECT_EQ(header("x-a"), "3");
}

TEST_F(HostFunctionTest, RefusesWhatCouldBreakAMessageAndWarnsOnce) {
  for (const std::string_view value : {std::string_view("a\r\nb: c"), std::string_view("a\0b", 3)}) {
    const auto logged =
        run(with("x-b", value), change("set_header", 0, "x-b", value) + change("add_header", 0, "x-b", value));
    EXPECT_THAT(logged, ElementsAre(HasSubstr("header \"x-b\" refused"), "= 2", "= 2"));
    EXPECT_EQ(header("x-b"), "absent");
  }
  run(with("x b", "v"), change("set_header", 0, "x b", "v"));
  EXPECT_EQ(stream_.handle->request_headers.size(), 6u);
  EXPECT_EQ(stats_.counter("wasm.headers_refused").value(), 5u);
}

TEST_F(HostFunctionTest, StopsAGuestThatSetsHeadersWithoutEnd) {
  GuestText guest = with("x-b");
  guest.onRequestHeaders("");
  const std::string body =
      "(local $count i32) (local $last i32)"
      "(memory.fill (i32.const 4096) (i32.const 97) (i32.const 50000))"
      "(loop $again"
      "  (local.set $last (call $set_header (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 4096) (i32.const "
      "50000)))"
      "  (local.set $count (i32.add (local.get $count) (i32.const 1)))"
      "  (br_if $again (i32.and (i32.eqz (local.get $last)) (i32.lt_u (local.get $count) (i32.const 1000)))))"
      "(call $status (local.get $last)) (call $status (i32.lt_u (local.get $count) (i32.const 40)))";
  EXPECT_THAT(run(guest, body), ElementsAre("= 2", "= 1"));
  EXPECT_EQ(stats_.counter("wasm.headers_refused").value(), 1u);
}

TEST_F(HostFunctionTest, HandsOutAndTakesBackPairs) {
  const std::string pairs = toPairs({{":method", "PUT"}, {"X-New", "v"}});
  run(with("", pairs), fmt::format("(call $status (call $set_pairs (i32.const 0) {}))", at(200, pairs)));
  EXPECT_EQ(header("x-new"), "v");
  EXPECT_EQ(stream_.handle->request_headers.size(), 2u);
  // What was handed out can be handed back.
  EXPECT_THAT(run({},
                  "(call $status (call $get_pairs (i32.const 0) (i32.const 8) (i32.const 12)))"
                  "(call $status (call $set_pairs (i32.const 0) (i32.load (i32.const 8)) (i32.load (i32.const 12))))"),
              ElementsAre("= 0", "= 0"));
  EXPECT_EQ(header("x-a"), "1,2");
}

TEST_F(HostFunctionTest, ChangesNothingForMalformedPairs) {
  const std::string pairs = toPairs({{":method", "PUT"}}) + "x";
  EXPECT_THAT(run(with("", pairs), fmt::format("(call $status (call $set_pairs (i32.const 0) {}))", at(200, pairs))),
              ElementsAre("= 2"));
  EXPECT_EQ(stream_.handle->request_headers.size(), 6u);
}

TEST_F(HostFunctionTest, SurvivesAllocatorsThatLieOrTrap) {
  for (const char* allocator : {"(i32.const 0)", "(i32.const -8)", "(i32.const 131072)"}) {
    EXPECT_THAT(run(with("x-a").allocator(allocator),
                    fmt::format("(call $status (call $get_header (i32.const 0) {} {}))", at(100, "x-a"), kOut)),
                testing::Contains("= 6"))
        << allocator;
  }
  const auto logged = run(with("x-a").allocator("unreachable"), get(0, "x-a"));
  EXPECT_THAT(logged, testing::Contains(HasSubstr("Function: malloc failed: ")));
  EXPECT_EQ(stream_.handle->replies.size(), 1u);
  EXPECT_THAT(run(with("x-a").allocator("(drop (call $done)) (i32.const 70000)"), get(0, "x-a")),
              testing::Contains(HasSubstr("restricted_callback")));
}

TEST_F(HostFunctionTest, CallsNoAllocatorForEmptyValues) {
  EXPECT_THAT(
      run(with("x-e").allocator("unreachable"),
          "(call $status (call $get_buffer (i32.const 0) (i32.const 0) (i32.const 99) (i32.const 8) (i32.const 12)))"
          "(call $status (i32.load (i32.const 8)))"),
      ElementsAre("= 0", "= 0"));
}

TEST_F(HostFunctionTest, ReadsConfigurationsOnlyWhereTheyAreShown) {
  GuestText guest;
  const auto read = [](int type, int start, int max) {
    return fmt::format("(call $status (call $get_buffer (i32.const {}) (i32.const {}) (i32.const {}) {}))", type, start,
                       max, kOut);
  };
  guest.onConfigure(
      read(7, 2, -1) + "(call $text)" + read(6, 0, 2) + "(call $text)" + read(7, 99, 1) +
      "(call $status (call $set_buffer (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))"
      "(i32.const 1)");
  guest.onRequestHeaders(read(7, 0, 9) + read(6, 0, 9) + read(9, 0, 1) + read(4, 0, 1) + read(5, 0, 1) +
                         "(i32.const 0)");
  PluginSpec configured = spec(guest);
  configured.configuration = "config";
  configured.vm.configuration = "vmconf";
  start(configured);
  EXPECT_THAT(lines(), ElementsAre("= 0", "nfig", "= 0", "vm", "= 0", "= 2"));
  stream_ = stream();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 1", "= 0", "= 2", "= 1", "= 0"));
}

TEST_F(HostFunctionTest, EditsABodyAtItsEndsOnly) {
  const auto edited = [&](int from, int size) {
    GuestText guest = with("", "NEW");
    guest.on(
        "proxy_on_request_body", "(param i32 i32 i32) (result i32)",
        fmt::format("(call $status (call $set_buffer (i32.const 0) (i32.const {}) (i32.const {}) {})) (i32.const 0)",
                    from, size, at(200, "NEW")));
    start(guest);
    Stream s = stream();
    s.requestHeaders(false);
    lines();
    s.requestBody("0123456789", true);
    s.finish();
    return lines().front() + " " + s.left;
  };
  EXPECT_EQ(edited(0, 0), "= 0 NEW0123456789");
  EXPECT_EQ(edited(0, 4), "= 0 NEW456789");
  EXPECT_EQ(edited(0, -1), "= 0 NEW");
  EXPECT_EQ(edited(10, 0), "= 0 0123456789NEW");
  EXPECT_EQ(edited(5, 1), "= 2 0123456789");
}

TEST_F(HostFunctionTest, RefusesToEditABodyOutsideItsCallback) {
  EXPECT_THAT(
      run(with("", "x"),
          fmt::format("(call $status (call $set_buffer (i32.const 0) (i32.const 0) (i32.const 0) {}))", at(200, "x"))),
      ElementsAre("= 2"));
}

TEST_F(HostFunctionTest, AddsTrailersInTheLastBodyCallbackOnly) {
  GuestText guest = with("x-t", "v");
  guest.on("proxy_on_request_body", "(param i32 i32 i32) (result i32)",
           change("add_header", 1, "x-t", "v") + "(i32.const 0)");
  start(guest);
  stream_ = stream();
  stream_.requestHeaders(false);
  stream_.requestBody("x", false);
  EXPECT_THAT(lines(), ElementsAre("= 2"));
  stream_.requestBody("x", true);
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  EXPECT_EQ(stream_.handle->request_trailers.get("x-t"), "v");
}

TEST_F(HostFunctionTest, RepliesAfterTheGuestReturnedAndOnceForACallback) {
  const std::string headers =
      toPairs({{"x-r", "1"}, {":status", "500"}, {"transfer-encoding", "chunked"}, {"x-bad", "a\nb"}});
  GuestText guest;
  guest.data(100, headers).data(300, "b").data(310, "two words");
  const auto reply = [&](int status) {
    return fmt::format("(call $status (call $reply (i32.const {}) {} {} {} (i32.const -1)))", status,
                       at(310, "two words"), at(300, "b"), at(100, headers));
  };
  guest.onRequestHeaders("");
  EXPECT_THAT(run(guest, reply(403) + reply(200)), ElementsAre("= 0", "= 0"));
  ASSERT_EQ(stream_.handle->replies.size(), 1u);
  const filter::LocalReply& sent = stream_.handle->replies[0];
  EXPECT_EQ(sent.status, 403);
  EXPECT_EQ(sent.body, "b");
  EXPECT_EQ(sent.details, "two_words");
  EXPECT_EQ(sent.grpc_status, -1);
  EXPECT_THAT(sent.headers, ElementsAre(testing::Pair("x-r", "1")));
  run(guest, reply(99));
  EXPECT_EQ(stream_.handle->replies[0].status, 500);
}

TEST_F(HostFunctionTest, StopsTheStreamWhenItReplied) {
  start(GuestText().onRequestHeaders(
      fmt::format("(drop (call $reply (i32.const 200) {0} {0} {0} (i32.const 3))) (i32.const 0)", at(0, ""))));
  stream_ = stream();
  EXPECT_EQ(stream_.requestHeaders(), filter::HeadersAction::StopAllAndWatermark);
  EXPECT_EQ(stream_.handle->replies[0].grpc_status, 3);
}

TEST_F(HostFunctionTest, ContinuesAndClosesAfterTheGuestReturned) {
  EXPECT_THAT(run(with(":path"),
                  "(call $status (call $continue (i32.const 0))) (call $status (call $continue (i32.const 1)))"
                  "(call $status (call $continue (i32.const 2))) (call $status (call $continue (i32.const 3)))"
                  "(call $status (call $continue (i32.const 4)))" +
                      get(0, ":path")),
              ElementsAre("= 0", "= 0", "= 0", "= 12", "= 2", "= 2", ""));
  EXPECT_EQ(stream_.handle->continued_requests, 1);
  EXPECT_EQ(stream_.handle->continued_responses, 1);
  EXPECT_THAT(run({}, "(call $status (call $close (i32.const 0))) (call $status (call $close (i32.const 4)))"),
              ElementsAre("= 0", "= 2"));
  EXPECT_EQ(stream_.handle->resets, 1);
  EXPECT_EQ(stream_.handle->info().response_code_details, "wasm_close_stream");
}

TEST_F(HostFunctionTest, ActsOnTheEffectiveContextUntilTheCallbackReturns) {
  GuestText guest = with(":path");
  guest.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
  guest.on("proxy_on_tick", "(param $id i32)",
           "(call $status (call $effective (i32.const 77)))"
           "(call $status (call $effective (i32.const 2)))" +
               get(0, ":path") + "(call $status (call $continue (i32.const 0)))");
  guest.onRequestHeaders("(i32.const 1)");
  start(guest);
  stream_ = stream();
  stream_.handle->request_headers.add(":path", "/x");
  stream_.requestHeaders();
  clock_.advance(std::chrono::milliseconds(12));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("= 2", "= 0", "= 0", "/x", "= 0"));
  EXPECT_EQ(stream_.handle->continued_requests, 1);
  // The request's map is out of reach once it was let go on.
  clock_.advance(std::chrono::milliseconds(12));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("= 2", "= 0", "= 2", "/x", "= 0"));
}

TEST_F(HostFunctionTest, ReadsHeadersInTheLogPhaseAndNothingAfterIt) {
  GuestText guest = with("x-a", "v");
  guest.on("proxy_on_log", "(param i32)", get(0, "x-a") + get(1, "x-a") + change("add_header", 0, "x-a", "v"));
  guest.on("proxy_on_done", "(param i32) (result i32)", get(0, "x-a") + "(i32.const 1)");
  run(guest, "");
  lines();
  stream_.finish();
  EXPECT_THAT(lines(), ElementsAre("= 0", "1", "= 1", "1", "= 2", "= 2", "1"));
}

TEST_F(HostFunctionTest, KeepsSharedDataByVmId) {
  const GuestText guest = with("key", "value");
  const auto set = [](int cas) {
    return fmt::format("(call $status (call $set_shared {} {} (i32.const {})))", at(100, "key"), at(200, "value"), cas);
  };
  const std::string read =
      fmt::format("(call $status (call $get_shared {} {} (i32.const 16))) (call $text)", at(100, "key"), kOut);
  EXPECT_THAT(run(guest, read + set(7) + read + "(call $status (i32.load (i32.const 16)))" + set(5) + set(1) + set(0)),
              ElementsAre("= 1", "", "= 0", "= 0", "value", "= 1", "= 8", "= 0", "= 0"));
}

TEST_F(HostFunctionTest, CountsInProcessWideMetrics) {
  const GuestText guest = with("n");
  const auto define = [](int type) {
    return fmt::format(
        "(call $status (call $define_metric (i32.const {}) {} (i32.const 16))) (call $status (i32.load "
        "(i32.const 16)))",
        type, at(100, "n"));
  };
  EXPECT_THAT(run(guest, define(0) + define(0) + define(1) + define(2) + define(3)),
              ElementsAre("= 0", "= 4", "= 0", "= 8", "= 0", "= 5", "= 0", "= 6", "= 2", "= 6"));
  const auto add = [](int id, int by) {
    return fmt::format("(call $status (call $increment_metric (i32.const {}) (i64.const {})))", id, by);
  };
  const auto record = [](int id, int value) {
    return fmt::format("(call $status (call $record_metric (i32.const {}) (i64.const {})))", id, value);
  };
  const auto read = [](int id) {
    return fmt::format("(call $status (call $get_metric (i32.const {}) (i32.const 24)))", id);
  };
  EXPECT_THAT(
      run(guest, define(0) + define(1) + define(2) + add(4, 2) + add(4, 0) + add(4, -1) + add(5, -3) + add(6, 1) +
                     add(12, 1) + add(0, 1) + record(4, 5) + record(5, 9) + record(6, 7) + record(3, 1) + read(4) +
                     "(call $status (i32.load (i32.const 24)))" + read(6) + read(3) + read(40)),
      ElementsAre("= 0", "= 4", "= 0", "= 5", "= 0", "= 6", "= 0", "= 2", "= 2", "= 0", "= 2", "= 1", "= 1", "= 0",
                  "= 0", "= 0", "= 1", "= 0", "= 7", "= 2", "= 2", "= 1"));
  EXPECT_EQ(stats_.counter("wasmcustom.n").value(), 7u);
  EXPECT_EQ(stats_.gauge("wasmcustom.n").value(), 9);
}

TEST_F(HostFunctionTest, RefusesWhatTheConfigurationDoesNotGrant) {
  PluginSpec restricted = spec(GuestText().everything().onRequestHeaders("(call $status (call $done)) (i32.const 0)"));
  restricted.allowed_capabilities = {"proxy_log", "proxy_on_request_headers"};
  start(restricted);
  stream_ = stream();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("error Attempted call to restricted proxy-wasm capability: proxy_done", "= 10"));
}

TEST_F(HostFunctionTest, TellsTheLogLevelOfPlugins) {
  GuestText guest;
  guest.import("(import \"env\" \"proxy_get_log_level\" (func $level (param i32) (result i32)))");
  EXPECT_THAT(
      run(guest,
          "(call $status (call $level (i32.const 16))) (call $status (i32.load (i32.const 16)))"
          "(call $status (call $level (i32.const -1)))"),
      ElementsAre("= 0", fmt::format("= {}", static_cast<int>(base::logLevel(base::LogComponent::Wasm))), "= 6"));
}

TEST_F(HostFunctionTest, TellsThePluginsConfigurationWhileItIsConfiguredAndTheVmsAtOtherTimes) {
  const std::string ask = fmt::format("(call $status (call $configuration {})) (call $text)", kOut);
  GuestText guest;
  guest.import("(import \"env\" \"proxy_get_configuration\" (func $configuration (param i32 i32) (result i32)))");
  guest.onConfigure(ask + "(i32.const 1)").onRequestHeaders(ask + "(i32.const 0)");
  PluginSpec configured = spec(guest);
  configured.configuration = "of the plugin";
  configured.vm.configuration = "of the VM";
  start(configured);
  EXPECT_THAT(lines(), ElementsAre("= 0", "of the plugin"));
  stream_ = stream();
  stream_.requestHeaders();
  EXPECT_THAT(lines(), ElementsAre("= 0", "of the VM"));
}

TEST_F(HostFunctionTest, HasTheRouteLookedUpAgain) {
  GuestText guest;
  guest.import("(import \"env\" \"proxy_clear_route_cache\" (func $clear (result i32)))");
  EXPECT_THAT(run(guest, "(call $status (call $clear))"), ElementsAre("= 0"));
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
}

TEST_F(HostFunctionTest, HasTheRouteKeptWhenHeadersChangeWhereThePluginSaysSo) {
  GuestText guest = with("x-b", "1");
  guest.data(300, "clear_route_cache").data(400, "off").data(410, "on");
  guest.import("(import \"env\" \"proxy_clear_route_cache\" (func $clear (result i32)))");
  const auto say = [](uint32_t address, std::string_view value) {
    return fmt::format("(call $status (call $set_property (i32.const 300) (i32.const 17) {}))", at(address, value));
  };
  const std::string edit = change("set_header", 0, "x-b", "1");
  run(guest, edit + say(400, "off") + edit);
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
  run(guest, say(400, "off") + edit + "(drop (call $clear))");
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
  run(guest, say(400, "off") + say(410, "on") + edit);
  EXPECT_EQ(stream_.handle->cleared_routes, 1);
}

TEST_F(HostFunctionTest, ServesWhatToolchainsImportBesides) {
  GuestText guest;
  guest.import("(import \"env\" \"pthread_equal\" (func $equal (param i32 i32) (result i32)))");
  guest.import("(import \"env\" \"emscripten_notify_memory_growth\" (func $grew (param i32)))");
  guest.import("(import \"env\" \"abort\" (func $abort (param i32 i32 i32 i32)))");
  EXPECT_THAT(run(guest,
                  "(call $status (call $equal (i32.const 3) (i32.const 3)))"
                  "(call $status (call $equal (i32.const 3) (i32.const 4))) (call $grew (i32.const 0))"
                  "(call $abort (i32.const 0) (i32.const 0) (i32.const 12) (i32.const 34))"),
              ElementsAre("= 1", "= 0", "abort at line 12, column 34"));
}

}  // namespace
}  // namespace weir::proxy_wasm
