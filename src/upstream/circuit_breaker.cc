#include "upstream/circuit_breaker.h"

#include <algorithm>

namespace weir::upstream {

Limit::Limit(uint64_t max, stats::Gauge& open, stats::Gauge* remaining)
    : max_(max), open_(open), remaining_(remaining) {
  if (remaining_ != nullptr) remaining_->set(static_cast<int64_t>(max_));
}

// Open is moved by steps at the crossing, not set: whatever the order in which workers cross, it comes out right. As in
// Envoy, a limit of zero shows as open from the first time that it was taken.
void Limit::take() {
  const uint64_t now = active_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (now == max_) open_.add();
  if (max_ == 0) open_.set(1);
  showRemaining(now);
}

void Limit::giveBack() {
  const uint64_t before = active_.fetch_sub(1, std::memory_order_relaxed);
  if (before == max_) open_.sub();
  showRemaining(before - 1);
}

void Limit::showRemaining(uint64_t active) {
  if (remaining_ != nullptr) remaining_->set(active < max_ ? static_cast<int64_t>(max_ - active) : 0);
}

namespace {

stats::Gauge* remaining(const BreakerSpec& spec, stats::Store& store, const std::string& name) {
  return spec.track_remaining ? &store.gauge(name) : nullptr;
}

}  // namespace

Breakers::Breakers(const BreakerSpec& spec, stats::Store& store, const std::string& prefix)
    : connections(spec.max_connections, store.gauge(prefix + "cx_open"),
                  remaining(spec, store, prefix + "remaining_cx")),
      pending(spec.max_pending_requests, store.gauge(prefix + "rq_pending_open"),
              remaining(spec, store, prefix + "remaining_pending")),
      requests(spec.max_requests, store.gauge(prefix + "rq_open"), remaining(spec, store, prefix + "remaining_rq")),
      retries_(spec.max_retries, store.gauge(prefix + "rq_retry_open"),
               remaining(spec, store, prefix + "remaining_retries")),
      retries_open_(store.gauge(prefix + "rq_retry_open")),
      budget_(spec.retry_budget) {
  store.gauge(prefix + "cx_pool_open");  // Pools are not limited: it stays zero, but Envoy has it.
}

uint64_t Breakers::retryBudget() const {
  const auto under_way = static_cast<double>(requests.active() + pending.active());
  return std::max<uint64_t>(static_cast<uint64_t>(under_way * budget_->percent / 100), budget_->min_concurrency);
}

bool Breakers::retryHasRoom() const {
  return budget_ ? budgeted_retries_.load(std::memory_order_relaxed) < retryBudget() : retries_.hasRoom();
}

void Breakers::takeRetry() {
  if (!budget_) return retries_.take();
  budgeted_retries_.fetch_add(1, std::memory_order_relaxed);
  retries_open_.set(retryHasRoom() ? 0 : 1);
}

void Breakers::giveRetryBack() {
  if (!budget_) return retries_.giveBack();
  budgeted_retries_.fetch_sub(1, std::memory_order_relaxed);
  retries_open_.set(retryHasRoom() ? 0 : 1);
}

}  // namespace weir::upstream
