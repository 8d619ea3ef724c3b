// Which part of a module an engine's complaint is about: it tells an offset, people think in sections.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::wasm {

// "invalid value type (at offset 0x8c)" -> "in its type section"; nothing if no offset is told, or it lies in none.
std::optional<std::string> placeOfFault(std::string_view complaint, std::span<const std::byte> module);

}  // namespace weir::wasm
