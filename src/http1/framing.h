// How long a message is and whether its connection lives on: RFC 9112 6.3 and 9.3, from its header fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/header_map.h"

namespace weir::http1 {

// What a parser found wrong: the status that answers it, and Envoy's name for it.
struct Fault {
  int status = 400;
  std::string_view detail;
};

inline constexpr Fault kCodecError{400, "http1.codec_error"};
inline constexpr Fault kHeadersTooLarge{431, "http1.headers_too_large"};
inline constexpr Fault kTooManyHeaders{431, "http1.too_many_headers"};

base::Error toError(const Fault& fault, base::Side side);

struct Framing {
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool close = false;       // "close" in Connection.
  bool keep_alive = false;  // "keep-alive" in Connection.
  bool upgrade = false;     // "upgrade" in Connection.
  // Connection names fields that must not be removed, or too many: for a server to refuse.
  bool bad_connection = false;
  int connection_tokens = 0;
};

// Reads Content-Length, Transfer-Encoding and Connection. version_minor is that of HTTP/1.x. Whatever is ambiguous is a
// fault: both lengths, a repeated, signed, empty or overflowing length, a coding other than exactly one "chunked", any
// coding in HTTP/1.0.
std::optional<Fault> readFraming(const http::HeaderMap& headers, int version_minor, Framing& out);

// 1*DIGIT, at most 2^63 - 1.
std::optional<uint64_t> parseLength(std::string_view text);

// Calls visit(token) for each non-empty element of a comma-separated list, without blanks around it.
template <typename Visit>
void forEachToken(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t')) token.remove_prefix(1);
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) token.remove_suffix(1);
    if (!token.empty()) visit(token);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace weir::http1
