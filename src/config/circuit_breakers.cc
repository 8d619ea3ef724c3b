// envoy.config.cluster.v3.CircuitBreakers.
#include "config/convert.h"

namespace weir::config {
namespace {

using envoy::config::cluster::v3::CircuitBreakers;

upstream::BreakerSpec convertThresholds(const CircuitBreakers::Thresholds& thresholds) {
  upstream::BreakerSpec spec;
  if (thresholds.has_max_connections()) spec.max_connections = thresholds.max_connections().value();
  if (thresholds.has_max_pending_requests()) spec.max_pending_requests = thresholds.max_pending_requests().value();
  if (thresholds.has_max_requests()) spec.max_requests = thresholds.max_requests().value();
  if (thresholds.has_max_retries()) spec.max_retries = thresholds.max_retries().value();
  spec.track_remaining = thresholds.track_remaining();
  if (!thresholds.has_retry_budget()) return spec;
  const auto& budget = thresholds.retry_budget();
  upstream::RetryBudget& result = spec.retry_budget.emplace();
  if (budget.has_budget_percent()) result.percent = budget.budget_percent().value();
  if (budget.has_min_retry_concurrency()) result.min_concurrency = budget.min_retry_concurrency().value();
  return spec;
}

}  // namespace

// Of two thresholds for one priority the first counts, as in Envoy.
void convertBreakers(const CircuitBreakers& breakers, const Place& place, upstream::ClusterSpec& spec) {
  bool known[2] = {};
  for (int i = 0; i < breakers.thresholds_size(); i++) {
    const auto& thresholds = breakers.thresholds(i);
    const bool high = thresholds.priority() == envoy::config::core::v3::HIGH;
    if (std::exchange(known[high ? 1 : 0], true)) {
      place.item("thresholds", static_cast<size_t>(i)).notice("without effect: an earlier entry is for this priority");
      continue;
    }
    (high ? spec.high_breakers : spec.breakers) = convertThresholds(thresholds);
  }
  for (const auto& thresholds : breakers.per_host_thresholds()) {
    if (thresholds.priority() != envoy::config::core::v3::DEFAULT) continue;  // As Envoy, which asks for one priority.
    if (!thresholds.has_max_connections()) continue;
    spec.max_connections_per_endpoint = thresholds.max_connections().value();
    break;
  }
}

}  // namespace weir::config
