// How a cluster's endpoints are chosen, as configuration gives it: plain data.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weir::upstream {

enum class BalancingPolicy : uint8_t { RoundRobin, LeastRequest, Random, RingHash, Maglev };
enum class HashFunction : uint8_t { XxHash, MurmurHash2 };

// An endpoint that has just come (or come back) gets its share little by little.
struct SlowStartSpec {
  base::Duration window{};
  double aggression = 1;
  double min_weight_percent = 10;
};

struct BalancingSpec {
  BalancingPolicy policy = BalancingPolicy::RoundRobin;
  std::optional<SlowStartSpec> slow_start{};  // Round robin and least request.
  // Least request.
  uint32_t choice_count = 2;
  double active_request_bias = 1;
  // Ring hash and Maglev.
  HashFunction hash_function = HashFunction::XxHash;
  uint64_t minimum_ring_size = 1024;
  uint64_t maximum_ring_size = 8 * 1024 * 1024;
  uint64_t table_size = 65537;            // A prime.
  bool use_hostname_for_hashing = false;  // Instead of the address.
  uint32_t hash_balance_factor = 0;  // Percent of the average load above which an endpoint is passed over; 0: never.
  // For all.
  uint32_t panic_threshold = 50;  // Percent of healthy endpoints below which health is ignored; 0: never.
  bool locality_weighted = false;
};

}  // namespace weir::upstream
