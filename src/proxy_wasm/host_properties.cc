// proxy_get_property and proxy_set_property: abi.md 2.15.
#include <charconv>

#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/property.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

AbiStatus getProperty(Call& call, uint32_t path, uint32_t path_size, uint32_t out, uint32_t out_size) {
  const auto bytes = call.read(path, path_size);
  if (!bytes) return AbiStatus::InvalidMemoryAccess;
  PropertyValue value;
  const AbiStatus found = readProperty(call.context(), *bytes, value);
  if (found != AbiStatus::Ok) return found;
  return call.give(value.bytes(), out, out_size);
}

// Properties by which Higress' SDKs ask something of the host; they are kept as any other, too. Its host has one limit
// for both directions, whichever is named.
void heed(Call& call, std::string_view name, std::string_view value) {
  StreamContext* const stream = call.stream();
  if (stream == nullptr) return;
  // "off": a plugin that changes headers keeps the route that it was called for.
  if (name == "clear_route_cache") return stream->keepRoute(value == "off");
  if (name != "set_decoder_buffer_limit" && name != "set_encoder_buffer_limit") return;
  uint32_t bytes = 0;
  if (std::from_chars(value.data(), value.data() + value.size(), bytes).ec == std::errc())
    stream->askBufferLimit(bytes);
}

// The whole path, NULs and all, is the name under which the value is kept with the stream.
AbiStatus setProperty(Call& call, uint32_t path, uint32_t path_size, uint32_t value, uint32_t value_size) {
  const auto name = call.read(path, path_size);
  const auto text = call.read(value, value_size);
  if (!name || !text) return AbiStatus::InvalidMemoryAccess;
  filter::StreamInfo* const info = call.context().ownInfo();
  if (info == nullptr) return AbiStatus::NotFound;
  std::string kept = "wasm." + std::string(*name);
  const DeclaredProperty* const declared = call.root()->declared(*name);
  if (declared != nullptr && declared->read_only && info->filter_state.contains(kept)) return AbiStatus::BadArgument;
  if (!info->keepFilterState(std::move(kept), *text)) return AbiStatus::InternalFailure;
  heed(call, *name, *text);
  return AbiStatus::Ok;
}

}  // namespace

std::vector<HostFunctionEntry> propertyFunctions() {
  return {hostFunction<"env.proxy_get_property", getProperty>(), hostFunction<"env.proxy_set_property", setProperty>()};
}

}  // namespace weir::proxy_wasm
