// A configuration of one rule a line, cut into words: what the examples' configurations have in common.
#pragma once

#include <optional>
#include <string_view>

namespace guest {

// Takes the first line off `rest`, without the blanks around it. Nothing when `rest` is empty.
inline std::optional<std::string_view> takeLine(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  const size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return std::string_view();
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

// Takes the first word off `rest`, with the one blank after it.
inline std::string_view takeWord(std::string_view& rest) {
  const size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return word;
}

}  // namespace guest
