#include "http1/response_head.h"

#include <cstring>

#include "http/characters.h"
#include "http/status.h"
#include "http1/fields.h"

namespace weir::http1 {
namespace {

using http::HeaderId;

constexpr Fault kCodingNotAllowed{502, "http1.transfer_encoding_not_allowed"};
constexpr Fault kLengthNotAllowed{502, "http1.content_length_not_allowed"};

constexpr std::string_view kVersion = "HTTP/1.";
constexpr size_t kStatusAt = kVersion.size() + 2;

// "HTTP/1.1 200 reason"; the reason and the space before it may be missing, as with many servers.
bool parseStatusLine(std::string_view line, ResponseHead& out) {
  if (!line.starts_with(kVersion) || line.size() < kStatusAt + 3 || line[kStatusAt - 1] != ' ') return false;
  const char minor = line[kVersion.size()];
  if (minor != '0' && minor != '1') return false;
  out.version_minor = minor - '0';
  const std::optional<int> status = http::parseStatus(line.substr(kStatusAt, 3));
  if (!status) return false;
  out.status = *status;
  const std::string_view reason = line.substr(kStatusAt + 3);
  if (!reason.empty() && reason.front() != ' ') return false;
  const char* const end = reason.data() + reason.size();
  return http::findControl(reason.data(), end) == end;
}

// RFC 9112 6.1, RFC 9110 8.6: 1xx and 204 have no framing. A length of zero is an honest mistake.
std::optional<Fault> checkBodiless(http::HeaderMap& headers) {
  if (headers.has(HeaderId::TransferEncoding)) return kCodingNotAllowed;
  const auto length = headers.get(HeaderId::ContentLength);
  if (length && *length != "0") return kLengthNotAllowed;
  headers.remove(HeaderId::ContentLength);
  return std::nullopt;
}

}  // namespace

std::optional<Fault> parseResponseHead(std::string_view head, const Limits& limits, http::HeaderMap& out,
                                       ResponseHead& info) {
  const size_t line_end = head.find("\r\n");
  if (!parseStatusLine(head.substr(0, line_end), info)) return kCodecError;

  char* const to = out.allocate(head.size());
  std::memcpy(to, head.data(), head.size());
  out.addStored(HeaderId::Status, http::wellKnownName(HeaderId::Status), {to + kStatusAt, 3});
  const size_t fields_begin = line_end + 2;
  const std::span<char> fields(to + fields_begin, head.size() - 2 - fields_begin);
  if (auto fault = parseFields(fields, FieldsOf::Response, limits, out)) return fault;
  if (info.status < 200 || info.status == 204) {
    if (auto fault = checkBodiless(out)) return fault;
  }
  return readFraming(out, info.version_minor, info.framing);
}

}  // namespace weir::http1
