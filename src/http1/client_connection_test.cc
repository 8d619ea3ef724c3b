#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "http1/codec.h"
#include "http1/recording.h"

namespace weir::http1 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

http::HeaderMap headers(Fields fields) {
  http::HeaderMap out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

class ClientTest : public ::testing::Test, public ReadControl {
 protected:
  ClientTest() { use({}); }

  void use(const ClientSettings& settings) { codec_ = createClientCodec(wire_, settings, this); }

  void onPauseConnection() override { pauses_ += "pause "; }
  void onResumeConnection() override { pauses_ += "resume "; }

  void begin() {
    receiver_.events.clear();
    wire_.text.clear();
    stream_ = &codec_->newStream(receiver_);
  }
  void ask(std::string_view method = "GET", bool end_stream = true) {
    begin();
    stream_->sendHeaders(headers({{":method", method}, {":path", "/p"}, {":authority", "h"}}), end_stream);
  }
  bool receive(std::string_view bytes) {
    in_.append(bytes);
    return codec_->receive(in_).ok();
  }
  void sendBody(std::string_view text, bool end_stream) {
    base::BufferChain bytes(text);
    stream_->sendBody(bytes, end_stream);
  }

  RecordingWire wire_;
  RecordingReceiver receiver_;
  std::unique_ptr<http::ClientCodec> codec_;
  base::BufferChain in_;
  http::Stream* stream_ = nullptr;
  std::string pauses_;
};

TEST_F(ClientTest, WritesARequestWithHostFirst) {
  begin();
  stream_->sendHeaders(headers({{":authority", "h:80"},
                                {":path", "/a?b"},
                                {":method", "GET"},
                                {":scheme", "http"},
                                {"X-A", "1"},
                                {"host", "other"},
                                {"transfer-encoding", "gzip"},
                                {"keep-alive", "1"}}),
                       true);
  EXPECT_EQ(wire_.text, "GET /a?b HTTP/1.1\r\nhost: h:80\r\nx-a: 1\r\n\r\n");
  EXPECT_EQ(stream_->bytesSent(), wire_.text.size());
}

TEST_F(ClientTest, SaysThatABodyIsEmptyWhereOneIsUsual) {
  ask("POST");
  EXPECT_EQ(wire_.text, "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ask("DELETE");
  EXPECT_EQ(wire_.text, "DELETE /p HTTP/1.1\r\nhost: h\r\n\r\n");
}

TEST_F(ClientTest, ChunksABodyOfUnknownLength) {
  ask("POST", false);
  sendBody("hello", false);
  sendBody("", false);
  sendBody("!", true);
  EXPECT_EQ(wire_.text,
            "POST /p HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
}

TEST_F(ClientTest, KeepsAGivenLengthAndCutsWhatExceedsIt) {
  begin();
  stream_->sendHeaders(
      headers({{":method", "PUT"}, {":path", "/"}, {":authority", "h"}, {"content-length", "3"}, {"x", "1"}}), false);
  sendBody("hello", true);
  EXPECT_EQ(wire_.text, "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\nx: 1\r\n\r\nhel");
  receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(codec_->available());
}

TEST_F(ClientTest, ResetsARequestThatIsShorterThanItsLength) {
  begin();
  stream_->sendHeaders(headers({{":method", "PUT"}, {":path", "/"}, {":authority", "h"}, {"content-length", "6"}}),
                       false);
  sendBody("hello", true);
  EXPECT_THAT(receiver_.log(), HasSubstr("reset(local reset"));
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, WritesNothingOfARequestThatIsNone) {
  const std::vector<std::pair<std::string_view, std::string_view>> bad[] = {
      {{":method", "GET"}, {":path", "/"}},
      {{":method", "G T"}, {":path", "/"}, {":authority", "h"}},
      {{":method", ""}, {":path", "/"}, {":authority", "h"}},
      {{":method", "CONNECT"}, {":path", "/"}, {":authority", "h"}},
      {{":method", "GET"}, {":path", ""}, {":authority", "h"}},
      {{":method", "GET"}, {":path", "/a b"}, {":authority", "h"}},
      {{":method", "GET"}, {":path", "/\r\n"}, {":authority", "h"}},
      {{":method", "GET"}, {":path", "/"}, {":authority", "h\r\nevil: 1"}},
  };
  for (const auto& fields : bad) {
    begin();
    http::HeaderMap request;
    for (const auto& [name, value] : fields) request.add(name, value);
    stream_->sendHeaders(request, true);
    EXPECT_EQ(receiver_.log(), "reset(local reset, http1.invalid_request_headers)");
    EXPECT_EQ(wire_.text, "");
    EXPECT_TRUE(codec_->available());
  }
}

TEST_F(ClientTest, TellsAResponseAndIsThereForTheNext) {
  ask();
  EXPECT_FALSE(codec_->available());
  EXPECT_TRUE(receive("HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nVary: a\r\nVary: b\r\n\r\nhel"));
  EXPECT_TRUE(receive("lo"));
  EXPECT_EQ(receiver_.log(), "headers(:status=200;content-length=5;vary=a,b;) | body(hello) | end | complete");
  EXPECT_TRUE(codec_->available());
  ask();
  receive("HTTP/1.1 204\r\n\r\n");
  EXPECT_EQ(receiver_.log(), "headers(:status=204;) end | complete");
}

TEST_F(ClientTest, ReadsChunksAndDropsTrailersUnlessEnabled) {
  const std::string_view response =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n";
  ask();
  receive(response);
  EXPECT_EQ(receiver_.log(), "headers(:status=200;transfer-encoding=chunked;) | body(ok) | end | complete");
  ClientSettings settings;
  settings.enable_trailers = true;
  use(settings);
  ask();
  receive(response);
  EXPECT_THAT(receiver_.log(), EndsWith("body(ok) | trailers(x-t=1;) | complete"));
}

TEST_F(ClientTest, KnowsThatSomeResponsesHaveNoBody) {
  for (const char* status : {"204", "304"}) {
    ask();
    receive(std::string("HTTP/1.1 ") + status + " x\r\n\r\n");
    EXPECT_THAT(receiver_.log(), EndsWith("end | complete"));
  }
  ask("HEAD");
  receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(receiver_.log(), "headers(:status=200;content-length=5;) end | complete");
  ask("HEAD");
  receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_THAT(receiver_.log(), EndsWith("end | complete"));
  EXPECT_TRUE(codec_->available());
}

TEST_F(ClientTest, EndsABodyWithTheConnectionWhereNothingElseDoes) {
  ask();
  receive("HTTP/1.0 200 OK\r\n\r\nabc");
  EXPECT_EQ(receiver_.log(), "headers(:status=200;) | body(abc)");
  codec_->receiveEnd();
  EXPECT_EQ(receiver_.log(), "headers(:status=200;) | body(abc) | end | complete");
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, TakesAConnectionThatEndsWithinAResponseForLost) {
  for (const char* part : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    use({});
    ask();
    receive(part);
    codec_->receiveEnd();
    EXPECT_THAT(receiver_.log(), HasSubstr("reset(connection termination")) << part;
    EXPECT_FALSE(codec_->reusable());
  }
}

TEST_F(ClientTest, TakesAConnectionThatEndsWithinAHeadForAFault) {
  ask();
  receive("HTTP/1.1 20");
  codec_->receiveEnd();
  EXPECT_THAT(receiver_.log(), HasSubstr("reset(protocol error"));
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, TellsInterimResponses) {
  ask();
  receive("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
  EXPECT_EQ(receiver_.log(), "informational(:status=100;) | informational(:status=103;link=a;)");
  receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(receiver_.log(), EndsWith("end | complete"));
}

TEST_F(ClientTest, IsNotReusedWhenTheUpstreamSaysSo) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                           "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    use({});
    ask();
    receive(head);
    EXPECT_THAT(receiver_.log(), EndsWith("complete"));
    EXPECT_FALSE(codec_->reusable());
  }
  use({});
  ask();
  receive("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(codec_->reusable());
}

TEST_F(ClientTest, IsNotReusedAfterBytesThatNobodyAskedFor) {
  for (const char* response : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx", "HTTP/1.1 304 x\r\n\r\n\r\n",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n0"}) {
    use({});
    ask();
    EXPECT_FALSE(receive(response));
    EXPECT_THAT(receiver_.log(), EndsWith("complete"));
    EXPECT_FALSE(codec_->reusable());
    EXPECT_TRUE(in_.empty());
  }
  use({});
  EXPECT_FALSE(receive("HTTP/1.1 408 Request Timeout\r\n\r\n")) << "before any request";
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, IsNotReusedWhenTheResponseOvertakesTheRequest) {
  ask("POST", false);
  sendBody("hel", false);
  receive("HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(receiver_.log(), "headers(:status=413;content-length=0;) end | complete");
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, RefusesAResponseToARequestThatHasNotBegun) {
  begin();
  EXPECT_FALSE(receive("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_THAT(receiver_.log(), HasSubstr("reset(protocol error"));
}

TEST_F(ClientTest, TellsNothingAfterReset) {
  ask();
  stream_->reset(http::ResetReason::LocalReset);
  codec_->connectionLost("gone");
  EXPECT_EQ(receiver_.log(), "");
  EXPECT_FALSE(codec_->reusable());
}

TEST_F(ClientTest, TellsThatTheConnectionIsLost) {
  ask();
  codec_->connectionLost("gone");
  EXPECT_EQ(receiver_.log(), "reset(connection termination, gone)");
}

TEST_F(ClientTest, StopsAndGoesOnReading) {
  ask();
  stream_->pauseReceiving();
  EXPECT_EQ(pauses_, "pause ");
  receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(pauses_, "pause resume ");
}

// Begins the next request from within onComplete(), as a pool does.
class ChainingReceiver final : public RecordingReceiver {
 public:
  explicit ChainingReceiver(http::ClientCodec& codec, RecordingReceiver& next) : codec_(codec), next_(next) {}
  void onComplete() override {
    RecordingReceiver::onComplete();
    if (!codec_.available()) return;
    codec_.newStream(next_).sendHeaders(headers({{":method", "GET"}, {":path", "/2"}, {":authority", "h"}}), true);
  }

 private:
  http::ClientCodec& codec_;
  RecordingReceiver& next_;
};

TEST_F(ClientTest, LetsTheNextRequestBeginWhenTheLastIsComplete) {
  ChainingReceiver first(*codec_, receiver_);
  codec_->newStream(first).sendHeaders(headers({{":method", "GET"}, {":path", "/1"}, {":authority", "h"}}), true);
  EXPECT_TRUE(receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_THAT(wire_.text, HasSubstr("GET /2"));
  EXPECT_TRUE(receive("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_THAT(receiver_.log(), HasSubstr(":status=201"));
}

TEST_F(ClientTest, NeverTakesSurplusForTheAnswerToTheNextRequest) {
  ChainingReceiver first(*codec_, receiver_);
  codec_->newStream(first).sendHeaders(headers({{":method", "GET"}, {":path", "/1"}, {":authority", "h"}}), true);
  EXPECT_FALSE(receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  EXPECT_THAT(first.log(), EndsWith("complete"));
  EXPECT_EQ(receiver_.log(), "");
}

}  // namespace
}  // namespace weir::http1
