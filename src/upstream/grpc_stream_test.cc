#include "upstream/grpc_stream.h"

#include <gtest/gtest.h>

#include "upstream/test_http2_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

std::string framed(std::string_view message) {
  return http::grpcPrefix(static_cast<uint32_t>(message.size())).append(message);
}

// What is told reads like "initial 2 | message hi | trailing 1 | closed 0 via_upstream".
struct GrpcStreamTest : Http2UpstreamTest, GrpcReceiver {
  void onGrpcInitialMetadata(http::HeaderMap& metadata) override { note("initial " + std::to_string(metadata.size())); }
  void onGrpcMessage(base::BufferChain& message) override {
    note("message " + (message.size() > 40 ? std::to_string(message.size()) : message.toString()));
    if (cancels_on_message) stream.reset();
  }
  void onGrpcTrailingMetadata(http::HeaderMap& metadata) override {
    note("trailing " + std::to_string(metadata.size()));
    if (cancels_on_trailing) stream.reset();
  }
  void onGrpcClose(int status, std::string_view message) override {
    note("closed " + std::to_string(status) + " " + std::string(message));
    stream.reset();  // Allowed within.
  }
  void note(const std::string& what) { log += (log.empty() ? "" : " | ") + what; }

  GrpcStream& begin(const GrpcOptions& options = {}) {
    if (cluster == nullptr) make(http2Spec());
    stream = std::make_unique<GrpcStream>(*cluster, loop, static_cast<GrpcReceiver&>(*this), options);
    return *stream;
  }
  void start(std::string_view message = "hi", bool end = true) {
    GrpcStream& begun = stream != nullptr ? *stream : begin();
    EXPECT_TRUE(begun.send(message, end));
    begun.start(grpcHeaders("c", "pkg.S", "M", std::nullopt));
    turns();
    if (!connector.peers.empty()) serve();
  }
  // The peer's answer to the first call, in parts.
  http::Stream& peer() { return *servers[0]->requests.back()->stream; }
  void heads(std::string_view status = "200", bool end = false, std::string_view grpc_status = {}) {
    http::HeaderMap headers;
    headers.add(":status", status);
    headers.add("content-type", "application/grpc");
    if (!grpc_status.empty()) headers.add("grpc-status", grpc_status);
    peer().sendHeaders(headers, end);
  }
  void says(std::string_view bytes, bool end = false) {
    base::BufferChain body(bytes);
    peer().sendBody(body, end);
  }
  void trails(std::string_view grpc_status, std::string_view message = {}) {
    http::HeaderMap trailers;
    trailers.add("grpc-status", grpc_status);
    if (!message.empty()) trailers.add("grpc-message", message);
    peer().sendTrailers(trailers);
  }
  const std::string& seen() { return servers[0]->log(servers[0]->requests.size() - 1); }

  std::unique_ptr<GrpcStream> stream;
  std::string log;
  bool cancels_on_message = false, cancels_on_trailing = false;
};

TEST_F(GrpcStreamTest, SendsItsHeadAndMessagesAndTellsTheAnswer) {
  begin({.timeout = 300ms});
  start();
  EXPECT_EQ(seen(),
            "headers(:method=POST;:authority=c;:scheme=http;:path=/pkg.S/M;te=trailers;content-type=application/grpc;"
            "x-envoy-internal=true;x-envoy-expected-rq-timeout-ms=300;) | body(" +
                framed("hi") + ") end");
  heads();
  says(framed("well") + framed(""));
  trails("0");
  serve();
  EXPECT_EQ(log, "initial 3 | message well | message  | trailing 1 | closed 0 via_upstream");
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(count("upstream_rq_200"), 1u);
}

TEST_F(GrpcStreamTest, GoesBothWaysUntilItIsEnded) {
  start("one", false);
  heads();
  says(framed("a"));
  serve();
  EXPECT_EQ(log, "initial 2 | message a");  // Without a service time: the request has not ended.
  EXPECT_TRUE(stream->send("two", false));
  stream->end();
  EXPECT_TRUE(stream->send("dropped", false));
  serve();
  EXPECT_TRUE(seen().ends_with("body(" + framed("one") + ") | body(" + framed("two") + ") | body() end")) << seen();
}

TEST_F(GrpcStreamTest, AnAnswerOfTrailersAloneHasNoInitialMetadata) {
  start();
  heads("200", true, "7");
  serve();
  EXPECT_EQ(log, "initial 0 | trailing 4 | closed 7 via_upstream");
}

