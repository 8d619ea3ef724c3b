// A module as Wasmtime compiled it, with what the rest of this folder needs to know about it, read once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "wasm/engine.h"
#include "wasm/handles.h"
#include "wasm/instance_pool.h"
#include "wasm/module_code.h"
#include "wasm/source_lines.h"

namespace weir::wasm {

class CompiledModule final : public Module {
 public:
  CompiledModule(wasm_engine_t& engine, ModuleHandle module, std::string digest,
                 std::unique_ptr<const SourceLines> lines);
  // The same code in the pool's engine. Before the module is shared; `pool` outlives its instances.
  void usePool(InstancePool& pool, ModuleHandle module);

  const std::vector<Import>& imports() const override { return imports_; }
  const std::vector<Export>& exports() const override { return exports_; }
  const std::string& digest() const override { return digest_; }

  const ModuleCode& code() const { return *code_; }
  // Null: its instances are mapped one by one.
  const ModuleCode* pooledCode() const { return pooled_code_.get(); }
  InstancePool* pool() const { return pool_; }
  // The largest memory that the module brings or asks for at its start, as far as its imports and exports tell.
  uint64_t initialMemoryBytes() const { return initial_memory_bytes_; }
  // The export that is the guest's memory ("memory", else the first one), and its place among the exports; empty if
  // there is none.
  const std::string& memoryName() const { return memory_name_; }
  size_t memoryIndex() const { return memory_index_; }
  // Null: the module has none.
  const SourceLines* sourceLines() const { return lines_.get(); }

 private:
  void readImports(const wasmtime_module_t& module);
  void readExports(const wasmtime_module_t& module);

  std::string digest_;
  const std::unique_ptr<const SourceLines> lines_;
  std::vector<Import> imports_;
  std::vector<Export> exports_;
  uint64_t initial_memory_bytes_ = 0;
  std::string memory_name_;
  size_t memory_index_ = 0;
  std::unique_ptr<const ModuleCode> code_;
  std::unique_ptr<const ModuleCode> pooled_code_;
  InstancePool* pool_ = nullptr;
};

}  // namespace weir::wasm
