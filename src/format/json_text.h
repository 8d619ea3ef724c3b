// JSON values as text, escaped as Envoy's log lines are.
#pragma once

#include <string>
#include <string_view>

namespace weir::format {

// With quotes. What is not UTF-8 is taken byte by byte as Latin-1, all of it escaped, so that the line stays JSON.
void appendJsonString(std::string_view text, std::string& out);
// The same without quotes, for pieces of a string.
void appendJsonEscaped(std::string_view text, std::string& out);
// The shortest form; integers without a point. What JSON has no number for: null (NaN), "inf", "-inf".
void appendJsonNumber(double number, std::string& out);

}  // namespace weir::format
