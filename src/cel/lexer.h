// Takes an expression apart: names, numbers, texts and signs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cel/value.h"

namespace weir::cel {

struct Token {
  enum class Kind : uint8_t {
    End,
    Name,        // text; also true, false, null and in
    QuotedName,  // In back quotes: a field's name only.
    Number,      // value: Int, Uint or Double
    MinInt,      // 9223372036854775808, which needs a minus before it
    Text,        // value: String or Bytes
    Sign,        // text: one or two characters
    Bad,
  };
  Kind kind = Kind::End;
  std::string_view text;
  Value value;
  size_t at = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  void skipBlanks();
  std::string_view rest() const { return text_.substr(at_); }
  Token bad();
  Token name();
  Token quotedName();
  Token number();
  Token sign();
  // nullopt: there is none here.
  std::optional<Token> quoted();
  std::optional<std::string> body(std::string_view quote, bool raw, bool bytes);
  bool escape(bool bytes, std::string& out);
  std::optional<uint32_t> digits(size_t count, int base);

  const std::string_view text_;
  size_t at_ = 0;
  size_t began_ = 0;
};

}  // namespace weir::cel
