// What the whole process knows of an endpoint's health: shared by the workers, atomic, no locks.
//
// Flags are set by whoever finds out (the health checker and the outlier detection of the leading worker, the
// configuration); workers read them when they sort endpoints by health, after they were told that something changed.
// The counts of answers are written by the worker that got one.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::upstream {

// As Envoy's host health flags.
enum HealthFlag : uint32_t {
  kFailedActiveCheck = 1 << 0,
  kFailedOutlierCheck = 1 << 1,
  kFailedByAssignment = 1 << 2,    // health_status UNHEALTHY or TIMEOUT
  kDegradedActiveCheck = 1 << 3,   // Its checks are answered with x-envoy-degraded.
  kDegradedByAssignment = 1 << 4,  // health_status DEGRADED
  kPendingRemoval = 1 << 5,        // Not a member any more, kept until its checks fail.
  kPendingActiveCheck = 1 << 6,    // New, and not checked yet.
  kActiveCheckTimeout = 1 << 7,
  kDrainingByAssignment = 1 << 8,  // health_status DRAINING
};

enum class Health : uint8_t { Healthy, Degraded, Unhealthy };

constexpr Health healthOf(uint32_t flags) {
  if ((flags & (kFailedActiveCheck | kFailedOutlierCheck | kFailedByAssignment | kDrainingByAssignment)) != 0) {
    return Health::Unhealthy;
  }
  return (flags & (kDegradedActiveCheck | kDegradedByAssignment)) != 0 ? Health::Degraded : Health::Healthy;
}

// Successes and all of them, since somebody last took them.
struct OutcomeCounts {
  std::atomic<uint32_t> good{0};
  std::atomic<uint32_t> all{0};
};

class EndpointState {
 public:
  explicit EndpointState(uint32_t flags = 0) : flags_(flags) {}

  // Open to it, of all workers; for the circuit breaker of each endpoint.
  std::atomic<uint32_t> connections{0};

  uint32_t flags() const { return flags_.load(std::memory_order_relaxed); }
  bool has(HealthFlag flag) const { return (flags() & flag) != 0; }
  // True if it was not so before.
  bool set(HealthFlag flag) { return (flags_.fetch_or(flag, std::memory_order_relaxed) & flag) == 0; }
  bool clear(HealthFlag flag) { return (flags_.fetch_and(~uint32_t{flag}, std::memory_order_relaxed) & flag) != 0; }

  // Outlier detection: failures in a row, and the share of good answers.
  std::atomic<uint32_t> consecutive_5xx{0};
  std::atomic<uint32_t> consecutive_gateway_failures{0};
  std::atomic<uint32_t> consecutive_local_failures{0};
  OutcomeCounts external;
  OutcomeCounts local;
  // Of the last whole interval, in percent; -1: too few requests to tell.
  std::atomic<double> success_rate{-1};
  std::atomic<double> local_success_rate{-1};

 private:
  std::atomic<uint32_t> flags_;
};

}  // namespace weir::upstream
