#include "http1/fields.h"

#include <array>

#include "http/characters.h"

namespace weir::http1 {
namespace {

using http::HeaderId;
using http::HeaderMap;

struct Field {
  HeaderId id;
  std::string_view name;
  std::string_view value;
};

// One line from at, which is moved behind it. Lower-cases the name in place.
bool parseLine(char*& at, const char* end, Field& out) {
  char* const name = at;
  while (at != end) {
    const char lower = http::tokenLower(*at);
    if (lower == '\0') break;
    *at++ = lower;
  }
  // RFC 9112 5.1: no white space before the colon. 5.2: a folded line begins with a blank, and so has no name.
  if (at == name || at == end || *at != ':') return false;
  out.name = {name, static_cast<size_t>(at - name)};
  out.id = http::wellKnownId(out.name);
  ++at;
  while (at != end && http::isBlank(*at)) ++at;
  // The first control byte must be the line's own CR: this finds NUL, DEL, a bare CR and all the others.
  const char* const value_end = http::findControl(at, end);
  if (end - value_end < 2 || value_end[0] != '\r' || value_end[1] != '\n') return false;
  size_t size = static_cast<size_t>(value_end - at);
  while (size > 0 && http::isBlank(at[size - 1])) --size;
  out.value = {at, size};
  at += value_end - at + 2;
  return true;
}

// RFC 9110 6.5.1: fields for framing, routing, authentication and the like mean nothing in trailers, or worse.
bool forbiddenInTrailers(const Field& field) {
  switch (field.id) {
    case HeaderId::ContentLength:
    case HeaderId::TransferEncoding:
    case HeaderId::Host:
    case HeaderId::Connection:
    case HeaderId::KeepAlive:
    case HeaderId::ProxyConnection:
    case HeaderId::Te:
    case HeaderId::Trailer:
    case HeaderId::Upgrade:
    case HeaderId::Cookie: return true;
    default: break;
  }
  return field.name == "authorization" || field.name == "proxy-authorization" || field.name == "set-cookie" ||
         field.name == "content-encoding" || field.name == "content-range";
}

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
constexpr http::NameSet kRequestSet(kJoinedInRequests);
constexpr http::NameSet kResponseSet(kJoinedInResponses);

bool joinedWhenRepeated(FieldsOf of, std::string_view name) {
  switch (of) {
    case FieldsOf::Request: return kRequestSet.has(name);
    case FieldsOf::Response: return kResponseSet.has(name);
    case FieldsOf::Trailers: return false;
  }
  return false;
}

// Puts field behind the value of an entry of its name, if there is one and repetitions of it are joined.
bool join(FieldsOf of, const Field& field, HeaderMap& out) {
  if (field.id != HeaderId::Unknown && !out.has(field.id)) return false;
  size_t index = 0;
  for (const auto& entry : out) {
    if (entry.id == field.id && entry.name == field.name) break;
    ++index;
  }
  if (index == out.size() || !joinedWhenRepeated(of, field.name)) return false;
  const std::string_view first = out.entries()[index].value;
  const size_t size = first.size() + 1 + field.value.size();
  char* const joined = out.allocate(size);
  first.copy(joined, first.size());
  joined[first.size()] = ',';
  field.value.copy(joined + first.size() + 1, field.value.size());
  out.replaceStored(index, {joined, size});
  return true;
}

}  // namespace

size_t headLimit(const Limits& limits) {
  // Each line adds ": " and its end; the start line a few words.
  return size_t{limits.max_headers_kb} * 1024 + size_t{limits.max_headers_count} * 4 + 64;
}

std::optional<Fault> parseFields(std::span<char> lines, FieldsOf of, const Limits& limits, HeaderMap& out,
                                 bool* has_host) {
  char* at = lines.data();
  const char* const end = at + lines.size();
  size_t count = 0;
  bool host_seen = false;
  while (at != end) {
    Field field;
    if (!parseLine(at, end, field)) return kCodecError;
    if (++count > limits.max_headers_count) return kTooManyHeaders;
    if (of == FieldsOf::Request && field.id == HeaderId::Host) {
      // RFC 9112 3.2: more than one Host must be refused.
      if (host_seen) return kCodecError;
      host_seen = true;
      out.replaceStored(0, field.value);
      continue;
    }
    if (of == FieldsOf::Trailers && forbiddenInTrailers(field)) continue;
    if (!join(of, field, out)) out.addStored(field.id, field.name, field.value);
  }
  if (has_host != nullptr) *has_host = host_seen;
  if (out.bytes() > size_t{limits.max_headers_kb} * 1024) return kHeadersTooLarge;
  return std::nullopt;
}

}  // namespace weir::http1
