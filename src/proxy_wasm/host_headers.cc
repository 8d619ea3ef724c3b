// proxy_*_header_map_*: abi.md 1.5 and 2.6.
//
// Names come in any case and are kept in lower case. What could break a message apart (CR, LF, NUL in a value, a name
// that is no token) is refused; Envoy lets it in.
#include "base/log.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

bool usableName(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return http::validName(name);
}

// Laxer than http::validValue(): white space at the ends does no harm, and plugins send it.
bool usableValue(std::string_view value) { return value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos; }

AbiStatus refuseHeader(Call& call, std::string_view name) {
  RootContext* const root = call.root();
  if (root != nullptr && root->warnOnce()) {
    LOG(Wasm, Warning, "plugin {}: header \"{}\" refused: invalid name, or CR, LF or NUL in its value",
        root->spec().name, name.substr(0, 64));
  }
  return AbiStatus::BadArgument;
}

// The map to change, or why not.
http::HeaderMap* writable(Call& call, uint32_t type) {
  const auto checked_type = checked<HeaderMapType>(type);
  return checked_type ? call.context().writableMap(*checked_type) : nullptr;
}

void changed(Call& call, uint32_t type) {
  if (type != static_cast<uint32_t>(HeaderMapType::RequestHeaders)) return;
  if (StreamContext* const stream = call.stream(); stream != nullptr) stream->requestHeadersChanged();
}

AbiStatus getValue(Call& call, uint32_t type, uint32_t key, uint32_t key_size, uint32_t out, uint32_t out_size) {
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto name = call.read(key, key_size);
  if (!name) return AbiStatus::InvalidMemoryAccess;
  Context& context = call.context();
  const http::HeaderMap* const map = context.readableMap(*checked_type);
  if (map == nullptr && !context.logging()) return AbiStatus::BadArgument;

  std::optional<std::string_view> value;
  if (map != nullptr) value = map->get(*name);
  if (value) return call.give(*value, out, out_size);
  // Version 0.1.0 knows no "not found", and its SDKs panic on it.
  if (call.vm().shape().version == AbiVersion::V0_1_0) return call.give({}, out, out_size);
  return AbiStatus::NotFound;
}

template <void (*kApply)(http::HeaderMap&, std::string_view, std::string_view)>
AbiStatus change(Call& call, uint32_t type, uint32_t key, uint32_t key_size, uint32_t value, uint32_t value_size) {
  if (!checked<HeaderMapType>(type)) return AbiStatus::BadArgument;
  const auto name = call.read(key, key_size);
  const auto text = call.read(value, value_size);
  if (!name || !text) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = writable(call, type);
  if (map == nullptr) return AbiStatus::BadArgument;
  if (!usableName(*name) || !usableValue(*text)) return refuseHeader(call, *name);
  kApply(*map, *name, *text);
  changed(call, type);
  return AbiStatus::Ok;
}

void add(http::HeaderMap& map, std::string_view name, std::string_view value) { map.add(name, value); }
void replace(http::HeaderMap& map, std::string_view name, std::string_view value) { map.set(name, value); }

AbiStatus removeValue(Call& call, uint32_t type, uint32_t key, uint32_t key_size) {
  if (!checked<HeaderMapType>(type)) return AbiStatus::BadArgument;
  const auto name = call.read(key, key_size);
  if (!name) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = writable(call, type);
  if (map == nullptr) return AbiStatus::BadArgument;
  map->remove(*name);
  changed(call, type);
  return AbiStatus::Ok;
}

// The pairs are written straight into the guest's memory. The guest's allocator cannot change the map meanwhile: while
// it runs, no host function that could is callable.
AbiStatus getPairs(Call& call, uint32_t type, uint32_t out, uint32_t out_size) {
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const http::HeaderMap* const map = call.context().readableMap(*checked_type);
  if (map == nullptr || map->empty()) return call.give({}, out, out_size);
  const size_t size = pairsSize(*map);
  const auto room = call.allocate(size);
  if (!room) return AbiStatus::InvalidMemoryAccess;
  writePairs(*map, room->bytes);
  return call.storeRange(room->address, size, out, out_size);
}

AbiStatus setPairs(Call& call, uint32_t type, uint32_t address, uint32_t size) {
  if (!checked<HeaderMapType>(type)) return AbiStatus::BadArgument;
  const auto bytes = call.read(address, size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = writable(call, type);
  if (map == nullptr) return AbiStatus::BadArgument;
  const auto pairs = parsePairs(*bytes);
  if (!pairs) return AbiStatus::BadArgument;  // Envoy takes it for an empty list and removes every header.
  for (const auto& [name, value] : *pairs) {
    if (!usableName(name) || !usableValue(value)) return refuseHeader(call, name);
  }
  map->clear();
  for (const auto& [name, value] : *pairs) map->add(name, value);
  changed(call, type);
  return AbiStatus::Ok;
}

AbiStatus getSize(Call& call, uint32_t type, uint32_t out) {
  if (!checked<HeaderMapType>(type)) return AbiStatus::BadArgument;
  const http::HeaderMap* const map = writable(call, type);  // As Envoy: only maps that may be written to.
  if (map == nullptr) return AbiStatus::BadArgument;
  return call.writeU32(out, static_cast<uint32_t>(map->bytes())) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

}  // namespace

std::vector<HostFunctionEntry> headerFunctions() {
  return {hostFunction<"env.proxy_get_header_map_value", getValue>(),
          hostFunction<"env.proxy_add_header_map_value", change<add>>(),
          hostFunction<"env.proxy_replace_header_map_value", change<replace>>(),
          hostFunction<"env.proxy_remove_header_map_value", removeValue>(),
          hostFunction<"env.proxy_get_header_map_pairs", getPairs>(),
          hostFunction<"env.proxy_set_header_map_pairs", setPairs>(),
          hostFunction<"env.proxy_get_header_map_size", getSize>()};
}

}  // namespace weir::proxy_wasm
