// Who watches over a cluster's endpoints for all workers: active checks and outlier detection. The leading worker's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "upstream/health_checker.h"
#include "upstream/outlier.h"

namespace weir::upstream {

class Guard final : private HealthChecker::Owner, private OutlierDetector::Owner {
 public:
  // on_checked: every endpoint of the first members has been checked; told once, from the loop, after await().
  Guard(const ClusterSpec& spec, const Environment& environment, Connector& connector, ClusterStats& stats,
        SharedCluster& shared, std::function<void()> on_checked);

  void setMembers(const std::vector<std::shared_ptr<const Endpoint>>& members);
  // The first members are all there.
  void await();
  void onSuspect(const std::shared_ptr<EndpointState>& endpoint, EjectionCause cause);

 private:
  void onHealthChanged() override { shared_.announce(); }
  void onCheckSucceeded(EndpointState& state) override {
    if (outliers_ != nullptr) outliers_->onCheckSucceeded(state);
  }
  void onFirstRound() override { on_checked_(); }
  void onEjectionsChanged() override { shared_.announce(); }

  SharedCluster& shared_;
  std::function<void()> on_checked_;
  std::unique_ptr<OutlierDetector> outliers_;  // Null where the configuration has none; so the other.
  std::unique_ptr<HealthChecker> checker_;
};

}  // namespace weir::upstream
