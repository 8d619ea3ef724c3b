// C declarations of third_party/wasmtime/src/snapshot.rs.
#pragma once

#include <wasmtime.h>

extern "C" {

wasmtime_error_t* weir_snapshot_instrument(const uint8_t* bytes, size_t size, wasm_byte_vec_t* out);
wasmtime_error_t* weir_snapshot_take(const uint8_t* bytes, size_t size, wasmtime_context_t* store,
                                     const wasmtime_instance_t* instance, wasm_byte_vec_t* out);

}  // extern "C"
