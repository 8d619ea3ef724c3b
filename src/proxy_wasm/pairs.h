// Lists of pairs (header maps, property maps) in the form in which they cross the border to a guest:
//
//   u32 count; count times {u32 name length, u32 value length}; count times {name, 0, value, 0}     (little-endian)
//
// Lengths leave the NULs out. An empty list from the host is no bytes at all; a guest may also send a count of zero.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/header_map.h"

namespace weir::proxy_wasm {

using PairViews = std::vector<std::pair<std::string_view, std::string_view>>;

// What a guest may send at most, as in Envoy.
inline constexpr size_t kMaxPairsBytes = 1024 * 1024;
inline constexpr size_t kMaxPairs = 1024;

// How many bytes writePairs() will write. 0 for an empty list.
size_t pairsSize(const http::HeaderMap& map);
// Fills out, whose size must be pairsSize(map), in one pass.
void writePairs(const http::HeaderMap& map, std::span<std::byte> out);
// The same for a list, as a string.
std::string toPairs(const PairViews& pairs);
// As a property's value: an empty list is a count of zero.
std::string toPropertyPairs(const PairViews& pairs);

// The pairs in bytes, as views of it. nullopt if it is malformed in any way: over a limit, a length beyond the end, a
// missing NUL, anything left over.
std::optional<PairViews> parsePairs(std::string_view bytes);

}  // namespace weir::proxy_wasm
