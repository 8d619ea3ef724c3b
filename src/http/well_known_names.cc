// The names that carry an id, and the way from a name to its id.
#include <algorithm>
#include <array>
#include <cstring>

#include "http/characters.h"
#include "http/header_map.h"

namespace weir::http {
namespace {

constexpr size_t kCount = static_cast<size_t>(HeaderId::kCount);

// In the order of HeaderId.
constexpr std::array<std::string_view, kCount> kWellKnownNames = {
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
};
static_assert(kWellKnownNames.back() == "grpc-timeout", "one name for each HeaderId");
static_assert(kCount <= 64, "HeaderMap keeps one bit per id in a word");

constexpr size_t longestName() {
  size_t longest = 0;
  for (const std::string_view name : kWellKnownNames) longest = std::max(longest, name.size());
  return longest;
}
constexpr size_t kLongest = longestName();

// The ids ordered by the length of their names, and where each length begins.
struct ByLength {
  std::array<uint8_t, kCount> ids{};
  std::array<uint8_t, kLongest + 2> begin{};
};

constexpr ByLength sortByLength() {
  ByLength sorted;
  uint8_t next = 0;
  for (size_t length = 0; length <= kLongest; ++length) {
    sorted.begin[length] = next;
    for (size_t id = 1; id < kCount; ++id) {
      if (kWellKnownNames[id].size() == length) sorted.ids[next++] = static_cast<uint8_t>(id);
    }
  }
  sorted.begin[kLongest + 1] = next;
  return sorted;
}
constexpr ByLength kByLength = sortByLength();

}  // namespace

std::string_view wellKnownName(HeaderId id) { return kWellKnownNames[static_cast<size_t>(id)]; }

HeaderId wellKnownId(std::string_view name) {
  if (name.empty() || name.size() > kLongest) return HeaderId::Unknown;
  // Names of one length rarely share both ends and the middle, so that nearly always one candidate or none is compared.
  const size_t middle = name.size() / 2;
  const char first = toLower(name.front());
  const char mid = toLower(name[middle]);
  for (uint8_t i = kByLength.begin[name.size()]; i < kByLength.begin[name.size() + 1]; ++i) {
    const std::string_view candidate = kWellKnownNames[kByLength.ids[i]];
    if (candidate.front() != first || candidate[middle] != mid) continue;
    if (equalsIgnoreCase(candidate, name)) return static_cast<HeaderId>(kByLength.ids[i]);
  }
  return HeaderId::Unknown;
}

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  for (size_t i = 0; i < a.size(); ++i) {
    if (toLower(a[i]) != toLower(b[i])) return false;
  }
  return true;
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

}  // namespace weir::http
