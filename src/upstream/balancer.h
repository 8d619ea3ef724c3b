// Which endpoint is next: weighted round robin, a pure function of the weights, the starting point and the count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace weir::upstream {

// With equal weights the endpoints come in their order. With different ones each comes as often as its weight says,
// spread out as evenly as can be: each endpoint has a deadline that moves on by 1/weight when it is picked, and the
// earliest deadline is next; among equals, who waits longer.
class RoundRobin {
 public:
  // seed says where to begin: workers that all began with the first endpoint would flood it after a start.
  explicit RoundRobin(uint64_t seed) : seed_(seed), next_(seed) {}

  // Weights below 1 count as 1.
  void setWeights(const std::vector<uint32_t>& weights);
  // The index of an endpoint. There must be one.
  size_t pick();

 private:
  struct Turn {
    double deadline;
    uint64_t order;
    size_t index;
    bool operator>(const Turn& other) const {
      return deadline != other.deadline ? deadline > other.deadline : order > other.order;
    }
  };
  size_t pickByDeadline();

  uint64_t seed_;
  uint64_t next_;
  uint64_t order_ = 0;
  bool equal_ = true;
  std::vector<uint32_t> weights_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace weir::upstream
