// Ties a module's imports to host functions: checks them once, and prepares what instances of the module share.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "wasm/handles.h"
#include "wasm/instance.h"

namespace weir::wasm {

class CompiledModule;
struct ModuleCode;

// One function import of a module: where the guest's call goes, and which of the instance's contexts goes with it.
struct Binding {
  HostFunction function = nullptr;
  size_t context = 0;
};

// One module's code with one set of host functions. Immutable, shared by instances, which keep it until their store is
// gone.
class Linkage {
 public:
  // Error (side Operator): the first import that cannot be satisfied, in Envoy's words, and the names of the others.
  static base::Result<std::shared_ptr<const Linkage>> create(const CompiledModule& module, const ModuleCode& code,
                                                             std::span<const HostImport> host);

  // The contexts to use with this linkage if it fits `host`: same functions for the same imports; else nullopt.
  std::optional<std::vector<void*>> contextsFrom(const CompiledModule& module, std::span<const HostImport> host) const;

  // Makes the module's instance in the store, running its start section. The memory that the module imports, if it
  // does, is made first and put into `memory`. As with Wasmtime's own: an error, or a trap, or neither.
  ErrorHandle instantiate(const CompiledModule& module, const ModuleCode& code, wasmtime_context_t* store,
                          std::optional<wasmtime_memory_t>& memory, wasmtime_instance_t& instance,
                          TrapHandle& trap) const;

 private:
  Linkage() = default;
  ErrorHandle defineFunctions(const CompiledModule& module, const ModuleCode& code, std::span<const HostImport> host);
  ErrorHandle makeItems(const CompiledModule& module, const ModuleCode& code, wasmtime_context_t* store,
                        wasmtime_linker_t& linker, std::optional<wasmtime_memory_t>& memory) const;

  std::vector<Binding> bindings_;     // One per function import, in their order; Wasmtime points into it.
  std::vector<size_t> host_indexes_;  // Where in the host's table each was found.
  LinkerHandle linker_;
  InstancePreHandle prepared_;  // Empty if the module imports a memory or table, which belong to one store.
};

// The linkages of one module's code: few, as there are few host tables. Thread-safe.
class Linkages {
 public:
  struct Match {
    std::shared_ptr<const Linkage> linkage;
    std::vector<void*> contexts;
  };
  base::Result<Match> match(const CompiledModule& module, const ModuleCode& code, std::span<const HostImport> host);

 private:
  static constexpr size_t kMost = 8;  // Then the oldest goes; instances that use it keep it alive.

  std::mutex mutex_;
  std::vector<std::shared_ptr<const Linkage>> known_;
};

}  // namespace weir::wasm
