// Reads a module's bytes from the front. What is not there makes it fail for good: then all it gives is zero and empty,
// and nothing outside is ever touched.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::wasm {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  std::span<const std::byte> take(uint64_t count) {
    if (count > rest_.size()) failed_ = true;
    if (failed_) return {};
    const auto taken = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(static_cast<size_t>(count));
    return taken;
  }
  uint8_t byte() {
    const auto one = take(1);
    return one.empty() ? 0 : static_cast<uint8_t>(one[0]);
  }
  // Of `size` bytes, least first; at most eight.
  uint64_t fixed(size_t size) {
    uint64_t value = 0;
    unsigned shift = 0;
    for (const std::byte part : take(size)) {
      value |= uint64_t{static_cast<uint8_t>(part)} << shift;
      shift += 8;
    }
    return value;
  }
  // Of 32 bits, in LEB128 (WebAssembly 5.2.2).
  uint32_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const uint8_t part = byte();
      value |= uint64_t{part & 0x7fU} << shift;
      if ((part & 0x80) == 0) return static_cast<uint32_t>(value);
    }
    failed_ = true;
    return 0;
  }
  // The same with a sign, and what is above 32 bits cut off (DWARF 7.6).
  int32_t signedNumber() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const uint8_t part = byte();
      if (shift < 64) value |= uint64_t{part & 0x7fU} << shift;
      if ((part & 0x80) != 0) continue;
      if ((part & 0x40) != 0 && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
      return static_cast<int32_t>(value);
    }
    failed_ = true;
    return 0;
  }
  std::string_view text(uint64_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // Up to a zero byte, which is taken too.
  std::string_view zeroEnded() {
    const auto end = std::find(rest_.begin(), rest_.end(), std::byte{0});
    const std::string_view found = text(static_cast<uint64_t>(end - rest_.begin()));
    take(1);
    return failed_ ? std::string_view() : found;
  }
  std::span<const std::byte> rest() const { return rest_; }
  bool failed() const { return failed_; }

 private:
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

}  // namespace weir::wasm
