// Both codecs against each other.
#include <gmock/gmock.h>

#include "http2/testing.h"

namespace weir::http2 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class PairTest : public ::testing::Test {
 protected:
  void make(const Settings& server = {}, const Settings& client = {}) {
    server_ = std::make_unique<TestServer>(server);
    client_ = std::make_unique<TestClient>(client);
    EXPECT_TRUE(pump());
  }
  bool pump() { return http2::pump(*client_, *server_); }
  void SetUp() override { make(); }

  std::unique_ptr<TestServer> server_;
  std::unique_ptr<TestClient> client_;
  Recorder answer_;
};

constexpr const char* kGet = "headers(:method=GET;:authority=h;:scheme=http;:path=/;) end";

TEST_F(PairTest, CarryARequestAndItsAnswer) {
  client_->ask(answer_);
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->log(), kGet);
  server_->answer(0, "200", "hello");
  EXPECT_TRUE(pump());
  EXPECT_EQ(answer_.log, "headers(:status=200;) | body(hello) end | complete");
  EXPECT_EQ(server_->log(), std::string(kGet) + " | complete");
  EXPECT_EQ(server_->codec->activeStreams(), 0u);
  EXPECT_EQ(client_->owner.over, 1);
}

TEST_F(PairTest, CarryBodyAndTrailersBothWays) {
  client_->ask(answer_, "POST", false);
  base::BufferChain body("ping");
  answer_.stream->sendBody(body, false);
  http::HeaderMap trailers;
  trailers.add("x-end", "1");
  answer_.stream->sendTrailers(trailers);
  pump();
  EXPECT_THAT(server_->log(), EndsWith("| body(ping) | trailers(x-end=1;)"));
  http::HeaderMap headers;
  headers.add(http::HeaderId::Status, "200");
  http::Stream& stream = *server_->requests[0]->stream;
  stream.sendHeaders(headers, false);
  base::BufferChain pong("pong");
  stream.sendBody(pong, false);
  http::HeaderMap grpc;
  grpc.add(http::HeaderId::GrpcStatus, "0");
  stream.sendTrailers(grpc);
  pump();
  EXPECT_EQ(answer_.log, "headers(:status=200;) | body(pong) | trailers(grpc-status=0;) | complete");
}

TEST_F(PairTest, TellInformationalResponsesFirst) {
  client_->ask(answer_);
  pump();
  http::HeaderMap early;
  early.add(http::HeaderId::Status, "103");
  early.add("link", "x");
  server_->requests[0]->stream->sendInformational(early);
  server_->answer(0, "204");
  pump();
  EXPECT_EQ(answer_.log, "informational(:status=103;link=x;) | headers(:status=204;) end | complete");
}

TEST_F(PairTest, LeaveOutWhatOnlyHttp1Knows) {
  http::HeaderMap headers;
  headers.add(":method", "GET");
  headers.add(":path", "/");
  headers.add(":authority", "h");
  headers.add("connection", "close");
  headers.add("transfer-encoding", "chunked");
  headers.add("host", "other");
  headers.add("te", "gzip");
  headers.add("bad name", "x");
  headers.add("bad-value", "a\r\nb");
  headers.add("content-length", "5");  // There is no body.
  headers.add("kept", " v ");
  client_->begin(answer_).sendHeaders(headers, true);
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->log(), "headers(:method=GET;:authority=h;:scheme=http;:path=/;kept=v;) end");
}

TEST_F(PairTest, RefuseToSendWhatIsNoRequest) {
  http::HeaderMap headers;
  headers.add(":method", "GET");
  headers.add(":path", "/a b");
  client_->begin(answer_).sendHeaders(headers, true);
  EXPECT_EQ(answer_.log, "reset(local reset, http2.invalid_request_headers)");
  EXPECT_TRUE(pump());
  EXPECT_TRUE(client_->codec->available());
}

TEST_F(PairTest, APausedReceiverGetsAWindowAndNoMore) {
  client_->ask(answer_, "POST", false);
  server_->pauses_new_streams = true;
  pump();
  base::BufferChain body(std::string(1024 * 1024, 'x'));
  answer_.stream->sendBody(body, true);
  pump();
  EXPECT_TRUE(answer_.blocked);
  EXPECT_EQ(server_->requests[0]->body_bytes, 0u);
  // What has left the client waits in the server: a window.
  EXPECT_EQ(client_->stats.pending_send_bytes.value(), 1024 * 1024 - 256 * 1024);
  server_->requests[0]->stream->resumeReceiving();
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->requests[0]->body_bytes, 1024u * 1024);
  EXPECT_FALSE(answer_.blocked);
  EXPECT_EQ(client_->stats.pending_send_bytes.value(), 0);
}

