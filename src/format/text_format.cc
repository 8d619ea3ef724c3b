#include "format/text_format.h"

#include <algorithm>
#include <charconv>

namespace weir::format {
namespace {

struct Parsed {
  Command command;
  size_t size = 0;  // From '%' to '%', both included.
};

bool isNameCharacter(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// "%NAME%", "%NAME(PARAMETER)%", "%NAME(PARAMETER):LENGTH%": a parameter may hold anything but ')' and a newline.
std::optional<Parsed> parseCommand(std::string_view rest) {
  Parsed parsed;
  size_t at = 1;
  while (at < rest.size() && isNameCharacter(rest[at])) ++at;
  parsed.command.name = rest.substr(1, at - 1);
  if (parsed.command.name.empty()) return std::nullopt;
  if (at < rest.size() && rest[at] == '(') {
    const size_t close = rest.find_first_of(")\n", at);
    if (close == std::string_view::npos || rest[close] == '\n') return std::nullopt;
    parsed.command.parameter = rest.substr(at + 1, close - at - 1);
    at = close + 1;
  }
  if (at < rest.size() && rest[at] == ':') {
    size_t length = 0;
    const auto number = std::from_chars(rest.data() + at + 1, rest.data() + rest.size(), length);
    if (number.ec != std::errc()) return std::nullopt;
    parsed.command.length = length;
    at = static_cast<size_t>(number.ptr - rest.data());
  }
  if (at >= rest.size() || rest[at] != '%') return std::nullopt;
  parsed.size = at + 1;
  return parsed;
}

}  // namespace

const std::string_view kDefaultFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "
    "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

base::Result<TextFormat> TextFormat::create(std::string_view text) {
  TextFormat format;
  std::string plain;
  const auto flush = [&] {
    if (!plain.empty()) format.pieces_.push_back({std::exchange(plain, {}), {}});
  };
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '%') {
      plain += text[at++];
      continue;
    }
    if (text.substr(at).starts_with("%%")) {
      plain += '%';
      at += 2;
      continue;
    }
    const auto parsed = parseCommand(text.substr(at));
    if (!parsed) {
      return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
                         "no operator begins at the '%' at position " + std::to_string(at) +
                             " of the format; a '%' itself is written '%%'"};
    }
    auto operation = createOperator(parsed->command);
    if (!operation.ok()) return std::move(operation).error();
    flush();
    format.pieces_.push_back({"", *std::move(operation)});
    at += parsed->size;
  }
  flush();
  return format;
}

void TextFormat::append(const Entry& entry, bool omit_empty, std::string& out) const {
  for (const Piece& piece : pieces_) {
    if (piece.isText()) {
      out += piece.text;
    } else if (!piece.operation.append(entry, out) && !omit_empty) {
      out += '-';
    }
  }
}

bool TextFormat::isConstant() const {
  return std::all_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.isText(); });
}

}  // namespace weir::format
