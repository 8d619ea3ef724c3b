// A plugin that has been read, compiled, checked, and configured once on trial. Immutable, shared by all workers.
#pragma once

#include <memory>
#include <string>

#include "proxy_wasm/plugin_code.h"
#include "proxy_wasm/spec.h"

namespace weir::proxy_wasm {

struct LoadedPlugin {
  PluginSpec spec;
  std::shared_ptr<const PluginCode> code;
  std::string key;  // Equal for plugins that share a root context in a VM: everything in spec that is not the VM's.
};

}  // namespace weir::proxy_wasm
