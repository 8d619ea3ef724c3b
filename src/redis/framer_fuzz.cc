// Values read the same whole and byte by byte, and their bytes are what came.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "redis/framer.h"

namespace {

struct Read {
  std::string values;
  bool malformed = false;
};

Read read(std::string_view text, size_t piece) {
  Read out;
  weir::redis::Framer framer;
  weir::base::BufferChain bytes;
  for (size_t at = 0; at < text.size() && !out.malformed; at += piece) {
    bytes.append(text.substr(at, piece));
    while (!bytes.empty() && !out.malformed) {
      const auto state = framer.read(bytes);
      out.malformed = state == weir::redis::Framer::State::Malformed;
      if (state == weir::redis::Framer::State::Whole) out.values += framer.take().toString();
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 16 * 1024) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Read whole = read(bytes, size), pieces = read(bytes, 1);
  if (whole.malformed != pieces.malformed || whole.values != pieces.values) std::abort();
  if (!bytes.starts_with(whole.values)) std::abort();
  (void)weir::redis::isOneCommand(bytes);
  return 0;
}
