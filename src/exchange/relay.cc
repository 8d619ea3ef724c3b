// The upstream's side of an exchange: its answer, or why there is none.
#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "http/status.h"
#include "upstream/failure_words.h"
#include "upstream/note_endpoint.h"

namespace weir::exchange {
namespace {

filter::ResponseFlag resetFlag(http::ResetReason reason) {
  switch (reason) {
    case http::ResetReason::LocalReset: return filter::ResponseFlag::LocalReset;
    case http::ResetReason::RemoteReset: return filter::ResponseFlag::UpstreamRemoteReset;
    case http::ResetReason::ConnectionTermination: return filter::ResponseFlag::UpstreamConnectionTermination;
    case http::ResetReason::ConnectionFailure: return filter::ResponseFlag::UpstreamConnectionFailure;
    case http::ResetReason::Overflow: return filter::ResponseFlag::UpstreamOverflow;
    case http::ResetReason::ProtocolError: return filter::ResponseFlag::UpstreamProtocolError;
    case http::ResetReason::RefusedStream: return filter::ResponseFlag::UpstreamRemoteReset;
  }
  return filter::ResponseFlag::UpstreamConnectionTermination;
}

RetryState::Failure failureFor(http::ResetReason reason) {
  switch (reason) {
    case http::ResetReason::ConnectionFailure: return RetryState::Failure::Connect;
    case http::ResetReason::Overflow: return RetryState::Failure::Overflow;
    case http::ResetReason::RefusedStream: return RetryState::Failure::RefusedStream;
    default: return RetryState::Failure::Reset;
  }
}

}  // namespace

// For the filters on the upstream's side, before there is a connection.
void Exchange::onAttemptChosen(const upstream::Endpoint& endpoint) { noteEndpoint(endpoint, *info_.upstream); }

void Exchange::onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) {
  const upstream::Endpoint& endpoint = granted.endpoint;
  upstream::noteEndpoint(endpoint, *info_.upstream);
  info_.upstream->local = granted.local;
  info_.upstream->tls = granted.tls;
  noteConnection(granted);
  if (route_->route->forward->auto_host_rewrite && !endpoint.hostname.empty()) {
    request_headers_.set(http::HeaderId::Authority, endpoint.hostname);
  }
  if (retries_ == nullptr) return;
  retries_->request_started = true;
  noteTried(endpoint);
  armTryTimers();
}

void Exchange::onAttemptInformational(http::HeaderMap& headers) {
  touchTryIdleTimer();
  // As Envoy: interim responses end here unless they were asked for by proxy_100_continue.
  if (stream_ == nullptr || answer_started_ || !manager_.spec->proxy_100_continue) return;
  stream_->sendInformational(headers);
}

void Exchange::onAttemptHeaders(http::HeaderMap& headers, bool end_stream) {
  const int status = http::parseStatus(headers.getOr(http::HeaderId::Status, "")).value_or(0);
  touchIdleTimer();
  if (retryAfterResponse(headers, status)) return dropTry();
  response_seen_ = true;
  if (retries_ != nullptr) retries_->try_timer.disarm();
  touchTryIdleTimer();
  cluster_->stats().countResponse(status);
  attempt_->countAnswer(status);
  info_.response_started = manager_.loop.now() - info_.start_monotonic;
  info_.response_code_details = "via_upstream";
  info_.response_code = status;  // Operators in response headers may ask for it.
  response_headers_ = std::move(headers);
  if (!manager_.suppress_envoy_headers && forward_ended_) {  // As Envoy: measured from the request's end.
    const base::Duration took = manager_.loop.now() - forward_ended_at_;
    const auto ms = base::milliseconds(took);
    response_headers_.setChecked(http::HeaderId::EnvoyUpstreamServiceTime, std::to_string(ms));
  }
  noteAttempts(response_headers_);
  for (const std::string& cookie : set_cookies_) response_headers_.add("set-cookie", cookie);
  info_.route_table->finalizeResponse(*route_, response_headers_, logEntry(format::LogType::NotSet));
  if (end_stream) responseEnded();
  tellHeldMetadata();
  chain_.responseHeaders(response_headers_, end_stream);
}

void Exchange::onAttemptBody(base::BufferChain& bytes, bool end_stream) {
  touchIdleTimer();
  if (!info_.upstream->response_body_began) {
    info_.upstream->response_body_began = manager_.loop.now() - info_.start_monotonic;
  }
  touchTryIdleTimer();
  if (end_stream) responseEnded();
  chain_.responseBody(bytes, end_stream);
}

