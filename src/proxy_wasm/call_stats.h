// What one plugin's callbacks cost in one VM: how often each was called and failed, and how long it took.
//
//   wasm.<plugin>.call.<callback>.calls     counter
//   wasm.<plugin>.call.<callback>.errors    counter: calls in which the guest died
//   wasm.<plugin>.call.<callback>.time_ns   histogram, of one call in `time_one_in`
//
// A call costs one addition here; reading the clock twice would cost more than a small plugin does
// (docs/decisions/plugin-stats.md). The VM publishes the sums from time to time, so that workers do not fight over the
// counters. A callback's stats are made when it is first called.
//
// Used by the VM's thread alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "proxy_wasm/module_shape.h"
#include "stats/stats.h"

namespace weir::proxy_wasm {

// Of how many calls one is timed, unless --plugin-time-calls says otherwise.
inline constexpr uint32_t kTimeOneCallIn = 16;

class CallStats {
 public:
  // time_one_in: 1 times every call, 0 none. Of each callback the first call is timed. store must outlive it.
  CallStats(stats::Store& store, std::string_view plugin, uint32_t time_one_in)
      : store_(store), prefix_("wasm." + std::string(plugin) + ".call."), time_one_in_(time_one_in) {}
  ~CallStats() { publish(); }
  CallStats(const CallStats&) = delete;
  CallStats& operator=(const CallStats&) = delete;

  // Counts a call that begins. True: this one is to be timed.
  bool begin(Callback callback) {
    Row& row = rows_[static_cast<size_t>(callback)];
    ++row.calls;
    if (row.untimed > 0) {
      --row.untimed;
      return false;
    }
    row.untimed = time_one_in_ - 1;  // Not at all: the next one after 2^32 - 1.
    return time_one_in_ != 0;
  }
  void took(Callback callback, base::Duration time);
  void failed(Callback callback);
  // Adds what was counted since the last time to the counters.
  void publish();

 private:
  struct Named {
    stats::Counter& calls;
    stats::Counter& errors;
    stats::Histogram& time;
  };
  struct Row {
    uint32_t calls = 0;  // Not yet published.
    uint32_t untimed = 0;
    std::unique_ptr<Named> named;
  };
  Named& named(size_t callback);

  stats::Store& store_;
  const std::string prefix_;
  const uint32_t time_one_in_;
  std::array<Row, kCallbacks> rows_{};
};

}  // namespace weir::proxy_wasm
