// A plugin that runs in a VM: its root context, and a share of the VM. Held by the worker and by every stream that the
// plugin serves; when the last of them lets go, the root is shut down (proxy_on_done, proxy_on_delete).
#pragma once

#include <memory>

#include "proxy_wasm/loaded_plugin.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/vm.h"

namespace weir::proxy_wasm {

class StartedPlugin {
 public:
  enum class End : uint8_t {
    Told,        // proxy_on_done and proxy_on_delete.
    Silent,      // The guest is not told (the canary).
    AfterCalls,  // Nor is it here, but its VM stays until the calls that it began are answered.
  };

  // Creates the root and starts it.
  static base::Result<std::shared_ptr<StartedPlugin>> start(std::shared_ptr<Vm> vm,
                                                            std::shared_ptr<const LoadedPlugin> plugin,
                                                            std::shared_ptr<RootShare> share, End end);
  // In a VM of plugin->fresh->code: it has started already. Ends AfterCalls.
  static std::shared_ptr<StartedPlugin> resume(std::shared_ptr<Vm> vm, std::shared_ptr<const LoadedPlugin> plugin,
                                               std::shared_ptr<RootShare> share);
  StartedPlugin(std::shared_ptr<Vm> vm, RootContext& root, End end) : vm_(std::move(vm)), root_(root), end_(end) {}
  ~StartedPlugin();
  StartedPlugin(const StartedPlugin&) = delete;
  StartedPlugin& operator=(const StartedPlugin&) = delete;

  Vm& vm() const { return *vm_; }
  RootContext& root() const { return root_; }

 private:
  const std::shared_ptr<Vm> vm_;
  RootContext& root_;
  End end_;
};

}  // namespace weir::proxy_wasm
