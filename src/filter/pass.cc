// One direction of the chain: the iteration over its filters.
#include "base/check.h"
#include "filter/chain.h"

namespace weir::filter {

// Notes that a filter of this direction is on the stack.
class Pass::OnStack {
 public:
  OnStack(int& depth, Stage& stage) : depth_(depth), stage_(stage) {
    ++depth_;
    stage_.on_stack = true;
    stage_.resume_asked = false;
  }
  ~OnStack() {
    --depth_;
    stage_.on_stack = false;
  }

 private:
  int& depth_;
  Stage& stage_;
};

void Pass::headers(http::HeaderMap& headers, bool end_stream) {
  if (over_) return;
  headers_ = &headers;
  ended_ = end_stream;
  runHeaders(0, end_stream);
}

void Pass::body(base::BufferChain& bytes, bool end_stream) {
  if (over_ || cut_ > 0) return;
  ended_ = ended_ || end_stream;
  runBody(0, bytes, end_stream);
}

void Pass::trailers(http::HeaderMap& trailers) {
  if (over_ || cut_ > 0) return;
  trailers_ = &trailers;
  ended_ = true;
  runTrailers(0);
}

void Pass::runHeaders(size_t at, bool end_stream) {
  for (; at < stages_.size(); ++at) {
    const HeadersAction action = callHeaders(stages_[at], end_stream);
    if (direction_ == Direction::Request) chain_.finishPendingReply();
    if (over_ || isCut(at)) return;
    if (stages_[at].injected_waits) return injectedInHeaders(at, action, end_stream);
    switch (action) {
      case HeadersAction::Continue: stages_[at].headers_passed = true; break;
      case HeadersAction::StopIteration: stopAt(at, State::Stopped); return releaseMetadata(at);
      case HeadersAction::StopAllAndBuffer: return stopAt(at, State::StoppedAllBuffer);
      case HeadersAction::StopAllAndWatermark: return stopAt(at, State::StoppedAllWatermark);
    }
    releaseMetadata(at);
    if (over_ || isCut(at)) return;
  }
  if (direction_ == Direction::Request) {
    chain_.ends_.forwardRequestHeaders(*headers_, end_stream);
    releaseForwarded();
  } else {
    chain_.answer_started_ = true;
    end_sent_ = end_stream;
    chain_.ends_.answerHeaders(*headers_, end_stream);
  }
}

void Pass::runBody(size_t at, base::BufferChain& bytes, bool end_stream) {
  constexpr size_t kNowhere = ~size_t{0};
  size_t trailers_added_at = kNowhere;
  for (; at < stages_.size(); ++at) {
    if (stages_[at].stoppedAll()) {
      kept_by_watermark_ = stages_[at].state == State::StoppedAllWatermark;
      return keep(bytes);
    }
    const bool had_trailers = trailers_ != nullptr;
    const BodyAction action = callBody(stages_[at], bytes, end_stream);
    if (direction_ == Direction::Request) chain_.finishPendingReply();
    if (over_ || isCut(at)) return;
    if (!had_trailers && trailers_ != nullptr) {
      end_stream = false;
      trailers_added_at = at;
    }
    if (!afterBody(at, action, bytes)) return;
  }
  if (direction_ == Direction::Request) {
    chain_.ends_.forwardRequestBody(bytes, end_stream);
  } else {
    end_sent_ = end_stream;
    chain_.ends_.answerBody(bytes, end_stream);
  }
  if (trailers_added_at != kNowhere && !over_) runTrailers(trailers_added_at + 1);
}

bool Pass::afterBody(size_t at, BodyAction action, base::BufferChain& bytes) {
  Stage& stage = stages_[at];
  if (action == BodyAction::Continue) {
    if (stage.state == State::Running) return true;
    // It had stopped before: what was kept goes first, then this piece.
    keep(bytes);
    if (!over_) resume(at);
    return false;
  }
  if (action == BodyAction::StopNoBuffer) {
    // An empty last piece has to be there when the filter goes on, so that the end is told.
    if (ended_ && trailers_ == nullptr) has_kept_ = true;
  } else {
    kept_by_watermark_ = action == BodyAction::StopAndWatermark;
    keep(bytes);
  }
  if (!over_) stopAt(at, State::Stopped);
  return false;
}

void Pass::stopAt(size_t at, State state) {
  stages_[at].state = state;
  if (stages_[at].resume_asked) resume(at);
}

void Pass::runTrailers(size_t at) {
  for (; at < stages_.size(); ++at) {
    if (stages_[at].stoppedAll()) return;
    const TrailersAction action = callTrailers(stages_[at]);
    if (direction_ == Direction::Request) chain_.finishPendingReply();
    if (over_ || isCut(at)) return;
    if (action == TrailersAction::Stop) return stopAt(at, State::Stopped);
    if (stages_[at].state != State::Running) return resume(at);
  }
  if (direction_ == Direction::Request) {
    chain_.ends_.forwardRequestTrailers(*trailers_);
  } else {
    end_sent_ = true;
    chain_.ends_.answerTrailers(*trailers_);
  }
}

void Pass::resume(size_t at) {
  if (over_ || at >= stages_.size() || isCut(at)) return;
  if (stages_[at].on_stack) {
    stages_[at].resume_asked = true;
    return;
  }
  if (stages_[at].state == State::Running) return;
  stages_[at].resume_asked = false;
  // A filter that stopped everything has not seen body and trailers yet.
  const size_t from = stages_[at].stoppedAll() ? at : at + 1;
  stages_[at].state = State::Running;

  const bool held = injectorHolds(at);  // Then the end is not this filter's to tell.
  const bool ended = ended_ && !held;
  if (!stages_[at].headers_passed) {
    stages_[at].headers_passed = true;
    runHeaders(at + 1, ended && !has_kept_ && trailers_ == nullptr);
    if (over_) return;
  }
  releaseMetadata(at);
  if (over_) return;
  if (has_kept_) {
    base::BufferChain released = std::move(kept_);
    has_kept_ = ended_ && held;
    releaseSender();
    runBody(from, released, ended && trailers_ == nullptr);
    if (over_) return;
  }
  if (trailers_ != nullptr && !held) runTrailers(from);
}

void Pass::keep(base::BufferChain& bytes) {
  has_kept_ = true;
  if (&bytes != &kept_) kept_.append(bytes);
  limitKept();
}

void Pass::limitKept() {
  const size_t limit = chain_.bufferLimit();
  if (limit == 0 || kept_.size() <= limit || over_) return;
  if (kept_by_watermark_) {
    if (sender_paused_) return;
    sender_paused_ = true;
    direction_ == Direction::Request ? chain_.ends_.pauseRequest() : chain_.ends_.pauseResponse();
    return;
  }
  if (direction_ == Direction::Request) {
    chain_.sendLocalReply({413, "Payload Too Large", "request_payload_too_large", {}, -1});
  } else {
    chain_.sendLocalReply({500, "Internal Server Error", "response_payload_too_large", {}, -1});
  }
}

void Pass::limitChanged() {
  const size_t limit = chain_.bufferLimit();
  if (!over_ && (limit == 0 || kept_.size() <= limit)) releaseSender();
}

void Pass::releaseSender() {
  if (!sender_paused_) return;
  sender_paused_ = false;
  direction_ == Direction::Request ? chain_.ends_.resumeRequest() : chain_.ends_.resumeResponse();
}

http::HeaderMap& Pass::addTrailers(http::HeaderMap& storage) {
  if (trailers_ == nullptr) trailers_ = &storage;
  return *trailers_;
}

HeadersAction Pass::callHeaders(Stage& stage, bool end_stream) {
  const OnStack noted(depth_, stage);
  stage.end_told = end_stream;
  stage.headers_seen = true;
  return direction_ == Direction::Request ? stage.filter->onRequestHeaders(*headers_, end_stream)
                                          : stage.filter->onResponseHeaders(*headers_, end_stream);
}

BodyAction Pass::callBody(Stage& stage, base::BufferChain& bytes, bool end_stream) {
  const OnStack noted(depth_, stage);
  stage.end_told = end_stream;
  return direction_ == Direction::Request ? stage.filter->onRequestBody(bytes, end_stream)
                                          : stage.filter->onResponseBody(bytes, end_stream);
}

TrailersAction Pass::callTrailers(Stage& stage) {
  const OnStack noted(depth_, stage);
  stage.end_told = true;
  return direction_ == Direction::Request ? stage.filter->onRequestTrailers(*trailers_)
                                          : stage.filter->onResponseTrailers(*trailers_);
}

void Pass::callMetadata(Stage& stage, http::Metadata& metadata) {
  const OnStack noted(depth_, stage);
  direction_ == Direction::Request ? stage.filter->onRequestMetadata(metadata)
                                   : stage.filter->onResponseMetadata(metadata);
}

}  // namespace weir::filter
