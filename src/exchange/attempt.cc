#include "exchange/attempt.h"

#include <utility>

#include "exchange/attempt_filters.h"

namespace weir::exchange {

Attempt::Attempt(Owner& owner, upstream::Cluster& cluster, const upstream::Wish& wish, const http::HeaderMap& headers,
                 bool end_stream, bool switches, size_t buffer_limit)
    : owner_(&owner),
      cluster_(cluster),
      wish_(wish),
      headers_(headers),
      buffer_limit_(buffer_limit),
      switches_(switches),
      headers_only_(end_stream && !switches),
      request_ended_(end_stream),
      holds_body_(switches) {}

Attempt::~Attempt() { abandon(); }

void Attempt::endHere(event::Loop& loop, const filter::ConnectionInfo& client) {
  tcp_ = std::make_unique<upstream::TcpTunnel>(loop, cluster_, static_cast<upstream::ConnectionWaiter&>(*this));
  client_ = &client;
}

void Attempt::filterBy(const std::vector<filter::FilterFactory*>& filters, http::HeaderMap& headers, event::Loop& loop,
                       filter::StreamInfo& info) {
  const AttemptFilters::Place place{*this, *owner_, loop, info, buffer_limit_};
  filters_ = std::make_unique<AttemptFilters>(place, filters, headers, request_ended_);
  owner_ = filters_.get();
  held_ = true;
  request_ended_ = false;
}

// As Envoy, filters see the request as soon as it is known to whom it goes, while the connection is being made.
void Attempt::start() {
  if (tcp_ != nullptr) return tcp_->start(wish_, *client_);
  wish_.authority = headers_.getOr(http::HeaderId::Authority, "");
  auto acquisition = cluster_.acquire(*this, wish_);
  if (stream_ == nullptr && !over_) acquisition_ = std::move(acquisition);
  if (filters_ != nullptr && !over_) filters_->begin(stream_ != nullptr ? *endpoint_ : acquisition_->endpoint());
}

void Attempt::abandon() {
  silence();
  if (filters_ != nullptr) filters_->end();
}

void Attempt::silence() {
  over_ = true;
  acquisition_.reset();
  if (tcp_ != nullptr) tcp_->close();
  if (stream_ == nullptr) return;
  wire_ = wire();
  http::Stream* stream = std::exchange(stream_, nullptr);
  // With the whole response here the codec is about to end the stream by itself, and the connection can serve again;
  // but a tunnel waits for its other direction.
  if (!response_ended_ || tunnel_) stream->reset(http::ResetReason::LocalReset);
}

void Attempt::onConnection(const Granted& granted) {
  acquisition_.reset();
  reused_ = granted.reused;
  stream_ = &granted.codec.newStream(*this);
  endpoint_ = &granted.endpoint;
  if (tcp_ == nullptr) cluster_.report(*endpoint_, upstream::Outcome::Connected);  // Its stream reports for itself.
  if (filters_ != nullptr && granted.held != nullptr) held_endpoint_ = *granted.held;
  for (int i = 0; i < paused_; ++i) stream_->pauseReceiving();
  owner_->onAttemptConnected(granted);
  if (std::exchange(blocked_waiting_, false)) owner_->onAttemptDrained();
  if (stream_ != nullptr && !held_) sendHead();
}

void Attempt::sendHead() {
  if (holds_body_) stream_->expectTunnel();
  stream_->sendHeaders(headers_, headers_only_);
  sendWaitingMetadata();
  if (!headers_only_ && !holds_body_) sendWaiting();
}

void Attempt::sendWaitingMetadata() {
  for (const http::Metadata& metadata : waiting_metadata_) {
    if (stream_ != nullptr) stream_->sendMetadata(metadata);
  }
  waiting_metadata_.clear();
}

void Attempt::sendWaiting() {
  if (stream_ == nullptr) return;
  const bool body_is_last = request_ended_ && waiting_trailers_ == nullptr;
  if (!waiting_body_.empty() || body_is_last) stream_->sendBody(waiting_body_, body_is_last);
  if (waiting_trailers_ != nullptr && stream_ != nullptr) stream_->sendTrailers(*waiting_trailers_);
}

void Attempt::onNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                             std::string_view detail) {
  over_ = true;
  acquisition_.reset();
  const bool failed = why == upstream::AcquireFailure::ConnectFailed || why == upstream::AcquireFailure::ConnectTimeout;
  if (failed && endpoint != nullptr && tcp_ == nullptr) cluster_.report(*endpoint, upstream::Outcome::ConnectFailed);
  owner_->onAttemptNoConnection(why, endpoint, detail);
}

void Attempt::sendBody(base::BufferChain& bytes, bool end_stream) {
  if (filters_ != nullptr) return filters_->requestBody(bytes, end_stream);
  passBody(bytes, end_stream);
}

