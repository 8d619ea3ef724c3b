// proxy_*_buffer_*: abi.md 1.5 and 2.5.
#include <algorithm>

#include "proxy_wasm/host_functions.h"

namespace weir::proxy_wasm {
namespace {

// What Higress has added is there for those who are told of Redis; to others it is no type, as in Envoy.
std::optional<BufferType> bufferType(Call& call, uint32_t value) {
  const auto type = checked<BufferType>(value);
  if (type == BufferType::RedisCallResponse && !call.vm().has(Callback::RedisCallResponse)) return std::nullopt;
  return type;
}

// Hands the guest a copy of [start, start + size) of a buffer, in memory that the guest allocates.
AbiStatus getBytes(Call& call, uint32_t type, uint32_t start, uint32_t max, uint32_t out, uint32_t out_size) {
  const auto checked_type = bufferType(call, type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto source = call.context().buffer(*checked_type);
  if (!source) return AbiStatus::NotFound;
  if (start >= source->size()) return call.give({}, out, out_size);  // As Envoy: nothing there, no error.

  const size_t size = std::min<size_t>(max, source->size() - start);
  if (source->chain == nullptr) return call.give(source->text.substr(start, size), out, out_size);
  if (size == 0) return call.give({}, out, out_size);
  const auto room = call.allocate(size);
  if (!room) return AbiStatus::InvalidMemoryAccess;
  source->chain->copyTo(std::span(reinterpret_cast<char*>(room->bytes.data()), size), start);
  return call.storeRange(room->address, size, out, out_size);
}

AbiStatus getStatus(Call& call, uint32_t type, uint32_t size_out, uint32_t flags_out) {
  const auto checked_type = bufferType(call, type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto source = call.context().buffer(*checked_type);
  if (!source) return AbiStatus::NotFound;
  const bool written = call.writeU32(size_out, static_cast<uint32_t>(source->size())) && call.writeU32(flags_out, 0);
  return written ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

// Replaces the first `size` bytes (start 0), or appends (start at or beyond the end). The middle cannot be edited:
// Envoy refuses it, and so no plugin asks for it.
AbiStatus setBytes(Call& call, uint32_t type, uint32_t start, uint32_t size, uint32_t data, uint32_t data_size) {
  const auto checked_type = bufferType(call, type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto target = call.context().buffer(*checked_type);
  if (!target) return AbiStatus::NotFound;
  const auto bytes = call.read(data, data_size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  if (!target->writable || target->chain == nullptr) return AbiStatus::BadArgument;

  if (start == 0) {
    target->chain->drain(size);
    target->chain->prepend(*bytes);
    return AbiStatus::Ok;
  }
  if (start < target->size()) return AbiStatus::BadArgument;
  target->chain->append(*bytes);
  return AbiStatus::Ok;
}

}  // namespace

std::vector<HostFunctionEntry> bufferFunctions() {
  return {hostFunction<"env.proxy_get_buffer_bytes", getBytes>(),
          hostFunction<"env.proxy_get_buffer_status", getStatus>(),
          hostFunction<"env.proxy_set_buffer_bytes", setBytes>()};
}

}  // namespace weir::proxy_wasm
