// Field lines of a head or a trailer section into a header map. RFC 9112 5.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "http/header_map.h"
#include "http1/codec.h"
#include "http1/framing.h"

namespace weir::http1 {

enum class FieldsOf : uint8_t {
  Request,  // Host is stored as the value of entry 0, which must be ":authority".
  Response,
  Trailers,  // What may not stand in trailers is left out (RFC 9110 6.5.1).
};

// Parses lines, all of them ended by CRLF, in memory that belongs to out's arena; names are made lower case in place.
// Fields that Envoy joins when they are repeated come joined by ",", as plugins are used to. has_host, if not null, is
// told whether there was a Host.
std::optional<Fault> parseFields(std::span<char> lines, FieldsOf of, const Limits& limits, http::HeaderMap& out,
                                 bool* has_host = nullptr);

// The most bytes that a head within these limits can have on the wire: names and values, and what stands around them.
size_t headLimit(const Limits& limits);

}  // namespace weir::http1
