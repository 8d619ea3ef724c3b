#include "config/names.h"

#include <algorithm>
#include <cctype>

namespace weir::config {
namespace {

// Case and separators do not count: people mix port_value, portValue and port-value.
std::string bare(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// Single-character edits between the two (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string didYouMean(std::string_view written, const std::vector<std::string>& candidates) {
  static constexpr size_t kLongest = 128;  // Longer than any name of the API: no guess, no cost.
  if (written.size() > kLongest) return "";
  const std::string target = bare(written);
  const std::string* best = nullptr;
  static constexpr size_t kMostEdits = 3;
  size_t best_distance = std::clamp<size_t>(target.size() / 4, 1, kMostEdits) + 1;
  for (const std::string& candidate : candidates) {
    const size_t edits = distance(target, bare(candidate));
    if (edits >= best_distance) continue;
    best_distance = edits;
    best = &candidate;
  }
  return best == nullptr ? "" : "; did you mean " + *best + "?";
}

std::string lowerCase(std::string text) {
  for (char& c : text) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace weir::config
