// proxy_http_call and what comes of it.
#include "proxy_wasm/calling_fixture.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;

const std::string kRequest = toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});

class CalloutTest : public CallingPluginTest {
 protected:
  // A guest that calls "web" in its request headers, logs status and token, and pauses.
  GuestText calling(std::string_view cluster = "web", std::string_view headers = kRequest, int timeout = 1000) {
    GuestText guest;
    guest.data(100, cluster).data(200, headers).data(500, ":status");
    guest.onRequestHeaders(
        fmt::format("(call $status (call $http_call (i32.const 100) (i32.const {}) (i32.const 200) (i32.const {}) "
                    "(i32.const 0) (i32.const "
                    "0) (i32.const 0) (i32.const 0) (i32.const {}) (i32.const 16))) (call $status (i32.load (i32.const "
                    "16))) (i32.const 1)",
                    cluster.size(), headers.size(), timeout));
    guest.on(
        "proxy_on_http_call_response",
        "(param $id i32) (param $token i32) (param $n i32) (param $body i32) (param $t i32)",
        "(call $event (i32.const 82) (local.get $id) (local.get $token) (local.get $t))"
        "(call $status (call $get_header (i32.const 6) (i32.const 500) (i32.const 7) (i32.const 8) (i32.const 12)))"
        "(call $text)"
        "(drop (call $get_buffer (i32.const 4) (i32.const 0) (i32.const -1) (i32.const 8) (i32.const 12)))"
        "(call $text)"
        "(drop (call $effective (i32.const 2)))"
        "(call $status (call $continue (i32.const 0)))");
    return guest;
  }
};

TEST_F(CalloutTest, AnswersTheRootWithTheTokenAndTheGuestResumesItsStream) {
  EXPECT_THAT(run(calling()), ElementsAre("= 0", "= 4"));
  EXPECT_EQ(stream_.handle->continued_requests, 0);
  cluster_.refuse();
  EXPECT_THAT(lines(), ElementsAre("R 1 4 0", "= 0", "503",
                                   "upstream connect error or disconnect/reset before headers. reset reason: remote "
                                   "connection failure",
                                   "= 0"));
  EXPECT_EQ(stream_.handle->continued_requests, 1);
}

TEST_F(CalloutTest, AnswersATimeoutWith504) {
  run(calling());
  clock_.advance(std::chrono::milliseconds(1001));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("R 1 4 0", "= 0", "504", "upstream request timeout", "= 0"));
}

TEST_F(CalloutTest, RefusesUnknownClustersIncompleteRequestsAndTimeoutsThatAreNone) {
  const std::string no_path = toPairs({{":method", "GET"}, {":authority", "a"}});
  EXPECT_THAT(run(calling("nobody")), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(run(calling("web", no_path)), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(run(calling("web", "nonsense")), ElementsAre("= 2", "= 0"));
  EXPECT_THAT(run(calling("web", kRequest, -1)), ElementsAre("= 2", "= 0"));
  EXPECT_TRUE(cluster_.waiting.empty());
}

TEST_F(CalloutTest, FailsAtOnceWithoutACallbackWhenNobodyIsThere) {
  cluster_.has_endpoint = false;
  EXPECT_THAT(run(calling()), ElementsAre("= 10", "= 0"));
  loop_.runReady();
  EXPECT_TRUE(lines().empty());
}

TEST_F(CalloutTest, IsTakenAndNeverSentOnTrial) {
  GuestText guest = calling();
  guest.onConfigure(
      "(call $status (call $http_call (i32.const 100) (i32.const 3) (i32.const 200) (i32.const " +
      std::to_string(kRequest.size()) +
      ") (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))) (i32.const 1)");
  ASSERT_TRUE(load(spec(guest)).ok());
  EXPECT_THAT(lines(), ElementsAre("= 0"));
  EXPECT_TRUE(cluster_.waiting.empty());
}

TEST_F(CalloutTest, SurvivesItsStream) {
  run(calling());
  stream_.finish();
  cluster_.refuse();
  EXPECT_EQ(lines().front(), "R 1 4 0");
}

TEST_F(CalloutTest, IsCancelledWithThePlugin) {
  run(calling());
  stream_.finish();
  stream_.filter.reset();
  factory_.reset();
  EXPECT_TRUE(cluster_.waiting.empty());
}

TEST_F(CalloutTest, IsDroppedWithAGuestThatDiedAndItsStreamIsAnswered) {
  GuestText guest = calling();
  guest.onConfigure("(drop (call $tick (i32.const 10))) (i32.const 1)");
  guest.on("proxy_on_tick", "(param i32)", "unreachable");
  run(guest);
  clock_.advance(std::chrono::milliseconds(12));
  loop_.runReady();
  EXPECT_TRUE(cluster_.waiting.empty());
  ASSERT_EQ(stream_.handle->replies.size(), 1u);
  EXPECT_EQ(stream_.handle->replies[0].details, "wasm_fail_stream{plugin}");
}

TEST_F(CalloutTest, EndsTheStreamThatWaitsWhenItsCallbackTraps) {
  GuestText guest = calling();
  guest.on("proxy_on_http_call_response", "(param i32 i32 i32 i32 i32)", "unreachable");
  run(guest);
  cluster_.refuse();
  loop_.runReady();
  EXPECT_EQ(stream_.handle->replies.size(), 1u);
}

}  // namespace
}  // namespace weir::proxy_wasm
