// Trying again: what the end of a try leads to, and the tries after the first.
#include <algorithm>

#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/request_headers.h"

namespace weir::exchange {
namespace {

// Endpoints remembered for previous_hosts.
constexpr size_t kMaxTried = 16;

}  // namespace

// Most requests need none of it.
void Exchange::prepareRetries() {
  auto state = RetryState::create(route_->retry_policy, request_headers_, *this, manager_.random);
  const bool timed = timeouts_.try_ > base::Duration::zero() || timeouts_.try_idle > base::Duration::zero();
  if (state == nullptr && !timed) return;
  retries_ = std::make_unique<Retries>(
      manager_.loop, [this] { tryAgain(); }, [this] { onTryTimeout(); }, [this] { onTryIdleTimeout(); });
  retries_->state = std::move(state);
}

// The cluster counts what it refuses.
bool Exchange::takeRetry() {
  retry_place_ = cluster_->admitRetry(route_->route->forward->high_priority);
  return retry_place_.has_value();
}

void Exchange::giveRetryBack() { retry_place_.reset(); }

size_t Exchange::retryBufferLimit() const {
  const auto& own = route_->route->request_body_buffer_limit;
  const auto& limit = own ? own : route_->virtual_host->request_body_buffer_limit;
  return limit.value_or(manager_.buffer_limit);
}

// Of what has been forwarded. False: it is too much to be repeated, and there will be no further try.
bool Exchange::roomForRetries(size_t more) {
  return retries_->body.size() + retries_->metadata_bytes + more <= retryBufferLimit();
}

// A copy of what goes to the try under way, for those that may follow. False: it was too much while there is no try
// that could have it, and the request is answered.
bool Exchange::keepForRetries(const base::BufferChain& bytes) {
  if (retries_ == nullptr || retries_->state == nullptr || !retries_->state->enabled()) return true;
  if (roomForRetries(bytes.size())) {
    bytes.forEachPiece([this](std::string_view piece) { retries_->body.append(piece); });
    return true;
  }
  return endRetries();
}

// Envoy loses METADATA when it tries again.
void Exchange::keepForRetries(http::Metadata& metadata) {
  if (retries_ == nullptr || retries_->state == nullptr || !retries_->state->enabled()) return;
  if (!roomForRetries(metadata.bytes())) return void(endRetries());
  retries_->metadata_bytes += metadata.bytes();
  retries_->metadata.push_back(std::move(metadata));
}

// Too much has been forwarded to be repeated. False: and between two tries.
bool Exchange::endRetries() {
  cluster_->stats().retry_or_shadow_abandoned.add();
  const bool waiting = retries_->waiting();
  retries_->end();
  if (attempt_ != nullptr && attempt_->connected()) armTryTimers();
  if (!waiting) return true;
  replyLocally(507, "request_payload_exceeded_retry_buffer_limit",
               "exceeded request buffer limit while retrying upstream");
  return false;
}

bool Exchange::retryAfterResponse(const http::HeaderMap& headers, int status) {
  if (retries_ == nullptr || retries_->state == nullptr) return false;
  const RetryState::Decision decision = retries_->state->onResponse(headers, request_headers_, manager_.loop.wallNow());
  upstream::ClusterStats& stats = cluster_->stats();
  if (settleDecision(decision, stats)) {
    stats.countRetriedResponse(status);
    attempt_->countRetried(status);
    return true;
  }
  retries_->state.reset();
  retries_->body.clear();
  retries_->metadata.clear();
  return false;
}

bool Exchange::retryAfterFailure(RetryState::Failure failure) {
  if (retries_ == nullptr || retries_->state == nullptr || answer_started_) return false;
  retries_->endTry();
  upstream::ClusterStats& stats = cluster_->stats();
  if (settleDecision(retries_->state->onFailure(failure, retries_->request_started), stats)) {
    attempt_->countRetried();
    return true;
  }
  return false;
}

// Whether there will be another try. It begins after the back-off; until then there is none.
bool Exchange::settleDecision(const RetryState::Decision& decision, upstream::ClusterStats& stats) {
  using Verdict = RetryState::Verdict;
  switch (decision.verdict) {
    case Verdict::No:
      if (retries_->state->retried()) stats.upstream_rq_retry_success.add();
      return false;
    case Verdict::LimitExceeded:
      stats.upstream_rq_retry_limit_exceeded.add();
      info_.setFlag(filter::ResponseFlag::UpstreamRetryLimitExceeded);
      return false;
    case Verdict::NoRoom: info_.setFlag(filter::ResponseFlag::UpstreamOverflow); return false;
    case Verdict::Retry: break;
  }
  stats.upstream_rq_retry.add();
  if (decision.rate_limited) {
    stats.upstream_rq_retry_backoff_ratelimited.add();
  } else {
    stats.upstream_rq_retry_backoff_exponential.add();
  }
  retries_->endTry();
  retries_->back_off.arm(decision.delay);
  return true;
}

// The try under way is given up for the next one.
void Exchange::dropTry() {
  if (retries_ != nullptr) retries_->early_metadata.clear();
  if (attempt_ == nullptr) return;
  attempt_->abandon();
  manager_.loop.destroyLater(std::move(attempt_));
  if (std::exchange(attempt_blocked_, false)) resumeRequest();
}

void Exchange::tryAgain() {
  retried_ = true;
  const route::VirtualHost& host = *route_->virtual_host;
  if (host.include_request_attempt_count) {
    request_headers_.set(http::HeaderId::EnvoyAttemptCount, std::to_string(info_.upstream->attempts + 1));
  }
  if (host.include_is_timeout_retry_header) {
    request_headers_.set("x-envoy-is-timeout-retry", retries_->timed_out ? "true" : "false");
  }
  tellTimeouts(forward_ended_ ? manager_.loop.now() - forward_ended_at_ : base::Duration::zero());
  const bool more = !retries_->body.empty() || !retries_->metadata.empty();
  startTry(forward_ended_ && !more && forwarded_trailers_ == nullptr);
  repeatBody();
}

void Exchange::noteAttempts(http::HeaderMap& response) const {
  if (!route_->virtual_host->include_attempt_count_in_response) return;
  response.set(http::HeaderId::EnvoyAttemptCount, std::to_string(info_.upstream->attempts));
}

void Exchange::noteTried(const upstream::Endpoint& endpoint) {
  if (retries_ == nullptr || retries_->tried.size() >= kMaxTried) return;
  retries_->tried.push_back(&endpoint);
}

// The try may have ended while it began.
void Exchange::repeatBody() {
  if (attempt_ == nullptr || retries_->waiting()) return;
  const Attempt* const current = attempt_.get();
  for (const http::Metadata& metadata : retries_->metadata) {
    if (attempt_.get() != current) return;
    attempt_->sendMetadata(metadata);
  }
  const bool ends = forward_ended_ && forwarded_trailers_ == nullptr;
  if (attempt_.get() == current && (!retries_->body.empty() || (ends && !retries_->metadata.empty()))) {
    base::BufferChain copy;
    retries_->body.forEachPiece([&copy](std::string_view piece) { copy.append(piece); });
    attempt_->sendBody(copy, ends);
  }
  if (attempt_.get() == current && forwarded_trailers_ != nullptr) attempt_->sendTrailers(*forwarded_trailers_);
}

// The answer's headers are taken.
void Exchange::tellHeldMetadata() {
  if (retries_ == nullptr) return;
  std::vector<http::Metadata> held = std::move(retries_->early_metadata);
  retries_->early_metadata.clear();
  for (http::Metadata& metadata : held) chain_.responseMetadata(metadata);
}

// The try's time runs from when there is a connection and the request has been forwarded to its end.
void Exchange::armTryTimers() {
  if (retries_ == nullptr || !forward_ended_ || upstream_ended_) return;
  if (timeouts_.try_ > base::Duration::zero() && !answer_started_) retries_->try_timer.arm(timeouts_.try_);
  touchTryIdleTimer();
}

void Exchange::touchTryIdleTimer() {
  if (retries_ == nullptr || timeouts_.try_idle == base::Duration::zero() || !forward_ended_) return;
  retries_->try_idle_timer.arm(timeouts_.try_idle);
}

void Exchange::onTryTimeout() {
  if (answer_started_ || response_seen_) return;  // The answer has begun: the route's timeout bounds it.
  cluster_->stats().upstream_rq_per_try_timeout.add();
  endTryLate("upstream_per_try_timeout");
}

void Exchange::onTryIdleTimeout() {
  cluster_->stats().upstream_rq_per_try_idle_timeout.add();
  endTryLate("upstream_per_try_idle_timeout");
}

void Exchange::endTryLate(std::string_view details) {
  attempt_->countTimeout();
  retries_->timed_out = true;
  if (!response_seen_ && retryAfterFailure(RetryState::Failure::Reset)) return dropTry();
  if (!answer_started_) cluster_->stats().countResponse(timeout_status_);
  answerTimeout(details);
}

}  // namespace weir::exchange
