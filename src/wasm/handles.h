// Owners for Wasmtime's C objects: what the C API hands out is deleted exactly once.
#pragma once

#include <wasmtime.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "wasm/engine_pool.h"

namespace weir::wasm {

template <auto kDelete>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    kDelete(object);
  }
};

using ConfigHandle = std::unique_ptr<wasm_config_t, Deleter<wasm_config_delete>>;
using EngineHandle = std::unique_ptr<wasm_engine_t, Deleter<wasm_engine_delete>>;
using ModuleHandle = std::unique_ptr<wasmtime_module_t, Deleter<wasmtime_module_delete>>;
using LinkerHandle = std::unique_ptr<wasmtime_linker_t, Deleter<wasmtime_linker_delete>>;
using InstancePreHandle = std::unique_ptr<wasmtime_instance_pre_t, Deleter<wasmtime_instance_pre_delete>>;
using StoreHandle = std::unique_ptr<wasmtime_store_t, Deleter<wasmtime_store_delete>>;
using ErrorHandle = std::unique_ptr<wasmtime_error_t, Deleter<wasmtime_error_delete>>;
using ValueTypeHandle = std::unique_ptr<wasm_valtype_t, Deleter<wasm_valtype_delete>>;
using TrapHandle = std::unique_ptr<wasm_trap_t, Deleter<wasm_trap_delete>>;
using ExportHandle = std::unique_ptr<weir_export, Deleter<weir_export_delete>>;

// One of wasm.h's vectors, which begins empty, is filled by a call through out(), and frees what it holds.
template <typename Vec, auto kDelete>
class OwnedVec {
 public:
  OwnedVec() = default;
  OwnedVec(const OwnedVec&) = delete;
  OwnedVec& operator=(const OwnedVec&) = delete;
  ~OwnedVec() { kDelete(&vec_); }
  Vec* out() { return &vec_; }
  size_t size() const { return vec_.size; }
  auto* begin() const { return vec_.data; }
  auto* end() const { return vec_.data + vec_.size; }

 private:
  Vec vec_{0, nullptr};
};

using OwnedBytes = OwnedVec<wasm_byte_vec_t, wasm_byte_vec_delete>;
using OwnedFrames = OwnedVec<wasm_frame_vec_t, wasm_frame_vec_delete>;
using OwnedImports = OwnedVec<wasm_importtype_vec_t, wasm_importtype_vec_delete>;
using OwnedExports = OwnedVec<wasm_exporttype_vec_t, wasm_exporttype_vec_delete>;

inline std::vector<std::byte> copyOf(const OwnedBytes& bytes) {
  const auto view = std::as_bytes(std::span(bytes.begin(), bytes.size()));
  return {view.begin(), view.end()};
}

inline std::string_view textOf(const wasm_byte_vec_t* bytes) {
  return bytes == nullptr || bytes->data == nullptr ? std::string_view() : std::string_view(bytes->data, bytes->size);
}

}  // namespace weir::wasm
