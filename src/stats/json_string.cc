#include "stats/json_string.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace weir::stats {
namespace {

void appendEscaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
        out += fmt::format("\\u{:04x}", static_cast<uint8_t>(c));
      } else {
        out += c;
      }
  }
}

}  // namespace

std::string jsonString(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const size_t length = base::utf8Length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      appendEscaped(out, text[0]);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out += '"';
}

}  // namespace weir::stats
