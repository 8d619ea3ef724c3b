#include "wasm/compiled_module.h"

#include <algorithm>
#include <utility>

#include "wasm/types.h"

namespace weir::wasm {

const Module::Export* Module::findFunction(std::string_view name) const {
  const auto& all = exports();
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Export& one) { return one.is_function && one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

CompiledModule::CompiledModule(wasm_engine_t& engine, ModuleHandle module, std::string digest,
                               std::unique_ptr<const SourceLines> lines)
    : module_(std::move(module)), digest_(std::move(digest)), lines_(std::move(lines)), linkages_(engine) {
  wasmtime_module_imports(module_.get(), import_types_.out());
  readImports();
  readExports();
}

void CompiledModule::readImports() {
  imports_.reserve(import_types_.size());
  for (const wasm_importtype_t* from : import_types_) {
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

void CompiledModule::readExports() {
  OwnedExports types;
  wasmtime_module_exports(module_.get(), types.out());
  exports_.reserve(types.size());
  for (const wasm_exporttype_t* from : types) {
    const wasm_externtype_t* type = wasm_exporttype_type(from);
    Export& one = exports_.emplace_back();
    one.name = textOf(wasm_exporttype_name(from));
    one.is_function = wasm_externtype_kind(type) == WASM_EXTERN_FUNC;
    one.is_memory = wasm_externtype_kind(type) == WASM_EXTERN_MEMORY;
    if (one.is_function) one.type = functionType(*wasm_externtype_as_functype_const(type));
    if (one.is_memory && (memory_name_.empty() || one.name == "memory")) memory_name_ = one.name;
    initial_memory_bytes_ = std::max(initial_memory_bytes_, initialBytes(*type));
  }
}

}  // namespace weir::wasm
