// How a plugin's changes to a header map act: as Envoy's map, on which plugins were tested.
//
// Envoy keeps some well-known headers in a place of their own ("inline"): of those there is at most one, and adding to
// one joins the values with a comma. Replacing is HeaderMap::set(): the header moves to the end. A request's "host" is
// another name of ":authority".
#pragma once

#include <string_view>

#include "http/header_map.h"
#include "proxy_wasm/abi.h"

namespace weir::proxy_wasm {

// What a map may hold of a plugin's changes, removed values included; beyond it nothing more is taken.
inline constexpr size_t kMaxHeaderFootprint = 1024 * 1024;

// A token, with or without a colon before it.
bool usableName(std::string_view name);
// No CR, LF or NUL, which could break a message apart. Laxer than http::validValue(): white space at the ends does no
// harm, and plugins send it.
bool usableValue(std::string_view value);

// The name under which a guest's name is found in a map of that type.
std::string_view nameIn(HeaderMapType type, std::string_view name);

// Name and value must be usable; name must come from nameIn().
void addHeader(http::HeaderMap& map, std::string_view name, std::string_view value);

}  // namespace weir::proxy_wasm
