// How much a plugin may log: a flood of lines fills the operator's disk and holds the worker that writes them.
//
// A bucket of bytes that fills at a steady rate; lines above it are dropped and counted. Shared by all VMs of one code,
// so that a guest which dies and starts anew gains nothing. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"

namespace weir::proxy_wasm {

class LogBudget {
 public:
  // bytes_per_second is also what may come at once; 0: no limit.
  explicit LogBudget(uint64_t bytes_per_second) : rate_(bytes_per_second), left_(bytes_per_second) {}

  // How many lines were dropped since the last one that was taken; nullopt: this one is to be dropped.
  std::optional<uint64_t> take(size_t bytes, base::MonotonicTime now);

 private:
  // A line costs more than its text: its prefix, and the write.
  static constexpr uint64_t kLineBytes = 64;

  const uint64_t rate_;
  std::mutex mutex_;
  uint64_t left_;
  uint64_t dropped_ = 0;
  std::optional<base::MonotonicTime> filled_;
};

}  // namespace weir::proxy_wasm
