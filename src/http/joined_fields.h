// Fields that Envoy keeps once: when one is repeated its values are joined by ",", and plugins are used to that.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/header_map.h"

namespace weir::http {

enum class Joined : uint8_t { InRequests, InResponses };

// Puts value behind that of the map's entry of this name, if there is one and repetitions of it are joined; false if
// the caller should add an entry. name must be in lower case and id its id. The entry counts as checked as before.
bool joinRepeated(Joined where, HeaderId id, std::string_view name, std::string_view value, HeaderMap& out);

}  // namespace weir::http
