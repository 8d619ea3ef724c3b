// What the levels of a route configuration say of HTTP filters, put together: the most specific one wins.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "route/spec.h"

namespace weir::route {

// What is said of the filter of this name; null: nothing.
const FilterOverride* find(const FilterOverrides& choice, std::string_view filter);

// Each different combination is kept once and has a number, so that a filter chain can be made up for each beforehand.
class FilterChoices {
 public:
  FilterChoices() : all_(1) {}

  // levels: the most specific first. As Envoy: whether a filter is disabled is what the first level says that names it;
  // its settings are those of the first level that has some. 0: no level says anything.
  uint32_t add(std::initializer_list<const FilterOverrides*> levels);
  // By number; in each the filters in the order of their names.
  const std::vector<FilterOverrides>& all() const { return all_; }

 private:
  std::vector<FilterOverrides> all_;
};

}  // namespace weir::route
