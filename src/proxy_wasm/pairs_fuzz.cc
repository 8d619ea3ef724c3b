// What parsePairs() accepts must be written back as the same bytes.
#include <cstdint>
#include <cstdlib>

#include "proxy_wasm/pairs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto pairs = weir::proxy_wasm::parsePairs(bytes);
  if (!pairs || pairs->empty()) return 0;
  if (weir::proxy_wasm::toPairs(*pairs) != bytes) std::abort();
  return 0;
}
