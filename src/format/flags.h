// The names of response flags.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::format {

// The bit of StreamInfo::response_flags; 0: there is no such flag.
uint64_t flagByLetters(std::string_view letters);

}  // namespace weir::format
