// A module as Wasmtime compiled it, with what the rest of this folder needs to know about it, read once.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "wasm/engine.h"
#include "wasm/handles.h"
#include "wasm/link.h"
#include "wasm/source_lines.h"

namespace weir::wasm {

class CompiledModule final : public Module {
 public:
  CompiledModule(wasm_engine_t& engine, ModuleHandle module, std::string digest,
                 std::unique_ptr<const SourceLines> lines);

  const std::vector<Import>& imports() const override { return imports_; }
  const std::vector<Export>& exports() const override { return exports_; }
  const std::string& digest() const override { return digest_; }

  wasmtime_module_t* handle() const { return module_.get(); }
  // Wasmtime's own descriptions, in the order of imports().
  const OwnedImports& importTypes() const { return import_types_; }
  // The largest memory that the module brings or asks for at its start, as far as its imports and exports tell.
  uint64_t initialMemoryBytes() const { return initial_memory_bytes_; }
  // The export that is the guest's memory ("memory", else the first one); empty if there is none.
  const std::string& memoryName() const { return memory_name_; }
  // Null: the module has none.
  const SourceLines* sourceLines() const { return lines_.get(); }
  Linkages& linkages() const { return linkages_; }

 private:
  void readImports();
  void readExports();

  ModuleHandle module_;
  std::string digest_;
  const std::unique_ptr<const SourceLines> lines_;
  OwnedImports import_types_;
  std::vector<Import> imports_;
  std::vector<Export> exports_;
  uint64_t initial_memory_bytes_ = 0;
  std::string memory_name_;
  mutable Linkages linkages_;  // A cache with a lock of its own.
};

}  // namespace weir::wasm
