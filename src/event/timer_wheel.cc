#include "event/timer_wheel.h"

#include <bit>

#include "base/check.h"
#include "event/loop.h"

namespace weir::event {

Timer::Timer(Loop& loop, std::function<void()> on_fire)
    : wheel_(loop.timers()), loop_(loop), on_fire_(std::move(on_fire)) {}
Timer::~Timer() { wheel_.forget(*this); }
void Timer::arm(base::Duration in) { wheel_.arm(*this, loop_.now(), in); }
void Timer::disarm() { wheel_.disarm(*this); }

TimerWheel::TimerWheel(base::MonotonicTime origin) : origin_(origin) {
  for (TimerLink& list : lists_) list.next = list.previous = &list;
}

TimerWheel::~TimerWheel() { CHECK(armed_ == 0); }

uint64_t TimerWheel::floorTick(base::MonotonicTime at) const {
  return at <= origin_ ? 0 : static_cast<uint64_t>((at - origin_) / kTick);
}

void TimerWheel::arm(Timer& timer, base::MonotonicTime now, base::Duration in) {
  if (timer.armed()) unlink(timer);
  ++armed_;
  if (in <= base::Duration::zero()) {
    timer.due_tick_ = present_;
    return append(timer, kReadySlot);
  }
  // Rounded up, so that it does not fire early; what is beyond the farthest tick cannot overflow.
  constexpr base::Duration kFarthest = base::Duration::max() - kTick;
  static_assert(kFarthest / kTick < static_cast<int64_t>(kFarthestTick));
  const base::Duration since = now <= origin_ ? base::Duration::zero() : now - origin_;
  const base::Duration due = in < kFarthest - since ? since + in : kFarthest;
  timer.due_tick_ = static_cast<uint64_t>((due + kTick - base::Duration(1)) / kTick);
  place(timer);
}

void TimerWheel::disarm(Timer& timer) {
  if (timer.armed()) unlink(timer);
}

void TimerWheel::forget(Timer& timer) {
  disarm(timer);
  if (in_callback_ == &timer) in_callback_ = nullptr;
}

void TimerWheel::place(Timer& timer) {
  if (timer.due_tick_ <= present_) return append(timer, kReadySlot);
  const auto highest_bit = static_cast<unsigned>(std::bit_width(timer.due_tick_ ^ present_)) - 1;  // They differ.
  const unsigned level = highest_bit / kBits;
  const int slot = static_cast<int>(timer.due_tick_ >> (level * kBits)) & (kSlots - 1);
  occupied_[level] |= uint64_t{1} << slot;
  append(timer, static_cast<uint16_t>(level * kSlots + slot));
}

void TimerWheel::append(Timer& timer, uint16_t slot) {
  TimerLink& list = lists_[slot];
  timer.slot_ = slot;
  timer.next = &list;
  timer.previous = list.previous;
  list.previous->next = &timer;
  list.previous = &timer;
}

void TimerWheel::unlink(Timer& timer) {
  --armed_;
  TimerLink* const next = timer.next;
  next->previous = timer.previous;
  timer.previous->next = next;
  timer.next = timer.previous = nullptr;
  const bool list_empty = next->next == next;
  if (list_empty && timer.slot_ < kReadySlot) {
    occupied_[timer.slot_ / kSlots] &= ~(uint64_t{1} << (timer.slot_ % kSlots));
  }
}

// The lowest occupied level holds what comes first: a slot of level n lies behind all slots of the levels below it.
std::optional<uint64_t> TimerWheel::nextTick(int* level) const {
  for (*level = 0; *level < kLevels; ++*level) {
    if (occupied_[*level] == 0) continue;
    const uint64_t slot = static_cast<uint64_t>(std::countr_zero(occupied_[*level]));
    const int below = *level * kBits;
    const uint64_t above = present_ >> (below + kBits) << (below + kBits);
    return above | slot << below;
  }
  return std::nullopt;
}

std::optional<base::Duration> TimerWheel::untilNext(base::MonotonicTime now) const {
  if (armed_ == 0) return std::nullopt;
  if (lists_[kReadySlot].next != &lists_[kReadySlot]) return base::Duration::zero();
  int level = 0;
  const std::optional<uint64_t> tick = nextTick(&level);
  if (!tick) return std::nullopt;
  const base::Duration since_origin = now <= origin_ ? base::Duration::zero() : now - origin_;
  return std::max(base::Duration::zero(), base::Duration(kTick.count() * static_cast<int64_t>(*tick)) - since_origin);
}

void TimerWheel::fireDue(base::MonotonicTime now) {
  if (armed_ == 0) {
    present_ = floorTick(now);
    return;
  }
  advanceTo(floorTick(now));
  // Taken aside first: a timer that arms itself anew with nothing to wait must not keep this loop going.
  TimerLink& ready = lists_[kReadySlot];
  while (ready.next != &ready) {
    Timer& timer = static_cast<Timer&>(*ready.next);
    unlink(timer);
    ++armed_;
    append(timer, kFiringSlot);
  }
  TimerLink& firing = lists_[kFiringSlot];
  while (firing.next != &firing) fire(static_cast<Timer&>(*firing.next));
}

void TimerWheel::advanceTo(uint64_t tick) {
  int level = 0;
  while (true) {
    const std::optional<uint64_t> next = nextTick(&level);
    if (!next || *next > tick) break;
    present_ = *next;
    emptySlot(static_cast<uint16_t>(level * kSlots + static_cast<int>((*next >> (level * kBits)) & (kSlots - 1))));
  }
  present_ = std::max(present_, tick);
}

// Time has come to this slot: its timers are due, or go to the levels below.
void TimerWheel::emptySlot(uint16_t slot) {
  TimerLink& list = lists_[slot];
  while (list.next != &list) {
    Timer& timer = static_cast<Timer&>(*list.next);
    unlink(timer);
    ++armed_;
    place(timer);
  }
}

// The callback may destroy the timer, and must not be destroyed while it runs: hence it is called from here.
void TimerWheel::fire(Timer& timer) {
  unlink(timer);
  in_callback_ = &timer;
  std::function<void()> on_fire = std::move(timer.on_fire_);
  on_fire();
  if (in_callback_ == &timer) timer.on_fire_ = std::move(on_fire);
  in_callback_ = nullptr;
}

}  // namespace weir::event
