#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "http1/codec.h"
#include "http1/recording.h"

namespace weir::http1 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: h\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

http::HeaderMap headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  http::HeaderMap out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

// Answers a malformed request from within the call that tells of it, as an exchange without filters does.
class AnsweringReceiver final : public RecordingReceiver {
 public:
  AnsweringReceiver(http::Stream& stream, bool answer) : stream_(stream), answer_(answer) {}
  void onMalformed(int status, const base::Error& why) override {
    RecordingReceiver::onMalformed(status, why);
    if (answer_) stream_.sendHeaders(headers({{":status", std::to_string(status)}}), true);
  }

 private:
  http::Stream& stream_;
  const bool answer_;
};

class ServerTest : public ::testing::Test, public http::ServerCodec::Events {
 protected:
  explicit ServerTest(ServerSettings settings = {}) { use(settings); }

  void use(const ServerSettings& settings) { codec_ = createServerCodec(wire_, *this, settings); }

  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    stream_ = &stream;
    receivers_.push_back(std::make_unique<AnsweringReceiver>(stream, answer_at_once_));
    return *receivers_.back();
  }
  void onPauseConnection() override { pauses_ += "pause "; }
  void onResumeConnection() override { pauses_ += "resume "; }

  bool receive(std::string_view bytes) {
    in_.append(bytes);
    return codec_->receive(in_).ok();
  }
  RecordingReceiver& last() { return *receivers_.back(); }

  void answer(std::string_view status, std::string_view body = "", bool with_length = true) {
    http::HeaderMap headers;
    headers.add(http::HeaderId::Status, status);
    if (with_length) headers.add(http::HeaderId::ContentLength, std::to_string(body.size()));
    stream_->sendHeaders(headers, body.empty());
    base::BufferChain bytes(body);
    if (!body.empty()) stream_->sendBody(bytes, true);
  }

  RecordingWire wire_;
  std::unique_ptr<http::ServerCodec> codec_;
  base::BufferChain in_;
  http::Stream* stream_ = nullptr;
  std::vector<std::unique_ptr<AnsweringReceiver>> receivers_;
  std::string pauses_;
  bool answer_at_once_ = false;
};

TEST_F(ServerTest, TellsARequestWithItsPseudoHeadersFirst) {
  EXPECT_TRUE(receive("GET /a?b HTTP/1.1\r\nX-One: 1\r\nHost: h:80\r\naccept:  */* \t\r\n\r\n"));
  EXPECT_EQ(last().log(), "headers(:authority=h:80;:path=/a?b;:method=GET;x-one=1;accept=*/*;) end");
}

