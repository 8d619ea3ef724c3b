// Names that people mistype, and what they may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// "; did you mean port_value?" or nothing when no candidate is near.
std::string didYouMean(std::string_view written, const std::vector<std::string>& candidates);

}  // namespace weir::config
