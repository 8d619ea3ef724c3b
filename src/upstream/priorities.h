// How load is shared between priorities, by the health of each: a pure function, as Envoy's.
//
// A priority takes load as far as its health goes, overprovisioned (with 140 percent, one with 72 of 100 endpoints
// healthy still takes all of it); the rest goes to the next. Degraded endpoints take what the healthy ones of all
// priorities leave. Where too few are healthy to trust what the checks say, a priority panics: all its endpoints take
// part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::upstream {

// Endpoints of one priority, or their weights where health is counted by weight. Excluded ones are in none of the
// counts.
struct PriorityHealth {
  uint64_t all = 0;
  uint64_t healthy = 0;
  uint64_t degraded = 0;
};

struct PriorityLoad {
  uint32_t healthy = 0;   // Percent of all requests that go to its healthy endpoints,
  uint32_t degraded = 0;  // and to its degraded ones.
  bool panic = false;
};

// Loads add up to 100 unless nobody is healthy and panic_threshold is 0.
std::vector<PriorityLoad> shareLoad(const std::vector<PriorityHealth>& priorities, uint32_t overprovisioning_percent,
                                    uint32_t panic_threshold);

struct PriorityChoice {
  size_t priority = 0;
  bool degraded = false;
};
PriorityChoice choosePriority(const std::vector<PriorityLoad>& loads, uint64_t hash);

}  // namespace weir::upstream
