// proxy_*_header_map_*: abi.md 1.5 and 2.6.
//
// Names come in any case and are kept in lower case. What could break a message apart (CR, LF, NUL in a value, a name
// that is no token) is refused; Envoy lets it in.
#include "base/log.h"
#include "proxy_wasm/header_edit.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus refuseHeader(Call& call, std::string_view name) {
  call.vm().code().headers_refused.add();
  RootContext* const root = call.root();
  if (root != nullptr && root->warnOnce()) {
    LOG(Wasm, Warning, "plugin {}: header \"{}\" refused: invalid name, or CR, LF or NUL in its value",
        root->spec().name, name.substr(0, 64));
  }
  return AbiStatus::BadArgument;
}

void changed(Call& call, HeaderMapType type) {
  if (type != HeaderMapType::RequestHeaders) return;
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
  if (map != nullptr) value = map->get(nameIn(*checked_type, *name));
  if (value) return call.give(*value, out, out_size);
  // Version 0.1.0 knows no "not found", and its SDKs panic on it.
  if (call.vm().shape().version == AbiVersion::V0_1_0) return call.give({}, out, out_size);
  return AbiStatus::NotFound;
}

void replace(http::HeaderMap& map, std::string_view name, std::string_view value) { map.set(name, value); }

template <void (*kApply)(http::HeaderMap&, std::string_view, std::string_view)>
AbiStatus change(Call& call, uint32_t type, uint32_t key, uint32_t key_size, uint32_t value, uint32_t value_size) {
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto name = call.read(key, key_size);
  const auto text = call.read(value, value_size);
  if (!name || !text) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = call.context().writableMap(*checked_type);
  if (map == nullptr) return AbiStatus::BadArgument;
  if (map->footprint() > kMaxHeaderFootprint) {
    call.vm().code().headers_refused.add();
    return AbiStatus::BadArgument;
  }
  if (!usableName(*name) || !usableValue(*text)) return refuseHeader(call, *name);
  kApply(*map, nameIn(*checked_type, *name), *text);
  changed(call, *checked_type);
  return AbiStatus::Ok;
}

AbiStatus removeValue(Call& call, uint32_t type, uint32_t key, uint32_t key_size) {
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto name = call.read(key, key_size);
  if (!name) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = call.context().writableMap(*checked_type);
  if (map == nullptr) return AbiStatus::BadArgument;
  map->remove(nameIn(*checked_type, *name));
  changed(call, *checked_type);
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
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const auto bytes = call.read(address, size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  http::HeaderMap* const map = call.context().writableMap(*checked_type);
  if (map == nullptr) return AbiStatus::BadArgument;
  const auto pairs = parsePairs(*bytes);
  if (!pairs) return AbiStatus::BadArgument;  // Envoy takes it for an empty list and removes every header.
  for (const auto& [name, value] : *pairs) {
    if (!usableName(name) || !usableValue(value)) return refuseHeader(call, name);
  }
  map->clear();
  for (const auto& [name, value] : *pairs) addHeader(*map, nameIn(*checked_type, name), value);
  changed(call, *checked_type);
  return AbiStatus::Ok;
}

AbiStatus getSize(Call& call, uint32_t type, uint32_t out) {
  const auto checked_type = checked<HeaderMapType>(type);
  if (!checked_type) return AbiStatus::BadArgument;
  const http::HeaderMap* const map = call.context().writableMap(*checked_type);  // As Envoy: of writable maps only.
  if (map == nullptr) return AbiStatus::BadArgument;
  return call.writeU32(out, static_cast<uint32_t>(map->bytes())) ? AbiStatus::Ok : AbiStatus::InvalidMemoryAccess;
}

}  // namespace

std::vector<HostFunctionEntry> headerFunctions() {
  return {hostFunction<"env.proxy_get_header_map_value", getValue>(),
          hostFunction<"env.proxy_add_header_map_value", change<addHeader>>(),
          hostFunction<"env.proxy_replace_header_map_value", change<replace>>(),
          hostFunction<"env.proxy_remove_header_map_value", removeValue>(),
          hostFunction<"env.proxy_get_header_map_pairs", getPairs>(),
          hostFunction<"env.proxy_set_header_map_pairs", setPairs>(),
          hostFunction<"env.proxy_get_header_map_size", getSize>()};
}

}  // namespace weir::proxy_wasm
