#pragma once

#include <string>
#include <string_view>

namespace weir::stats {

// text as a JSON string with its quotes (RFC 8259 7). Bytes that are not UTF-8 become U+FFFD: names come from plugins,
// and a reader must be able to take the document.
std::string jsonString(std::string_view text);

}  // namespace weir::stats
