// The thread that makes deadlines hold: it ticks while a guest may be running, and sleeps when none is.
//
// Who starts a guest asks for the ticks that its deadline needs. That is free as long as enough of them are promised
// already (two loads); otherwise the promise is extended under a lock, by a little more than asked, so that busy
// workers do so once in kSlack ticks. When the promised ticks are over, the thread waits without a timeout: an idle
// process has no wake-ups. Leaving a guest costs nothing, because a promise is never taken back; hence the thread ticks
// on for a moment after the last call (at most what was asked for, plus kSlack).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace weir::wasm {

class Ticker {
 public:
  static constexpr uint64_t kSlack = 16;

  // on_tick runs on the ticking thread, once per tick.
  Ticker(base::Duration period, std::function<void()> on_tick);
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Promises that at least `count` more ticks come from now on. Thread-safe; a few ns when they are promised already.
  void need(uint64_t count) {
    if (ticks_.load(std::memory_order_acquire) + count <= promised_.load(std::memory_order_relaxed)) return;
    promise(count);
  }

  base::Duration period() const { return period_; }
  uint64_t ticks() const { return ticks_.load(std::memory_order_relaxed); }
  // Returns when the thread sleeps without a timeout.
  void waitUntilIdle();

 private:
  void promise(uint64_t count);
  void run();

  const base::Duration period_;
  const std::function<void()> on_tick_;
  // Written once per tick and once per kSlack ticks: workers share these lines without fighting over them.
  std::atomic<uint64_t> ticks_{0};
  std::atomic<uint64_t> promised_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool idle_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::wasm
