#include "server/admin_connection.h"

#include "base/log.h"
#include "http/date.h"
#include "http/status.h"
#include "http1/codec.h"

namespace weir::server {

AdminConnection::AdminConnection(event::Loop& loop, Owner& owner, std::unique_ptr<net::ByteStream> stream)
    : loop_(loop),
      owner_(owner),
      stream_(std::move(stream)),
      codec_(http1::createServerCodec(*this, *this, {})),
      timer_(loop, [this] { close(net::ByteStream::Close::Flush); }) {}

AdminConnection::~AdminConnection() = default;

void AdminConnection::start() {
  timer_.arm(kRequestTimeout);
  stream_->start(*this);
}

void AdminConnection::onBytes(base::BufferChain& received) {
  received_.append(received);
  serve();
}

void AdminConnection::serve() {
  if (serving_) return;  // The codec resumed reading from within: the loop under way goes on by itself.
  serving_ = true;
  while (!closed_ && !blocked_ && !broken_) {
    if (const auto result = codec_->receive(received_); !result.ok()) {
      LOG(Admin, Debug, "request refused: {}", result.error().detail);
      broken_ = true;
    }
    if (!asked_) break;
    answerRequest();
  }
  serving_ = false;
  if (closed_ || request_ != nullptr || blocked_) return;
  if (broken_ || codec_->finished() || peer_ended_) close(net::ByteStream::Close::Flush);
}

void AdminConnection::answerRequest() {
  asked_ = false;
  AdminAnswer answer;
  if (malformed_status_ != 0) {
    answer = {.status = malformed_status_, .body = std::string(http::reasonPhrase(malformed_status_)) + "\n"};
  } else {
    answer = owner_.answer(method_, target_);
    LOG(Admin, Debug, "{} {}: {}", method_, target_, answer.status);
  }
  write(answer);
  flush();
  timer_.arm(kRequestTimeout);
  if (answer.quit) owner_.onQuit();
}

void AdminConnection::write(const AdminAnswer& answer) {
  http::HeaderMap headers;
  headers.add(http::HeaderId::Status, std::to_string(answer.status));
  headers.add(http::HeaderId::ContentType, answer.content_type);
  headers.add("cache-control", "no-cache, max-age=0");
  headers.add("x-content-type-options", "nosniff");
  headers.add(http::HeaderId::ContentLength, std::to_string(answer.body.size()));
  headers.add(http::HeaderId::Date, http::imfDate(loop_.wallNow()));
  headers.add(http::HeaderId::Server, "envoy");
  // RFC 9110 9.3.2: a HEAD is answered like a GET, without the content.
  const bool no_body = method_ == "HEAD" || answer.body.empty();
  request_->sendHeaders(headers, no_body);
  if (no_body) return;
  base::BufferChain body(answer.body);
  request_->sendBody(body, true);
}

void AdminConnection::flush() {
  if (!closed_ && !out_.empty()) stream_->write(out_);
}

http::StreamReceiver& AdminConnection::onNewStream(http::Stream& stream) {
  request_ = &stream;
  method_.clear();
  target_.clear();
  malformed_status_ = 0;
  return *this;
}

void AdminConnection::onHeaders(http::HeaderMap& headers, bool end_stream) {
  method_ = headers.getOr(http::HeaderId::Method, {});
  target_ = headers.getOr(http::HeaderId::Path, {});
  asked_ = end_stream;
}

// Parameters stand in the query; a body is read past.
void AdminConnection::onBody(base::BufferChain& bytes, bool end_stream) { asked_ = end_stream; }

void AdminConnection::onMalformed(int status, const base::Error& why) {
  LOG(Admin, Debug, "malformed request: {}", why.detail);
  malformed_status_ = status;
  asked_ = true;
}

void AdminConnection::forgetStream() {
  request_ = nullptr;
  asked_ = false;
}

void AdminConnection::onPauseConnection() {
  if (!closed_) stream_->pauseReading();
}

void AdminConnection::onResumeConnection() {
  if (!closed_) stream_->resumeReading();
}

void AdminConnection::onDrained() {
  blocked_ = false;
  serve();
}

void AdminConnection::onEnd() {
  peer_ended_ = true;
  if (!broken_) codec_->receiveEnd();
  serve();
}

void AdminConnection::onClosed(const base::Error& why) {
  LOG(Admin, Debug, "connection closed: {}", why.detail);
  close(net::ByteStream::Close::Now);
}

void AdminConnection::close(net::ByteStream::Close how) {
  if (closed_) return;
  flush();
  closed_ = true;
  timer_.disarm();
  codec_->connectionLost("closed");
  stream_->close(how);
  if (how != net::ByteStream::Close::Flush) owner_.onConnectionOver(*this);
}

void AdminConnection::onFlushed() { owner_.onConnectionOver(*this); }

}  // namespace weir::server
