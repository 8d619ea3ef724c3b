#include "wasm/link.h"

#include <algorithm>
#include <utility>

#include "wasm/compiled_module.h"
#include "wasm/failure.h"
#include "wasm/guest_instance.h"
#include "wasm/import_check.h"

namespace weir::wasm {
namespace {

base::Error refusal(const wasmtime_error_t& error) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
          "Failed to load Wasm module: " + causeOf(error)};
}

}  // namespace

base::Result<std::shared_ptr<const Linkage>> Linkage::create(const CompiledModule& module, const ModuleCode& code,
                                                             std::span<const HostImport> host) {
  auto found = findHostFunctions(module, host);
  if (!found.ok()) return std::move(found).error();

  std::shared_ptr<Linkage> linkage(new Linkage());
  linkage->host_indexes_ = std::move(*found);
  if (const ErrorHandle error = linkage->defineFunctions(module, code, host)) return refusal(*error);

  const auto& imports = module.imports();
  if (!std::ranges::all_of(imports, &Module::Import::is_function)) return std::shared_ptr<const Linkage>(linkage);
  wasmtime_instance_pre_t* prepared = nullptr;
  const ErrorHandle error(wasmtime_linker_instantiate_pre(linkage->linker_.get(), code.module.get(), &prepared));
  if (error) return refusal(*error);
  linkage->prepared_.reset(prepared);
  return std::shared_ptr<const Linkage>(linkage);
}

ErrorHandle Linkage::defineFunctions(const CompiledModule& module, const ModuleCode& code,
                                     std::span<const HostImport> host) {
  linker_.reset(wasmtime_linker_new(code.engine.get()));
  wasmtime_linker_allow_shadowing(linker_.get(), true);  // A module may import the same function twice.
  bindings_.reserve(host_indexes_.size());               // Addresses stay.
  for (size_t i = 0; i < module.imports().size(); ++i) {
    const Module::Import& import = module.imports()[i];
    if (!import.is_function) continue;
    const size_t slot = bindings_.size();
    Binding& binding = bindings_.emplace_back(Binding{host[host_indexes_[slot]].function, slot});
    const wasm_functype_t* type = wasm_externtype_as_functype_const(wasm_importtype_type(*(code.imports.begin() + i)));
    ErrorHandle error(wasmtime_linker_define_func_unchecked(linker_.get(), import.module.data(), import.module.size(),
                                                            import.name.data(), import.name.size(), type,
                                                            &GuestInstance::enterHost, &binding, nullptr));
    if (error) return error;
  }
  return nullptr;
}

std::optional<std::vector<void*>> Linkage::contextsFrom(const CompiledModule& module,
                                                        std::span<const HostImport> host) const {
  std::vector<void*> contexts;
  contexts.reserve(bindings_.size());
  for (const Module::Import& import : module.imports()) {
    if (!import.is_function) continue;
    const size_t slot = contexts.size();
    if (host_indexes_[slot] >= host.size()) return std::nullopt;
    // The same name with the same function has the same type, which was checked when this linkage was made.
    const HostImport& offered = host[host_indexes_[slot]];
    if (offered.function != bindings_[slot].function) return std::nullopt;
    if (offered.name != import.name || offered.module != import.module) return std::nullopt;
    contexts.push_back(offered.context);
  }
  return contexts;
}

ErrorHandle Linkage::makeItems(const CompiledModule& module, const ModuleCode& code, wasmtime_context_t* store,
                               wasmtime_linker_t& linker, std::optional<wasmtime_memory_t>& memory) const {
  // All functions are defined and globals were refused: what is left are memories and tables, which Wasmtime makes with
  // just the type that is asked for. (The C API without garbage collection has no other way to make a table.)
  ErrorHandle error(wasmtime_linker_define_unknown_imports_as_default_values(&linker, store, code.module.get()));
  if (error) return error;
  for (const Module::Import& import : module.imports()) {
    wasmtime_extern_t item;
    if (import.is_function || !wasmtime_linker_get(&linker, store, import.module.data(), import.module.size(),
                                                   import.name.data(), import.name.size(), &item)) {
      continue;
    }
    if (item.kind == WASMTIME_EXTERN_MEMORY) memory = item.of.memory;
    wasmtime_extern_delete(&item);
  }
  return nullptr;
}

ErrorHandle Linkage::instantiate(const CompiledModule& module, const ModuleCode& code, wasmtime_context_t* store,
                                 std::optional<wasmtime_memory_t>& memory, wasmtime_instance_t& instance,
                                 TrapHandle& trap) const {
  wasm_trap_t* raw_trap = nullptr;
  ErrorHandle error;
  if (prepared_ != nullptr) {
    error.reset(wasmtime_instance_pre_instantiate(prepared_.get(), store, &instance, &raw_trap));
  } else {
    const LinkerHandle linker(wasmtime_linker_clone(linker_.get()));
    error = makeItems(module, code, store, *linker, memory);
    if (error) return error;
    error.reset(wasmtime_linker_instantiate(linker.get(), store, code.module.get(), &instance, &raw_trap));
  }
  trap.reset(raw_trap);
  return error;
}

base::Result<Linkages::Match> Linkages::match(const CompiledModule& module, const ModuleCode& code,
                                              std::span<const HostImport> host) {
  const std::lock_guard lock(mutex_);
  for (const auto& linkage : known_) {
    if (auto contexts = linkage->contextsFrom(module, host)) return Match{linkage, std::move(*contexts)};
  }
  auto made = Linkage::create(module, code, host);
  if (!made.ok()) return std::move(made).error();
  if (known_.size() == kMost) known_.erase(known_.begin());
  known_.push_back(*made);
  return Match{*made, *(*made)->contextsFrom(module, host)};
}

}  // namespace weir::wasm
