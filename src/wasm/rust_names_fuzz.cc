// Any text as a name: reading ends, and what comes out is of bounded length.
#include <cstdint>

#include "wasm/rust_names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = "_R" + std::string(reinterpret_cast<const char*>(data), size);
  const auto name = weir::wasm::readableRustName(text);
  if (name && name->size() > 1024) __builtin_trap();
  return 0;
}