TEST_F(GrpcStreamTest, TheMessageOfAFailureIsTold) {
  start();
  heads();
  trails("5", "not there");
  serve();
  EXPECT_EQ(log, "initial 3 | trailing 2 | closed 5 not there{via_upstream}");
}

TEST_F(GrpcStreamTest, WhoSpeaksNoGrpcHasTheStatusOfHttp) {
  start();
  servers[0]->answer(0, "503", "text");
  serve();
  EXPECT_EQ(log, "initial 0 | trailing 0 | closed 14 via_upstream");
}

TEST_F(GrpcStreamTest, WithoutAStatusItIsUnknownAndAnOddOneIsMinusOne) {
  start();
  heads();
  says(framed("x"), true);
  serve();
  EXPECT_EQ(log, "initial 3 | message x | trailing 0 | closed 2 via_upstream");
  log.clear();
  start();
  heads("200", true, "17");
  serve();
  EXPECT_EQ(log, "initial 0 | trailing 4 | closed -1 via_upstream");
}

TEST_F(GrpcStreamTest, ACompressedABrokenAndATooLongMessageEndIt) {
  for (const auto& [bytes, status] :
       {std::pair{"\1" + framed("x").substr(1), 13}, {std::string("\2zzzz"), 13}, {framed("12345"), 8}}) {
    log.clear();
    begin({.max_message = 4});
    start();
    heads();
    says(bytes);
    serve();
    EXPECT_EQ(log, "initial 3 | trailing 0 | closed " + std::to_string(status) + " via_upstream");
    EXPECT_TRUE(servers[0]->requests.back()->over);
  }
}

TEST_F(GrpcStreamTest, AResetBeforeTheAnswerIsUnavailableAndWithinItInternal) {
  start();
  peer().reset(http::ResetReason::LocalReset);
  serve();
  EXPECT_EQ(
      log,
      "initial 0 | trailing 4 | closed 14 upstream connect error or disconnect/reset before headers. reset reason: "
      "remote reset{upstream_reset_before_response_started{remote_reset}}");
  log.clear();
  start();
  heads();
  serve();
  peer().reset(http::ResetReason::LocalReset);
  serve();
  EXPECT_EQ(log, "initial 3 | trailing 0 | closed 13 upstream_reset_after_response_started{remote_reset}");
}

TEST_F(GrpcStreamTest, NobodyToAskIsToldAtOnce) {
  make(staticSpec({}));
  start();
  EXPECT_EQ(log, "initial 0 | trailing 4 | closed 14 no healthy upstream{no_healthy_upstream}");
}

TEST_F(GrpcStreamTest, ATimeoutIsUnavailableBeforeTheAnswerAndInternalWithinIt) {
  begin({.timeout = 300ms});
  start();
  passes(300ms);
  EXPECT_EQ(log, "initial 0 | trailing 4 | closed 14 upstream request timeout{response_timeout}");
  log.clear();
  begin({.timeout = 300ms});
  start();
  heads();
  serve();
  passes(300ms);
  EXPECT_EQ(log, "initial 3 | trailing 0 | closed 13 response_timeout");
}

TEST_F(GrpcStreamTest, MayBeCancelledFromWithinWhatItTells) {
  cancels_on_message = true;
  start("one", false);
  heads();
  says(framed("a") + framed("b"));
  serve();
  EXPECT_EQ(log, "initial 2 | message a");
  EXPECT_TRUE(seen().find("reset") != std::string::npos) << seen();
  log.clear();
  cancels_on_message = false;
  cancels_on_trailing = true;
  start();
  heads();
  trails("0");
  serve();
  EXPECT_EQ(log, "initial 3 | trailing 1");
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
}

TEST_F(GrpcStreamTest, TakesNoMoreThanItsLimitOfWhatWaits) {
  connector.at_once = false;
  GrpcStream& waiting = begin();
  const std::string much(GrpcStream::kMaxWaiting / 2, 'x');
  EXPECT_TRUE(waiting.send(much, false));
  EXPECT_FALSE(waiting.send(much, false));
  EXPECT_TRUE(waiting.send(much.substr(10), false));
  waiting.start(grpcHeaders("c", "s", "m", std::nullopt));
  EXPECT_FALSE(waiting.send(much, false));
  // The peer's window lets no more than a part of it go.
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_FALSE(waiting.send(much, false));
}

}  // namespace
}  // namespace weir::upstream
