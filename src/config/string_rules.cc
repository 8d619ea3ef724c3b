#include "config/string_rules.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "net/address.h"

namespace weir::config {
namespace {

size_t codePoints(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// RFC 9110 5.6.2, with the pseudo-headers that Envoy's API allows. Not strict: only what would break a line is barred,
// and where a name must not be empty min_len says so.
bool isHeaderName(std::string_view text, bool strict) {
  if (!strict) return text.find_first_of(std::string_view("\0\n\r", 3)) == std::string_view::npos;
  if (text.starts_with(':')) text.remove_prefix(1);
  static constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kSymbols.find(c) != std::string_view::npos;
  });
}

bool isHeaderValue(std::string_view text, bool strict) {
  if (!strict) return text.find_first_of(std::string_view("\0\n\r", 3)) == std::string_view::npos;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  });
}

bool isHostname(const std::string& text) {
  static const re2::RE2 kLabels(
      "([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*[.]?");
  return text.size() <= 253 && re2::RE2::FullMatch(text, kLabels);
}

bool isIp(const std::string& text) { return net::Address::parseIp(text, 0).ok(); }

void checkWellKnownString(const validate::StringRules& rules, const std::string& value, const Place& place) {
  if (rules.well_known_regex() == validate::HTTP_HEADER_NAME && !isHeaderName(value, rules.strict())) {
    breach(place, "must be a header name");
  }
  if (rules.well_known_regex() == validate::HTTP_HEADER_VALUE && !isHeaderValue(value, rules.strict())) {
    breach(place, "must be a header value");
  }
  if (rules.hostname() && !isHostname(value)) breach(place, "must be a host name");
  if ((rules.ip() || rules.ipv4() || rules.ipv6()) && !isIp(value)) breach(place, "must be an IP address");
  if (rules.address() && !isIp(value) && !isHostname(value)) breach(place, "must be a host name or an IP address");
  if (rules.uri() && value.find("://") == std::string::npos) breach(place, "must be an absolute URI");
}

}  // namespace

void checkString(const validate::StringRules& rules, const std::string& value, const Place& place) {
  if (rules.ignore_empty() && value.empty()) return;
  const size_t length = codePoints(value);
  const bool needed = rules.min_len() == 1 || rules.min_bytes() == 1;
  if (needed && value.empty()) return breach(place, "is required and must not be empty");
  if (rules.has_const_() && value != rules.const_()) breach(place, fmt::format("must be '{}'", rules.const_()));
  if (rules.has_len() && length != rules.len()) breach(place, fmt::format("must have {} characters", rules.len()));
  if (length < rules.min_len()) breach(place, fmt::format("must have at least {} characters", rules.min_len()));
  if (rules.has_max_len() && length > rules.max_len()) {
    breach(place, fmt::format("must have at most {} characters", rules.max_len()));
  }
  if (value.size() < rules.min_bytes()) breach(place, fmt::format("must have at least {} bytes", rules.min_bytes()));
  if (rules.has_max_bytes() && value.size() > rules.max_bytes()) {
    breach(place, fmt::format("must have at most {} bytes, has {}", rules.max_bytes(), value.size()));
  }
  if (rules.has_pattern() && !re2::RE2::PartialMatch(value, rules.pattern())) {
    breach(place, fmt::format("must match {}", rules.pattern()));
  }
  if (rules.has_prefix() && !value.starts_with(rules.prefix())) {
    breach(place, fmt::format("must begin with '{}'", rules.prefix()));
  }
  if (rules.has_suffix() && !value.ends_with(rules.suffix())) {
    breach(place, fmt::format("must end with '{}'", rules.suffix()));
  }
  if (rules.has_contains() && value.find(rules.contains()) == std::string::npos) {
    breach(place, fmt::format("must contain '{}'", rules.contains()));
  }
  if (rules.has_not_contains() && value.find(rules.not_contains()) != std::string::npos) {
    breach(place, fmt::format("must not contain '{}'", rules.not_contains()));
  }
  const bool listed = std::find(rules.in().begin(), rules.in().end(), value) != rules.in().end();
  if (rules.in_size() > 0 && !listed) breach(place, fmt::format("must be one of {}", fmt::join(rules.in(), ", ")));
  const bool barred = std::find(rules.not_in().begin(), rules.not_in().end(), value) != rules.not_in().end();
  if (barred) breach(place, fmt::format("must not be '{}'", value));
  checkWellKnownString(rules, value, place);
}

void checkBytes(const validate::BytesRules& rules, const std::string& value, const Place& place) {
  if (rules.ignore_empty() && value.empty()) return;
  if (value.size() < rules.min_len()) breach(place, fmt::format("must have at least {} bytes", rules.min_len()));
  if (rules.has_max_len() && value.size() > rules.max_len()) {
    breach(place, fmt::format("must have at most {} bytes", rules.max_len()));
  }
  if (rules.has_len() && value.size() != rules.len()) breach(place, fmt::format("must have {} bytes", rules.len()));
}

}  // namespace weir::config
