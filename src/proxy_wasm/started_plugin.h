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
  enum class End : uint8_t { Told, Silent };

  // Creates the root and starts it. Silent: the guest is not told of the end (the canary).
  static base::Result<std::shared_ptr<StartedPlugin>> start(std::shared_ptr<Vm> vm,
                                                            std::shared_ptr<const LoadedPlugin> plugin, End end);
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
