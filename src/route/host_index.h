// Which virtual host answers for a host name: exact name first, then the longest "*suffix", then the longest "prefix*",
// then "*". Names are compared without regard to case.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace weir::route {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class HostIndex {
 public:
  // Error (side Operator): the domain was given before, or is empty.
  base::Result<void> add(std::string_view domain, uint32_t virtual_host);
  std::optional<uint32_t> find(std::string_view host) const;

 private:
  using Names = std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>>;
  using ByLength = std::map<size_t, Names, std::greater<>>;  // Longest first.
  std::optional<uint32_t> findLower(std::string_view host) const;

  Names exact_;
  ByLength suffixes_;
  ByLength prefixes_;
  std::optional<uint32_t> any_;
};

// The host without its port; an IPv6 literal keeps its brackets.
std::string_view withoutPort(std::string_view host);

}  // namespace weir::route
