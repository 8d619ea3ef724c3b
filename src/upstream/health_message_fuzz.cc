// An answer reads the same whole and byte by byte.
#include <cstdint>
#include <cstdlib>

#include "upstream/health_message.h"

namespace {

bool feed(weir::upstream::HealthResponseReader& reader, std::string_view text) {
  weir::base::BufferChain bytes(text);
  return reader.read(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 16 * 1024) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  weir::upstream::HealthResponseReader whole, pieces;
  const bool well = feed(whole, bytes);
  bool still_well = true;
  for (size_t i = 0; i < size && still_well; ++i) still_well = feed(pieces, bytes.substr(i, 1));
  if (well != still_well) std::abort();
  if (well && whole.serving() != pieces.serving()) std::abort();
  return 0;
}
