#include "upstream/http_call.h"

#include <utility>

#include "event/lifeline.h"
#include "event/timer.h"
#include "http/status.h"

namespace weir::upstream {
namespace {

using http::HeaderId;

constexpr std::string_view kNoConnectionText =
    "upstream connect error or disconnect/reset before headers. reset reason: ";

// Envoy's words.
std::string_view words(AcquireFailure why) {
  switch (why) {
    case AcquireFailure::NoEndpoint: return "";
    case AcquireFailure::Overflow: return "overflow";
    case AcquireFailure::ConnectFailed: return "remote connection failure";
    case AcquireFailure::ConnectTimeout: return "connection timeout";
  }
  return "";
}

class Call final : public HttpCall, private ConnectionWaiter, private http::StreamReceiver {
 public:
  Call(Cluster& cluster, event::Loop& loop, HttpCallRequest request, HttpCallReceiver& receiver);
  ~Call() override;
  // False if the receiver was told already.
  bool start();

 private:
  // ConnectionWaiter
  void onConnection(const Granted& granted) override;
  void onNoConnection(AcquireFailure why, const Endpoint* endpoint, std::string_view detail) override;
  // http::StreamReceiver
  void onHeaders(http::HeaderMap& headers, bool end_stream) override;
  void onBody(base::BufferChain& bytes, bool end_stream) override;
  void onTrailers(http::HeaderMap& trailers) override { response_.trailers = std::move(trailers); }
  void onReset(http::ResetReason reason, std::string_view detail) override;
  void onComplete() override;

  void onTimeout();
  void fixRequestHeaders();
  void abandon();
  void answer(int status, std::string_view text, bool overloaded = false);
  void fail(http::ResetReason reason);

