// Which bytes may stand where in HTTP, as tables, and the search for the byte that may not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::http {

namespace characters {

constexpr bool isTokenByte(unsigned char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

constexpr std::array<char, 256> tokenLowerTable() {
  std::array<char, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    table[c] = isTokenByte(static_cast<unsigned char>(c)) ? static_cast<char>(upper ? c | 0x20 : c) : '\0';
  }
  return table;
}

constexpr std::array<char, 256> lowerTable() {
  std::array<char, 256> table{};
  for (int c = 0; c < 256; ++c) table[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return table;
}

constexpr std::array<int8_t, 256> hexTable() {
  std::array<int8_t, 256> table{};
  for (int8_t& entry : table) entry = -1;
  for (int8_t i = 0; i < 10; ++i) table['0' + i] = i;
  for (int8_t i = 0; i < 6; ++i) table['a' + i] = table['A' + i] = static_cast<int8_t>(10 + i);
  return table;
}

inline constexpr std::array<char, 256> kTokenLower = tokenLowerTable();
inline constexpr std::array<char, 256> kLower = lowerTable();
inline constexpr std::array<int8_t, 256> kHex = hexTable();

}  // namespace characters

// RFC 9110 5.6.2: the byte in lower case if it may stand in a token, else 0.
inline char tokenLower(char c) { return characters::kTokenLower[static_cast<unsigned char>(c)]; }
inline char toLower(char c) { return characters::kLower[static_cast<unsigned char>(c)]; }
// The value of a hexadecimal digit, else -1.
inline int hexValue(char c) { return characters::kHex[static_cast<unsigned char>(c)]; }
inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline bool isBlank(char c) { return c == ' ' || c == '\t'; }
// May not stand in a field value: control bytes but tab, and DEL. Bytes from 0x80 on may (obs-text).
inline bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// The first control byte (see isControl) in [from, end), or end.
const char* findControl(const char* from, const char* end);

// Without blanks (space, tab) at either end. RFC 9110 5.6.3: OWS.
std::string_view trimBlanks(std::string_view text);

}  // namespace weir::http
