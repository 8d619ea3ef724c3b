#include "wasm/ticker.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace weir::wasm {

Ticker::Ticker(base::Duration period, std::function<void()> on_tick) : period_(period), on_tick_(std::move(on_tick)) {
  // The new thread inherits the mask: signals belong to the event loops.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "weir:ticker");
}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Ticker::promise(uint64_t count) {
  const std::lock_guard lock(mutex_);
  const uint64_t wanted = ticks_.load(std::memory_order_relaxed) + count;
  if (wanted <= promised_.load(std::memory_order_relaxed)) return;  // Another worker was quicker.
  promised_.store(wanted + kSlack, std::memory_order_relaxed);
  if (!idle_) return;
  idle_ = false;
  changed_.notify_all();
}

void Ticker::waitUntilIdle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return idle_; });
}

void Ticker::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (ticks_.load(std::memory_order_relaxed) >= promised_.load(std::memory_order_relaxed)) {
      idle_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return stopping_ || !idle_; });
      continue;
    }
    // Late ticks are not made up for: after the machine stood still, a guest gets its time and not its death.
    if (changed_.wait_for(lock, period_, [this] { return stopping_; })) return;
    // Counted before it takes effect, so that who sees its effect sees it counted.
    ticks_.fetch_add(1, std::memory_order_release);
    on_tick_();
  }
}

}  // namespace weir::wasm