void Exchange::onAttemptTrailers(http::HeaderMap& trailers) {
  response_trailers_ = std::move(trailers);
  responseEnded();
  chain_.responseTrailers(response_trailers_);
}

// Before the headers it is not known whether this answer will be taken.
void Exchange::onAttemptMetadata(http::Metadata& metadata) {
  touchIdleTimer();
  touchTryIdleTimer();
  const bool may_be_dropped = !response_seen_ && retries_ != nullptr && retries_->state != nullptr;
  if (may_be_dropped) return retries_->early_metadata.push_back(std::move(metadata));
  chain_.responseMetadata(metadata);
}

void Exchange::responseEnded() {
  upstream_ended_ = true;
  route_timer_.disarm();
  if (retries_ != nullptr) retries_->end();
  info_.upstream->response_ended = manager_.loop.now() - info_.start_monotonic;
  const base::Duration took = manager_.loop.now() - attempt_started_;
  cluster_->stats().upstream_rq_time.record(base::milliseconds(took));
}

void Exchange::onAttemptNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                                     std::string_view detail) {
  if (endpoint != nullptr) {
    info_.upstream->remote = endpoint->address;
    info_.upstream->hostname = endpoint->hostname;
    noteTried(*endpoint);
  }
  // As Envoy: a timeout is ours and no failure of the transport.
  if (why != upstream::AcquireFailure::ConnectTimeout) info_.upstream->failure_reason = detail;
  if (why != upstream::AcquireFailure::NoEndpoint) {
    info_.upstream->pool_ready = manager_.loop.now() - attempt_started_;
    const bool overflow = why == upstream::AcquireFailure::Overflow;
    const auto failure = overflow ? RetryState::Failure::Overflow : RetryState::Failure::Connect;
    if (retryAfterFailure(failure)) return dropTry();
  }
  by_router_ = true;
  cluster_->stats().countResponse(503);
  const std::string text = upstream::failureText(upstream::reasonOf(why), retried_);
  const std::string details = upstream::failureDetails(why, detail);
  switch (why) {
    case upstream::AcquireFailure::NoEndpoint:
      return replyLocally(503, details, std::string(upstream::kNoEndpointText),
                          filter::ResponseFlag::NoHealthyUpstream);
    case upstream::AcquireFailure::Overflow:
      info_.setFlag(filter::ResponseFlag::UpstreamOverflow);
      return chain_.sendLocalReply({503, text, details, {{"x-envoy-overloaded", "true"}}, -1});
    case upstream::AcquireFailure::ConnectTimeout:
    case upstream::AcquireFailure::ConnectFailed:
      return replyLocally(503, details, text, filter::ResponseFlag::UpstreamConnectionFailure);
  }
}

void Exchange::onAttemptReset(http::ResetReason reason, std::string_view detail, bool on_reused) {
  // The answer is complete; only the rest of the request was refused, or a tunnel's other direction.
  if (upstream_ended_) return tunnel_ ? resetClientStream() : void();
  if (!response_seen_ && retryAfterFailure(failureFor(reason))) return dropTry();
  if (on_reused && reason != http::ResetReason::ProtocolError && canRepeat()) {
    LOG(Router, Debug, "[C{}] a kept-alive connection to '{}' was dead; trying once more", connection_.info().id,
        cluster_->spec().name);
    cluster_->stats().upstream_rq_retry.add();
    dropTry();
    is_repeat_ = true;
    return startTry(true);
  }
  info_.setFlag(resetFlag(reason));
  by_router_ = true;
  if (answer_started_ || info_.response_started) {
    info_.response_code_details = upstream::resetDetails(reason, detail, true);
    if (answer_started_) return resetClientStream();
  }
  const int status = reason == http::ResetReason::ProtocolError ? 502 : 503;
  cluster_->stats().countResponse(status);
  replyLocally(status, upstream::resetDetails(reason, detail, false),
               upstream::failureText(http::name(reason), retried_));
}

void Exchange::onAttemptBlocked() {
  attempt_blocked_ = true;
  pauseRequest();
}

void Exchange::onAttemptDrained() {
  attempt_blocked_ = false;
  resumeRequest();
}

}  // namespace weir::exchange
