// Timers on a loop's wheel, in ticks of a millisecond (a timer fires at or up to one tick after its time, never
// before).
//
// Arming, re-arming and disarming are O(1) and allocate nothing, because most timers (timeouts) never fire.
#pragma once

#include <array>
#include <functional>

#include "base/clock.h"

namespace weir::event {

class Loop;
class TimerWheel;

// Owned by whoever needs to be woken; destroying it disarms it. Belongs to the loop's thread.
class Timer {
 public:
  // on_fire runs on the loop's thread, with the timer disarmed; it may re-arm or destroy the timer.
  Timer(Loop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires once, this long from now. Arming an armed timer moves it.
  void arm(base::Duration in);
  void disarm();
  bool armed() const { return next_ != nullptr; }

 private:
  friend class TimerWheel;
  Loop& loop_;
  std::function<void()> on_fire_;
  uint64_t due_tick_ = 0;
  Timer* next_ = nullptr;  // Links in the wheel's slot; null when disarmed.
  Timer* previous_ = nullptr;
};

}  // namespace weir::event
