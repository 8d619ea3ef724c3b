// Reads small JSON texts: operators' parameters, the documents of registries.
#pragma once

#include <optional>
#include <string_view>

#include "format/json_format.h"

namespace weir::format {

// nullopt: not JSON, or nested deeper than 16. Numbers as doubles; escapes of surrogate halves by themselves are
// refused.
std::optional<JsonSpec> readJson(std::string_view text);

}  // namespace weir::format
