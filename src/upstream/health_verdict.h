// What checks say of an endpoint, and when to check it again: thresholds and intervals, as Envoy's. Pure.
#pragma once

#include "base/random.h"
#include "upstream/endpoint_state.h"
#include "upstream/health_spec.h"

namespace weir::upstream {

// What came of one check.
struct CheckResult {
  enum class Kind : uint8_t {
    Success,
    Failure,           // Answered, and not as it should: unhealthy at once, whatever the threshold,
    RetriableFailure,  // or by the threshold.
    NetworkFailure,    // Not answered: by the threshold.
    Timeout,
  };
  Kind kind = Kind::Success;
  bool degraded = false;   // With x-envoy-degraded.
  bool name_read = false;  // The service's name was looked at.
};

// Counts successes and failures in a row, and sets the endpoint's flags.
class HealthVerdict {
 public:
  enum class Transition : uint8_t {
    Unchanged,
    Pending,  // On the way to a change: the threshold is not reached yet.
    Changed,  // Flags are set or cleared.
  };

  explicit HealthVerdict(const HealthCheckSpec& spec) : spec_(spec) {}
  Transition judge(EndpointState& state, const CheckResult& result);
  // Until the next check, after a result and what it changed. idle: the cluster has never had a connection.
  base::Duration nextCheck(const CheckResult& result, Transition transition, bool idle, base::Random& random) const;

 private:
  Transition onSuccess(EndpointState& state, bool degraded);
  Transition onFailure(EndpointState& state, CheckResult::Kind kind);

  const HealthCheckSpec& spec_;
  uint32_t good_ = 0;
  uint32_t bad_ = 0;
  bool first_ = true;
};

}  // namespace weir::upstream
