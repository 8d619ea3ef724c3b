#include "wasm/compiled_module.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wasm/types.h"

namespace weir::wasm {

const Module::Export* Module::findFunction(std::string_view name) const {
  const auto& all = exports();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Export& one) { return one.is_function && one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

ExportedFunction Module::find(std::string_view name, const FunctionType& type) const {
  constexpr size_t kMostParameters = 8;
  const auto is_i32 = [](ValueType value) { return value == ValueType::I32; };
  CHECK(type.params.size() <= kMostParameters && type.results.size() <= 1);
  CHECK(std::ranges::all_of(type.params, is_i32) && std::ranges::all_of(type.results, is_i32));
  const Export* const found = findFunction(name);
  if (found == nullptr || found->type != type) return {};
  return {static_cast<uint32_t>(found - exports().data()), static_cast<uint8_t>(type.params.size()),
          !type.results.empty()};
}

CompiledModule::CompiledModule(wasm_engine_t& engine, ModuleHandle module, std::string digest,
                               std::unique_ptr<const SourceLines> lines)
    : digest_(std::move(digest)), lines_(std::move(lines)) {
  readImports(*module);
  readExports(*module);
  code_ = std::make_unique<ModuleCode>(engine, std::move(module), exports_);
}

void CompiledModule::usePool(InstancePool& pool, ModuleHandle module) {
  pooled_code_ = std::make_unique<ModuleCode>(*pool.engine(), std::move(module), exports_);
  pool_ = &pool;
}

ModuleCode::ModuleCode(wasm_engine_t& engine, ModuleHandle module, const std::vector<Module::Export>& all)
    : engine(wasmtime_engine_clone(&engine)), module(std::move(module)) {
  wasmtime_module_imports(this->module.get(), imports.out());
  exports.reserve(all.size());
  for (const Module::Export& one : all) {
    const auto* name = reinterpret_cast<const uint8_t*>(one.name.data());
    exports.emplace_back(weir_module_export(this->module.get(), name, one.name.size()));
  }
}

void CompiledModule::readImports(const wasmtime_module_t& module) {
  OwnedImports types;
  wasmtime_module_imports(&module, types.out());
  imports_.reserve(types.size());
  for (const wasm_importtype_t* from : types) {
    const wasm_externtype_t* type = wasm_importtype_type(from);
    Import& import = imports_.emplace_back();
    import.module = textOf(wasm_importtype_module(from));
    import.name = textOf(wasm_importtype_name(from));
    import.is_function = wasm_externtype_kind(type) == WASM_EXTERN_FUNC;
    import.is_global = wasm_externtype_kind(type) == WASM_EXTERN_GLOBAL;
    if (import.is_function) import.type = functionType(*wasm_externtype_as_functype_const(type));
    initial_memory_bytes_ = std::max(initial_memory_bytes_, initialBytes(*type));
  }
}

void CompiledModule::readExports(const wasmtime_module_t& module) {
  OwnedExports types;
  wasmtime_module_exports(&module, types.out());
  exports_.reserve(types.size());
  for (const wasm_exporttype_t* from : types) {
    const wasm_externtype_t* type = wasm_exporttype_type(from);
    Export& one = exports_.emplace_back();
    one.name = textOf(wasm_exporttype_name(from));
    one.is_function = wasm_externtype_kind(type) == WASM_EXTERN_FUNC;
    one.is_memory = wasm_externtype_kind(type) == WASM_EXTERN_MEMORY;
    if (one.is_function) one.type = functionType(*wasm_externtype_as_functype_const(type));
    if (one.is_memory && (memory_name_.empty() || one.name == "memory")) {
      memory_name_ = one.name;
      memory_index_ = exports_.size() - 1;
    }
    initial_memory_bytes_ = std::max(initial_memory_bytes_, initialBytes(*type));
  }
}

}  // namespace weir::wasm
