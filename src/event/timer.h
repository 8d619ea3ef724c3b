// Timers on a loop's wheel, in ticks of a millisecond (a timer fires at or up to one tick after its time, never
// before).
//
// Arming, re-arming and disarming are O(1) and allocate nothing, because most timers (timeouts) never fire.
#pragma once

#include <functional>

#include "base/clock.h"

namespace weir::event {

class Loop;
class TimerWheel;

// A place in one of the wheel's lists, which are rings: null links mean that it is in none.
struct TimerLink {
  TimerLink* next = nullptr;
  TimerLink* previous = nullptr;
};

// Owned by whoever needs to be woken; destroying it disarms it. Belongs to the loop's thread.
class Timer : private TimerLink {
 public:
  // on_fire runs on the loop's thread, with the timer disarmed; it may re-arm or destroy the timer.
  Timer(Loop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires once, this long from now; with nothing or less, in the next turn. Arming an armed timer moves it. Timers that
  // fire in one turn fire in the order of their times, and those of one tick in the order in which they were armed.
  void arm(base::Duration in);
  void disarm();
  bool armed() const { return next != nullptr; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Loop& loop_;
  std::function<void()> on_fire_;
  uint64_t due_tick_ = 0;
  uint16_t slot_ = 0;  // Which of the wheel's lists it is in, while armed.
};

}  // namespace weir::event
