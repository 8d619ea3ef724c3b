#include "wasm/fault_place.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "wasm/byte_reader.h"

namespace weir::wasm {
namespace {

constexpr size_t kHeaderBytes = 8;  // "\0asm" and the version.
// By number (WebAssembly 5.5.2).
constexpr std::array<std::string_view, 14> kSections = {"custom", "type",   "import",     "function", "table",
                                                        "memory", "global", "export",     "start",    "element",
                                                        "code",   "data",   "data count", "tag"};

std::optional<uint64_t> offsetIn(std::string_view complaint) {
  constexpr std::string_view kMark = "offset ";
  const size_t mark = complaint.rfind(kMark);
  if (mark == complaint.npos) return std::nullopt;
  std::string_view digits = complaint.substr(mark + kMark.size());
  const bool hex = digits.starts_with("0x");
  if (hex) digits.remove_prefix(2);
  uint64_t offset = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), offset, hex ? 16 : 10);
  if (fault != std::errc() || end == digits.data()) return std::nullopt;
  return offset;
}

}  // namespace

std::optional<std::string> placeOfFault(std::string_view complaint, std::span<const std::byte> bytes) {
  const auto offset = offsetIn(complaint);
  if (!offset || *offset < kHeaderBytes || *offset > bytes.size()) return std::nullopt;
  ByteReader module(bytes);
  module.take(kHeaderBytes);
  while (!module.failed() && !module.rest().empty()) {
    const uint8_t id = module.byte();
    module.take(module.number());
    // Where the section goes on beyond the end, that is the fault.
    const uint64_t end = module.failed() ? UINT64_MAX : bytes.size() - module.rest().size();
    const bool at_the_end = *offset == end && module.rest().empty();  // Something more should have come.
    if (*offset >= end && !at_the_end) continue;
    if (id >= kSections.size()) return fmt::format("in its section {}, which is of no known kind", id);
    return fmt::format("in its {} section", kSections[id]);
  }
  return std::nullopt;
}

}  // namespace weir::wasm
