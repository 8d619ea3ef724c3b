#include "http1/fields.h"

#include "http/characters.h"
#include "http/joined_fields.h"

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

// Puts field behind the value of an entry of its name, if there is one and repetitions of it are joined.
bool join(FieldsOf of, const Field& field, HeaderMap& out) {
  if (of == FieldsOf::Trailers) return false;
  return http::joinRepeated(of == FieldsOf::Request ? http::Joined::InRequests : http::Joined::InResponses, field.id,
                            field.name, field.value, out);
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