TEST_F(PairTest, APausedResponseStopsNoOther) {
  Settings server;
  Settings client;
  client.connection_window = 256 * 1024;
  make(server, client);
  Recorder other;
  client_->ask(answer_);
  answer_.stream->pauseReceiving();
  client_->ask(other);
  pump();
  server_->answer(0, "200", std::string(500'000, 'a'));
  server_->answer(1, "200", std::string(500'000, 'b'));
  pump();
  EXPECT_EQ(answer_.body_bytes, 0u);
  EXPECT_EQ(other.body_bytes, 500'000u);
  EXPECT_TRUE(other.over);
  answer_.stream->resumeReceiving();
  EXPECT_TRUE(pump());
  EXPECT_EQ(answer_.body_bytes, 500'000u);
  EXPECT_THAT(answer_.log, EndsWith("end | complete"));
}

TEST_F(PairTest, AResponseThatCameWhileItsReceiverPausedEndsWhenItResumes) {
  client_->ask(answer_);
  answer_.stream->pauseReceiving();
  pump();
  server_->answer(0, "200", "hello");
  pump();
  EXPECT_EQ(answer_.log, "headers(:status=200;)");
  answer_.stream->resumeReceiving();
  pump();
  EXPECT_EQ(answer_.log, "headers(:status=200;) | body(hello) end | complete");
}

TEST_F(PairTest, ABlockedWireHoldsFramesBack) {
  client_->ask(answer_);
  pump();
  server_->codec->wireBlocked();
  server_->answer(0, "200", std::string(300'000, 'a'));
  EXPECT_TRUE(server_->wire.sent.empty());
  EXPECT_TRUE(server_->requests[0]->blocked);
  server_->codec->wireDrained();
  EXPECT_TRUE(pump());
  EXPECT_EQ(answer_.body_bytes, 300'000u);
}

TEST_F(PairTest, AClientThatGivesUpResetsItsStreamAlone) {
  Recorder other;
  client_->ask(answer_);
  client_->ask(other);
  pump();
  answer_.stream->reset(http::ResetReason::LocalReset);
  pump();
  EXPECT_EQ(server_->log(0), std::string(kGet) + " | reset(remote reset, http2.remote_reset)");
  server_->answer(1, "200");
  pump();
  EXPECT_TRUE(other.over);
  EXPECT_EQ(answer_.log, "");
  EXPECT_EQ(client_->codec->activeStreams(), 0u);
}

TEST_F(PairTest, AServerThatGivesUpTellsTheClient) {
  client_->ask(answer_);
  pump();
  server_->requests[0]->stream->reset(http::ResetReason::LocalReset);
  pump();
  EXPECT_EQ(answer_.log, "reset(remote reset, http2.remote_reset)");
}

TEST_F(PairTest, AnAnswerThatOvertakesItsRequestEndsIt) {
  client_->ask(answer_, "POST", false);
  pump();
  server_->answer(0, "413", "no");
  server_->requests[0]->stream->reset(http::ResetReason::LocalReset);  // As exchange does with the rest of a request.
  pump();
  EXPECT_EQ(answer_.log, "headers(:status=413;) | body(no) end | complete");
  EXPECT_EQ(client_->codec->activeStreams(), 0u);
  EXPECT_EQ(server_->codec->activeStreams(), 0u);
}

TEST_F(PairTest, AnAnswerIsFlushedThoughItsRequestWasLetGo) {
  client_->ask(answer_, "POST", false);
  answer_.stream->pauseReceiving();
  pump();
  server_->answer(0, "200", std::string(500'000, 'a'));
  server_->requests[0]->stream->reset(http::ResetReason::LocalReset);
  pump();
  answer_.stream->resumeReceiving();
  pump();
  EXPECT_EQ(answer_.body_bytes, 500'000u);
  EXPECT_TRUE(answer_.over);
}

TEST_F(PairTest, DrainTellsTwiceAndServesWhatWasSentBefore) {
  client_->ask(answer_);
  pump();
  server_->codec->drain();
  EXPECT_FALSE(server_->codec->finished());
  pump();
  EXPECT_EQ(client_->owner.goaways, 2);
  EXPECT_FALSE(client_->codec->available());
  EXPECT_FALSE(server_->codec->finished());
  server_->answer(0, "200");
  pump();
  EXPECT_TRUE(answer_.over);
  EXPECT_TRUE(server_->codec->finished());
}

TEST_F(PairTest, ConcurrencyIsThePeersOrOurs) {
  Settings server;
  server.max_concurrent_streams = 2;
  make(server);
  Recorder second;
  client_->ask(answer_);
  EXPECT_TRUE(client_->codec->available());
  client_->ask(second);
  EXPECT_FALSE(client_->codec->available());
  EXPECT_TRUE(client_->codec->reusable());
  pump();
  server_->answer(0, "200");
  pump();
  EXPECT_TRUE(client_->codec->available());
}

TEST_F(PairTest, ALostConnectionEndsEveryStream) {
  Recorder second;
  client_->ask(answer_);
  client_->ask(second);
  client_->codec->connectionLost("gone");
  EXPECT_EQ(answer_.log, "reset(connection termination, gone)");
  EXPECT_EQ(second.log, "reset(connection termination, gone)");
  EXPECT_FALSE(client_->codec->reusable());
}

TEST_F(PairTest, PingsAreAnswered) {
  client_->codec->ping();
  server_->codec->ping();
  pump();
  EXPECT_EQ(client_->owner.pings, 1);
  EXPECT_EQ(server_->owner.pings, 1);
}

TEST_F(PairTest, AnUpgradeTravelsAsExtendedConnect) {
  Settings settings;
  settings.allow_connect = true;
  make(settings);
  http::HeaderMap headers;
  headers.add(":method", "GET");
  headers.add(":scheme", "http");
  headers.add(":path", "/chat");
  headers.add(":authority", "h");
  headers.add("connection", "Upgrade");
  headers.add("upgrade", "websocket");
  client_->begin(answer_).expectTunnel();
  answer_.stream->sendHeaders(headers, false);
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->log(),
            "headers(:authority=h;:scheme=http;:path=/chat;:method=GET;upgrade=websocket;connection=upgrade;)");
  http::HeaderMap accepted;
  accepted.add(":status", "101");
  accepted.add("connection", "upgrade");
  server_->requests[0]->stream->sendHeaders(accepted, false);
  base::BufferChain hello("hello");
  server_->requests[0]->stream->sendBody(hello, false);
  pump();
  EXPECT_EQ(answer_.log, "headers(:status=101;connection=upgrade;upgrade=websocket;) | body(hello)");
}

// What a client asks for by HTTP/1, as far as a tunnel goes.
http::HeaderMap upgradeRequest() {
  http::HeaderMap headers;
  for (const auto& [name, value] :
       {std::pair{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}) {
    headers.add(name, value);
  }
  headers.add("connection", "Upgrade");
  headers.add("upgrade", "websocket");
  return headers;
}

// RFC 8441 3.
TEST(ExtendedConnect, IsRefusedWhereThePeerHasNotSaidThatItTakesIt) {
  TestServer server;
  TestClient client;
  Recorder answer;
  client.begin(answer).expectTunnel();
  answer.stream->sendHeaders(upgradeRequest(), false);
  EXPECT_EQ(answer.log, "");  // Its SETTINGS have not come.
  EXPECT_TRUE(pump(client, server));
  EXPECT_EQ(answer.log, "reset(local reset, http2.extended_connect_not_enabled)");
  EXPECT_TRUE(server.requests.empty());
}

TEST(ExtendedConnect, WaitsForSettingsAndMayBeGivenUpMeanwhile) {
  Settings settings;
  settings.allow_connect = true;
  TestServer server(settings);
  TestClient client;
  Recorder answer, given_up;
  client.begin(answer).expectTunnel();
  answer.stream->sendHeaders(upgradeRequest(), false);
  client.begin(given_up).expectTunnel();
  given_up.stream->sendHeaders(upgradeRequest(), false);
  given_up.stream->reset(http::ResetReason::LocalReset);
  EXPECT_TRUE(pump(client, server));
  EXPECT_EQ(server.requests.size(), 1u);
  EXPECT_EQ(client.codec->activeStreams(), 1u);
}

TEST_F(PairTest, WhatAPluginWroteIsNoUpgradeAndNoConnect) {
  client_->begin(answer_).sendHeaders(upgradeRequest(), true);
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->log(), "headers(:method=GET;:authority=h;:scheme=http;:path=/;) end");
  Recorder other;
  http::HeaderMap connect;
  connect.add(":method", "CONNECT");
  connect.add(":authority", "h:1");
  client_->begin(other).sendHeaders(connect, false);
  EXPECT_EQ(other.log, "reset(local reset, http2.invalid_request_headers)");
}

TEST_F(PairTest, AConnectTravelsWithoutSchemeAndPath) {
  http::HeaderMap connect;
  connect.add(":method", "CONNECT");
  connect.add(":authority", "h:1");
  client_->begin(answer_).expectTunnel();
  answer_.stream->sendHeaders(connect, false);
  EXPECT_TRUE(pump());
  EXPECT_EQ(server_->log(), "headers(:method=CONNECT;:authority=h:1;)");
}

// RFC 9113 8.5.
TEST_F(PairTest, ATunnelWhoseFarEndWasLostEndsWithConnectError) {
  client_->ask(answer_, "GET", false);
  EXPECT_TRUE(pump());
  server_->requests[0]->stream->reset(http::ResetReason::ConnectionFailure);
  const std::string sent = server_->wire.sent.toString();
  EXPECT_EQ(sent.substr(sent.size() - 4), std::string("\0\0\0\x0a", 4));
}

TEST_F(PairTest, BytesOfHeadersAreCountedWithAndWithoutCompression) {
  client_->ask(answer_, "GET", false);
  EXPECT_TRUE(pump());
  const http::Stream& there = *server_->requests[0]->stream;
  const http::Stream& here = *answer_.stream;
  EXPECT_EQ(here.headerBytesSent(), there.headerBytesReceived());
  EXPECT_EQ(here.headerBytesSent(), here.bytesSent());  // There is no body yet.
  EXPECT_EQ(here.plainHeaderBytesSent(), there.plainHeaderBytesReceived());
  EXPECT_GT(here.plainHeaderBytesSent(), here.headerBytesSent() - 9);
  EXPECT_EQ(there.headerBytesSent(), 0u);
}

}  // namespace
}  // namespace weir::http2
