// The names that carry an id, and the way from a name to its id.
#include <algorithm>
#include <array>

#include "http/characters.h"
#include "http/header_map.h"
#include "http/name_set.h"

namespace weir::http {
namespace {

constexpr size_t kCount = static_cast<size_t>(HeaderId::kCount);

// In the order of HeaderId.
constexpr std::array<std::string_view, kCount> kWellKnownNames{
    "",
    ":method",
    ":path",
    ":scheme",
    ":authority",
    ":status",
    ":protocol",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "grpc-message",
    "grpc-status",
    "host",
    "http2-settings",
    "keep-alive",
    "location",
    "origin",
    "proxy-connection",
    "referer",
    "x-request-id",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-envoy-internal",
    "x-envoy-external-address",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-service-time",
    "x-envoy-original-path",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-retry-on",
    "x-envoy-max-retries",
    "x-envoy-overloaded",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "traceparent",
    "grpc-timeout",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-retry-grpc-on",
};
static_assert(kWellKnownNames.back() == "x-envoy-retry-grpc-on", "one name for each HeaderId");
static_assert(kCount <= 64, "HeaderMap keeps one bit per id in a word");

constexpr NameSet kNames(kWellKnownNames);

}  // namespace

std::string_view wellKnownName(HeaderId id) { return kNames[static_cast<size_t>(id)]; }

HeaderId wellKnownId(std::string_view name) {
  const int found = kNames.find(name);
  return found < 0 ? HeaderId::Unknown : static_cast<HeaderId>(found);
}

bool validName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return tokenLower(c) != '\0'; });
}

bool validValue(std::string_view value) {
  if (value.empty()) return true;
  if (isBlank(value.front()) || isBlank(value.back())) return false;
  const char* end = value.data() + value.size();
  return findControl(value.data(), end) == end;
}

bool validOnWire(const HeaderMap::Entry& entry, std::string_view value) {
  if (entry.checked) return true;
  if (entry.id == HeaderId::Unknown && !validName(entry.name)) return false;
  return validValue(value);
}

}  // namespace weir::http
