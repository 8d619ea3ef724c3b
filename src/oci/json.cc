#include "oci/json.h"

#include <cmath>

namespace weir::oci {

const Json* member(const Json& object, std::string_view name) {
  const auto* members = std::get_if<Json::Object>(&object.value);
  if (members == nullptr) return nullptr;
  for (const Json::Property& each : *members) {
    if (each.name == name) return &each.value;
  }
  return nullptr;
}

std::string textOf(const Json& object, std::string_view name) {
  const Json* found = member(object, name);
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(&found->value);
  return text == nullptr ? "" : *text;
}

std::optional<uint64_t> numberOf(const Json& object, std::string_view name) {
  constexpr double kMost = 9007199254740992.0;  // 2^53: beyond it a double is not exact.
  const Json* found = member(object, name);
  const auto* number = found == nullptr ? nullptr : std::get_if<double>(&found->value);
  if (number == nullptr || !(*number >= 0 && *number <= kMost) || *number != std::floor(*number)) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

const Json::List* listOf(const Json& object, std::string_view name) {
  const Json* found = member(object, name);
  return found == nullptr ? nullptr : std::get_if<Json::List>(&found->value);
}

}  // namespace weir::oci
