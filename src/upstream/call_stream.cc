#include "upstream/call_stream.h"

#include <utility>

#include "http/grpc.h"
#include "http/status.h"
#include "upstream/failure_words.h"

namespace weir::upstream {

using http::HeaderId;

namespace {

// They are there for a reason: nothing may go past them.
constexpr std::string_view kNoFilteredCall =
    "calls do not pass the filters of a cluster (http_filters), and are refused";

}  // namespace

CallStream::CallStream(Cluster& cluster, event::Loop& loop, Receiver& receiver, const Options& options)
    : cluster_(cluster),
      loop_(loop),
      receiver_(receiver),
      options_(options),
      timeout_(loop, [this] { onTimeout(); }),
      started_(loop.now()) {}

CallStream::~CallStream() { abandon(); }

void CallStream::abandon() {
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
  if (end_stream) requestEnded();
  if (cluster_->spec().http_filters != nullptr && !cluster_->spec().http_filters->empty()) {
    details_ = "call_to_a_cluster_with_filters";
    return answer(503, kNoFilteredCall);
  }
  if (options_.timeout > base::Duration::zero()) timeout_.arm(options_.timeout);
  const event::Lifeline::Sight sight(lifeline_);
  std::unique_ptr<Acquisition> acquisition = cluster_->acquire(*this, Wish{});
  if (sight.alive()) acquisition_ = std::move(acquisition);
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
  const event::Lifeline::Sight sight(lifeline_);  // A request that cannot be sent is reset at once.
  const auto usable = [&] { return sight.alive() && stream_ != nullptr; };
  const bool has_trailers = !trailers_.empty();
  const bool has_body = !waiting_body_.empty();
  const bool ended = request_ended_.has_value();
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
  if (stream_ == nullptr) return waiting_body_.append(bytes);
  body_given_ += bytes.size();
  stream_->sendBody(bytes, end_stream);
}

void CallStream::sendTrailers(http::HeaderMap trailers) {
  if (over_ || request_ended_) return;
  requestEnded();
  trailers_ = std::move(trailers);
  if (stream_ != nullptr) stream_->sendTrailers(trailers_);
}

size_t CallStream::waiting() const {
  if (stream_ == nullptr) return waiting_body_.size();
  const uint64_t sent = stream_->bytesSent() - stream_->headerBytesSent();
  return body_given_ > sent ? body_given_ - sent : 0;
}

// --- The answer ---

// As Envoy: how long it took is known if the request had ended.
void CallStream::onHeaders(http::HeaderMap& headers, bool end_stream) {
  answer_began_ = true;
  const int status = http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(0);
  cluster_->stats().countResponse(status);
  cluster_->report(*endpoint_, Outcome::Answered, status);
  details_ = "via_upstream";
  if (request_ended_) {
    headers.set(HeaderId::EnvoyUpstreamServiceTime, std::to_string(base::milliseconds(loop_.now() - *request_ended_)));
  }
  receiver_.onCallHeaders(headers, end_stream);
}

void CallStream::onComplete() {
  stream_ = nullptr;
  timeout_.disarm();
  over_ = true;
  cluster_->stats().upstream_rq_time.record(base::milliseconds(loop_.now() - started_));
  receiver_.onCallEnd();
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
  abandon();
  if (answer_began_) return fail(http::ResetReason::LocalReset);
  answer(504, "upstream request timeout");
}

void CallStream::fail(http::ResetReason reason) {
  timeout_.disarm();
  over_ = true;
  receiver_.onCallReset(reason);
}

void CallStream::answer(int status, std::string_view text, bool overloaded) {
  timeout_.disarm();
  over_ = true;
  cluster_->stats().countResponse(status);
  if (http::isGrpc(headers_)) return answerGrpc(status, text, overloaded);
  http::HeaderMap headers;
  headers.add(HeaderId::Status, std::to_string(status));
  if (overloaded) headers.add(HeaderId::EnvoyOverloaded, "true");
  headers.add(HeaderId::ContentLength, std::to_string(text.size()));
  headers.add(HeaderId::ContentType, "text/plain");
  base::BufferChain body(text);
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallHeaders(headers, false);
  if (sight.alive()) receiver_.onCallBody(body, true);
  if (sight.alive()) receiver_.onCallEnd();
}

void CallStream::answerGrpc(int status, std::string_view text, bool overloaded) {
  http::HeaderMap headers;
  headers.add(HeaderId::Status, "200");
  if (overloaded) headers.add(HeaderId::EnvoyOverloaded, "true");
  headers.add(HeaderId::ContentType, "application/grpc");
  headers.add(HeaderId::GrpcStatus, std::to_string(http::grpcStatusFor(status)));
  headers.add(HeaderId::GrpcMessage, text);
  const event::Lifeline::Sight sight(lifeline_);
  receiver_.onCallHeaders(headers, true);
  if (sight.alive()) receiver_.onCallEnd();
}

}  // namespace weir::upstream
