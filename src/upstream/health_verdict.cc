#include "upstream/health_verdict.h"

namespace weir::upstream {

using Transition = HealthVerdict::Transition;

Transition HealthVerdict::judge(EndpointState& state, const CheckResult& result) {
  const bool was_pending = state.clear(kPendingActiveCheck);
  const Transition transition =
      result.kind == CheckResult::Kind::Success ? onSuccess(state, result.degraded) : onFailure(state, result.kind);
  first_ = false;
  return was_pending ? Transition::Changed : transition;
}

// The very first result settles it at once, so that a start is quick.
Transition HealthVerdict::onSuccess(EndpointState& state, bool degraded) {
  bad_ = 0;
  Transition transition = Transition::Unchanged;
  if (state.has(kFailedActiveCheck)) {
    if (first_ || ++good_ == spec_.healthy_threshold) {
      state.clear(kActiveCheckTimeout);
      state.clear(kFailedActiveCheck);
      transition = Transition::Changed;
    } else {
      transition = Transition::Pending;
    }
  }
  const bool moved = degraded ? state.set(kDegradedActiveCheck) : state.clear(kDegradedActiveCheck);
  return moved ? Transition::Changed : transition;
}

Transition HealthVerdict::onFailure(EndpointState& state, CheckResult::Kind kind) {
  good_ = 0;
  if (state.has(kFailedActiveCheck)) {
    if (kind == CheckResult::Kind::Timeout) state.set(kActiveCheckTimeout);
    return Transition::Unchanged;
  }
  if (kind != CheckResult::Kind::Failure && ++bad_ < spec_.unhealthy_threshold) return Transition::Pending;
  bad_ = 0;
  if (kind == CheckResult::Kind::Timeout) state.set(kActiveCheckTimeout);
  state.set(kFailedActiveCheck);
  return Transition::Changed;
}

base::Duration HealthVerdict::nextCheck(const CheckResult& result, Transition transition, bool idle,
                                        base::Random& random) const {
  const bool good = result.kind == CheckResult::Kind::Success;
  const bool edge = transition == Transition::Pending;
  base::Duration base{};
  if (idle) {
    base = good && !edge ? spec_.no_traffic_healthy_interval : spec_.no_traffic_interval;
  } else if (good) {
    base = edge ? spec_.healthy_edge_interval : spec_.interval;
  } else {
    base = edge ? spec_.unhealthy_edge_interval : spec_.unhealthy_interval;
  }
  const auto upTo = [&random](base::Duration most) {
    return most > base::Duration::zero() ? base::Duration(random.below(static_cast<uint64_t>(most.count())))
                                         : base::Duration::zero();
  };
  const base::Duration jitter = upTo(base * spec_.interval_jitter_percent / 100) + upTo(spec_.interval_jitter);
  return std::max<base::Duration>(base + jitter, std::chrono::milliseconds(1));
}

}  // namespace weir::upstream
