// The policies that send equal hashes to the same endpoint: ring hash and Maglev, each with bounded load where asked
// for.
//
// Rings and tables come out as Envoy's, so that a client that moves between the two proxies stays with its endpoint.
#pragma once

#include <memory>
#include <vector>

#include "upstream/balancer.h"

namespace weir::upstream {

// Points on a ring of 64-bit hashes: an endpoint has as many as its weight says, and a hash belongs to the next point.
class HashRing {
 public:
  // At least minimum points in all (up to the maximum), at least one for the lightest endpoint.
  HashRing(const BalancingSpec& spec, const std::vector<Target>& targets);
  // A later attempt takes the points after it.
  size_t find(uint64_t hash, uint32_t attempt) const;
  size_t size() const { return points_.size(); }

 private:
  struct Point {
    uint64_t hash;
    uint32_t index;
  };
  std::vector<Point> points_;  // By hash.
};

// Maglev (Eisenbud et al., NSDI 2016, 3.4): a table that the endpoints fill in turns, each in an order of its own.
class MaglevTable {
 public:
  MaglevTable(uint64_t size, const std::vector<Target>& targets);
  size_t find(uint64_t hash, uint32_t attempt) const;

 private:
  std::vector<uint32_t> table_;
};

std::unique_ptr<Balancer> createHashing(const BalancingSpec& spec, std::vector<Target> targets);

}  // namespace weir::upstream
