// A format as configuration gives it, after envoy.config.core.v3.SubstitutionFormatString.
#pragma once

#include <cstdint>
#include <string>

#include "format/json_format.h"

namespace weir::format {

struct FormatSpec {
  enum class Kind : uint8_t { Text, Json };
  Kind kind = Kind::Text;
  std::string text{kDefaultFormat};
  JsonSpec json{JsonSpec::Object{}};
  bool omit_empty = false;
  std::string content_type;  // For bodies; empty: text/plain or application/json.
};

}  // namespace weir::format
