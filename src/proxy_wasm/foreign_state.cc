// set_envoy_filter_state, clear_route_cache, declare_property.
#include <algorithm>
#include <array>
#include <charconv>

#include "net/address.h"
#include "proxy_wasm/foreign.h"
#include "proxy_wasm/root_context.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

// What a value must be for Envoy to make an object of it.
enum class Wanted : uint8_t { Anything, Number, Port, Ip, IpAndPort };

struct Key {
  std::string_view name;
  Wanted wanted;
};
// The keys that Envoy 1.40 has an object for. What of weir looks at them: the TCP proxy (its cluster), and whatever
// reads filter state by name (logs, hash policies, properties).
constexpr std::array<Key, 14> kKeys = {{{"envoy.tcp_proxy.cluster", Wanted::Anything},
                                        {"envoy.tcp_proxy.disable_tunneling", Wanted::Anything},
                                        {"envoy.tcp_proxy.per_connection_idle_timeout_ms", Wanted::Number},
                                        {"envoy.network.upstream_server_name", Wanted::Anything},
                                        {"envoy.network.upstream_subject_alt_names", Wanted::Anything},
                                        {"envoy.network.application_protocols", Wanted::Anything},
                                        {"envoy.network.ip", Wanted::Ip},
                                        {"envoy.network.transport_socket.original_dst_address", Wanted::IpAndPort},
                                        {"envoy.filters.listener.original_dst.local_ip", Wanted::IpAndPort},
                                        {"envoy.upstream.dynamic_host", Wanted::Anything},
                                        {"envoy.upstream.dynamic_port", Wanted::Port},
                                        {"envoy.ratelimit.hits_addend", Wanted::Number},
                                        {"envoy.string", Wanted::Anything},
                                        {"envoy.hashable_string", Wanted::Anything}}};

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// "10.0.0.1:80", "[::1]:80"
bool isIpAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos || number(text.substr(colon + 1)).value_or(65536) > 65535) return false;
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.starts_with('[') && ip.ends_with(']');
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  return bracketed == (ip.find(':') != ip.npos) && net::Address::parseIp(ip, 0).ok();
}

bool fits(Wanted wanted, std::string_view value) {
  switch (wanted) {
    case Wanted::Anything: return true;
    case Wanted::Number: return number(value).has_value();
    case Wanted::Port: return number(value).value_or(65536) <= 65535;
    case Wanted::Ip: return net::Address::parseIp(value, 0).ok();
    case Wanted::IpAndPort: return isIpAndPort(value);
  }
  return false;
}

// In both messages the first two fields are strings.
constexpr unsigned kStrings = 1u << 1 | 1u << 2;

}  // namespace

// SetEnvoyFilterStateArguments{path, value, span}. Whatever the span: it is kept with the request.
AbiStatus setFilterState(Call& call, std::string_view arguments, std::string&) {
  const ForeignMessage message = readForeignMessage(arguments, kStrings);
  if (!message.well_formed) return AbiStatus::BadArgument;
  const auto& texts = message.texts;
  const auto key = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.name == texts[1]; });
  filter::StreamInfo* const info = call.context().ownInfo();
  if (key == kKeys.end() || info == nullptr) return AbiStatus::NotFound;
  if (!fits(key->wanted, texts[2])) return AbiStatus::BadArgument;
  return info->keepFilterState(std::string(texts[1]), texts[2]) ? AbiStatus::Ok : AbiStatus::InternalFailure;
}

AbiStatus clearRouteCache(Call& call, std::string_view, std::string&) {
  if (StreamContext* const stream = call.stream(); stream != nullptr) stream->clearRouteCache();
  return AbiStatus::Ok;
}

// DeclarePropertyArguments{name, readonly, type, schema, span}. As in Envoy, what a stream declares has no effect: the
// root's declarations count.
AbiStatus declareProperty(Call& call, std::string_view arguments, std::string&) {
  const ForeignMessage message = readForeignMessage(arguments, kStrings);
  if (!message.well_formed) return AbiStatus::BadArgument;
  Context& context = call.vm().current();
  if (context.root() != &context) return AbiStatus::Ok;
  DeclaredProperty declared;
  declared.read_only = message.number(2) != 0;
  if (message.number(3) == 1) declared.type = DeclaredProperty::Type::Text;
  if (message.number(3) == 2 || message.number(3) == 3) declared.type = DeclaredProperty::Type::Message;
  return context.root()->declare(message.texts[1], declared);
}

}  // namespace weir::proxy_wasm
