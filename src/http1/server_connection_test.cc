#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "http1/codec.h"
#include "http1/recording.h"

namespace weir::http1 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ServerTest : public ::testing::Test, public http::ServerCodec::Events {
 protected:
  explicit ServerTest(ServerSettings settings = {}) { use(settings); }

  void use(const ServerSettings& settings) { codec_ = createServerCodec(wire_, *this, settings); }

  http::StreamReceiver& onNewStream(http::Stream& stream) override {
    stream_ = &stream;
    receivers_.push_back(std::make_unique<RecordingReceiver>());
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
  std::vector<std::unique_ptr<RecordingReceiver>> receivers_;
  std::string pauses_;
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

}  // namespace
}  // namespace weir::http1
