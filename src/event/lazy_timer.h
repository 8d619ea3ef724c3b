// A timer for what is put off again and again, with every request: arming it for later, and disarming it, changes a
// number and leaves the wheel alone. When the wheel's timer fires it looks whether its time has really come.
//
// Costs a wake-up now and then in which nothing is done: once in the time for which it is usually armed. Else as Timer.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>

#include "event/loop.h"
#include "event/timer.h"

namespace weir::event {

class LazyTimer {
 public:
  LazyTimer(Loop& loop, std::function<void()> on_fire)
      : loop_(loop), on_fire_(std::move(on_fire)), timer_(loop, [this] { look(); }) {}

  void arm(base::Duration in) {
    due_ = loop_.now() + std::min(in, kLongest);
    if (timer_.armed() && fires_ <= *due_) return;
    fires_ = *due_;
    timer_.arm(in);
  }
  void disarm() { due_.reset(); }
  bool armed() const { return due_.has_value(); }

 private:
  static constexpr base::Duration kLongest = std::chrono::hours(24 * 365 * 50);  // So that no sum of times overflows.

  void look() {
    if (!due_) return;
    const base::MonotonicTime now = loop_.now();
    if (*due_ > now) {
      fires_ = *due_;
      return timer_.arm(*due_ - now);
    }
    due_.reset();
    const std::function<void()> fire = on_fire_;  // Which may be destroyed by what it does.
    fire();
  }

  Loop& loop_;
  std::function<void()> on_fire_;
  std::optional<base::MonotonicTime> due_;
  base::MonotonicTime fires_{};  // When the wheel's timer does, while it is armed.
  Timer timer_;
};

}  // namespace weir::event
