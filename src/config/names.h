// Names: what people may have meant, and comparing without case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// "; did you mean port_value?" or nothing when no candidate is near.
std::string didYouMean(std::string_view written, const std::vector<std::string>& candidates);

// ASCII letters only: header names and domains.
std::string lowerCase(std::string text);

}  // namespace weir::config
