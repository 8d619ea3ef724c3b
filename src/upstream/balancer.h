// Which endpoint is next: the policies, each over a set of endpoints known by their indices.
//
// Plain data and arithmetic: no clock, no sockets, chance comes from outside. Made anew when the set or its weights
// change; a pick allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "upstream/balancing_spec.h"

namespace weir::upstream {

// What a balancer sees of an endpoint.
struct Target {
  double weight = 1;                 // Above 0.
  const uint64_t* active = nullptr;  // Requests under way to it.
  std::string key;                   // What is hashed of it; needed by the hashing policies only.
  base::MonotonicTime since{};       // Since when it serves, for slow start.
};

// What a pick depends on.
struct Ask {
  base::Random& random;
  uint64_t hash = 0;
  uint32_t attempt = 0;       // How often before it was asked for the same request.
  uint64_t total_active = 0;  // Requests under way in the whole cluster, for bounded load.
  base::MonotonicTime now{};
};

class Balancer {
 public:
  virtual ~Balancer() = default;
  // An index into the targets that it was made of.
  virtual size_t pick(const Ask& ask) = 0;
};

// There must be at least one target. seed says where round robin begins: workers that all began with the first endpoint
// would flood it after a start.
std::unique_ptr<Balancer> createBalancer(const BalancingSpec& spec, std::vector<Target> targets, uint64_t seed);

// Earliest deadline first. Each index has a deadline that moves on by 1/weight when it is taken; among equals, who
// waits longer. So each comes as often as its weight says, spread out as evenly as can be.
class DeadlineQueue {
 public:
  void clear();
  void add(size_t index, double weight);
  bool empty() const { return turns_.empty(); }
  // The next index. It must be given back by add() with the weight that it has by then, before the next call.
  size_t take();

 private:
  struct Turn {
    double deadline;
    uint64_t order;
    size_t index;
    bool operator>(const Turn& other) const {
      return deadline != other.deadline ? deadline > other.deadline : order > other.order;
    }
  };
  double now_ = 0;
  uint64_t order_ = 0;
  std::vector<Turn> turns_;  // A heap.
};

// The share of its weight that an endpoint has which serves for this long.
double slowStartFactor(const SlowStartSpec& spec, base::Duration age);

}  // namespace weir::upstream