void Attempt::sendTrailers(const http::HeaderMap& trailers) {
  if (filters_ != nullptr) return filters_->requestTrailers(trailers);
  passTrailers(trailers);
}

void Attempt::passHeaders(bool end_stream) {
  held_ = false;
  headers_only_ = end_stream && !switches_;
  request_ended_ = end_stream;
  if (stream_ != nullptr) sendHead();
}

void Attempt::passBody(base::BufferChain& bytes, bool end_stream) {
  request_ended_ = end_stream;
  if (over_) return;
  if (stream_ != nullptr && !holds_body_) return stream_->sendBody(bytes, end_stream);
  waiting_body_.append(bytes);
  if (waiting_body_.size() <= buffer_limit_ || blocked_waiting_) return;
  blocked_waiting_ = true;
  owner_->onAttemptBlocked();
}

void Attempt::passTrailers(const http::HeaderMap& trailers) {
  request_ended_ = true;
  if (over_) return;
  if (stream_ != nullptr && !holds_body_) return stream_->sendTrailers(trailers);
  waiting_trailers_ = &trailers;
}

void Attempt::sendMetadata(const http::Metadata& metadata) {
  if (filters_ != nullptr) return filters_->requestMetadata(metadata);
  passMetadata(metadata);
}

void Attempt::passMetadata(const http::Metadata& metadata) {
  if (over_) return;
  if (stream_ != nullptr) return stream_->sendMetadata(metadata);
  waiting_metadata_.push_back(metadata.clone());
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
  if (std::exchange(holds_body_, false)) settleHeldBody(headers);
  owner_->onAttemptHeaders(headers, end_stream);
}

// Granted: what came early goes now. Refused: it was for a protocol that is not spoken.
void Attempt::settleHeldBody(const http::HeaderMap& answer) {
  const std::string_view status = answer.getOr(http::HeaderId::Status, "");
  const bool connect = headers_.getOr(http::HeaderId::Method, "") == "CONNECT";
  const bool granted = connect ? status.starts_with('2') : status == "101";
  tunnel_ = granted;
  if (granted && (!waiting_body_.empty() || request_ended_)) sendWaiting();
  waiting_body_.clear();
  if (std::exchange(blocked_waiting_, false)) owner_->onAttemptDrained();
}

void Attempt::onBody(base::BufferChain& bytes, bool end_stream) {
  response_ended_ = end_stream;
  owner_->onAttemptBody(bytes, end_stream);
}

void Attempt::onTrailers(http::HeaderMap& trailers) {
  response_ended_ = true;
  owner_->onAttemptTrailers(trailers);
}

void Attempt::onMetadata(http::Metadata& metadata) { owner_->onAttemptMetadata(metadata); }

void Attempt::onInformational(http::HeaderMap& headers) { owner_->onAttemptInformational(headers); }

void Attempt::onReset(http::ResetReason reason, std::string_view detail) {
  const bool silent = stream_ == nullptr || stream_->bytesReceived() == 0;
  wire_ = wire();
  if (stream_ != nullptr && !response_started_ && !over_) {
    cluster_.report(*endpoint_, upstream::Outcome::ConnectFailed);
  }
  stream_ = nullptr;
  held_endpoint_.reset();
  if (over_) return;
  over_ = true;
  // A stream that the peer has refused was not worked on, however new the connection; one that it reset may have been.
  const bool lost = reused_ && reason != http::ResetReason::RemoteReset;
  const bool unseen = lost || reason == http::ResetReason::RefusedStream;
  owner_->onAttemptReset(reason, detail, unseen && silent);
}

void Attempt::onComplete() {
  wire_ = wire();
  stream_ = nullptr;
  over_ = true;
  if (!request_ended_) owner_->onAttemptWantsNoMore();
}

filter::WireBytes Attempt::wire() const { return stream_ == nullptr ? wire_ : filter::wireBytes(*stream_); }

void Attempt::countAnswer(int status) {
  const upstream::Endpoint* const endpoint = endpointReached();
  if (endpoint == nullptr) return;
  ++(status >= 500 ? endpoint->counts.rq_error : endpoint->counts.rq_success);
  cluster_.report(*endpoint, upstream::Outcome::Answered, status);
}

void Attempt::countTimeout() {
  const upstream::Endpoint* const endpoint = endpointReached();
  if (endpoint == nullptr) return;
  ++endpoint->counts.rq_timeout;
  if (!response_started_) cluster_.report(*endpoint, upstream::Outcome::Timeout);
}

void Attempt::countRetried(int status) {
  const upstream::Endpoint* const endpoint = endpointReached();
  if (endpoint == nullptr) return;
  ++endpoint->counts.rq_error;
  if (status != 0) cluster_.report(*endpoint, upstream::Outcome::Answered, status);
}

void Attempt::onSendBlocked() { owner_->onAttemptBlocked(); }
void Attempt::onSendDrained() { owner_->onAttemptDrained(); }

}  // namespace weir::exchange
