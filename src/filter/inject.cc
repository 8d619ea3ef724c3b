// A filter's own bytes in the response. As in Envoy they start behind the filter, whether it has stopped or not, and
// take the headers along if those are still held.
//
// Filters share one buffer per direction: where one behind stops as well, what it keeps and what this one keeps lie in
// it together, and go when the one behind goes on.
#include <algorithm>

#include "filter/chain.h"

namespace weir::filter {

void Pass::inject(size_t at, base::BufferChain& bytes, bool end) {
  if (over_ || headers_ == nullptr || isCut(at) || endTold(at + 1)) return;
  Stage& stage = stages_[at];
  stage.injects = true;
  if (!stage.on_stack || stage.headers_passed) return passInjected(at, bytes, end);
  if (stage.injected_end) return;
  stage.injected_waits = true;
  stage.injected_end = end;
  stage.injected.append(bytes);
}

void Pass::passInjected(size_t at, base::BufferChain& bytes, bool end) {
  if (end) cut(at);
  if (!stages_[at].headers_passed) {
    stages_[at].headers_passed = true;
    runHeaders(at + 1, false);
    if (over_) return;
  }
  runBody(at + 1, bytes, end);
}

// Its headers callback has returned: whatever it wants done with the headers, they go before what it has put in.
void Pass::injectedInHeaders(size_t at, HeadersAction action, bool end_stream) {
  Stage& stage = stages_[at];
  stage.injected_waits = false;
  base::BufferChain bytes = std::move(stage.injected);
  const bool last = end_stream && action == HeadersAction::Continue;
  if (action == HeadersAction::StopIteration) stage.state = State::Stopped;
  if (action == HeadersAction::StopAllAndBuffer) stage.state = State::StoppedAllBuffer;
  if (action == HeadersAction::StopAllAndWatermark) stage.state = State::StoppedAllWatermark;
  releaseMetadata(at);
  if (over_) return;
  passInjected(at, bytes, stages_[at].injected_end || last);
  if (stages_[at].resume_asked) resume(at);
}

// The response ends with what this filter has put in. What was kept is dropped, unless a filter behind may keep it.
void Pass::cut(size_t at) {
  cut_ = at + 1;
  ended_ = true;
  trailers_ = nullptr;
  const bool kept_behind = std::any_of(stages_.begin() + static_cast<ptrdiff_t>(cut_), stages_.end(),
                                       [](const Stage& stage) { return stage.state != State::Running; });
  if (!kept_behind) {
    kept_.clear();
    has_kept_ = false;
    releaseSender();
  }
  chain_.ends_.abandonUpstream();
}

// One that puts in bytes of its own stands before this stage and has stopped: more will come.
bool Pass::injectorHolds(size_t before) const {
  for (size_t i = cut_; i < before; ++i) {
    if (stages_[i].injects && stages_[i].state != State::Running) return true;
  }
  return false;
}

}  // namespace weir::filter
