#include "upstream/call_stream.h"

#include <utility>

#include "filter/local_reply.h"
#include "http/grpc.h"
#include "http/status.h"
#include "upstream/failure_words.h"

namespace weir::upstream {

using http::HeaderId;

CallStream::CallStream(Cluster& cluster, event::Loop& loop, Receiver& receiver, const Options& options)
    : cluster_(cluster),
      loop_(loop),
      receiver_(receiver),
      options_(options),
      timeout_(loop, [this] { onTimeout(); }),
      started_(loop.now()),
      filters_(CallFilters::of(cluster, loop, static_cast<CallFilters::Owner&>(*this))),
      held_(filters_ != nullptr) {}

CallStream::~CallStream() {
  abandon();
  if (filters_ != nullptr) loop_.destroyLater(std::move(filters_));
}

// A guest may stand on the stack.
void CallStream::abandon() {
  dropStream();
  if (filters_ != nullptr) filters_->leave();
}

void CallStream::end() {
  dropStream();
  if (filters_ != nullptr) filters_->end();
}

void CallStream::dropStream() {
  over_ = true;
  timeout_.disarm();
  acquisition_.reset();
  http::Stream* const stream = std::exchange(stream_, nullptr);
  if (stream != nullptr) stream->reset(http::ResetReason::LocalReset);
}

// --- The request ---

void CallStream::start(http::HeaderMap headers, bool end_stream) {
  headers_ = std::move(headers);
  addEnvoyHeaders();
  is_grpc_ = http::isGrpc(headers_);
  is_head_ = headers_.getOr(HeaderId::Method, "") == "HEAD";
  if (end_stream) requestEnded();
  if (!filtered() && end_stream) request_passed_ = true;
  if (options_.timeout > base::Duration::zero()) timeout_.arm(options_.timeout);
  const event::Lifeline::Sight sight(lifeline_);
  std::unique_ptr<Acquisition> acquisition = cluster_->acquire(*this, Wish{});
  if (!sight.alive()) return;
  acquisition_ = std::move(acquisition);
  if (!filtered() || over_) return;
  const Endpoint& endpoint = stream_ != nullptr ? *endpoint_ : acquisition_->endpoint();
  filters_->begin(endpoint, headers_.clone(), end_stream);
}

void CallStream::addEnvoyHeaders() {
  if (options_.says_internal) headers_.set(HeaderId::EnvoyInternal, "true");
  if (options_.timeout > base::Duration::zero()) {
    headers_.set(HeaderId::EnvoyExpectedRqTimeoutMs, std::to_string(base::milliseconds(options_.timeout)));
  }
}

void CallStream::requestEnded() { request_ended_ = loop_.now(); }

void CallStream::onConnection(const Granted& granted) {
  acquisition_.reset();
  stream_ = &granted.codec.newStream(*this);
  endpoint_ = &granted.endpoint;
  cluster_->report(*endpoint_, Outcome::Connected);
  if (filters_ != nullptr) {
    if (granted.held != nullptr) held_endpoint_ = *granted.held;
    filters_->connected(granted);
  }
  if (!held_) sendHead();
}

void CallStream::sendHead() {
  const event::Lifeline::Sight sight(lifeline_);  // A request that cannot be sent is reset at once.
  const auto usable = [&] { return sight.alive() && stream_ != nullptr; };
  const bool has_trailers = !trailers_.empty();
  const bool has_body = !waiting_body_.empty();
  const bool ended = request_passed_;
  stream_->sendHeaders(headers_, ended && !has_body && !has_trailers);
  if (has_body && usable()) {
    body_given_ += waiting_body_.size();
    stream_->sendBody(waiting_body_, ended && !has_trailers);
  }
  if (has_trailers && usable()) stream_->sendTrailers(trailers_);
}

void CallStream::sendBody(base::BufferChain& bytes, bool end_stream) {
  if (over_ || request_ended_) return bytes.clear();
  if (end_stream) requestEnded();
  if (filtered()) return filters_->requestBody(bytes, end_stream);
  passBody(bytes, end_stream);
}

void CallStream::sendTrailers(http::HeaderMap trailers) {
  if (over_ || request_ended_) return;
  requestEnded();
  if (filtered()) return filters_->requestTrailers(std::move(trailers));
  passTrailers(std::move(trailers));
}

void CallStream::passHeaders(const http::HeaderMap& headers, bool end_stream) {
  headers_ = headers.clone();
  held_ = false;
  request_passed_ = end_stream;
  if (stream_ != nullptr) sendHead();
}

void CallStream::passBody(base::BufferChain& bytes, bool end_stream) {
  if (over_) return bytes.clear();
  if (end_stream) request_passed_ = true;
  if (stream_ == nullptr) return waiting_body_.append(bytes);
  body_given_ += bytes.size();
  stream_->sendBody(bytes, end_stream);
}

void CallStream::passTrailers(http::HeaderMap trailers) {
  if (over_) return;
  request_passed_ = true;
  trailers_ = std::move(trailers);
  if (stream_ != nullptr) stream_->sendTrailers(trailers_);
}

size_t CallStream::waiting() const {
  const size_t held = filtered() ? filters_->held() : 0;
  if (stream_ == nullptr) return held + waiting_body_.size();
  const uint64_t sent = stream_->bytesSent() - stream_->headerBytesSent();
  return held + (body_given_ > sent ? body_given_ - sent : 0);
}

// --- The answer ---

void CallStream::onHeaders(http::HeaderMap& headers, bool end_stream) {
  if (filtered()) return filters_->responseHeaders(headers, end_stream);
  onPassedHeaders(headers, end_stream);
}

void CallStream::onBody(base::BufferChain& bytes, bool end_stream) {
  if (filtered()) return filters_->responseBody(bytes, end_stream);
  onPassedBody(bytes, end_stream);
}

void CallStream::onTrailers(http::HeaderMap& trailers) {
  if (filtered()) return filters_->responseTrailers(trailers);
  onPassedTrailers(trailers);
}

// As Envoy: how long it took is known if the request had ended.
void CallStream::onPassedHeaders(http::HeaderMap& headers, bool end_stream) {
  answer_began_ = true;
  answer_passed_ = end_stream;
  const int status = http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(0);
  cluster_->stats().countResponse(status);
  if (const Endpoint* const endpoint = endpointReached()) cluster_->report(*endpoint, Outcome::Answered, status);
  details_ = "via_upstream";
  if (request_ended_) {
    headers.set(HeaderId::EnvoyUpstreamServiceTime, std::to_string(base::milliseconds(loop_.now() - *request_ended_)));
  }
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallHeaders(headers, end_stream);
  if (sight.alive()) finishIfDone();
}

void CallStream::onPassedBody(base::BufferChain& bytes, bool end_stream) {
  answer_passed_ = end_stream;
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallBody(bytes, end_stream);
  if (sight.alive()) finishIfDone();
}

void CallStream::onPassedTrailers(http::HeaderMap& trailers) {
  answer_passed_ = true;
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallTrailers(trailers);
  if (sight.alive()) finishIfDone();
}

void CallStream::onComplete() {
  stream_ = nullptr;
  complete_ = true;
  finishIfDone();
}

// Filters may hold what has come whole.
void CallStream::finishIfDone() {
  if (!complete_ || !answer_passed_ || over_) return;
  timeout_.disarm();
  over_ = true;
  cluster_->stats().upstream_rq_time.record(base::milliseconds(loop_.now() - started_));
  receiver_.onCallEnd();
}

void CallStream::pauseAnswer() {
  if (stream_ != nullptr) stream_->pauseReceiving();
}

void CallStream::resumeAnswer() {
  if (stream_ != nullptr) stream_->resumeReceiving();
}

// --- What goes wrong ---

void CallStream::onNoConnection(AcquireFailure why, const Endpoint* endpoint, std::string_view detail) {
  acquisition_.reset();
  const bool failed = why == AcquireFailure::ConnectFailed || why == AcquireFailure::ConnectTimeout;
  if (failed && endpoint != nullptr) cluster_->report(*endpoint, Outcome::ConnectFailed);
  details_ = failureDetails(why, detail);
  if (why == AcquireFailure::NoEndpoint) return answer(503, kNoEndpointText);
  answer(503, failureText(reasonOf(why)), why == AcquireFailure::Overflow);
}

// Before the answer it is an answer like any other; within it, there is none to give.
void CallStream::onReset(http::ResetReason reason, std::string_view detail) {
  stream_ = nullptr;
  if (over_) return;
  details_ = resetDetails(reason, detail, answer_began_);
  if (answer_began_) return fail(reason);
  cluster_->report(*endpoint_, Outcome::ConnectFailed);
  answer(reason == http::ResetReason::ProtocolError ? 502 : 503, failureText(http::name(reason)));
}

void CallStream::onTimeout() {
  cluster_->stats().upstream_rq_timeout.add();
  if (stream_ != nullptr && !answer_began_) cluster_->report(*endpoint_, Outcome::Timeout);
  details_ = "response_timeout";
  if (answer_began_) return fail(http::ResetReason::LocalReset);
  answer(504, "upstream request timeout");
}

void CallStream::fail(http::ResetReason reason) {
  end();
  receiver_.onCallReset(reason);
}

void CallStream::answer(int status, std::string_view text, bool overloaded) {
  end();
  cluster_->stats().countResponse(status);
  if (is_grpc_) {
    http::HeaderMap headers;
    headers.add(HeaderId::Status, "200");
    if (overloaded) headers.add(HeaderId::EnvoyOverloaded, "true");
    headers.add(HeaderId::ContentType, "application/grpc");
    headers.add(HeaderId::GrpcStatus, std::to_string(http::grpcStatusFor(status)));
    headers.add(HeaderId::GrpcMessage, text);
    return tell(std::move(headers), "");
  }
  http::HeaderMap headers;
  headers.add(HeaderId::Status, std::to_string(status));
  if (overloaded) headers.add(HeaderId::EnvoyOverloaded, "true");
  headers.add(HeaderId::ContentLength, std::to_string(text.size()));
  headers.add(HeaderId::ContentType, "text/plain");
  tell(std::move(headers), text);
}

void CallStream::tell(http::HeaderMap headers, std::string_view text) {
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallHeaders(headers, text.empty());
  if (sight.alive() && !text.empty()) {
    base::BufferChain body(text);
    receiver_.onCallBody(body, true);
  }
  if (sight.alive()) receiver_.onCallEnd();
}

// --- What the filters decide. As Envoy, the caller is told before they are. ---

void CallStream::onFilterReply(const filter::LocalReply& reply) {
  dropStream();
  details_ = reply.details;
  const event::Lifeline::Sight sight(lifeline_);
  if (answer_began_) {
    receiver_.onCallReset(http::ResetReason::LocalReset);
  } else {
    tell(filter::localReplyHeaders(reply, is_grpc_), is_grpc_ || is_head_ ? std::string_view() : reply.body);
  }
  if (sight.alive()) filters_->end();
}

void CallStream::onFilterReset() {
  dropStream();
  details_ = filters_->details();
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallReset(http::ResetReason::LocalReset);
  if (sight.alive()) filters_->end();
}

}  // namespace weir::upstream
