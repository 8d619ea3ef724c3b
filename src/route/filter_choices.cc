#include "route/filter_choices.h"

#include <algorithm>

namespace weir::route {
namespace {

void merge(const FilterOverride& from, FilterOverrides& into) {
  const auto at =
      std::lower_bound(into.begin(), into.end(), from.filter,
                       [](const FilterOverride& each, const std::string& name) { return each.filter < name; });
  if (at == into.end() || at->filter != from.filter) {
    into.insert(at, from);
  } else if (at->settings == nullptr) {
    at->settings = from.settings;
  }
}

bool equal(const FilterOverrides& a, const FilterOverrides& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const FilterOverride& one, const FilterOverride& other) {
    return one.filter == other.filter && one.disabled == other.disabled && one.settings == other.settings;
  });
}

}  // namespace

uint32_t FilterChoices::add(std::initializer_list<const FilterOverrides*> levels) {
  FilterOverrides merged;
  for (const FilterOverrides* level : levels) {
    for (const FilterOverride& each : *level) merge(each, merged);
  }
  for (size_t i = 0; i < all_.size(); ++i) {
    if (equal(all_[i], merged)) return static_cast<uint32_t>(i);
  }
  all_.push_back(std::move(merged));
  return static_cast<uint32_t>(all_.size() - 1);
}

const FilterOverride* find(const FilterOverrides& choice, std::string_view filter) {
  const auto at = std::find_if(choice.begin(), choice.end(), [&](const auto& each) { return each.filter == filter; });
  return at == choice.end() ? nullptr : &*at;
}

}  // namespace weir::route
