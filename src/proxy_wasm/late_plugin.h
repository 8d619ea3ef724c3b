// A plugin whose code is still to come, or that could not be loaded so far (degraded_plugins.h): until then its streams
// get what the failure policy says.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "stats/stats.h"

namespace weir::proxy_wasm {

struct LoadedPlugin;

// Belongs to the main thread, but for get().
class LatePlugin {
 public:
  LatePlugin(stats::Store& stats, std::string identity) : stats(stats), identity(std::move(identity)) {}

  // Null until the code was there and could be loaded. Any thread.
  std::shared_ptr<const LoadedPlugin> get() const { return plugin_.load(); }
  void arrive(std::shared_ptr<const LoadedPlugin> plugin) { plugin_.store(std::move(plugin)); }

  // Whether it is known how the first tries ended: who waits for the plugin waits no longer.
  bool settled() const { return settled_; }
  void settle() {
    settled_ = true;
    for (const auto& told : std::exchange(waiting_, {})) told();
  }
  // Only while it is not settled.
  void whenSettled(std::function<void()> told) { waiting_.push_back(std::move(told)); }

  stats::Store& stats;
  const std::string identity;  // What PluginCode::identity is going to be, where that can be told.

 private:
  std::atomic<std::shared_ptr<const LoadedPlugin>> plugin_;
  bool settled_ = false;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace weir::proxy_wasm
