// Circuit breakers: how much of a cluster may be under way at once, for the whole process, as Envoy's resource manager.
//
// Each of the two routing priorities has limits of its own. Counts are atomic and shared by all workers; a limit is
// looked at before it is taken, so workers that look at the same moment may go over it by one each, as in Envoy.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "stats/stats.h"

namespace weir::upstream {

// Retries may be a part of the requests that are under way, instead of a number.
struct RetryBudget {
  double percent = 20;
  uint32_t min_concurrency = 3;
};

// envoy.config.cluster.v3.CircuitBreakers.Thresholds, with Envoy's defaults.
struct BreakerSpec {
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
  std::optional<RetryBudget> retry_budget{};  // Instead of max_retries.
  bool track_remaining = false;               // Whether the gauges remaining_* are kept.
};

// One limit and what counts against it.
class Limit {
 public:
  // open: one while nothing more fits. remaining: null if it is not tracked.
  Limit(uint64_t max, stats::Gauge& open, stats::Gauge* remaining);
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

  bool hasRoom() const { return active() < max_; }
  uint64_t active() const { return active_.load(std::memory_order_relaxed); }
  void take();
  void giveBack();

 private:
  void showRemaining(uint64_t active);

  std::atomic<uint64_t> active_{0};
  const uint64_t max_;
  stats::Gauge& open_;
  stats::Gauge* const remaining_;
};

// The limits of one priority. prefix: "cluster.<name>.circuit_breakers.<default|high>.".
struct Breakers {
  Breakers(const BreakerSpec& spec, stats::Store& store, const std::string& prefix);
  Limit connections;
  Limit pending;
  Limit requests;
  // The budget counts what is under way now; max_retries is a limit like the others.
  bool retryHasRoom() const;
  void takeRetry();
  void giveRetryBack();

 private:
  uint64_t retryBudget() const;
  Limit retries_;
  std::atomic<uint64_t> budgeted_retries_{0};
  stats::Gauge& retries_open_;
  const std::optional<RetryBudget> budget_;
};

// A retry that was let pass; it counts as active until this is destroyed: hold it until the request ends or is retried
// once more.
class RetryPlace {
 public:
  explicit RetryPlace(Breakers& breakers) : breakers_(&breakers) { breakers.takeRetry(); }
  RetryPlace(RetryPlace&& other) noexcept : breakers_(std::exchange(other.breakers_, nullptr)) {}
  RetryPlace& operator=(RetryPlace&& other) noexcept {
    std::swap(breakers_, other.breakers_);
    return *this;
  }
  ~RetryPlace() {
    if (breakers_ != nullptr) breakers_->giveRetryBack();
  }

 private:
  Breakers* breakers_;
};

}  // namespace weir::upstream
