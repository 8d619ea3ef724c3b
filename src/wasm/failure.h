// What Wasmtime says when a guest dies, as words for people: the cause in one line, and the guest's frames.
#pragma once

#include <string>

#include "wasm/handles.h"

namespace weir::wasm {

// Wasmtime's message without the backtrace in it: "wasm trap: wasm `unreachable` instruction executed".
std::string causeOf(const wasmtime_error_t& error);
std::string causeOf(const wasm_trap_t& trap);

// The innermost 20 frames, "  0:  0x2c01a - name" each, with C++ and Rust names demangled; empty if there is none.
// Offsets are those in the module's file.
std::string backtraceOf(const wasmtime_error_t& error);
std::string backtraceOf(const wasm_trap_t& trap);

// "_ZN4core9panicking5panic17h0123456789abcdefE" -> "core::panicking::panic"; other names as they are.
std::string demangle(std::string_view name);

}  // namespace weir::wasm
