// What a Store holds; private to this folder.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "stats/stats.h"
#include "stats/tags.h"

namespace weir::stats {

template <typename Stat>
struct Entry {
  Stat stat;
  // Found when first asked for, under Data::reading.
  mutable std::optional<TaggedName> tagged;
};

struct HistogramEntry : Entry<Histogram> {
  // Under Data::reading. Before the first interval ends, none was seen.
  Distribution at_interval_start;
  Distribution interval;
};

struct Store::Data {
  // Guards the maps, whose entries never move nor go. Held only to create and to list, never while rendering, because
  // workers create too (a response code seen for the first time, a plugin's metric).
  std::mutex names;
  std::map<std::string, Entry<Counter>, std::less<>> counters;
  std::map<std::string, Entry<Gauge>, std::less<>> gauges;
  std::map<std::string, HistogramEntry, std::less<>> histograms;

  std::mutex reading;  // Guards what readers keep: tags and intervals.
  TagExtractor extractor;
};

// The stats that a view selects, by name. Pointers stay valid as long as the store lives.
struct Store::Listing {
  template <typename Stat>
  using Named = std::vector<std::pair<const std::string*, const Stat*>>;
  Named<Entry<Counter>> counters;
  Named<Entry<Gauge>> gauges;
  Named<HistogramEntry> histograms;
};

inline constexpr double kQuantiles[] = {0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1};
inline constexpr const char* kQuantileNames[] = {"0", "25", "50", "75", "90", "95", "99", "99.5", "99.9", "100"};

}  // namespace weir::stats
