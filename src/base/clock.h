// Time as an interface: what needs time gets a Clock in its constructor, so that tests can turn it.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir::base {

using Duration = std::chrono::nanoseconds;
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// A span in whole milliseconds, as statistics and headers tell it. It must not be negative.
inline uint64_t milliseconds(Duration span) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
}

// Thread-safe. Two clocks: monotonic for measuring and timers, wall for what people and peers read.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime monotonic() const = 0;
  virtual WallTime wall() const = 0;
};

// The machine's clocks; lives for the whole program.
const Clock& systemClock();

// Stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  MonotonicTime monotonic() const override { return monotonic_; }
  WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    monotonic_ += by;
    wall_ += by;
  }

 private:
  MonotonicTime monotonic_{std::chrono::seconds(1000)};
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
};

}  // namespace weir::base
