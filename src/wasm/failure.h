// What Wasmtime says when a guest dies, as words for people: the cause in one line, and the guest's frames.
#pragma once

#include <string>

#include "wasm/handles.h"
#include "wasm/source_lines.h"

namespace weir::wasm {

// Wasmtime's message without the backtrace in it: "wasm trap: wasm `unreachable` instruction executed".
std::string causeOf(const wasmtime_error_t& error);
std::string causeOf(const wasm_trap_t& trap);

// The innermost 20 frames, "  0:  0x2c01a - name at src/lib.rs:42" each, with C++ and Rust names demangled, and the
// line where it is known; empty if there is none. Offsets are those in the module's file. lines: null if it has none.
std::string backtraceOf(const wasmtime_error_t& error, const SourceLines* lines);
std::string backtraceOf(const wasm_trap_t& trap, const SourceLines* lines);

// "_ZN4core9panicking5panic17h0123456789abcdefE", "_RNvNtCs1_4core9panicking5panic" -> "core::panicking::panic"; other
// names as they are.
std::string demangle(std::string_view name);

}  // namespace weir::wasm
