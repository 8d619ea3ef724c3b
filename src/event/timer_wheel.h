// Where a loop's timers wait: a hierarchy of rings, so that every operation costs the same for a millisecond and for a
// year.
//
// Time is counted in ticks of a millisecond since the wheel was made. Level 0 has a slot for each of the 64 ticks that
// share all but the last 6 bits with the present one, level 1 a slot for each 64 ticks of the next 6 bits, and so on;
// eight levels hold any Duration. A timer sits at the level of the highest bit in which its tick differs from the
// present; when time enters its slot, it moves down, at most seven times in its life and mostly never.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "event/timer.h"

namespace weir::event {

class TimerWheel {
 public:
  static constexpr base::Duration kTick = std::chrono::milliseconds(1);

  explicit TimerWheel(base::MonotonicTime origin);
  // All timers must be disarmed or gone.
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void arm(Timer& timer, base::MonotonicTime now, base::Duration in);
  void disarm(Timer& timer);
  // The timer is being destroyed, perhaps by its own callback.
  void forget(Timer& timer);

  bool empty() const { return armed_ == 0; }
  // How long until the next timer may be due: never too long, perhaps too short by a move between levels.
  std::optional<base::Duration> untilNext(base::MonotonicTime now) const;
  // Fires what is due. What these timers arm anew fires in a later call, even if it is due at once.
  void fireDue(base::MonotonicTime now);

 private:
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 8;
  static constexpr uint16_t kReadySlot = kSlots * kLevels;       // Due: fires with the next fireDue().
  static constexpr uint16_t kFiringSlot = kSlots * kLevels + 1;  // Being fired by the present fireDue().
  static constexpr uint64_t kFarthestTick = (uint64_t{1} << (kBits * kLevels)) - 1;

  uint64_t floorTick(base::MonotonicTime at) const;
  void place(Timer& timer);
  void append(Timer& timer, uint16_t slot);
  void unlink(Timer& timer);
  std::optional<uint64_t> nextTick(int* level) const;
  void advanceTo(uint64_t tick);
  void emptySlot(uint16_t slot);
  void fire(Timer& timer);

  base::MonotonicTime origin_;
  uint64_t present_ = 0;  // All ticks up to this one have been served.
  size_t armed_ = 0;
  Timer* in_callback_ = nullptr;
  std::array<uint64_t, kLevels> occupied_{};  // Bit per slot that holds a timer.
  std::array<TimerLink, kSlots * kLevels + 2> lists_;
};

}  // namespace weir::event
