#include "format/json_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>

#include "base/utf8.h"

namespace weir::format {
namespace {

void appendCode(unsigned char byte, std::string& out) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
}

// As Envoy: in a text that is not UTF-8 quotes and backslashes take the long form too.
void appendLatin1(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
      appendCode(byte, out);
    } else {
      out += c;
    }
  }
}

void appendSpecial(char c, std::string& out) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: appendCode(static_cast<unsigned char>(c), out); return;
  }
}

}  // namespace

void appendJsonEscaped(std::string_view text, std::string& out) {
  // Nearly every value needs no change: find the first byte that does.
  size_t plain = 0;
  while (plain < text.size()) {
    const auto byte = static_cast<unsigned char>(text[plain]);
    if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') break;
    ++plain;
  }
  if (plain == text.size()) {
    out.append(text);
    return;
  }
  if (!base::isUtf8(text)) return appendLatin1(text, out);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      appendSpecial(c, out);
    } else {
      out += c;
    }
  }
}

void appendJsonString(std::string_view text, std::string& out) {
  out += '"';
  appendJsonEscaped(text, out);
  out += '"';
}

void appendJsonNumber(double number, std::string& out) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::isnan(number)) {
    out += "null";
  } else if (std::isinf(number)) {
    out += number > 0 ? "\"inf\"" : "\"-inf\"";
  } else if (std::trunc(number) == number && std::abs(number) <= kExact) {
    const fmt::format_int text(static_cast<int64_t>(number));
    out.append(text.data(), text.size());
  } else {
    fmt::format_to(std::back_inserter(out), "{}", number);
  }
}

}  // namespace weir::format
