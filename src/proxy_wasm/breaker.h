// The breaker of a plugin on one worker: whether its instance, when it has died, is replaced.
//
// Closed: at once. Open: there is no instance, and the failure policy decides about every stream at once. It opens when
// more than kUselessLives instances in a row have died without having been of use, or when one could not even be
// started; and, of use or not, when their calls have burnt kBurnable of the worker's time by running into their
// deadline, of which a tenth of the time that passes is forgiven: meanwhile nobody else on the worker is served.
// Half open: after a pause one more instance is made. When that is of use the breaker closes; when not it opens again,
// for twice as long, up to a minute.
//
// Of use is an instance that has served a stream from beginning to end, or has lived for a minute.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace weir::proxy_wasm {

// A value; whoever has it looks at the clock.
class Breaker {
 public:
  // So many instances in a row may die without having been of use. Generous: a new one costs a fraction of a
  // millisecond, and a burst of requests that each kill it must not take the others with it.
  static constexpr uint32_t kUselessLives = 200;
  static constexpr base::Duration kBurnable = std::chrono::seconds(2);
  static constexpr int kForgiven = 10;  // One of so many parts of the time that passes.
  static constexpr base::Duration kLongestPause = std::chrono::seconds(60);
  static constexpr base::Duration kLongLife = std::chrono::seconds(60);
  // How often a half-open breaker looks whether its instance has been of use.
  static constexpr base::Duration kProbeEvery = std::chrono::seconds(1);

  enum class State : uint8_t { Closed, Open, HalfOpen };
  State state() const { return state_; }
  // While it is open: when the next instance may be made.
  base::MonotonicTime until() const { return until_; }
  // Instances that have died one after the other without having been of use.
  uint32_t useless() const { return useless_; }
  // What their deadlines cost, less what has been forgiven.
  base::Duration burnt() const { return burnt_; }
  // Whether an instance may be made now.
  bool admits(base::MonotonicTime now) const { return state_ != State::Open || now >= until_; }

  // An instance was made.
  void onStarted() {
    if (state_ == State::Open) state_ = State::HalfOpen;
  }
  // One has died, or (failed start) did not come to life. burnt: the time of the call in which it died, where that was
  // its deadline. pause: the shortest, when it opens.
  void onDeath(bool of_use, base::Duration burnt, base::MonotonicTime now, base::Duration pause);
  // The same of an instance that was one stream's alone: that it died is no matter, what it burnt is.
  void onBurnt(base::Duration burnt, base::MonotonicTime now, base::Duration pause);
  void onFailedStart(base::MonotonicTime now, base::Duration pause);
  // The one that lives has been of use. What was burnt stays.
  void close();

 private:
  void burn(base::Duration burnt, base::MonotonicTime now);
  void open(base::MonotonicTime now, base::Duration pause);

  State state_ = State::Closed;
  uint32_t useless_ = 0;
  base::Duration burnt_{};
  base::MonotonicTime burnt_at_{};
  uint32_t openings_ = 0;  // Since it was closed last.
  base::MonotonicTime until_{};
};

}  // namespace weir::proxy_wasm
