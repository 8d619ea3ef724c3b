#include "route/route_index.h"

#include <algorithm>

namespace weir::route {

RouteIndex::RouteIndex(const std::vector<Route>& routes) {
  for (uint32_t number = 0; number < routes.size(); ++number) {
    const PathMatch& path = routes[number].path;
    if (path.case_sensitive) {
      if (path.kind == PathMatch::Kind::Path) {
        exact_[path.text].push_back(number);
        continue;
      }
      const bool prefix = path.kind == PathMatch::Kind::Prefix || path.kind == PathMatch::Kind::PathSeparatedPrefix;
      if (prefix && addPrefix(path.text, number)) continue;
    }
    others_.push_back(number);
  }
}

bool RouteIndex::addPrefix(const std::string& prefix, uint32_t number) {
  const auto same_length = [&](const auto& entry) { return entry.first == prefix.size(); };
  auto found = std::find_if(prefixes_.begin(), prefixes_.end(), same_length);
  if (found == prefixes_.end()) {
    if (prefixes_.size() == kMaxPrefixLengths) return false;
    prefixes_.emplace_back(prefix.size(), ByText{});
    found = prefixes_.end() - 1;
  }
  found->second[prefix].push_back(number);
  return true;
}

size_t RouteIndex::candidates(std::string_view path, Lists& lists) const {
  size_t count = 0;
  if (!others_.empty()) lists[count++] = others_;
  if (const auto found = exact_.find(path); found != exact_.end()) lists[count++] = found->second;
  for (const auto& [length, routes] : prefixes_) {
    if (length > path.size()) continue;
    if (const auto found = routes.find(path.substr(0, length)); found != routes.end()) lists[count++] = found->second;
  }
  return count;
}

}  // namespace weir::route
