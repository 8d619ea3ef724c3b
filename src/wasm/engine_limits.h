// The limiter that third_party/wasmtime/src/lib.rs adds to Wasmtime's C API.
//
// When the linker does not find it, the build folder still points at an older engine: run tools/configure on it again.
#pragma once

#include <wasmtime.h>

#include <cstddef>
#include <cstdint>

extern "C" {

// The caps of one store, and what they refused. Mirrors the Rust struct of the same name, field by field.
struct weir_limits {
  size_t memory_bytes;      // Most bytes of the store's memory.
  size_t table_elements;    // Most elements of all the store's tables together.
  size_t granted_elements;  // So far; begins at 0.
  uint64_t refused_growths;
};

// Holds the store to the limits from now on; they must stay in place until the store is deleted.
void weir_store_set_limits(wasmtime_store_t* store, weir_limits* limits);
}
