// Which member of a cluster a request goes to: priority by health, locality by weight, endpoint by the policy.
//
// Belongs to one worker. Told of members and their health when those change (rebuild(), in time of their number); a
// pick looks at a few tables that were made then, and allocates nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "upstream/balancer.h"
#include "upstream/cluster.h"
#include "upstream/priorities.h"

namespace weir::upstream {

// A member as the load balancer sees it; the endpoint must live until the next rebuild().
struct Candidate {
  const Endpoint* endpoint = nullptr;
  uint32_t locality_weight = 0;
  uint32_t flags = 0;           // Its health, as of now.
  base::MonotonicTime since{};  // Since when it serves, for slow start.
};

class LoadBalancer {
 public:
  struct Settings {
    const BalancingSpec& balancing;
    uint32_t overprovisioning_percent = 140;
    bool weighted_priority_health = false;
    bool exclude_unchecked = false;  // ignore_new_hosts_until_first_hc
  };
  struct Totals {
    int64_t all = 0;
    int64_t healthy = 0;
    int64_t degraded = 0;
    int64_t excluded = 0;
  };

  LoadBalancer(base::Random& random, stats::Counter& panics) : random_(random), panics_(panics) {}

  void rebuild(const Settings& settings, std::span<const Candidate> candidates);
  const Totals& totals() const { return totals_; }
  // The index of a candidate; nullopt if there is none to take.
  std::optional<size_t> pick(const Wish& wish, uint64_t total_active, base::MonotonicTime now);
  // For tests and the curious.
  const std::vector<PriorityLoad>& loads() const { return loads_; }

 private:
  // Endpoints that a policy chooses from. The policy's tables are made when first needed.
  struct Pool {
    std::vector<uint32_t> members;  // Indices of candidates.
    std::unique_ptr<Balancer> balancer;
  };
  struct Localities {
    std::vector<Pool> pools;
    std::vector<double> weights;
    DeadlineQueue turns;
  };
  // Those of one priority that have the same health.
  struct Group {
    Pool whole;
    Localities localities;  // Empty if localities do not count.
  };
  struct Priority {
    Group healthy;
    Group degraded;
    Pool all;
  };
  enum class Kind : uint8_t { Healthy, Degraded, Excluded, Unhealthy };

  Kind kindOf(uint32_t flags) const;
  PriorityHealth sort(Priority& priority);
  void splitByLocality(Group& group, const Pool& all);
  Target targetOf(uint32_t index) const;
  Pool* poolFor(uint64_t hash);
  std::optional<size_t> named(std::string_view address);
  size_t pickFrom(Pool& pool, const Ask& ask);
  bool tried(size_t index, const Wish& wish) const;

  base::Random& random_;
  stats::Counter& panics_;
  BalancingSpec spec_;
  uint32_t overprovisioning_ = 140;
  bool exclude_unchecked_ = false;
  bool by_weight_ = false;
  std::vector<Candidate> candidates_;
  std::vector<Priority> priorities_;
  std::vector<PriorityLoad> loads_;
  std::unordered_map<uint32_t, double> shares_;  // Of candidates, where localities have weights.
  // Candidates that can serve, for wishes that name one; made when first needed.
  std::unordered_map<std::string_view, size_t> by_address_;
  std::vector<std::string> addresses_;
  Totals totals_;
};

}  // namespace weir::upstream
