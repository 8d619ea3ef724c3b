#include "listener/approach.h"

namespace weir::listener {

Approach::Approach(event::Loop& loop, Owner& owner, std::unique_ptr<net::ByteStream> stream, Findings findings,
                   std::vector<std::unique_ptr<Filter>> filters, const Limits& limits)
    : owner_(owner),
      stream_(std::move(stream)),
      findings_(std::move(findings)),
      filters_(std::move(filters)),
      limits_(limits),
      began_(loop.now()),
      timer_(loop, [this] { onTimeout(); }) {}

Approach::~Approach() = default;

void Approach::start() {
  stream_->start(*this);
  base::BufferChain nothing;
  if (passFilters(nothing)) return arrive();
  if (!over_ && limits_.timeout > base::Duration::zero()) timer_.arm(limits_.timeout);
}

void Approach::onBytes(base::BufferChain& received) {
  unread_ = !received.empty();
  const bool passed = passFilters(received);
  if (over_) return;  // Turned away: the stream is closed.
  unread_ = !received.empty();
  if (passed) arrive();
}

bool Approach::passFilters(base::BufferChain& received) {
  while (next_ < filters_.size()) {
    const Filter::Verdict verdict = filters_[next_]->onBytes(received, findings_);
    if (verdict == Filter::Verdict::NeedMore) return false;
    if (verdict == Filter::Verdict::Close) {
      turnAway(End::Refused);
      return false;
    }
    ++next_;
  }
  return true;
}

void Approach::arrive() {
  if (over_) return;
  over_ = true;
  timer_.disarm();
  owner_.onArrived(*this);
}

void Approach::onTimeout() {
  timed_out_ = true;
  if (limits_.continue_on_timeout) return arrive();
  turnAway(End::Timeout);
}

// The client is to see that what it sent was read by nobody, as the kernel tells it for a proxy that peeks.
void Approach::refuse(net::ByteStream& stream) const {
  stream.close(unread_ ? net::ByteStream::Close::Reset : net::ByteStream::Close::Now);
}

void Approach::turnAway(End why) {
  if (over_) return;
  over_ = true;
  timer_.disarm();
  refuse(*stream_);
  owner_.onTurnedAway(*this, why);
}

}  // namespace weir::listener