TEST_F(ServerTest, TellsABodyAndItsEndApart) {
  receive("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_EQ(last().log(), "headers(:authority=h;:path=/;:method=POST;content-length=5;) | body(hel)");
  receive("lo");
  EXPECT_EQ(last().log(), "headers(:authority=h;:path=/;:method=POST;content-length=5;) | body(hello) | end");
}

TEST_F(ServerTest, DecodesChunks) {
  receive(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n0a\r\n, "
      "world!!!\r\n0\r\n");
  EXPECT_THAT(last().log(), HasSubstr("body(hello, world!!!)"));
  EXPECT_THAT(last().log(), Not(HasSubstr("end")));
  receive("\r\n");
  EXPECT_THAT(last().log(), HasSubstr("| end"));
}

TEST_F(ServerTest, AnswersWithAContentLength) {
  receive("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  answer("200", "hello");
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  EXPECT_THAT(last().log(), HasSubstr("complete"));
  EXPECT_EQ(stream_->bytesSent(), wire_.text.size());
  EXPECT_FALSE(codec_->finished());
}

TEST_F(ServerTest, ChunksABodyOfUnknownLength) {
  receive("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  answer("200", "hello", false);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
}

TEST_F(ServerTest, TakesTheNextPipelinedRequestOnlyAfterTheAnswer) {
  receive("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(receivers_.size(), 1u);
  answer("200");
  EXPECT_EQ(receivers_.size(), 1u);
  receive("");
  EXPECT_EQ(receivers_.size(), 2u);
  EXPECT_THAT(last().log(), HasSubstr(":path=/2"));
}

TEST_F(ServerTest, PausesAConnectionWhoseClientPipelinesTooMuch) {
  receive(kGet + std::string(kMaxPipelinedBytes, 'x'));
  EXPECT_EQ(pauses_, "");
  receive("x");
  EXPECT_EQ(pauses_, "pause ");
  answer("200");
  EXPECT_EQ(pauses_, "pause resume ");
}

TEST_F(ServerTest, GivesTheSchemeOfAnAbsoluteTarget) {
  receive("GET HTTPS://Other:8443?q HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(last().log(), "headers(:authority=Other:8443;:scheme=https;:path=/?q;:method=GET;) end");
}

TEST_F(ServerTest, RefusesAnAbsoluteTargetWhenToldSo) {
  ServerSettings settings;
  settings.allow_absolute_url = false;
  use(settings);
  receive("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(last().malformed_status, 400);
}

TEST_F(ServerTest, JoinsRepeatedFieldsThatEnvoyJoins) {
  receive(
      "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a\r\nx-b: 1\r\nAccept: x\r\nx-forwarded-for: b\r\nX-B: 2\r\n"
      "Authorization: p\r\nAccept: y\r\nauthorization: q\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n");
  EXPECT_THAT(last().log(), HasSubstr(":method=GET;x-forwarded-for=a,b;x-b=1;accept=x,y;x-b=2;authorization=p,q;"
                                      "cookie=a=1;cookie=b=2;) end"));
}

TEST_F(ServerTest, LeavesOutTheUpgradeToH2c) {
  receive(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAM\r\n\r\n");
  EXPECT_EQ(last().log(), "headers(:authority=h;:path=/;:method=GET;connection=Upgrade, HTTP2-Settings;) end");
}

TEST_F(ServerTest, BeginsTheStreamWithTheFirstByteOfARequest) {
  receive("\r\n");
  EXPECT_EQ(codec_->activeStreams(), 0u);
  receive("G");
  EXPECT_EQ(codec_->activeStreams(), 1u);
  EXPECT_EQ(last().log(), "");
}

TEST_F(ServerTest, DropsTrailersUnlessTheyAreEnabled) {
  const std::string request = kChunked + "2\r\nok\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\nAuthorization: x\r\n\r\n";
  receive(request);
  EXPECT_THAT(last().log(), HasSubstr("body(ok) | end"));
  ServerSettings settings;
  settings.enable_trailers = true;
  use(settings);
  receive(request);
  EXPECT_THAT(last().log(), HasSubstr("body(ok) | trailers(x-t=1;)"));
}

TEST_F(ServerTest, SendsTrailersWhenTheyAreEnabled) {
  ServerSettings settings;
  settings.enable_trailers = true;
  use(settings);
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}}), false);
  base::BufferChain body("hi");
  stream_->sendBody(body, false);
  stream_->sendTrailers(headers({{"X-T", "1"}, {"bad", "a\r\nb"}}));
  EXPECT_THAT(wire_.text, HasSubstr("\r\n\r\n2\r\nhi\r\n0\r\nx-t: 1\r\n\r\n"));
  EXPECT_THAT(last().log(), HasSubstr("complete"));
}

TEST_F(ServerTest, EndsTheBodyInsteadOfSendingTrailers) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}}), false);
  stream_->sendTrailers(headers({{"x-t", "1"}}));
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(ServerTest, AddsALengthOfZeroToAnAnswerWithoutABody) {
  receive(kGet);
  answer("404", "", false);
  EXPECT_EQ(wire_.text, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
}

TEST_F(ServerTest, CorrectsTheLengthOfABodyThatWasTakenAway) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}, {"content-length", "5"}, {"x", "1"}}), true);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\nx: 1\r\ncontent-length: 0\r\n\r\n");
}

