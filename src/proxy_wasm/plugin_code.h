// What all VMs of one identity share, on all workers: the compiled module, what is known of it, and the parts of the
// process that its guests may touch. Immutable once made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy_wasm/budgets.h"
#include "proxy_wasm/log_budget.h"
#include "proxy_wasm/module_shape.h"
#include "proxy_wasm/shared_data.h"
#include "proxy_wasm/shared_queues.h"
#include "proxy_wasm/spec.h"
#include "stats/stats.h"
#include "wasm/engine.h"
#include "wasm/instance.h"

namespace weir::proxy_wasm {

// What a module imports, as the engine wants it. Contexts of functions point into it.
struct ResolvedImports {
  // Those without a context get the VM as theirs.
  std::vector<wasm::HostImport> functions;
  // The names of those that nobody has: the guest dies where it calls one. They are contexts of functions.
  std::vector<std::unique_ptr<const std::string>> lacking;
};

struct PluginCode {
  wasm::Engine& engine;
  stats::Store& stats;
  VmSpec spec;
  Budgets budgets;
  // Equal for VMs that may be shared: code, VM configuration, vm_id, environment, capabilities, budgets.
  std::string identity;
  std::string node;  // Serialized envoy.config.core.v3.Node.
  std::shared_ptr<const wasm::Module> module;
  ModuleShape shape;
  ResolvedImports imports;
  std::shared_ptr<const wasm::Blueprint> blueprint;  // The module with these imports.
  std::shared_ptr<SharedData::Space> shared_data;
  std::shared_ptr<SharedQueues::Share> shared_queues;
  stats::Counter& created;    // wasm.<runtime>.created
  stats::Gauge& active;       // wasm.<runtime>.active
  stats::Gauge& memory;       // wasm.vm_memory_bytes: linear memory of all VMs
  uint32_t time_one_call_in;  // See CallStats.
  std::shared_ptr<LogBudget> log_budget;
  stats::Counter& log_lines_dropped;    // wasm.log_lines_dropped
  stats::Counter& shared_data_refused;  // wasm.shared_data_refused
  stats::Counter& unknown_actions;      // wasm.unknown_actions
  stats::Counter& shared_queue_full;    // wasm.shared_queue_full
  stats::Counter& calls_refused;        // wasm.calls_refused: HTTP, gRPC, Redis and names
  stats::Counter& metrics_refused;      // wasm.metrics_refused
  stats::Counter& contexts_refused;     // wasm.contexts_refused: those of other plugins
  stats::Counter& instances_refused;    // wasm.instances_refused: those of streams
  stats::Counter& instances_unpooled;   // wasm.instances_unpooled: those of streams, configured but outside the pool
  stats::Counter& headers_refused;      // wasm.headers_refused: too many bytes of them, or bytes that none may have
  stats::Counter& pauses_ended;         // wasm.pauses_ended: of streams that a guest did not let go on
  stats::Counter& injections_refused;   // wasm.injections_refused: bytes for responses that are not taken
  stats::Counter& body_limits_refused;  // wasm.body_limits_refused: what a plugin asked to keep was more than it may
};

}  // namespace weir::proxy_wasm
