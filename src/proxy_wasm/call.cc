#include "proxy_wasm/call.h"

#include <limits>

namespace weir::proxy_wasm {

std::optional<Call::Room> Call::allocate(size_t size) {
  if (size > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  const auto address = vm_.allocate(static_cast<uint32_t>(size));
  if (!address) return std::nullopt;
  const auto view = guest_.view(*address, static_cast<uint32_t>(size));
  if (!view) return std::nullopt;
  return Room{*address, *view};
}

AbiStatus Call::give(std::string_view value, uint32_t address_out, uint32_t size_out) {
  if (value.empty()) return storeRange(0, 0, address_out, size_out);
  const auto room = allocate(value.size());
  if (!room) return AbiStatus::InvalidMemoryAccess;
  std::memcpy(room->bytes.data(), value.data(), value.size());
  return storeRange(room->address, value.size(), address_out, size_out);
}

AbiStatus Call::storeRange(uint32_t address, size_t size, uint32_t address_out, uint32_t size_out) {
  if (!writeU32(address_out, address)) return AbiStatus::InvalidMemoryAccess;
  if (!writeU32(size_out, static_cast<uint32_t>(size))) return AbiStatus::InvalidMemoryAccess;
  return AbiStatus::Ok;
}

}  // namespace weir::proxy_wasm
