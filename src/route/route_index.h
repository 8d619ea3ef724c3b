// Narrows many routes down to the few that a path can match, without changing their order.
//
// Exact paths and prefixes are found by hash, one look-up per length of prefix that occurs; regular expressions and
// case-insensitive matches remain candidates for every path. A candidate still has to be tested.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "route/host_index.h"
#include "route/spec.h"

namespace weir::route {

class RouteIndex {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  explicit RouteIndex(const std::vector<Route>& routes);

  // The first route, in configured order, that is a candidate for the path and for which test(number) is true.
  template <typename Test>
  size_t first(std::string_view path, Test test) const {
    Lists lists;
    const size_t count = candidates(path, lists);
    while (true) {
      std::span<const uint32_t>* next = nullptr;
      for (auto& list : std::span(lists).first(count)) {
        if (!list.empty() && (next == nullptr || list.front() < next->front())) next = &list;
      }
      if (next == nullptr) return kNone;
      const size_t number = next->front();
      if (test(number)) return number;
      *next = next->subspan(1);
    }
  }

 private:
  // Prefixes of further lengths are tested one by one.
  static constexpr size_t kMaxPrefixLengths = 62;
  using Lists = std::array<std::span<const uint32_t>, kMaxPrefixLengths + 2>;
  using ByText = std::unordered_map<std::string, std::vector<uint32_t>, TextHash, std::equal_to<>>;

  size_t candidates(std::string_view path, Lists& lists) const;
  bool addPrefix(const std::string& prefix, uint32_t number);

  ByText exact_;
  std::vector<std::pair<size_t, ByText>> prefixes_;  // By length.
  std::vector<uint32_t> others_;
};

}  // namespace weir::route
