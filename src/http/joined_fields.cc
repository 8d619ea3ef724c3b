#include "http/joined_fields.h"

#include <array>

#include "http/name_set.h"

namespace weir::http {
namespace {

// Envoy's single-valued ("inline") headers, found by sending each of them twice through Envoy 1.40. Those that say how
// the message is framed are judged before, and "cookie" and "set-cookie" are never joined.
constexpr std::array<std::string_view, 42> kJoinedInRequests{"accept",
                                                             "accept-encoding",
                                                             "access-control-request-headers",
                                                             "access-control-request-method",
                                                             "authorization",
                                                             "cache-control",
                                                             "connection",
                                                             "content-encoding",
                                                             "content-type",
                                                             "expect",
                                                             "grpc-accept-encoding",
                                                             "grpc-timeout",
                                                             "if-match",
                                                             "if-modified-since",
                                                             "if-none-match",
                                                             "if-range",
                                                             "if-unmodified-since",
                                                             "keep-alive",
                                                             "origin",
                                                             "pragma",
                                                             "proxy-connection",
                                                             "referer",
                                                             "te",
                                                             "upgrade",
                                                             "user-agent",
                                                             "via",
                                                             "x-client-trace-id",
                                                             "x-envoy-attempt-count",
                                                             "x-envoy-decorator-operation",
                                                             "x-envoy-downstream-service-cluster",
                                                             "x-envoy-downstream-service-node",
                                                             "x-envoy-expected-rq-timeout-ms",
                                                             "x-envoy-external-address",
                                                             "x-envoy-internal",
                                                             "x-envoy-max-retries",
                                                             "x-envoy-original-path",
                                                             "x-forwarded-client-cert",
                                                             "x-forwarded-for",
                                                             "x-forwarded-host",
                                                             "x-forwarded-port",
                                                             "x-forwarded-proto",
                                                             "x-request-id"};
constexpr std::array<std::string_view, 31> kJoinedInResponses{"access-control-allow-credentials",
                                                              "access-control-allow-headers",
                                                              "access-control-allow-methods",
                                                              "access-control-allow-origin",
                                                              "access-control-expose-headers",
                                                              "access-control-max-age",
                                                              "age",
                                                              "cache-control",
                                                              "connection",
                                                              "content-encoding",
                                                              "content-type",
                                                              "date",
                                                              "etag",
                                                              "expires",
                                                              "grpc-message",
                                                              "grpc-status",
                                                              "keep-alive",
                                                              "last-modified",
                                                              "location",
                                                              "proxy-connection",
                                                              "server",
                                                              "upgrade",
                                                              "vary",
                                                              "via",
                                                              "x-envoy-attempt-count",
                                                              "x-envoy-decorator-operation",
                                                              "x-envoy-degraded",
                                                              "x-envoy-immediate-health-check-fail",
                                                              "x-envoy-ratelimited",
                                                              "x-envoy-upstream-canary",
                                                              "x-request-id"};
constexpr NameSet kRequestSet(kJoinedInRequests);
constexpr NameSet kResponseSet(kJoinedInResponses);

}  // namespace

bool joinRepeated(Joined where, HeaderId id, std::string_view name, std::string_view value, HeaderMap& out) {
  if (id != HeaderId::Unknown && !out.has(id)) return false;
  size_t index = 0;
  for (const auto& entry : out) {
    if (entry.id == id && entry.name == name) break;
    ++index;
  }
  if (index == out.size()) return false;
  if (!(where == Joined::InRequests ? kRequestSet.has(name) : kResponseSet.has(name))) return false;
  const std::string_view first = out.entries()[index].value;
  const size_t size = first.size() + 1 + value.size();
  char* const joined = out.allocate(size);
  first.copy(joined, first.size());
  joined[first.size()] = ',';
  value.copy(joined + first.size() + 1, value.size());
  out.replaceStored(index, {joined, size});
  return true;
}

}  // namespace weir::http
