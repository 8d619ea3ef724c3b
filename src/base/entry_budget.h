// How many bytes the entries of a map take together, where a peer or a plugin fills it.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir::base {

class EntryBudget {
 public:
  // Of one entry, with what keeps it.
  static size_t costOf(std::string_view key, std::string_view value) { return kEntryBytes + key.size() + value.size(); }
  // An entry of the cost after stands in the place of one of the cost before (0: of none). False: all of them would
  // cost more than most, and nothing has changed. What costs no more than before always may.
  bool replace(size_t before, size_t after, size_t most) {
    if (after > before && used_ - before + after > most) return false;
    used_ = used_ - before + after;
    return true;
  }
  size_t used() const { return used_; }

 private:
  static constexpr size_t kEntryBytes = 128;
  size_t used_ = 0;
};

}  // namespace weir::base
