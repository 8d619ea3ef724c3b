// C declarations of third_party/wasmtime/src/pool.rs.
#pragma once

#include <wasmtime.h>

#include <cstddef>
#include <cstdint>

extern "C" {

// What a pool holds, and what of it stays in memory after use. Mirrors the Rust struct of the same name, field by
// field.
struct weir_pool_settings {
  uint32_t instances;  // At the same time, each with one memory and one table at most.
  uint32_t warm;       // Unused places beyond which one of another module is taken over before a new one is begun.
  size_t memory_bytes;
  size_t table_elements;
  size_t memory_resident;  // Bytes of an instance that are written back by hand instead of given back to the system.
  size_t table_resident;
  bool scan;  // Whether the system is asked which pages were written to, if it can tell.
};

// Takes the configuration. Error: there is no room for the pool.
wasmtime_error_t* weir_pool_engine_new(wasm_config_t* config, const weir_pool_settings* settings, wasm_engine_t** out);
// Whether the system can tell which pages were written to.
bool weir_pool_scans();
// Bytes that unused places keep in memory.
size_t weir_pool_resident(const wasm_engine_t* engine);

// An export of a module, for all its instances; null: there is none of that name.
struct weir_export;
weir_export* weir_module_export(const wasmtime_module_t* module, const uint8_t* name, size_t size);
void weir_export_delete(weir_export* exported);
// What it is in an instance; false: no function, no memory.
bool weir_instance_function(wasmtime_context_t* store, const wasmtime_instance_t* instance, const weir_export* exported,
                            wasmtime_func_t* out);
bool weir_instance_memory(wasmtime_context_t* store, const wasmtime_instance_t* instance, const weir_export* exported,
                          wasmtime_memory_t* out);

}  // extern "C"
