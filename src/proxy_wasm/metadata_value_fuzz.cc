// Follows a path taken from the input's first line into the rest of it: must end, and stay within the bytes.
#include <array>
#include <cstdint>

#include "proxy_wasm/metadata_value.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir::proxy_wasm;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  std::string_view path = input.substr(0, line);
  const std::string_view message = input.substr(line + 1);

  std::array<std::string_view, 16> segments;
  size_t count = 0;
  while (!path.empty() && count < segments.size()) {
    const size_t dot = path.find('.');
    segments[count++] = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  const PathRest rest(segments.data(), count);
  EncodedProperty out;
  (void)readMetadata(message, rest, out);
  (void)readStruct(message, rest, out);
  (void)readNode(message, rest, out);
  return 0;
}
