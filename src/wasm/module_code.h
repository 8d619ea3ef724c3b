// A module's native code in one engine, with what instances of it share.
#pragma once

#include <vector>

#include "wasm/engine.h"
#include "wasm/handles.h"
#include "wasm/link.h"

namespace weir::wasm {

struct ModuleCode {
  // exports: the module's.
  ModuleCode(wasm_engine_t& engine, ModuleHandle module, const std::vector<Module::Export>& exports);

  const EngineHandle engine;
  const ModuleHandle module;
  OwnedImports imports;               // Wasmtime's own descriptions, whose types are of the engine.
  std::vector<ExportHandle> exports;  // In the order of the module's; likewise the imports.
  mutable Linkages linkages;          // A cache with a lock of its own.
};

}  // namespace weir::wasm
