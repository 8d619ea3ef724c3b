#include "upstream/http_call.h"

#include <gtest/gtest.h>

#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct HttpCallTest : UpstreamTest, HttpCallReceiver {
  void onCallResponse(HttpCallResponse response) override {
    ++told;
    for (const auto& entry : response.headers) heads += std::string(entry.name) + "=" + std::string(entry.value) + " ";
    for (const auto& entry : response.trailers) trailers += std::string(entry.name) + "=" + std::string(entry.value);
    body = response.body.toString();
    call.reset();  // Allowed within.
  }
  void onCallFailure(http::ResetReason reason) override {
    ++told;
    failure = reason;
    call.reset();
  }
  void start(HttpCallRequest request) {
    if (cluster == nullptr) make(staticSpec());
    call = startHttpCall(*cluster, loop, std::move(request), *this);
    turns();
  }
  std::unique_ptr<HttpCall> call;
  int told = 0;
  std::string heads, body, trailers;
  std::optional<http::ResetReason> failure;
};

constexpr std::string_view kAdded = "x-envoy-internal: true\r\nx-envoy-expected-rq-timeout-ms: 300\r\n";

TEST_F(HttpCallTest, SendsTheRequestAndCollectsTheAnswer) {
  start(callRequest());
  EXPECT_EQ(connector.last().bytes, "GET /x HTTP/1.1\r\nhost: auth\r\n" + std::string(kAdded) + "\r\n");
  connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\nx-a: 1\r\n\r\nbo");
  turns();
  EXPECT_EQ(told, 0);
  clock.advance(7ms);
  connector.last().say("dy");
  turns();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(heads, ":status=200 content-length=4 x-a=1 x-envoy-upstream-service-time=0 ");
  EXPECT_EQ(body, "body");
  EXPECT_EQ(count("upstream_rq_200"), 1u);
  EXPECT_EQ(count("upstream_rq_completed"), 1u);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

TEST_F(HttpCallTest, ABodyGivesTheLengthWhateverTheCallerSaid) {
  HttpCallRequest with_body = callRequest("POST", "hello");
  with_body.headers.add("content-length", "99");
  start(std::move(with_body));
  EXPECT_NE(connector.last().bytes.find("\r\ncontent-length: 5\r\n"), std::string::npos) << connector.last().bytes;
  EXPECT_TRUE(connector.last().bytes.ends_with("\r\n\r\nhello")) << connector.last().bytes;
}

TEST_F(HttpCallTest, NoEndpointIsA503WithinTheCall) {
  make(staticSpec({}));
  call = startHttpCall(*cluster, loop, callRequest(), *this);
  EXPECT_EQ(call, nullptr);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(heads, ":status=503 content-length=19 content-type=text/plain ");
  EXPECT_EQ(body, "no healthy upstream");
  EXPECT_EQ(count("upstream_rq_503"), 1u);
}

TEST_F(HttpCallTest, ARefusedConnectionIsA503) {
  connector.at_once = false;
  start(callRequest());
  connector.last().client->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no"});
  turns();
  EXPECT_EQ(heads, ":status=503 content-length=98 content-type=text/plain ");
  EXPECT_EQ(body, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure");
}

TEST_F(HttpCallTest, AConnectionThatTakesTooLongIsA503) {
  connector.at_once = false;
  start(callRequest());
  connector.last().client->connectFails({base::Code::Timeout, base::Side::Upstream, base::Retry::Yes, "no"});
  turns();
  EXPECT_EQ(body, "upstream connect error or disconnect/reset before headers. reset reason: connection timeout");
}

TEST_F(HttpCallTest, AnOverflowIsA503ThatSaysSo) {
  ClusterSpec spec = staticSpec();
  spec.breakers.max_pending_requests = 0;
  make(spec);
  start(callRequest());
  EXPECT_EQ(heads, ":status=503 x-envoy-overloaded=true content-length=81 content-type=text/plain ");
  EXPECT_EQ(body, "upstream connect error or disconnect/reset before headers. reset reason: overflow");
}

TEST_F(HttpCallTest, ATimeoutIsA504AndClosesTheConnection) {
  start(callRequest());
  passes(299ms);
  EXPECT_EQ(told, 0);
  passes(1ms);
  EXPECT_EQ(heads, ":status=504 content-length=24 content-type=text/plain ");
  EXPECT_EQ(body, "upstream request timeout");
  EXPECT_TRUE(connector.last().ended);
  EXPECT_EQ(count("upstream_rq_timeout"), 1u);
  EXPECT_EQ(count("upstream_rq_504"), 1u);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
}

TEST_F(HttpCallTest, ATimeoutWhileConnectingGivesThePlaceUp) {
  connector.at_once = false;
  start(callRequest());
  passes(300ms);
  EXPECT_EQ(body, "upstream request timeout");
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
}

TEST_F(HttpCallTest, ATimeoutWithinTheAnswerIsAFailure) {
  start(callRequest());
  connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo");
  turns();
  passes(300ms);
  EXPECT_EQ(failure, http::ResetReason::LocalReset);
}

TEST_F(HttpCallTest, WithoutATimeoutItWaits) {
  HttpCallRequest patient = callRequest();
  patient.timeout = {};
  start(std::move(patient));
  EXPECT_EQ(connector.last().bytes, "GET /x HTTP/1.1\r\nhost: auth\r\nx-envoy-internal: true\r\n\r\n");
  passes(24h);
  EXPECT_EQ(told, 0);
}

TEST_F(HttpCallTest, AConnectionCutBeforeTheAnswerIsA503AndWithinItAFailure) {
  start(callRequest());
  connector.last().stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(body, "upstream connect error or disconnect/reset before headers. reset reason: connection termination");
  EXPECT_EQ(heads, ":status=503 content-length=95 content-type=text/plain ");
  start(callRequest());
  connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo");
  connector.last().stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(failure, http::ResetReason::ConnectionTermination);
  EXPECT_EQ(told, 2);
}

TEST_F(HttpCallTest, ABrokenAnswerIsA502) {
  start(callRequest());
  connector.last().say("nonsense\r\n\r\n");
  turns();
  EXPECT_TRUE(heads.starts_with(":status=502 ")) << heads;
  EXPECT_EQ(body, "upstream connect error or disconnect/reset before headers. reset reason: protocol error");
}

TEST_F(HttpCallTest, TooLongAnAnswerIsAFailure) {
  HttpCallRequest small = callRequest();
  small.max_response_bytes = 3;
  start(std::move(small));
  connector.last().answer("four");
  turns();
  EXPECT_EQ(failure, http::ResetReason::Overflow);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(connector.last().ended);
}

TEST_F(HttpCallTest, DestroyingTheCallCancelsIt) {
  start(callRequest());
  call.reset();
  turns();
  EXPECT_TRUE(connector.last().ended);
  connector.at_once = false;
  start(callRequest());
  call.reset();
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
  passes(1min);
  EXPECT_EQ(told, 0);
}

TEST_F(HttpCallTest, AHeadRequestIsCompleteWithItsHeaders) {
  start(callRequest("HEAD"));
  connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n");
  turns();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(body, "");
}

}  // namespace
}  // namespace weir::upstream