TEST_F(ServerTest, SendsNoBodyToHeadAndKeepsTheLength) {
  receive("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  answer("200", "hello");
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  receive("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  wire_.text.clear();
  answer("200", "hello", false);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  EXPECT_FALSE(codec_->finished());
}

TEST_F(ServerTest, SendsNeitherBodyNorFramingWith204And304) {
  receive(kGet);
  answer("204", "hello");
  EXPECT_EQ(wire_.text, "HTTP/1.1 204 No Content\r\n\r\n");
  wire_.text.clear();
  receive(kGet);
  answer("304", "hello", false);
  EXPECT_EQ(wire_.text, "HTTP/1.1 304 Not Modified\r\n\r\n");
  wire_.text.clear();
  receive(kGet);
  answer("304", "hello");
  EXPECT_EQ(wire_.text, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
}

TEST_F(ServerTest, OwnsTheFramingFields) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"},
                                {"transfer-encoding", "gzip"},
                                {"content-length", "5"},
                                {"content-length", "6"},
                                {"connection", "x"},
                                {"keep-alive", "5"},
                                {"proxy-connection", "y"},
                                {"x", "1"}}),
                       false);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST_F(ServerTest, NeverWritesWhatWouldSplitTheMessage) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"},
                                {"a", "1\r\nevil: 1"},
                                {"b\r\nevil", "1"},
                                {"c d", "1"},
                                {"", "1"},
                                {"e", std::string("\0", 1)},
                                {"good", " padded\t"}}),
                       true);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ngood: padded\r\ncontent-length: 0\r\n\r\n");
}

TEST_F(ServerTest, MakesA503OfAStatusThatIsNone) {
  for (const char* status : {"abc", "", "1000", "99", "200 OK\r\nx: 1"}) {
    wire_.text.clear();
    receive(kGet);
    answer(status);
    EXPECT_THAT(wire_.text, HasSubstr("HTTP/1.1 503 Service Unavailable\r\n")) << status;
  }
}

TEST_F(ServerTest, CutsABodyThatIsLongerThanItsLength) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}, {"content-length", "3"}}), false);
  base::BufferChain body("hello");
  stream_->sendBody(body, false);
  EXPECT_TRUE(body.empty());
  body.append("again");
  stream_->sendBody(body, true);
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhel");
  EXPECT_THAT(last().log(), HasSubstr("complete"));
  EXPECT_FALSE(codec_->finished());
}

