// proxy_grpc_* and what comes of them.
#include "http/grpc_messages.h"
#include "proxy_wasm/calling_fixture.h"
#include "proxy_wasm/grpc_calls.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;

constexpr std::string_view kImports = R"(
(import "env" "proxy_grpc_call" (func $grpc_call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_grpc_stream" (func $grpc_stream (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_grpc_send" (func $grpc_send (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_grpc_cancel" (func $grpc_cancel (param i32) (result i32)))
(import "env" "proxy_grpc_close" (func $grpc_close (param i32) (result i32)))
(import "env" "proxy_get_status" (func $get_status (param i32 i32 i32) (result i32)))
)";

std::string framed(std::string_view message) {
  return http::grpcPrefix(static_cast<uint32_t>(message.size())).append(message);
}
const FakeRequest::Fields kHead = {{":status", "200"}, {"content-type", "application/grpc"}};

class GrpcTest : public CallingPluginTest {
 protected:
  // A guest with a target at 100, metadata at 300, "hello" at 400, and callbacks that say what they are told. $call
  // makes a call of it, $open a stream; both log status and token.
  static GuestText guest(std::string_view target = "web", std::string_view metadata = "") {
    GuestText text;
    text.import(kImports);
    text.data(100, target).data(290, "pkg.S").data(296, "M").data(300, metadata).data(400, "hello");
    const std::string where = fmt::format(
        "(i32.const 100) (i32.const {}) (i32.const 290) (i32.const 5) (i32.const 296) (i32.const 1) (i32.const 300) "
        "(i32.const {})",
        target.size(), metadata.size());
    text.more(
        fmt::format("(func $call (call $status (call $grpc_call {} (i32.const 400) (i32.const 5) (i32.const 500) "
                    "(i32.const 16))) (call $status (i32.load (i32.const 16))))\n"
                    "(func $open (call $status (call $grpc_stream {} (i32.const 16))) (call $status (i32.load "
                    "(i32.const 16))))\n"
                    "(func $say (param $end i32) (call $status (call $grpc_send (i32.load (i32.const 16)) (i32.const "
                    "400) (i32.const 5) (local.get $end))))\n"
                    "(func $told (call $status (call $get_status (i32.const 20) (i32.const 8) (i32.const 12))) (call "
                    "$text))\n",
                    where, where));
    const std::string three = "(param $id i32) (param $token i32) (param $n i32)";
    const auto event = [](char letter) {
      return fmt::format("(call $event (i32.const {}) (local.get $id) (local.get $token) (local.get $n))",
                         static_cast<int>(letter));
    };
    const std::string body =
        "(drop (call $get_buffer (i32.const 5) (i32.const 0) (i32.const -1) (i32.const 8) (i32.const 12))) (call "
        "$text)";
    text.on("proxy_on_grpc_receive_initial_metadata", three, event('I'));
    text.on("proxy_on_grpc_receive", three, event('M') + body);
    text.on("proxy_on_grpc_receive_trailing_metadata", three, event('T'));
    text.on("proxy_on_grpc_close", three, event('Z') + "(call $told)");
    return text;
  }
  static GuestText calls(std::string_view target = "web", std::string_view metadata = "") {
    return guest(target, metadata).onRequestHeaders("(call $call) (i32.const 1)");
  }
  static GuestText opens() { return guest().onRequestHeaders("(call $open) (call $say (i32.const 0)) (i32.const 1)"); }
};

TEST_F(GrpcTest, ACallTellsItsMessageOnceItHasSucceeded) {
  EXPECT_THAT(run(calls()), ElementsAre("= 0", "= 5"));
  FakeRequest& request = cluster_.connect();
  EXPECT_EQ(request.sent,
            ":method=POST;:scheme=http;:path=/pkg.S/M;:authority=web;te=trailers;content-type=application/grpc;"
            "grpc-timeout=500m;x-envoy-internal=true;x-envoy-expected-rq-timeout-ms=500;");
  EXPECT_EQ(request.body, framed("hello"));
  EXPECT_TRUE(request.ended);
  request.heads(kHead);
  request.says(framed("first") + framed("well"));
  EXPECT_TRUE(lines().empty());
  request.trails({{"grpc-status", "0"}});
  EXPECT_THAT(lines(), ElementsAre("M 1 5 4", "well"));
}

TEST_F(GrpcTest, AFailedCallTellsItsStatusAndNothingElse) {
  run(calls());
  FakeRequest& request = cluster_.connect();
  request.heads(kHead);
  request.says(framed("lost"));
  request.trails({{"grpc-status", "5"}, {"grpc-message", "gone"}});
  EXPECT_THAT(lines(), ElementsAre("Z 1 5 5", "= 0", "gone{via_upstream}"));
}

TEST_F(GrpcTest, SuccessWithoutAMessageIsInternal) {
  run(calls());
  cluster_.connect().heads({{":status", "200"}, {"grpc-status", "0"}}, true);
  EXPECT_THAT(lines(), ElementsAre("Z 1 5 13", "= 0", ""));
}

TEST_F(GrpcTest, AStreamTellsAllThatComes) {
  EXPECT_THAT(run(opens()), ElementsAre("= 0", "= 6", "= 0"));
  FakeRequest& request = cluster_.connect();
  EXPECT_EQ(request.sent.find("grpc-timeout"), std::string::npos);
  request.heads(kHead);
  request.says(framed("one") + framed("two"));
  request.trails({{"grpc-status", "0"}, {"x", "y"}});
  EXPECT_THAT(lines(),
              ElementsAre("I 1 6 2", "M 1 6 3", "one", "M 1 6 3", "two", "T 1 6 2", "Z 1 6 0", "= 0", "via_upstream"));
}

TEST_F(GrpcTest, TokensAreCountedByKind) {
  EXPECT_THAT(run(guest().onRequestHeaders("(call $call) (call $open) (call $call) (call $open) (i32.const 1)")),
              ElementsAre("= 0", "= 5", "= 0", "= 6", "= 0", "= 9", "= 0", "= 10"));
}

TEST_F(GrpcTest, TokensOfTheWrongKindAreBadAndUnknownOnesNotFound) {
  const auto each = [](std::string_view function, std::initializer_list<int> tokens) {
    std::string out;
    for (const int token : tokens) out += fmt::format("(call $status (call ${} (i32.const {})))", function, token);
    return out;
  };
  EXPECT_THAT(run(guest().onRequestHeaders(each("grpc_cancel", {1, 2, 3, 4}) + each("grpc_close", {1, 2, 3, 4}) +
                                           "(call $status (call $grpc_send (i32.const 5) (i32.const 0) (i32.const 0) "
                                           "(i32.const 0))) (call $status (call $grpc_send (i32.const 6) (i32.const 0) "
                                           "(i32.const 0) (i32.const 0))) (i32.const 0)")),
              ElementsAre("= 1", "= 1", "= 2", "= 2", "= 1", "= 1", "= 2", "= 2", "= 2", "= 1"));
}

TEST_F(GrpcTest, FailingAtOnceIsSaidByTheCallAndNotToldAgain) {
  cluster_.has_endpoint = false;
  EXPECT_THAT(run(calls()), ElementsAre("= 10", "= 0"));
  cluster_.has_endpoint = cluster_.at_once = cluster_.breaks_at_once = true;
  EXPECT_THAT(run(calls()), ElementsAre("= 10", "= 0"));
  loop_.runReady();
  EXPECT_TRUE(lines().empty());
}

TEST_F(GrpcTest, WhatComesWhileTheGuestRunsIsToldAfterwards) {
  cluster_.at_once = true;
  run(guest()
          .onRequestHeaders("(call $open) (i32.const 1)")
          .on("proxy_on_response_headers", "(param i32 i32 i32) (result i32)",
              "(call $say (i32.const 0)) (call $event (i32.const 65) (i32.const 0) (i32.const 0) (i32.const 0)) "
              "(i32.const 0)"));
  cluster_.last().breaks_at_sending = true;
  stream_.responseHeaders();
  EXPECT_EQ(lines().size(), 7u);
}

TEST_F(GrpcTest, CancellingAndClosing) {
  GuestText text = guest();
  text.onRequestHeaders(
      "(call $open) (call $say (i32.const 0)) (call $status (call $grpc_close (i32.load (i32.const 16)))) (i32.const "
      "1)");
  text.on("proxy_on_grpc_receive", "(param i32 i32 i32)",
          "(call $status (call $grpc_cancel (i32.load (i32.const 16)))) (call $status (call $grpc_cancel (i32.load "
          "(i32.const 16))))");
  EXPECT_THAT(run(text), ElementsAre("= 0", "= 6", "= 0", "= 0"));
  FakeRequest& request = cluster_.connect();
  EXPECT_TRUE(request.ended);
  request.heads(kHead);
  lines();
  request.says(framed("one") + framed("two"));
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 1"));
  EXPECT_FALSE(request.open());
}

TEST_F(GrpcTest, AServiceSaysClusterAuthorityAndMetadata) {
  // GrpcService{envoy_grpc{cluster_name: "web", authority: "a.b", skip_envoy_headers}, initial_metadata {x: 1} {x: 2}}
  const std::string service = std::string("\x0a\x0c\x0a\x03web\x12\x03") + "a.b\x28\x01" + "\x2a\x06\x0a\x01x\x12\x01" +
                              "1" + "\x2a\x06\x0a\x01x\x12\x01" + "2";
  EXPECT_THAT(run(calls(service, toPairs({{"X", "3"}, {"b-bin", {"\0", 1}}}))), ElementsAre("= 0", "= 5"));
  const std::string sent = cluster_.connect().sent;
  EXPECT_TRUE(sent.find(":authority=a.b;") != sent.npos) << sent;
  EXPECT_TRUE(sent.find("x=2;x=3;b-bin=AA==;x-envoy-expected") != sent.npos) << sent;
}

TEST_F(GrpcTest, RefusesWhomNobodyKnowsAndWhatCannotBeAsked) {
  EXPECT_THAT(run(calls("nobody")), ElementsAre("= 4", "= 0"));
  EXPECT_THAT(run(calls("\x0a\x08\x0a\x06nobody")), ElementsAre("= 10", "= 0"));
  EXPECT_THAT(run(calls("")), ElementsAre("= 4", "= 0"));
  EXPECT_THAT(run(calls("web", "nonsense")), ElementsAre("= 2", "= 0"));
  const auto google = run(calls("\x12\x05\x0a\x03x:1"));
  EXPECT_EQ(google[1], "= 2");
  EXPECT_TRUE(google[0].find("google_grpc is not supported") != std::string::npos) << google[0];
  EXPECT_TRUE(cluster_.waiting.empty());
}

TEST_F(GrpcTest, IsTakenAndNeverSentOnTrial) {
  ASSERT_TRUE(
      load(spec(guest().onConfigure("(call $call) (call $open) (call $say (i32.const 1)) (i32.const 1)"))).ok());
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 5", "= 0", "= 6", "= 0"));
  EXPECT_TRUE(cluster_.waiting.empty());
}

TEST_F(GrpcTest, SurvivesItsStreamAndEndsWithThePlugin) {
  run(calls());
  stream_.finish();
  FakeRequest& request = cluster_.connect();
  request.heads(kHead);
  request.says(framed("well"));
  request.trails({{"grpc-status", "0"}});
  EXPECT_THAT(lines(), ElementsAre("M 1 5 4", "well"));
  run(opens());
  FakeRequest& open = cluster_.connect();
  stream_.finish();
  stream_.filter.reset();
  factory_.reset();
  EXPECT_FALSE(open.open());
}

TEST_F(GrpcTest, IsCancelledWithAGuestThatDied) {
  GuestText text = opens();
  text.on("proxy_on_grpc_receive", "(param i32 i32 i32)", "unreachable");
  run(text);
  FakeRequest& request = cluster_.connect();
  request.heads(kHead);
  request.says(framed("one") + framed("two"));
  loop_.runReady();
  EXPECT_FALSE(request.open());
  EXPECT_EQ(stream_.handle->replies.size(), 1u);
}

TEST_F(GrpcTest, AMessageThatIsTooLongIsNotHandedOver) {
  run(calls());
  FakeRequest& request = cluster_.connect();
  request.heads(kHead);
  request.says(http::grpcPrefix(GrpcCalls::kMaxMessage + 1));
  EXPECT_THAT(lines(), ElementsAre("Z 1 5 8", "= 0", "via_upstream"));
  EXPECT_FALSE(request.open());
}

TEST_F(GrpcTest, SoManyMayBeUnderWay) {
  EXPECT_THAT(run(opens(), "small"), ElementsAre("= 0", "= 6", "= 0"));
  stream_.requestHeaders();
  EXPECT_EQ(stats_.counter("wasm.calls_refused").value(), 0u);
  lines();
  stream_.requestHeaders();
  EXPECT_EQ(lines().front(), "= 10");
  EXPECT_EQ(stats_.counter("wasm.calls_refused").value(), 1u);
}

}  // namespace
}  // namespace weir::proxy_wasm
