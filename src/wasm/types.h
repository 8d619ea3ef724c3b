// From Wasmtime's types to ours.
#pragma once

#include "wasm/engine.h"
#include "wasm/handles.h"

namespace weir::wasm {

FunctionType functionType(const wasm_functype_t& type);

// The bytes that a memory of this type has from the start; 0 if it is not the type of a memory.
uint64_t initialBytes(const wasm_externtype_t& type);

}  // namespace weir::wasm