TEST_F(ServerTest, EndsTheConnectionAfterABodyThatIsShorterThanItsLength) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}, {"content-length", "6"}}), false);
  base::BufferChain body("hello");
  stream_->sendBody(body, true);
  EXPECT_THAT(last().log(), HasSubstr("reset(local reset"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, ClosesWhenTheClientAsksForIt) {
  receive("GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n");
  EXPECT_FALSE(codec_->finished());
  answer("200");
  EXPECT_EQ(wire_.text, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(codec_->finished());
  receive(kGet);
  EXPECT_EQ(receivers_.size(), 1u);
}

TEST_F(ServerTest, ClosesWhenTheLayerAboveAsksForIt) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}, {"connection", "Close"}}), true);
  EXPECT_THAT(wire_.text, HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, ClosesWhenDraining) {
  receive(kGet);
  codec_->drain();
  EXPECT_FALSE(codec_->finished());
  answer("200");
  EXPECT_THAT(wire_.text, HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, FinishesWithTheResponseUnderWayWhenDrainedInItsMiddle) {
  receive(kGet);
  stream_->sendHeaders(headers({{":status", "200"}}), false);
  codec_->drain();
  base::BufferChain nothing;
  stream_->sendBody(nothing, true);
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, EndsTheConnectionWithAnAnswerThatOvertakesItsRequest) {
  receive(kPost + "Content-Length: 5\r\n\r\nhe");
  answer("413");
  EXPECT_THAT(wire_.text, HasSubstr("connection: close\r\n"));
  EXPECT_THAT(last().log(), HasSubstr("complete"));
  EXPECT_TRUE(codec_->finished());
  receive("llo" + kGet);
  EXPECT_EQ(receivers_.size(), 1u);
}

TEST_F(ServerTest, AnswersHttp10InItsOwnWay) {
  ServerSettings settings;
  settings.accept_http_10 = true;
  settings.default_host_for_http_10 = "default";
  use(settings);
  receive("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(last().log(), HasSubstr(":authority=default;"));
  EXPECT_EQ(stream_->protocol(), http::Protocol::Http10);
  stream_->sendInformational(headers({{":status", "103"}}));
  answer("200", "hello", false);
  EXPECT_EQ(wire_.text, "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nhello");
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, KeepsAnHttp10ConnectionThatWantsToBeKept) {
  ServerSettings settings;
  settings.accept_http_10 = true;
  use(settings);
  receive("GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n");
  answer("200", "hello");
  EXPECT_EQ(wire_.text, "HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello");
  EXPECT_FALSE(codec_->finished());
}

TEST_F(ServerTest, SendsInterimAnswersBeforeTheFinalOneOnly) {
  receive(kPost + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  stream_->sendInformational(headers({{":status", "100"}}));
  EXPECT_EQ(wire_.text, "HTTP/1.1 100 Continue\r\n\r\n");
  receive("ok");
  answer("200");
  EXPECT_THAT(wire_.text, HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_FALSE(codec_->finished());
}

TEST_F(ServerTest, LetsAMalformedRequestBeAnsweredLater) {
  EXPECT_TRUE(receive("BAD\r\n\r\n"));
  EXPECT_EQ(last().malformed_status, 400);
  EXPECT_FALSE(codec_->finished());
  answer("400");
  EXPECT_THAT(wire_.text, HasSubstr("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, FailsToReceiveOnlyWhenNobodyIsThereToAnswer) {
  answer_at_once_ = true;
  EXPECT_FALSE(receive("BAD\r\n\r\n"));
  EXPECT_TRUE(codec_->finished());
  EXPECT_TRUE(receive("more"));
  EXPECT_TRUE(in_.empty());
}

TEST_F(ServerTest, TellsTheReceiverThatTheConnectionIsLost) {
  receive(kPost + "Content-Length: 5\r\n\r\n");
  codec_->connectionLost("gone");
  codec_->connectionLost("gone again");
  EXPECT_THAT(last().log(), HasSubstr("| reset(connection termination, gone)"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, ResetsARequestThatItsClientDoesNotFinish) {
  receive(kPost + "Content-Length: 5\r\n\r\nhe");
  codec_->receiveEnd();
  EXPECT_THAT(last().log(), HasSubstr("reset(connection termination"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, StillAnswersAClientThatHasFinishedSending) {
  receive(kGet);
  codec_->receiveEnd();
  EXPECT_FALSE(codec_->finished());
  answer("200");
  EXPECT_THAT(wire_.text, HasSubstr("connection: close"));
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, TellsNothingAfterReset) {
  receive(kPost + "Content-Length: 5\r\n\r\nhe");
  const std::string before = last().log();
  stream_->reset(http::ResetReason::LocalReset);
  receive("llo");
  codec_->connectionLost("gone");
  EXPECT_EQ(last().log(), before);
  EXPECT_TRUE(codec_->finished());
}

TEST_F(ServerTest, CountsPausesAndStopsReadingAtTheFirst) {
  receive(kPost + "Content-Length: 9\r\n\r\n");
  stream_->pauseReceiving();
  stream_->pauseReceiving();
  EXPECT_EQ(pauses_, "pause ");
  receive("hello");
  EXPECT_THAT(last().log(), HasSubstr("body(hello)"));
  stream_->resumeReceiving();
  EXPECT_EQ(pauses_, "pause ");
  stream_->resumeReceiving();
  EXPECT_EQ(pauses_, "pause resume ");
}

TEST_F(ServerTest, ResumesReadingForTheNextRequest) {
  receive(kPost + "Content-Length: 9\r\n\r\n");
  stream_->pauseReceiving();
  stream_->reset(http::ResetReason::LocalReset);
  EXPECT_EQ(pauses_, "pause resume ");
}

TEST_F(ServerTest, PassesOnThatTheWireIsBlocked) {
  codec_->wireBlocked();
  receive(kGet);
  EXPECT_THAT(last().log(), ::testing::StartsWith("blocked"));
  codec_->wireBlocked();
  codec_->wireDrained();
  codec_->wireDrained();
  EXPECT_THAT(last().log(), ::testing::EndsWith("| drained"));
}

TEST_F(ServerTest, CountsTheBytesOfAMessage) {
  receive(kPost + "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(stream_->bytesReceived(), (kPost + "Content-Length: 5\r\n\r\nhello").size());
}

}  // namespace
}  // namespace weir::http1
