// METADATA in one direction of the chain. As Envoy it waits for no body, but never comes before the headers that a
// filter has not seen.
#include <utility>

#include "filter/chain.h"

namespace weir::filter {

void Pass::metadata(http::Metadata& metadata) {
  if (over_ || cut_ > 0 || ended_) return;
  runMetadata(0, metadata);
}

void Pass::runMetadata(size_t at, http::Metadata& metadata) {
  for (; at < stages_.size(); ++at) {
    if (!stages_[at].headers_seen || stages_[at].stoppedAll()) {
      stages_[at].metadata.push_back(std::move(metadata));
      return;
    }
    callMetadata(stages_[at], metadata);
    if (direction_ == Direction::Request) chain_.finishPendingReply();
    if (over_ || isCut(at)) return;
    if (stages_[at].resume_asked) resume(at);
    if (over_ || isCut(at)) return;
  }
  if (direction_ == Direction::Response) return chain_.ends_.answerMetadata(metadata);
  if (headers_forwarded_) return chain_.ends_.forwardRequestMetadata(metadata);
  to_forward_.push_back(std::move(metadata));
}

// The filter has seen the headers, or goes on.
void Pass::releaseMetadata(size_t at) {
  if (stages_[at].metadata.empty() || stages_[at].stoppedAll()) return;
  std::vector<http::Metadata> waiting = std::move(stages_[at].metadata);
  stages_[at].metadata.clear();
  for (http::Metadata& metadata : waiting) {
    if (over_ || isCut(at)) return;
    runMetadata(at, metadata);
  }
}

// The request's headers have gone.
void Pass::releaseForwarded() {
  headers_forwarded_ = true;
  std::vector<http::Metadata> waiting = std::move(to_forward_);
  to_forward_.clear();
  for (http::Metadata& metadata : waiting) {
    if (over_) return;
    chain_.ends_.forwardRequestMetadata(metadata);
  }
}

}  // namespace weir::filter
