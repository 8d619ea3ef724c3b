#include "exchange/attempt_filters.h"

#include <string>
#include <utility>

#include "http/status.h"

namespace weir::exchange {
namespace {

// A header without which there is no request (RFC 9110 9.3.6: CONNECT names its authority instead of a path).
std::string_view missingHeader(const http::HeaderMap& headers) {
  const std::string_view method = headers.getOr(http::HeaderId::Method, "");
  if (method.empty()) return ":method";
  if (method == "CONNECT") return headers.has(http::HeaderId::Authority) ? "" : ":authority";
  return headers.getOr(http::HeaderId::Path, "").empty() ? ":path" : "";
}

}  // namespace

AttemptFilters::AttemptFilters(const Place& place, const std::vector<filter::FilterFactory*>& filters,
                               http::HeaderMap& headers, bool end_stream)
    : place_(place), request_headers_(headers), headers_only_(end_stream) {
  for (filter::FilterFactory* const factory : filters) {
    if (auto filter = factory->create()) chain_.add(std::move(filter));
  }
}

void AttemptFilters::end() {
  if (!std::exchange(ended_, true)) chain_.destroy();
}

// --- The request ---

void AttemptFilters::begin(const upstream::Endpoint& endpoint) {
  place_.owner.onAttemptChosen(endpoint);
  chain_.requestHeaders(request_headers_, headers_only_);
}

// A tunnel's request goes on when its answer has ended, and the filters with it.
void AttemptFilters::requestBody(base::BufferChain& bytes, bool end_stream) {
  if (ended_) return place_.attempt.passBody(bytes, end_stream);
  chain_.requestBody(bytes, end_stream);
}

void AttemptFilters::requestTrailers(const http::HeaderMap& trailers) {
  if (ended_) return place_.attempt.passTrailers(trailers);
  request_trailers_ = trailers.clone();  // Another attempt may have to send them as they were.
  chain_.requestTrailers(request_trailers_);
}

void AttemptFilters::requestMetadata(const http::Metadata& metadata) {
  if (ended_) return place_.attempt.passMetadata(metadata);
  http::Metadata own = metadata.clone();  // The same.
  chain_.requestMetadata(own);
}

void AttemptFilters::forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) {
  const std::string_view missing = missingHeader(headers);
  if (missing.empty()) return place_.attempt.passHeaders(end_stream);
  place_.info.setFlag(filter::ResponseFlag::DownstreamProtocolError);
  replyWithout("filter_removed_required_request_headers", missing, 503);
}

void AttemptFilters::replyWithout(std::string_view what, std::string_view missing, int status) {
  std::string details(what);
  details.append("{missing_required_header:_").append(missing).append("}");
  chain_.sendLocalReply({status, "missing required header: " + std::string(missing), std::move(details), {}, -1});
}

void AttemptFilters::forwardRequestBody(base::BufferChain& bytes, bool end_stream) {
  place_.attempt.passBody(bytes, end_stream);
}

void AttemptFilters::forwardRequestTrailers(http::HeaderMap& trailers) { place_.attempt.passTrailers(trailers); }

void AttemptFilters::forwardRequestMetadata(http::Metadata& metadata) { place_.attempt.passMetadata(metadata); }

// --- The answer ---

// As Envoy, the filters see these details of an answer that the exchange has not seen yet, and may never see.
void AttemptFilters::showDetails() {
  if (answered_) return;
  place_.info.response_code_details = "via_upstream";
  details_shown_ = true;
}

void AttemptFilters::hideDetails() {
  if (std::exchange(details_shown_, false)) place_.info.response_code_details.clear();
}

void AttemptFilters::onAttemptHeaders(http::HeaderMap& headers, bool end_stream) {
  response_headers_ = std::move(headers);
  showDetails();
  chain_.responseHeaders(response_headers_, end_stream);
  hideDetails();
}

void AttemptFilters::onAttemptBody(base::BufferChain& bytes, bool end_stream) {
  showDetails();
  chain_.responseBody(bytes, end_stream);
  hideDetails();
}

void AttemptFilters::onAttemptTrailers(http::HeaderMap& trailers) {
  response_trailers_ = std::move(trailers);
  showDetails();
  chain_.responseTrailers(response_trailers_);
  hideDetails();
}

void AttemptFilters::onAttemptMetadata(http::Metadata& metadata) {
  showDetails();
  chain_.responseMetadata(metadata);
  hideDetails();
}

void AttemptFilters::answerHeaders(http::HeaderMap& headers, bool end_stream) {
  if (!http::parseStatus(headers.getOr(http::HeaderId::Status, ""))) {
    return replyWithout("filter_removed_required_response_headers", ":status", 502);
  }
  http::HeaderMap given = std::move(headers);  // As Envoy: gone from the filters' reach.
  answered_ = true;
  hideDetails();
  if (end_stream) end();
  place_.owner.onAttemptHeaders(given, end_stream);
}

void AttemptFilters::answerBody(base::BufferChain& bytes, bool end_stream) {
  if (end_stream) end();
  place_.owner.onAttemptBody(bytes, end_stream);
}

void AttemptFilters::answerTrailers(http::HeaderMap& trailers) {
  http::HeaderMap given = std::move(trailers);
  end();
  place_.owner.onAttemptTrailers(given);
}

void AttemptFilters::answerMetadata(http::Metadata& metadata) { place_.owner.onAttemptMetadata(metadata); }

bool AttemptFilters::takeLocalReply(const filter::LocalReply& reply) {
  place_.attempt.silence();
  hideDetails();
  place_.owner.onAttemptReply(reply);
  return true;
}

void AttemptFilters::resetClientStream() {
  place_.attempt.silence();
  hideDetails();
  place_.owner.onAttemptStreamReset();
}

// --- Other news of the attempt ---

void AttemptFilters::onAttemptConnected(const upstream::ConnectionWaiter::Granted& granted) {
  place_.owner.onAttemptConnected(granted);
}

void AttemptFilters::onAttemptInformational(http::HeaderMap& headers) { place_.owner.onAttemptInformational(headers); }

void AttemptFilters::onAttemptNoConnection(upstream::AcquireFailure why, const upstream::Endpoint* endpoint,
                                           std::string_view detail) {
  place_.owner.onAttemptNoConnection(why, endpoint, detail);
}

void AttemptFilters::onAttemptReset(http::ResetReason reason, std::string_view detail, bool on_reused) {
  place_.owner.onAttemptReset(reason, detail, on_reused);
}

void AttemptFilters::onAttemptBlocked() {
  if (blocks_++ == 0) place_.owner.onAttemptBlocked();
}

void AttemptFilters::onAttemptDrained() {
  if (--blocks_ == 0) place_.owner.onAttemptDrained();
}

}  // namespace weir::exchange
