// Numbers as guests keep them: little-endian, at any address. wasm32 is little-endian, and so is every machine that
// weir is built for.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir::proxy_wasm {

static_assert(std::endian::native == std::endian::little);

inline uint32_t loadU32(const void* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}
inline uint64_t loadU64(const void* at) {
  uint64_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}
inline void storeU32(void* at, uint32_t value) { std::memcpy(at, &value, sizeof(value)); }
inline void storeU64(void* at, uint64_t value) { std::memcpy(at, &value, sizeof(value)); }

}  // namespace weir::proxy_wasm
