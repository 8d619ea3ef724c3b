#include "proxy_wasm/breaker.h"

#include <algorithm>

namespace weir::proxy_wasm {

void Breaker::onDeath(bool of_use, base::Duration burnt, base::MonotonicTime now, base::Duration pause) {
  burn(burnt, now);
  if (burnt_ >= kBurnable) return open(now, pause);
  if (of_use) return close();
  ++useless_;
  if (state_ == State::HalfOpen || useless_ > kUselessLives) open(now, pause);
}

void Breaker::onBurnt(base::Duration burnt, base::MonotonicTime now, base::Duration pause) {
  burn(burnt, now);
  if (burnt_ >= kBurnable && state_ != State::Open) open(now, pause);
}

void Breaker::burn(base::Duration burnt, base::MonotonicTime now) {
  burnt_ = std::max(base::Duration::zero(), burnt_ - (now - burnt_at_) / kForgiven) + burnt;
  burnt_at_ = now;
}

void Breaker::close() {
  state_ = State::Closed;
  useless_ = openings_ = 0;
  until_ = {};
}

void Breaker::onFailedStart(base::MonotonicTime now, base::Duration pause) {
  ++useless_;
  open(now, pause);
}

void Breaker::open(base::MonotonicTime now, base::Duration pause) {
  constexpr uint32_t kMostDoublings = 16;
  const base::Duration grown = pause * (1 << std::min(openings_++, kMostDoublings));
  state_ = State::Open;
  until_ = now + std::max(pause, std::min(grown, kLongestPause));
}

}  // namespace weir::proxy_wasm
