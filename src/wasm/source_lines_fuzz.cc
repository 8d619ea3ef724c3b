// Any bytes as a module, and as the line table of one: looking for lines ends, and touches nothing else.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wasm/source_lines.h"

namespace {

void append(std::vector<std::byte>& out, std::string_view bytes) {
  for (const char c : bytes) out.push_back(static_cast<std::byte>(c));
}
void appendNumber(std::vector<std::byte>& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>((value & 0x7f) | 0x80));
  out.push_back(static_cast<std::byte>(value));
}
void appendSection(std::vector<std::byte>& out, std::string_view name, std::span<const std::byte> content) {
  out.push_back(std::byte{0});
  appendNumber(out, content.size() + name.size() + 1);
  appendNumber(out, name.size());
  append(out, name);
  out.insert(out.end(), content.begin(), content.end());
}

void ask(std::span<const std::byte> module) {
  const auto lines = weir::wasm::SourceLines::read(module);
  if (lines == nullptr) return;
  for (uint64_t offset = 0; offset < 300; offset += 7) {
    for (const char c : lines->find(offset)) {
      if (c >= 0 && c < ' ') __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  ask(bytes);
  // The same as a table and its strings.
  const size_t half = size == 0 ? 0 : std::min<size_t>(data[0] * size / 256, size);
  std::vector<std::byte> module;
  append(module, std::string_view("\0asm\1\0\0\0", 8));
  module.push_back(std::byte{10});
  appendNumber(module, 256);
  module.resize(module.size() + 256);
  appendSection(module, ".debug_line", bytes.subspan(size == 0 ? 0 : 1).subspan(half > 0 ? half - 1 : 0));
  appendSection(module, ".debug_line_str", bytes.first(half));
  ask(module);
  return 0;
}
