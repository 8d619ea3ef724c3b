#include "exchange/attempt.h"

#include <utility>

namespace weir::exchange {

Attempt::Attempt(Owner& owner, upstream::Cluster& cluster, const http::HeaderMap& headers, bool end_stream,
                 size_t buffer_limit)
    : owner_(owner),
      cluster_(cluster),
      headers_(headers),
      buffer_limit_(buffer_limit),
      headers_only_(end_stream),
      request_ended_(end_stream) {}

Attempt::~Attempt() { abandon(); }

void Attempt::start() {
  upstream::Wish wish;
  wish.authority = headers_.getOr(http::HeaderId::Authority, "");
  auto acquisition = cluster_.acquire(*this, wish);
  if (stream_ == nullptr && !over_) acquisition_ = std::move(acquisition);
}

void Attempt::abandon() {
  over_ = true;
  acquisition_.reset();
  if (stream_ == nullptr) return;
  http::Stream* stream = stream_;
  stream_ = nullptr;
  // With the whole response here the codec is about to end the stream by itself, and the connection can serve again.
  if (!response_ended_) stream->reset(http::ResetReason::LocalReset);
}

void Attempt::onConnection(const Granted& granted) {
  acquisition_.reset();
  reused_ = granted.reused;
  stream_ = &granted.codec.newStream(*this);
  endpoint_ = &granted.endpoint;
  for (int i = 0; i < paused_; ++i) stream_->pauseReceiving();
  owner_.onAttemptConnected(granted);
  if (std::exchange(blocked_waiting_, false)) owner_.onAttemptDrained();
  if (stream_ == nullptr) return;

  stream_->sendHeaders(headers_, headers_only_);
  if (headers_only_ || stream_ == nullptr) return;
  const bool body_is_last = request_ended_ && waiting_trailers_ == nullptr;
  if (!waiting_body_.empty() || body_is_last) stream_->sendBody(waiting_body_, body_is_last);
  if (waiting_trailers_ != nullptr && stream_ != nullptr) stream_->sendTrailers(*waiting_trailers_);
}

void Attempt::onNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                             std::string_view detail) {
  over_ = true;
  acquisition_.reset();
  owner_.onAttemptNoConnection(why, endpoint, detail);
}

void Attempt::sendBody(base::BufferChain& bytes, bool end_stream) {
  request_ended_ = end_stream;
  if (over_) return;
  if (stream_ != nullptr) return stream_->sendBody(bytes, end_stream);
  waiting_body_.append(bytes);
  if (waiting_body_.size() <= buffer_limit_ || blocked_waiting_) return;
  blocked_waiting_ = true;
  owner_.onAttemptBlocked();
}

void Attempt::sendTrailers(const http::HeaderMap& trailers) {
  request_ended_ = true;
  if (over_) return;
  if (stream_ != nullptr) return stream_->sendTrailers(trailers);
  waiting_trailers_ = &trailers;
}

void Attempt::pauseReceiving() {
  ++paused_;
  if (stream_ != nullptr) stream_->pauseReceiving();
}

void Attempt::resumeReceiving() {
  --paused_;
  if (stream_ != nullptr) stream_->resumeReceiving();
}

void Attempt::onHeaders(http::HeaderMap& headers, bool end_stream) {
  response_started_ = true;
  response_ended_ = end_stream;
  owner_.onAttemptHeaders(headers, end_stream);
}

void Attempt::onBody(base::BufferChain& bytes, bool end_stream) {
  response_ended_ = end_stream;
  owner_.onAttemptBody(bytes, end_stream);
}

void Attempt::onTrailers(http::HeaderMap& trailers) {
  response_ended_ = true;
  owner_.onAttemptTrailers(trailers);
}

void Attempt::onInformational(http::HeaderMap& headers) { owner_.onAttemptInformational(headers); }

void Attempt::onReset(http::ResetReason reason, std::string_view detail) {
  const bool silent = stream_ == nullptr || stream_->bytesReceived() == 0;
  wire_ = wire();
  stream_ = nullptr;
  if (over_) return;
  over_ = true;
  owner_.onAttemptReset(reason, detail, reused_ && silent);
}

void Attempt::onComplete() {
  wire_ = wire();
  stream_ = nullptr;
  over_ = true;
}

filter::WireBytes Attempt::wire() const { return stream_ == nullptr ? wire_ : filter::wireBytes(*stream_); }

void Attempt::countAnswer(int status) {
  if (stream_ == nullptr) return;
  ++(status >= 500 ? endpoint_->counts.rq_error : endpoint_->counts.rq_success);
}

void Attempt::countTimeout() {
  if (stream_ != nullptr) ++endpoint_->counts.rq_timeout;
}

void Attempt::onSendBlocked() { owner_.onAttemptBlocked(); }
void Attempt::onSendDrained() { owner_.onAttemptDrained(); }

}  // namespace weir::exchange
