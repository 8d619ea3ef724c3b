// Looks for native code in any bytes: must end, and what is found must lie within them.
#include <cstdint>

#include "wasm/native_code.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto native = weir::wasm::findNativeCode(bytes);
  if (native && native->module.size() + native->code.size() > size) __builtin_trap();
  return 0;
}
