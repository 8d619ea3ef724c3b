// What plugins did in one stream, as access logs tell it: %WASM_CALLS%, %WASM_DURATION%, %WASM_FAULT%.
//
// Calls are counted and timed only once a format of this process has asked for it (want()): reading the clock costs
// more than a small plugin's call. Faults are rare, and always noted.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace weir::filter {

// One plugin's part; of all its callbacks for the stream.
struct PluginUse {
  std::string plugin;
  uint64_t calls = 0;
  base::Duration time{};
  std::string fault{};  // "unreachable:proxy_on_request_headers"; empty: none.
};

// By plugin, in the order in which they were first called. At most as many as the stream has plugins.
class PluginUses {
 public:
  PluginUse& of(std::string_view plugin) {
    for (PluginUse& use : uses_) {
      if (use.plugin == plugin) return use;
    }
    uses_.emplace_back().plugin = plugin;
    return uses_.back();
  }
  auto begin() const { return uses_.begin(); }
  auto end() const { return uses_.end(); }

  // Whether calls are counted. Once wanted, for as long as the process lives. Thread-safe.
  static bool wanted() { return wanted_.load(std::memory_order_relaxed); }
  static void want() { wanted_.store(true, std::memory_order_relaxed); }

 private:
  std::vector<PluginUse> uses_;
  static inline std::atomic<bool> wanted_{false};
};

}  // namespace weir::filter
