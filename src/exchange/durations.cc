// How long the client's side of an exchange may take.
#include <algorithm>

#include "exchange/client_connection.h"
#include "exchange/exchange.h"
#include "exchange/timeouts.h"

namespace weir::exchange {

void Exchange::startTimers() {
  const HttpManagerSpec& spec = *manager_.spec;
  idle_timeout_ = spec.stream_idle_timeout;
  if (spec.request_timeout) request_timer_.arm(*spec.request_timeout);
  if (spec.request_headers_timeout) headers_timer_.arm(*spec.request_headers_timeout);
  if (spec.max_stream_duration) duration_timer_.arm(*spec.max_stream_duration);
  touchIdleTimer();
}

void Exchange::stopTimers() {
  idle_timer_.disarm();
  request_timer_.disarm();
  headers_timer_.disarm();
  duration_timer_.disarm();
}

void Exchange::applyRouteLimits() {
  if (!route_ || !route_->route->forward) return;
  const route::RouteAction& action = *route_->route->forward;
  if (action.idle_timeout) {
    idle_timeout_ = action.idle_timeout;
    if (*idle_timeout_ == base::Duration::zero()) idle_timeout_.reset();
    idle_timer_.disarm();
    touchIdleTimer();
  }
  limitDuration();
}

// As Envoy: with grpc_timeout_header_max it is grpc-timeout's word, within the route's bounds; else the route's, else
// the manager's. It counts from the stream's beginning.
void Exchange::limitDuration() {
  const auto& own = route_->route->forward->max_stream_duration;
  const auto asked = own && own->grpc_header_max ? grpcTimeout(request_headers_) : std::nullopt;
  base::Duration limit{};
  if (asked) {
    limit = *asked;
    const base::Duration most = *own->grpc_header_max;
    if (most > base::Duration::zero()) limit = std::min(limit, most);
    const base::Duration offset = own->grpc_header_offset.value_or(base::Duration::zero());
    limit = offset < limit ? limit - offset : base::Duration::zero();
  } else {
    const auto& configured = own && own->max ? own->max : manager_.spec->max_stream_duration;
    limit = configured.value_or(base::Duration::zero());
    if (limit == base::Duration::zero()) return duration_timer_.disarm();
  }
  if (own && grpc_request_) setGrpcTimeout(limit, request_headers_);
  const base::Duration spent = manager_.loop.now() - info_.start_monotonic;
  duration_timer_.arm(std::max(limit - spent, base::Duration::zero()));
}

void Exchange::onDurationReached() {
  manager_.stats.downstream_rq_max_duration_reached.add();
  info_.setFlag(filter::ResponseFlag::DurationTimeout);
  if (answer_started_) {
    info_.response_code_details = "max_duration_timeout";
    return resetClientStream();
  }
  constexpr int kDeadlineExceeded = 4;
  chain_.sendLocalReply(
      {request_ended_ ? 504 : 408, "downstream duration timeout", "max_duration_timeout", {}, kDeadlineExceeded});
}

// The timer is not moved at every sign of life: when it fires it looks when the last one was.
void Exchange::touchIdleTimer() {
  last_activity_ = manager_.loop.now();
  if (idle_timeout_ && !idle_timer_.armed()) idle_timer_.arm(*idle_timeout_);
}

void Exchange::onIdleTimeout() {
  const base::Duration quiet = manager_.loop.now() - last_activity_;
  if (quiet < *idle_timeout_) return idle_timer_.arm(*idle_timeout_ - quiet);
  manager_.stats.downstream_rq_idle_timeout.add();
  info_.setFlag(filter::ResponseFlag::StreamIdleTimeout);
  if (answer_started_) {
    info_.response_code_details = "stream_idle_timeout";
    return resetClientStream();
  }
  // As Envoy: 408 while the client is to blame, 504 once it has sent everything.
  replyLocally(request_ended_ ? 504 : 408, "stream_idle_timeout", "stream timeout");
}

void Exchange::onRequestTimeout(std::string_view details) {
  manager_.stats.downstream_rq_timeout.add();
  replyLocally(408, details, "request timeout");
}

void Exchange::onHeadersTimeout() {
  manager_.stats.downstream_rq_header_timeout.add();
  addFilters();  // They log the request, though they never see it.
  replyLocally(408, "request_header_timeout", "request header timeout");
}

}  // namespace weir::exchange
