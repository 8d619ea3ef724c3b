#include "proxy_wasm/header_edit.h"

#include <cstring>
#include <optional>

#include "http/characters.h"
#include "http/name_set.h"

namespace weir::proxy_wasm {
namespace {

using http::HeaderId;
using http::HeaderMap;

bool isInline(HeaderId id) {
  switch (id) {
    case HeaderId::Unknown:
    case HeaderId::Cookie:
    case HeaderId::Http2Settings:
    case HeaderId::Trailer:
    case HeaderId::Host:
    case HeaderId::EnvoyOverloaded:
    case HeaderId::Traceparent:
    case HeaderId::EnvoyUpstreamRqPerTryTimeoutMs:
    case HeaderId::EnvoyUpstreamRqTimeoutAltResponse:
    case HeaderId::EnvoyRetryGrpcOn:
    case HeaderId::kCount: return false;
    default: return true;
  }
}

std::optional<size_t> indexOf(const HeaderMap& map, HeaderId id) {
  if (!map.has(id)) return std::nullopt;
  for (size_t i = 0; i < map.size(); ++i) {
    if (map.entries()[i].id == id) return i;
  }
  return std::nullopt;
}

// The entry whose value is to change in place. A value that only a plugin could make goes the other way: entries
// changed in place count as checked.
std::optional<size_t> inlinePlace(const HeaderMap& map, std::string_view name, std::string_view value) {
  const HeaderId id = http::wellKnownId(name);
  if (!isInline(id) || !http::validValue(value)) return std::nullopt;
  return indexOf(map, id);
}

}  // namespace

bool usableName(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return http::validName(name);
}

// Nearly all have no control byte at all, which is found out fast.
bool usableValue(std::string_view value) {
  const char* const end = value.data() + value.size();
  const char* at = value.data();
  while ((at = http::findControl(at, end)) != end) {
    if (*at == '\r' || *at == '\n' || *at == '\0') return false;
    ++at;
  }
  return true;
}

std::string_view nameIn(HeaderMapType type, std::string_view name) {
  const bool is_host = type == HeaderMapType::RequestHeaders && http::equalsIgnoreCase(name, "host");
  return is_host ? http::wellKnownName(HeaderId::Authority) : name;
}

void addHeader(HeaderMap& map, std::string_view name, std::string_view value) {
  const auto place = inlinePlace(map, name, value);
  if (!place) return map.add(name, value);
  if (value.empty()) return;
  const std::string_view before = map.entries()[*place].value;
  const size_t comma = before.empty() ? 0 : 1;
  char* const joined = map.allocate(before.size() + comma + value.size());
  if (comma == 1) {
    std::memcpy(joined, before.data(), before.size());
    joined[before.size()] = ',';
  }
  std::memcpy(joined + before.size() + comma, value.data(), value.size());
  map.replaceStored(*place, {joined, before.size() + comma + value.size()});
}

}  // namespace weir::proxy_wasm
