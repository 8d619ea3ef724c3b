#include "http1/framing.h"

#include <limits>

#include "http/characters.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

constexpr Fault kBothLengths{400, "http1.content_length_and_chunked_not_allowed"};
constexpr Fault kUnknownCoding{501, "http1.invalid_transfer_encoding"};
constexpr Fault kBadCoding{400, "http1.codec_error"};

// RFC 9110 7.6.1 has fields removed that Connection names. Nobody may have removed what says who the client is, or
// what the request is for.
bool mustNotBeNamed(std::string_view name) {
  if (http::isPseudo(name)) return true;
  switch (http::wellKnownId(name)) {
    case HeaderId::ForwardedFor:
    case HeaderId::ForwardedHost:
    case HeaderId::ForwardedProto:
    case HeaderId::Host:
    case HeaderId::ContentLength:
    case HeaderId::TransferEncoding: return true;
    default: return false;
  }
}

// As Envoy: more names than this in Connection are an attack.
constexpr int kMaxConnectionTokens = 9;

void readConnection(std::string_view value, Framing& out) {
  forEachToken(value, [&out](std::string_view token) {
    if (http::equalsIgnoreCase(token, "close")) out.close = true;
    if (http::equalsIgnoreCase(token, "keep-alive")) out.keep_alive = true;
    if (http::equalsIgnoreCase(token, "upgrade")) out.upgrade = true;
    if (++out.connection_tokens > kMaxConnectionTokens || mustNotBeNamed(token)) out.bad_connection = true;
  });
}

}  // namespace

base::Error toError(const Fault& fault, base::Side side) {
  const base::Code code = fault.status == 431 ? base::Code::TooLarge : base::Code::Malformed;
  return {code, side, base::Retry::No, std::string(fault.detail)};
}

std::optional<uint64_t> parseLength(std::string_view text) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!http::isDigit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<Fault> readFraming(const http::HeaderMap& headers, int version_minor, Framing& out) {
  const bool any = headers.has(HeaderId::ContentLength) || headers.has(HeaderId::TransferEncoding) ||
                   headers.has(HeaderId::Connection);
  if (!any) return std::nullopt;
  for (const auto& entry : headers) {
    switch (entry.id) {
      case HeaderId::ContentLength:
        // RFC 9112 6.3: also equal repeated lengths may be refused; nobody honest sends them.
        if (out.content_length) return kCodecError;
        out.content_length = parseLength(entry.value);
        if (!out.content_length) return kCodecError;
        break;
      case HeaderId::TransferEncoding:
        if (out.chunked || version_minor == 0) return kBadCoding;
        if (!http::equalsIgnoreCase(entry.value, "chunked")) return kUnknownCoding;
        out.chunked = true;
        break;
      case HeaderId::Connection: readConnection(entry.value, out); break;
      default: break;
    }
  }
  if (out.chunked && out.content_length) return kBothLengths;
  return std::nullopt;
}

}  // namespace weir::http1
