#include "proxy_wasm/breaker.h"

#include <algorithm>

namespace weir::proxy_wasm {

void Breaker::onDeath(bool of_use, base::Duration burnt, base::MonotonicTime now, base::Duration pause) {
  if (of_use) return close();
  ++useless_;
  useless_time_ += burnt;
  if (state_ == State::HalfOpen || useless_ > kUselessLives || useless_time_ >= kUselessTime) open(now, pause);
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
