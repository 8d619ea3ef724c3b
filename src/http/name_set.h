// A fixed set of lower-case names, to be found by any case of letters without hashing or allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/characters.h"

namespace weir::http {

// Whether two texts are the same but for the case of ASCII letters.
inline bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && toLower(a[i]) != toLower(b[i])) return false;
  }
  return true;
}

// Names are sorted by length when the program is compiled. Names of one length rarely share their first and middle
// letters, so that nearly always one candidate or none is compared in full.
template <size_t kCount>
class NameSet {
 public:
  static constexpr size_t kLongest = 47;

  // Every name must be in lower case and no longer than kLongest; empty names are never found.
  explicit constexpr NameSet(const std::array<std::string_view, kCount>& names) : names_(names) {
    uint8_t next = 0;
    for (size_t length = 0; length <= kLongest; ++length) {
      begin_[length] = next;
      for (size_t i = 0; i < kCount; ++i) {
        if (length > 0 && names_[i].size() == length) order_[next++] = static_cast<uint8_t>(i);
      }
    }
    begin_[kLongest + 1] = next;
  }

  // The place of name in the array given, or -1.
  int find(std::string_view name) const {
    const size_t size = name.size();
    if (size == 0 || size > kLongest || begin_[size] == begin_[size + 1]) return -1;
    const char first = toLower(name.front());
    const char middle = toLower(name[size / 2]);
    for (uint8_t i = begin_[size]; i < begin_[size + 1]; ++i) {
      const std::string_view candidate = names_[order_[i]];
      if (candidate.front() != first || candidate[size / 2] != middle) continue;
      if (std::memcmp(candidate.data(), name.data(), size) == 0) return order_[i];
      if (equalsIgnoreCase(candidate, name)) return order_[i];
    }
    return -1;
  }
  bool has(std::string_view name) const { return find(name) >= 0; }

  constexpr std::string_view operator[](size_t index) const { return names_[index]; }

 private:
  static_assert(kCount < 256);
  std::array<std::string_view, kCount> names_;
  std::array<uint8_t, kCount> order_{};
  std::array<uint8_t, kLongest + 2> begin_{};
};

template <size_t kCount>
NameSet(const std::array<std::string_view, kCount>&) -> NameSet<kCount>;

}  // namespace weir::http
