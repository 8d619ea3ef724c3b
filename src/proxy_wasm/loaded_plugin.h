// A plugin that has been read, compiled, checked, and configured once on trial; or one that is still
// to come (late_plugin.h).
// Immutable, shared by all workers.
#pragma once

#include <memory>
#include <string>

#include "proxy_wasm/fresh_start.h"
#include "proxy_wasm/late_plugin.h"
#include "proxy_wasm/plugin_code.h"
#include "proxy_wasm/spec.h"
#include "proxy_wasm/successor.h"

namespace weir::proxy_wasm {

struct LoadedPlugin {
  PluginSpec spec;
  std::shared_ptr<const PluginCode> code;  // Null: late->get() is this plugin with its code, once that has come.
  std::string key;  // Equal for plugins that share a root context in a VM: everything in spec that is not the VM's.
  std::shared_ptr<LatePlugin> late = nullptr;
  std::shared_ptr<Successor> successor = nullptr;  // Null: its file is not watched.
  // Null: all streams of a worker share an instance (or the code is still to come).
  std::shared_ptr<const FreshStart> fresh = nullptr;

  // Of the code, as soon as it is here: then an equal plugin that was not late is the same one.
  const std::string& identity() const {
    if (code != nullptr) return code->identity;
    const auto here = late->get();  // Stays for as long as `late` does.
    return here != nullptr ? here->code->identity : late->identity;
  }
  stats::Store& stats() const { return code != nullptr ? code->stats : late->stats; }
};

}  // namespace weir::proxy_wasm
