#include "wasm/failure.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "wasm/instance.h"
#include "wasm/rust_names.h"

namespace weir::wasm {
namespace {

constexpr size_t kFrames = 20;
constexpr size_t kLongestName = 512;  // Longer ones are cut: names are the plugin's, the log is ours.

// Wasmtime renders an error with its chain: "error while executing at wasm backtrace: ...\n\nCaused by:\n    <cause>".
// A chain of several is numbered; the last one is the root, and its number goes too.
std::string withoutBacktrace(std::string_view message) {
  constexpr std::string_view kMark = "Caused by:\n";
  const size_t mark = message.rfind(kMark);
  std::string_view cause = mark == std::string_view::npos ? message : message.substr(mark + kMark.size());
  if (const size_t end = cause.find_last_not_of(" \n"); end != std::string_view::npos) cause = cause.substr(0, end + 1);
  if (mark != std::string_view::npos) cause = cause.substr(cause.rfind('\n') + 1);
  cause.remove_prefix(std::min(cause.find_first_not_of(' '), cause.size()));
  const size_t digits = cause.find_first_not_of("0123456789");
  if (mark != std::string_view::npos && digits != 0 && cause.substr(digits).starts_with(": ")) {
    cause.remove_prefix(digits + 2);
  }
  return std::string(cause);
}

std::string nameOf(const wasm_frame_t& frame) {
  const std::string_view name = textOf(wasmtime_frame_func_name(&frame));
  if (name.empty()) return fmt::format("wasm function {}", wasm_frame_func_index(&frame));
  return demangle(name.substr(0, kLongestName));
}

std::string print(const OwnedFrames& frames, const SourceLines* lines) {
  std::string text;
  size_t number = 0;
  for (const wasm_frame_t* frame : frames) {
    if (number == kFrames) break;
    const size_t offset = wasm_frame_module_offset(frame);
    const std::string line = lines != nullptr ? lines->find(offset) : "";
    fmt::format_to(std::back_inserter(text), "{:>3}:  0x{:x} - {}{}{}\n", number++, offset, nameOf(*frame),
                   line.empty() ? "" : " at ", line);
  }
  return text;
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::None: return "none";
    case FaultKind::Deadline: return "deadline";
    case FaultKind::Stack: return "stack";
    case FaultKind::MemoryLimit: return "memory_limit";
    case FaultKind::MemoryAccess: return "memory_access";
    case FaultKind::Unreachable: return "unreachable";
    case FaultKind::Host: return "host";
    case FaultKind::Other: break;
  }
  return "other";
}

std::string causeOf(const wasmtime_error_t& error) {
  OwnedBytes message;
  wasmtime_error_message(&error, message.out());
  return withoutBacktrace(textOf(message.out()));
}

std::string causeOf(const wasm_trap_t& trap) {
  OwnedBytes message;
  wasm_trap_message(&trap, message.out());
  std::string_view text = textOf(message.out());
  if (text.ends_with('\0')) text.remove_suffix(1);  // wasm.h promises a C string.
  return withoutBacktrace(text);
}

std::string backtraceOf(const wasmtime_error_t& error, const SourceLines* lines) {
  OwnedFrames frames;
  wasmtime_error_wasm_trace(&error, frames.out());
  return print(frames, lines);
}

std::string backtraceOf(const wasm_trap_t& trap, const SourceLines* lines) {
  OwnedFrames frames;
  wasm_trap_trace(&trap, frames.out());
  return print(frames, lines);
}

std::string demangle(std::string_view name) {
  if (auto rust = readableRustName(name)) return *std::move(rust);
  if (!name.starts_with("_Z")) return std::string(name);
  int status = 0;
  char* plain = abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status);
  if (plain == nullptr) return std::string(name);
  std::string result(plain);
  std::free(plain);
  // Rust's older mangling is C++'s with a hash as the last part.
  constexpr size_t kHash = sizeof("::h0123456789abcdef") - 1;
  if (result.size() > kHash && result.compare(result.size() - kHash, 3, "::h") == 0 &&
      result.find_first_not_of("0123456789abcdef", result.size() - kHash + 3) == std::string::npos) {
    result.resize(result.size() - kHash);
  }
  return result;
}

}  // namespace weir::wasm
