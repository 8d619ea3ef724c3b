#include "upstream/guard.h"

namespace weir::upstream {

Guard::Guard(const ClusterSpec& spec, const Environment& environment, Connector& connector, ClusterStats& stats,
             SharedCluster& shared, std::function<void()> on_checked)
    : shared_(shared), on_checked_(std::move(on_checked)) {
  if (spec.outlier) {
    outliers_ =
        std::make_unique<OutlierDetector>(*spec.outlier, environment.loop, environment.random, environment.stats,
                                          stats.prefix, static_cast<OutlierDetector::Owner&>(*this));
  }
  if (!spec.health_checks.empty()) {
    checker_ =
        std::make_unique<HealthChecker>(spec, environment, connector, stats, static_cast<HealthChecker::Owner&>(*this));
  }
}

void Guard::setMembers(const std::vector<std::shared_ptr<const Endpoint>>& members) {
  if (outliers_ != nullptr) {
    std::vector<std::shared_ptr<EndpointState>> states;
    states.reserve(members.size());
    for (const auto& member : members) states.push_back(member->state);
    outliers_->setMembers(states);
  }
  if (checker_ != nullptr) checker_->setMembers(members);
}

void Guard::await() {
  if (checker_ != nullptr) return checker_->awaitFirstRound();
  on_checked_();
}

void Guard::onSuspect(const std::shared_ptr<EndpointState>& endpoint, EjectionCause cause) {
  if (outliers_ != nullptr) outliers_->onSuspect(endpoint, cause);
}

}  // namespace weir::upstream
