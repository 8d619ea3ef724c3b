#include "upstream/priorities.h"

#include <algorithm>
#include <optional>

namespace weir::upstream {
namespace {

uint32_t availability(uint64_t available, uint64_t all, uint32_t overprovisioning) {
  if (all == 0) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(100, overprovisioning * available / all));
}

bool tooFew(const PriorityHealth& health, uint32_t threshold) {
  const uint64_t percent = health.all == 0 ? 0 : 100 * health.healthy / health.all + 100 * health.degraded / health.all;
  return percent < threshold;
}

// What each can take of `left`, in order. The first that takes anything is noted.
void take(const std::vector<uint32_t>& available, uint32_t total, uint32_t PriorityLoad::*load, uint32_t& left,
          std::optional<size_t>& first, std::vector<PriorityLoad>& loads) {
  for (size_t i = 0; i < available.size(); ++i) {
    if (!first && available[i] > 0) first = i;
    loads[i].*load = std::min(left, available[i] * 100 / total);
    left -= loads[i].*load;
  }
}

// All panic: by how many there are.
void shareByNumber(const std::vector<PriorityHealth>& priorities, std::vector<PriorityLoad>& loads) {
  uint64_t sum = 0;
  for (const PriorityHealth& priority : priorities) sum += priority.all;
  uint32_t left = 100;
  std::optional<size_t> first;
  for (size_t i = 0; i < priorities.size(); ++i) {
    loads[i] = {.healthy = sum == 0 ? 0 : static_cast<uint32_t>(100 * priorities[i].all / sum), .panic = true};
    left -= loads[i].healthy;
    if (!first && priorities[i].all > 0) first = i;
  }
  loads[first.value_or(0)].healthy += left;
}

}  // namespace

std::vector<PriorityLoad> shareLoad(const std::vector<PriorityHealth>& priorities, uint32_t overprovisioning_percent,
                                    uint32_t panic_threshold) {
  std::vector<PriorityLoad> loads(priorities.size());
  std::vector<uint32_t> healthy, degraded;
  uint32_t sum = 0;
  for (const PriorityHealth& priority : priorities) {
    healthy.push_back(availability(priority.healthy, priority.all, overprovisioning_percent));
    degraded.push_back(availability(priority.degraded, priority.all, overprovisioning_percent));
    sum += healthy.back() + degraded.back();
  }
  const uint32_t total = std::min(sum, 100u);
  if (total == 0) {
    if (panic_threshold > 0) shareByNumber(priorities, loads);
    return loads;
  }

  uint32_t left = 100;
  std::optional<size_t> first_healthy, first_degraded;
  take(healthy, total, &PriorityLoad::healthy, left, first_healthy, loads);
  take(degraded, total, &PriorityLoad::degraded, left, first_degraded, loads);
  // What rounding left.
  if (first_healthy) {
    loads[*first_healthy].healthy += left;
  } else {
    loads[*first_degraded].degraded += left;
  }

  // Where the priorities together can take everything, none panics, however few of its own are left.
  if (total == 100) return loads;
  bool all_panic = true;
  for (size_t i = 0; i < loads.size(); ++i) {
    loads[i].panic = tooFew(priorities[i], panic_threshold);
    all_panic = all_panic && loads[i].panic;
  }
  if (all_panic) shareByNumber(priorities, loads);
  return loads;
}

PriorityChoice choosePriority(const std::vector<PriorityLoad>& loads, uint64_t hash) {
  const auto point = static_cast<uint32_t>(hash % 100 + 1);
  uint32_t sum = 0;
  for (size_t i = 0; i < loads.size(); ++i) {
    sum += loads[i].healthy;
    if (point <= sum) return {i, false};
  }
  for (size_t i = 0; i < loads.size(); ++i) {
    sum += loads[i].degraded;
    if (point <= sum) return {i, true};
  }
  return {};
}

}  // namespace weir::upstream
