// The little of Unicode that is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::base {

// False: no code point (a surrogate, or beyond the last).
bool appendUtf8(uint32_t code, std::string& out);
// The length of the code point that text, which is not empty, begins with; 0: it begins with none (RFC 3629 4).
size_t utf8Length(std::string_view text);
// RFC 3629. Protobuf's strings are of it.
bool isUtf8(std::string_view text);
// How many code points; of what is no UTF-8, bytes that begin none are not counted.
size_t codePoints(std::string_view text);

}  // namespace weir::base
