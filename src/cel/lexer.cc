#include "cel/lexer.h"

#include <charconv>
#include <limits>

#include "base/utf8.h"

namespace weir::cel {
namespace {

using Kind = Token::Kind;

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <typename Number>
std::optional<Number> parsed(std::string_view text, int base = 10) {
  Number number{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Token Lexer::next() {
  skipBlanks();
  began_ = at_;
  if (at_ == text_.size()) return {Kind::End, {}, {}, at_};
  if (auto text = quoted()) return *text;
  const char c = text_[at_];
  if (isNameStart(c)) return name();
  if (c == '`') return quotedName();
  const bool point_number = c == '.' && at_ + 1 < text_.size() && isDigit(text_[at_ + 1]);
  return isDigit(c) || point_number ? number() : sign();
}

void Lexer::skipBlanks() {
  while (at_ < text_.size()) {
    if (std::string_view(" \t\r\n\f").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else if (rest().starts_with("//")) {
      at_ = std::min(text_.size(), text_.find('\n', at_));
    } else {
      return;
    }
  }
}

Token Lexer::bad() { return {Kind::Bad, text_.substr(began_, 1), {}, began_}; }

Token Lexer::name() {
  while (at_ < text_.size() && isNamePart(text_[at_])) ++at_;
  return {Kind::Name, text_.substr(began_, at_ - began_), {}, began_};
}

Token Lexer::quotedName() {
  const size_t end = text_.find('`', ++at_);
  if (end == std::string_view::npos || end == at_) return bad();
  for (const char c : text_.substr(at_, end - at_)) {
    if (!isNamePart(c) && c != '.' && c != '-' && c != '/' && c != ' ') return bad();
  }
  const std::string_view text = text_.substr(at_, end - at_);
  at_ = end + 1;
  return {Kind::QuotedName, text, {}, began_};
}

// A point belongs to a number only with a digit after it.
Token Lexer::number() {
  const auto while_ = [this](auto is) {
    while (at_ < text_.size() && is(text_[at_])) ++at_;
  };
  const bool hex = rest().starts_with("0x") || rest().starts_with("0X");
  if (hex) at_ += 2;
  const size_t digits_at = at_;
  hex ? while_(isHex) : while_(isDigit);
  bool real = false;
  if (!hex && at_ + 1 < text_.size() && text_[at_] == '.' && isDigit(text_[at_ + 1])) {
    real = true;
    ++at_;
    while_(isDigit);
  }
  if (!hex && at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    real = true;
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (at_ == text_.size() || !isDigit(text_[at_])) return bad();
    while_(isDigit);
  }
  const std::string_view text = text_.substr(digits_at, at_ - digits_at);
  if (real) {
    double value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec == std::errc::result_out_of_range) value = std::numeric_limits<double>::infinity();
    return {Kind::Number, text, Value(value), began_};
  }
  const auto magnitude = parsed<uint64_t>(text, hex ? 16 : 10);
  if (!magnitude) return bad();
  if (at_ < text_.size() && (text_[at_] == 'u' || text_[at_] == 'U')) {
    ++at_;
    return {Kind::Number, text, Value(*magnitude), began_};
  }
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (*magnitude == kMax + 1) return {Kind::MinInt, text, {}, began_};
  if (*magnitude > kMax) return bad();
  return {Kind::Number, text, Value(static_cast<int64_t>(*magnitude)), began_};
}

Token Lexer::sign() {
  for (const std::string_view sign : {"&&", "||", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "<",
                                      ">",  "!",  "?",  ":",  ".",  ",",  "(", ")", "[", "]", "{", "}"}) {
    if (!rest().starts_with(sign)) continue;
    at_ += sign.size();
    return {Kind::Sign, sign, {}, began_};
  }
  return bad();
}

std::optional<Token> Lexer::quoted() {
  bool raw = false, bytes = false;
  size_t prefix = 0;
  for (; prefix < 2 && prefix < rest().size(); ++prefix) {
    const char c = rest()[prefix];
    if ((c == 'r' || c == 'R') && !raw) {
      raw = true;
    } else if ((c == 'b' || c == 'B') && !bytes) {
      bytes = true;
    } else {
      break;
    }
  }
  const std::string_view after = rest().substr(prefix);
  for (const std::string_view quote : {"'''", "\"\"\"", "'", "\""}) {
    if (!after.starts_with(quote)) continue;
    at_ += prefix + quote.size();
    auto text = body(quote, raw, bytes);
    if (!text || (!bytes && !base::isUtf8(*text))) return bad();
    return Token{Kind::Text, {}, bytes ? Value::bytes(std::move(*text)) : Value::string(std::move(*text)), began_};
  }
  return std::nullopt;
}

std::optional<std::string> Lexer::body(std::string_view quote, bool raw, bool bytes) {
  std::string out;
  while (at_ < text_.size()) {
    if (rest().starts_with(quote)) {
      at_ += quote.size();
      return out;
    }
    const char c = text_[at_++];
    if (quote.size() == 1 && (c == '\n' || c == '\r')) return std::nullopt;
    if (c == '\\' && !raw) {
      if (!escape(bytes, out)) return std::nullopt;
    } else {
      out.push_back(c);
    }
  }
  return std::nullopt;
}

bool Lexer::escape(bool bytes, std::string& out) {
  if (at_ == text_.size()) return false;
  const char c = text_[at_++];
  constexpr std::string_view kNames = "abfnrtv\\'\"`?";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"`?";
  if (const size_t place = kNames.find(c); place != kNames.npos) {
    out.push_back(kMeanings[place]);
    return true;
  }
  std::optional<uint32_t> code;
  if (c == 'x' || c == 'X') code = digits(2, 16);
  if (c >= '0' && c <= '3') {
    --at_;
    code = digits(3, 8);
  }
  if (!bytes && c == 'u') code = digits(4, 16);
  if (!bytes && c == 'U') code = digits(8, 16);
  if (!code) return false;
  if (bytes) {
    out.push_back(static_cast<char>(*code));
    return true;
  }
  return base::appendUtf8(*code, out);
}

std::optional<uint32_t> Lexer::digits(size_t count, int base) {
  if (rest().size() < count) return std::nullopt;
  const auto code = parsed<uint32_t>(rest().substr(0, count), base);
  at_ += count;
  return code;
}

}  // namespace weir::cel
