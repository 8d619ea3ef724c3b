// What all roots of one plugin on one worker have in common: made once, where there is a root for every stream.
//
// Used by the worker's thread alone.
#pragma once

#include <fmt/format.h>

#include <string>

#include "proxy_wasm/call_stats.h"
#include "proxy_wasm/loaded_plugin.h"
#include "proxy_wasm/log_form.h"

namespace weir::proxy_wasm {

struct RootShare {
  // The plugin has its code.
  explicit RootShare(const LoadedPlugin& plugin)
      : log_prefix(logPrefix({plugin.spec.root_id, plugin.spec.vm.vm_id})),
        stream_log_prefix(logPrefix({plugin.spec.name, plugin.spec.root_id, plugin.spec.vm.vm_id})),
        call_stats(plugin.stats(), plugin.spec.name, plugin.code->time_one_call_in),
        memory(plugin.stats().gauge(fmt::format("wasm.{}.memory_bytes", plugin.spec.name))) {}

  const std::string log_prefix;
  const std::string stream_log_prefix;
  CallStats call_stats;
  stats::Gauge& memory;
  size_t roots = 0;  // That live.
  // Under way, of all roots together, as each of them last said.
  size_t calls = 0;
  size_t grpc_calls = 0;
};

}  // namespace weir::proxy_wasm
