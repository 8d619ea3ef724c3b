// Where the next version of a plugin appears whose file has changed. All versions of a plugin share one, and the host
// keeps the newest: it is not kept here, as it would keep itself.
#pragma once

#include <atomic>
#include <memory>

namespace weir::proxy_wasm {

struct LoadedPlugin;

// Any thread.
class Successor {
 public:
  // The newest version; null: there is only the first.
  std::shared_ptr<const LoadedPlugin> get() const { return plugin_.load().lock(); }
  void set(const std::shared_ptr<const LoadedPlugin>& plugin) { plugin_.store(plugin); }

 private:
  std::atomic<std::weak_ptr<const LoadedPlugin>> plugin_;
};

}  // namespace weir::proxy_wasm
