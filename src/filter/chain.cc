#include "filter/chain.h"

#include <utility>

#include "base/check.h"

namespace weir::filter {

Chain::Chain(Ends& ends) : ends_(ends) {}
Chain::~Chain() = default;

void Chain::expect(size_t filters) {
  stages_.reserve(filters);
  request_.expectStages(filters);
}

void Chain::add(std::unique_ptr<Filter> filter) {
  CHECK(!passes_set_);
  stages_.push_back(std::make_unique<Stage>(*this, std::move(filter), stages_.size()));
  stages_.back()->filter().setHandle(*stages_.back());
  request_.addStage(stages_.back()->filter());
}

void Chain::responseHeaders(http::HeaderMap& headers, bool end_stream) {
  settleFilters();
  response_.headers(headers, end_stream);
}

void Chain::responseMetadata(http::Metadata& metadata) {
  settleFilters();
  response_.metadata(metadata);
}

// The response begins: there will be no further filters.
void Chain::settleFilters() {
  if (std::exchange(passes_set_, true)) return;
  response_.expectStages(stages_.size());
  for (size_t i = stages_.size(); i > 0; --i) response_.addStage(stages_[i - 1]->filter());
}

void Chain::sendLocalReply(const LocalReply& reply) {
  if (response_.over() || pending_reply_ != nullptr) return;
  if (replied_ && response_.headersSeen() == nullptr) return;
  if (ends_.takeLocalReply(reply)) return stop();
  if (answer_started_) {  // Too late for an answer of our own.
    ends_.info().response_code_details = reply.details;
    stop();
    ends_.resetClientStream();
    return;
  }
  ends_.info().response_code_details = reply.details;
  if (response_.headersSeen() != nullptr) return sendDirectly(reply);

  request_.stop();
  replied_ = true;
  if (request_.running()) {  // The filter that asked for it is still on the stack: first let it return.
    pending_reply_ = std::make_unique<LocalReply>(reply);
    return;
  }
  sendThroughFilters(reply);
}

void Chain::finishPendingReply() {
  if (pending_reply_ == nullptr || request_.running()) return;
  const std::unique_ptr<LocalReply> reply = std::move(pending_reply_);
  sendThroughFilters(*reply);
}

void Chain::sendThroughFilters(const LocalReply& reply) {
  ends_.abandonUpstream();
  base::BufferChain body;
  http::HeaderMap& headers = ends_.makeLocalReply(reply, body);
  const bool has_body = !body.empty();
  responseHeaders(headers, !has_body);
  if (has_body && !response_.over()) response_.body(body, true);
}

// The response's own headers are being filtered right now: what comes instead of them does not pass the filters again.
void Chain::sendDirectly(const LocalReply& reply) {
  stop();
  ends_.abandonUpstream();
  base::BufferChain body;
  http::HeaderMap& headers = ends_.makeLocalReply(reply, body);
  const bool has_body = !body.empty();
  answer_started_ = true;
  ends_.answerHeaders(headers, !has_body);
  if (has_body) ends_.answerBody(body, true);
}

void Chain::setBufferLimit(size_t bytes) {
  buffer_limit_ = bytes;
  request_.limitChanged();
  response_.limitChanged();
}

void Chain::resetStream() {
  if (response_.over()) return;
  stop();
  ends_.resetClientStream();
}

// No more callbacks but the last ones.
void Chain::stop() {
  request_.stop();
  response_.stop();
}

void Chain::log() {
  stop();
  for (const auto& stage : stages_) stage->filter().onLog();
}

void Chain::destroy() {
  stop();
  for (const auto& stage : stages_) stage->filter().onDestroy();
}

}  // namespace weir::filter
