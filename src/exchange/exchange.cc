// The client's side of an exchange: receiving the request, flow control.
#include "exchange/exchange.h"

#include "base/log.h"
#include "exchange/client_connection.h"
#include "exchange/request_headers.h"
#include "http/grpc.h"
#include "http/status.h"

namespace weir::exchange {

Exchange::Exchange(ClientConnection& connection, http::Stream& stream)
    : connection_(connection),
      manager_(connection.manager()),
      stream_(&stream),
      random_(manager_.random.next()),
      route_timer_(manager_.loop, [this] { onRouteTimeout(); }),
      idle_timer_(manager_.loop, [this] { onIdleTimeout(); }),
      request_timer_(manager_.loop, [this] { onRequestTimeout("request_overall_timeout"); }),
      headers_timer_(manager_.loop, [this] { onHeadersTimeout(); }),
      duration_timer_(manager_.loop, [this] { onDurationReached(); }) {
  info_.connection = &connection.info();
  info_.client = connection.info().peer;
  info_.protocol = stream.protocol();
  info_.start = manager_.loop.wallNow();
  info_.start_monotonic = last_activity_ = manager_.loop.now();
  manager_.stats.downstream_rq_total.add();
  const bool http2 = info_.protocol == http::Protocol::Http2;
  (http2 ? manager_.stats.downstream_rq_http2_total : manager_.stats.downstream_rq_http1_total).add();
  manager_.stats.downstream_rq_active.add();
  startTimers();
  startPeriodicLog();
}

Exchange::~Exchange() = default;

void Exchange::onHeaders(http::HeaderMap& headers, bool end_stream) {
  request_headers_ = std::move(headers);
  headers_timer_.disarm();
  touchIdleTimer();
  head_request_ = request_headers_.getOr(http::HeaderId::Method, "") == "HEAD";
  grpc_request_ = http::isGrpc(request_headers_);
  if (grpc_request_ && !manager_.spec->request_timeout_configured) request_timer_.disarm();
  info_.request_header_bytes = request_headers_.bytes();
  if (end_stream) requestEnded();

  if (!end_stream && !manager_.spec->proxy_100_continue &&
      http::equalsIgnoreCase(request_headers_.getOr(http::HeaderId::Expect, ""), "100-continue")) {
    // RFC 9110 10.1.1: the client waits for it before it sends the body.
    request_headers_.remove(http::HeaderId::Expect);
    http::HeaderMap interim;
    interim.add(http::HeaderId::Status, "100");
    stream_->sendInformational(interim);
  }

  if (manager_.spec->underscores != HttpManagerSpec::Underscores::Allow && !judgeUnderscores()) return;
  // By HTTP/2 a client may have ended its direction of the tunnel already.
  const bool may_switch = !end_stream || info_.protocol == http::Protocol::Http2;
  switches_ = may_switch && (isConnect(request_headers_) ||
                             (request_headers_.has(http::HeaderId::Upgrade) && asksForUpgrade(request_headers_)));
  if (const auto refusal = normalizeTarget(*manager_.spec, connection_.info(), request_headers_)) {
    addFilters();
    if (!refusal->location.empty()) {
      return chain_.sendLocalReply({refusal->status, "", refusal->details, {{"location", refusal->location}}, -1});
    }
    if (refusal->details == "absolute_path_rejected") manager_.stats.downstream_rq_non_relative_path.add();
    return replyLocally(refusal->status, refusal->details);
  }
  prepareRequestHeaders(manager_, request_headers_, info_, switches_);
  const bool logged_now = manager_.spec->access_log_options.at_start && !manager_.access_logs.empty();
  if (!manager_.filters.empty() || manager_.plans.size() > 1 || logged_now) {  // Filters may ask for the route,
    const route::Match* match = route();                                       // and it for filters.
    addFilters(match == nullptr ? 0 : match->filter_choice);
  }
  if (logged_now) writeAccessLogs(format::LogType::DownstreamStart);
  if (!settleUpgrade()) return;
  chain_.requestHeaders(request_headers_, end_stream);
}

// headers_with_underscores_action. False: the request was answered.
bool Exchange::judgeUnderscores() {
  std::vector<std::string> named;
  for (const auto& entry : request_headers_) {
    if (entry.name.find('_') != std::string_view::npos) named.emplace_back(entry.name);
  }
  if (named.empty()) return true;
  if (manager_.spec->underscores == HttpManagerSpec::Underscores::Reject) {
    manager_.stats.requests_rejected_with_underscores.add();
    onMalformed(400, {base::Code::Malformed, base::Side::Client, base::Retry::No, "http1.unexpected_underscore"});
    return false;
  }
  for (const std::string& name : named) {
    manager_.stats.dropped_headers_with_underscores.add(request_headers_.remove(name));
  }
  return true;
}

// choice: route::Match::filter_choice. As Envoy: the first route decides, whatever becomes of it.
void Exchange::addFilters(uint32_t choice) {
  if (filters_added_) return;
  filters_added_ = true;
  const FilterPlan& plan = manager_.plans[choice];
  has_router_ = plan.has_router;
  chain_.expect(plan.filters.size());
  for (const auto& factory : plan.filters) {
    if (auto filter = factory->create()) chain_.add(std::move(filter));
  }
}

// As Envoy: a plugin that answers within the last callback answers before the request's end, and the connection ends.
void Exchange::onBody(base::BufferChain& bytes, bool end_stream) {
  info_.request_body_bytes += bytes.size();
  touchIdleTimer();
  chain_.requestBody(bytes, end_stream);
  if (end_stream && !over_) requestEnded();
}

void Exchange::onTrailers(http::HeaderMap& trailers) {
  request_trailers_ = std::move(trailers);
  chain_.requestTrailers(request_trailers_);
  if (!over_) requestEnded();
}

void Exchange::onMetadata(http::Metadata& metadata) {
  touchIdleTimer();
  chain_.requestMetadata(metadata);
}

void Exchange::requestEnded() {
  request_ended_ = true;
  info_.request_received = manager_.loop.now() - info_.start_monotonic;
  request_timer_.disarm();
}

void Exchange::onMalformed(int status, const base::Error& why) {
  LOG(Http, Debug, "[C{}] malformed request: {}", connection_.info().id, why.detail);
  manager_.stats.downstream_cx_protocol_error.add();
  if (status == 431) manager_.stats.downstream_rq_too_large.add();
  // As Envoy: what the codec found wrong is told by the reason phrase; what is wrong with a well-formed request is not.
  const bool by_codec =
      (why.detail.starts_with("http1.") || why.detail.starts_with("http.") || why.detail == "low_version") &&
      why.detail != "http1.connection_header_rejected";
  if (by_codec) info_.setFlag(filter::ResponseFlag::DownstreamProtocolError);
  if (answer_started_) return resetClientStream();
  response_closes_ = true;
  addFilters();  // They log the request, though they never see it.
  replyLocally(status, why.detail, by_codec ? std::string(http::reasonPhrase(status)) : std::string());
}

void Exchange::onReset(http::ResetReason reason, std::string_view detail) {
  if (!over_) noteBytes();
  stream_ = nullptr;
  if (over_) return;
  if (reason == http::ResetReason::ConnectionTermination) {
    info_.setFlag(filter::ResponseFlag::DownstreamConnectionTermination);
    if (info_.response_code_details.empty()) {
      info_.response_code_details = detail == kPingTimeout ? detail : "downstream_remote_disconnect";
    }
  } else {  // HTTP/2: the stream alone.
    const bool ours = reason == http::ResetReason::ProtocolError;
    info_.setFlag(ours ? filter::ResponseFlag::DownstreamProtocolError : filter::ResponseFlag::DownstreamRemoteReset);
    if (info_.response_code_details.empty()) info_.response_code_details = detail;
  }
  manager_.stats.downstream_rq_rx_reset.add();
  finish();
}

void Exchange::onComplete() {
  if (!over_) noteBytes();
  // As Envoy: the rest of the request was given up.
  if (!over_ && !request_ended_) manager_.stats.downstream_rq_rx_reset.add();
  stream_ = nullptr;
  finish();
}

void Exchange::onSendBlocked() { pauseResponse(); }
void Exchange::onSendDrained() { resumeResponse(); }

void Exchange::pauseRequest() {
  if (stream_ != nullptr) stream_->pauseReceiving();
}

void Exchange::resumeRequest() {
  if (stream_ != nullptr) stream_->resumeReceiving();
}

void Exchange::pauseResponse() {
  ++response_pauses_;
  if (attempt_ != nullptr) attempt_->pauseReceiving();
}

void Exchange::resumeResponse() {
  --response_pauses_;
  if (attempt_ != nullptr) attempt_->resumeReceiving();
}

void Exchange::clearRouteCache() {
  route_known_ = false;
  info_.route = nullptr;  // As Envoy: the virtual host stays known until the next match.
  info_.route_name = info_.route_metadata = {};
}

}  // namespace weir::exchange