  const ClusterUse cluster_;
  event::Loop& loop_;
  HttpCallRequest request_;
  HttpCallReceiver& receiver_;
  event::Timer timeout_;
  const base::MonotonicTime started_;
  std::unique_ptr<Acquisition> acquisition_;
  http::Stream* stream_ = nullptr;
  const Endpoint* endpoint_ = nullptr;  // Valid while stream_ is.
  HttpCallResponse response_;
  bool response_started_ = false;
  bool told_ = false;
  event::Lifeline lifeline_;
};

Call::Call(Cluster& cluster, event::Loop& loop, HttpCallRequest request, HttpCallReceiver& receiver)
    : cluster_(cluster),
      loop_(loop),
      request_(std::move(request)),
      receiver_(receiver),
      timeout_(loop, [this] { onTimeout(); }),
      started_(loop.now()) {}

Call::~Call() {
  told_ = true;
  abandon();
}

bool Call::start() {
  fixRequestHeaders();
  if (request_.timeout > base::Duration::zero()) timeout_.arm(request_.timeout);
  std::unique_ptr<Acquisition> acquisition = cluster_->acquire(*this, Wish{});
  acquisition_ = std::move(acquisition);
  return !told_;
}

// What Envoy's client adds. The length is what the body has, whatever the caller says.
void Call::fixRequestHeaders() {
  http::HeaderMap& headers = request_.headers;
  headers.set(HeaderId::EnvoyInternal, "true");
  if (request_.timeout > base::Duration::zero()) {
    headers.set(HeaderId::EnvoyExpectedRqTimeoutMs, std::to_string(base::milliseconds(request_.timeout)));
  }
  if (!request_.body.empty()) {
    headers.set(HeaderId::ContentLength, std::to_string(request_.body.size()));
  } else if (headers.has(HeaderId::ContentLength)) {
    headers.set(HeaderId::ContentLength, "0");
  }
}

void Call::onConnection(const Granted& granted) {
  acquisition_.reset();
  stream_ = &granted.codec.newStream(*this);
  endpoint_ = &granted.endpoint;
  cluster_->report(*endpoint_, Outcome::Connected);
  event::Lifeline::Sight sight(lifeline_);  // A request that cannot be sent is reset at once, which ends the call.
  const bool has_body = !request_.body.empty(), has_trailers = !request_.trailers.empty();
  stream_->sendHeaders(request_.headers, !has_body && !has_trailers);
  if (has_body && sight.alive() && stream_ != nullptr) stream_->sendBody(request_.body, !has_trailers);
  if (has_trailers && sight.alive() && stream_ != nullptr) stream_->sendTrailers(request_.trailers);
}

void Call::onNoConnection(AcquireFailure why, const Endpoint* endpoint, std::string_view) {
  acquisition_.reset();
  const bool failed = why == AcquireFailure::ConnectFailed || why == AcquireFailure::ConnectTimeout;
  if (failed && endpoint != nullptr) cluster_->report(*endpoint, Outcome::ConnectFailed);
  if (why == AcquireFailure::NoEndpoint) return answer(503, "no healthy upstream");
  answer(503, std::string(kNoConnectionText) + std::string(words(why)), why == AcquireFailure::Overflow);
}

void Call::onHeaders(http::HeaderMap& headers, bool) {
  response_started_ = true;
  const int status = http::parseStatus(headers.getOr(HeaderId::Status, "")).value_or(0);
  cluster_->stats().countResponse(status);
  cluster_->report(*endpoint_, Outcome::Answered, status);
  response_.headers = std::move(headers);
  response_.headers.set(HeaderId::EnvoyUpstreamServiceTime, std::to_string(base::milliseconds(loop_.now() - started_)));
}

void Call::onBody(base::BufferChain& bytes, bool) {
  if (response_.body.size() + bytes.size() > request_.max_response_bytes) {
    abandon();
    return fail(http::ResetReason::Overflow);
  }
  response_.body.append(bytes);
}

void Call::onComplete() {
  stream_ = nullptr;
  timeout_.disarm();
  told_ = true;
  cluster_->stats().upstream_rq_time.record(base::milliseconds(loop_.now() - started_));
  receiver_.onCallResponse(std::move(response_));
}

// Before the response it is an answer like any other; within it, there is none to give.
void Call::onReset(http::ResetReason reason, std::string_view) {
  stream_ = nullptr;
  if (told_) return;
  if (!response_started_) cluster_->report(*endpoint_, Outcome::ConnectFailed);
  if (response_started_) return fail(reason);
  const int status = reason == http::ResetReason::ProtocolError ? 502 : 503;
  answer(status, std::string(kNoConnectionText) + std::string(http::name(reason)));
}

void Call::onTimeout() {
  cluster_->stats().upstream_rq_timeout.add();
  if (stream_ != nullptr && !response_started_) cluster_->report(*endpoint_, Outcome::Timeout);
  abandon();
  if (response_started_) return fail(http::ResetReason::LocalReset);
  answer(504, "upstream request timeout");
}

void Call::abandon() {
  acquisition_.reset();
  http::Stream* const stream = std::exchange(stream_, nullptr);
  if (stream != nullptr) stream->reset(http::ResetReason::LocalReset);
}

void Call::answer(int status, std::string_view text, bool overloaded) {
  timeout_.disarm();
  told_ = true;
  cluster_->stats().countResponse(status);
  HttpCallResponse response;
  response.headers.add(HeaderId::Status, std::to_string(status));
  if (overloaded) response.headers.add(HeaderId::EnvoyOverloaded, "true");
  response.headers.add(HeaderId::ContentLength, std::to_string(text.size()));
  response.headers.add(HeaderId::ContentType, "text/plain");
  response.body.append(text);
  receiver_.onCallResponse(std::move(response));
}

void Call::fail(http::ResetReason reason) {
  timeout_.disarm();
  told_ = true;
  receiver_.onCallFailure(reason);
}

}  // namespace

std::unique_ptr<HttpCall> startHttpCall(Cluster& cluster, event::Loop& loop, HttpCallRequest request,
                                        HttpCallReceiver& receiver) {
  auto call = std::make_unique<Call>(cluster, loop, std::move(request), receiver);
  if (!call->start()) return nullptr;
  return call;
}

}  // namespace weir::upstream
