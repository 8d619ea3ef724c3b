#include "upstream/call_filters.h"

#include <string>
#include <utility>

#include "http/status.h"
#include "upstream/note_endpoint.h"

namespace weir::upstream {
namespace {

// A header without which there is no request.
std::string_view missingHeader(const http::HeaderMap& headers) {
  if (headers.getOr(http::HeaderId::Method, "").empty()) return ":method";
  return headers.getOr(http::HeaderId::Path, "").empty() ? ":path" : "";
}

}  // namespace

std::unique_ptr<CallFilters> CallFilters::of(Cluster& cluster, event::Loop& loop, Owner& owner) {
  auto filters = std::dynamic_pointer_cast<const CallableFilters>(cluster.spec().http_filters);
  if (filters == nullptr) return nullptr;
  return std::make_unique<CallFilters>(std::move(filters), cluster, loop, owner);
}

CallFilters::CallFilters(std::shared_ptr<const CallableFilters> filters, Cluster& cluster, event::Loop& loop,
                         Owner& owner)
    : filters_(std::move(filters)), loop_(loop), owner_(&owner), turn_(loop, [this] { run(); }) {
  info_.start = loop.wallNow();
  info_.start_monotonic = loop.now();
  info_.upstream.emplace();
  info_.upstream->cluster = cluster.spec().name;
  info_.upstream->cluster_metadata = cluster.metadata();
  info_.upstream->attempts = 1;
}

CallFilters::~CallFilters() { destroy(); }

void CallFilters::end() {
  leave();
  destroy();
}

void CallFilters::leave() {
  owner_ = nullptr;
  turn_.disarm();
}

void CallFilters::destroy() {
  if (!std::exchange(over_, true)) chain_.destroy();
}

// --- The request ---

void CallFilters::begin(const Endpoint& endpoint, http::HeaderMap headers, bool end_stream) {
  noteEndpoint(endpoint, *info_.upstream);
  request_headers_ = std::move(headers);
  if (!request_headers_.has(http::HeaderId::Scheme)) request_headers_.add(http::HeaderId::Scheme, "http");
  headers_only_ = end_stream;
  begun_ = headers_wait_ = true;
  turn_.arm({});
}

void CallFilters::requestBody(base::BufferChain& bytes, bool end_stream) {
  waiting_.push_back({std::move(bytes), end_stream});
  if (begun_) turn_.arm({});
}

void CallFilters::requestTrailers(http::HeaderMap trailers) {
  trailers_wait_ = true;
  request_trailers_ = std::move(trailers);
  if (begun_) turn_.arm({});
}

size_t CallFilters::held() const {
  size_t bytes = chain_.requestKept();
  for (const Piece& piece : waiting_) bytes += piece.bytes.size();
  return bytes;
}

// What has come of the request since the last turn.
void CallFilters::run() {
  if (std::exchange(headers_wait_, false)) showHeaders();
  for (Piece& piece : std::exchange(waiting_, {})) {
    if (!ended()) chain_.requestBody(piece.bytes, piece.last);
  }
  if (!ended() && std::exchange(trailers_wait_, false)) chain_.requestTrailers(request_trailers_);
}

// Which filters there are is known only now: while a worker starts, its plugins call before the clusters have theirs.
void CallFilters::showHeaders() {
  for (filter::FilterFactory* const factory : filters_->forCalls()) {
    if (auto filter = factory->create()) chain_.add(std::move(filter));
  }
  chain_.requestHeaders(request_headers_, headers_only_);
}

void CallFilters::connected(const ConnectionWaiter::Granted& granted) {
  noteEndpoint(granted.endpoint, *info_.upstream);
  info_.upstream->local = granted.local;
  info_.upstream->tls = granted.tls;
  info_.upstream->connected = true;
}

void CallFilters::forwardRequestHeaders(http::HeaderMap& headers, bool end_stream) {
  const std::string_view missing = missingHeader(headers);
  if (!missing.empty()) return replyWithout("filter_removed_required_request_headers", missing, 503);
  if (owner_ != nullptr) owner_->passHeaders(headers, end_stream);
}

void CallFilters::replyWithout(std::string_view what, std::string_view missing, int status) {
  std::string details(what);
  details.append("{missing_required_header:_").append(missing).append("}");
  chain_.sendLocalReply({status, "missing required header: " + std::string(missing), std::move(details), {}, -1});
}

void CallFilters::forwardRequestBody(base::BufferChain& bytes, bool end_stream) {
  if (owner_ != nullptr) owner_->passBody(bytes, end_stream);
}

void CallFilters::forwardRequestTrailers(http::HeaderMap& trailers) {
  if (owner_ != nullptr) owner_->passTrailers(trailers.clone());
}

// --- The answer ---

void CallFilters::responseHeaders(http::HeaderMap& headers, bool end_stream) {
  info_.response_code_details = "via_upstream";
  response_headers_ = std::move(headers);
  chain_.responseHeaders(response_headers_, end_stream);
}

void CallFilters::responseBody(base::BufferChain& bytes, bool end_stream) { chain_.responseBody(bytes, end_stream); }

void CallFilters::responseTrailers(http::HeaderMap& trailers) {
  response_trailers_ = std::move(trailers);
  chain_.responseTrailers(response_trailers_);
}

void CallFilters::answerHeaders(http::HeaderMap& headers, bool end_stream) {
  const auto status = http::parseStatus(headers.getOr(http::HeaderId::Status, ""));
  if (!status) return replyWithout("filter_removed_required_response_headers", ":status", 502);
  info_.response_code = *status;
  http::HeaderMap given = std::move(headers);  // As Envoy: gone from the filters' reach.
  Owner* const owner = owner_;
  if (end_stream) end();
  if (owner != nullptr) owner->onPassedHeaders(given, end_stream);
}

void CallFilters::answerBody(base::BufferChain& bytes, bool end_stream) {
  Owner* const owner = owner_;
  if (end_stream) end();
  if (owner != nullptr) owner->onPassedBody(bytes, end_stream);
}

void CallFilters::answerTrailers(http::HeaderMap& trailers) {
  http::HeaderMap given = std::move(trailers);
  Owner* const owner = owner_;
  end();
  if (owner != nullptr) owner->onPassedTrailers(given);
}

bool CallFilters::takeLocalReply(const filter::LocalReply& reply) {
  info_.response_code_details = reply.details;
  if (owner_ != nullptr) owner_->onFilterReply(reply);
  return true;
}

void CallFilters::resetClientStream() {
  if (owner_ != nullptr) owner_->onFilterReset();
}

void CallFilters::pauseResponse() {
  if (pauses_++ == 0 && owner_ != nullptr) owner_->pauseAnswer();
}

void CallFilters::resumeResponse() {
  if (--pauses_ == 0 && owner_ != nullptr) owner_->resumeAnswer();
}

}  // namespace weir::upstream
