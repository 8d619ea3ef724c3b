// Reading the JSON documents of registries: members that may be missing or of another kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/json_read.h"

namespace weir::oci {

using Json = format::JsonSpec;

// Null: no object, or no such member. The first of that name counts.
const Json* member(const Json& object, std::string_view name);

// Empty where there is no such text.
std::string textOf(const Json& object, std::string_view name);

// nullopt: there is none, or it is no whole number from 0 to 2^53.
std::optional<uint64_t> numberOf(const Json& object, std::string_view name);

// Null: there is no such list.
const Json::List* listOf(const Json& object, std::string_view name);

}  // namespace weir::oci
