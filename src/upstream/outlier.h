// Outlier detection: endpoints whose answers are bad are taken out for a while (passive health checking), as Envoy's.
//
// Every worker counts what comes of its requests in the endpoint's shared state (noteOutcome()). The leading worker has
// the OutlierDetector: it judges, ejects and takes back, for all workers.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "event/timer.h"
#include "stats/stats.h"
#include "upstream/cluster.h"
#include "upstream/health_spec.h"

namespace weir::upstream {

enum class EjectionCause : uint8_t {
  Consecutive5xx,
  ConsecutiveGatewayFailure,
  ConsecutiveLocalOriginFailure,
  SuccessRate,
  LocalOriginSuccessRate,
  FailurePercentage,
  LocalOriginFailurePercentage,
};

// Counts an outcome; says so if it is the one by which a row of failures is long enough. Any worker.
std::optional<EjectionCause> noteOutcome(const OutlierSpec& spec, EndpointState& state, Outcome outcome, int status);

// Cluster.<name>.outlier_detection.*
struct OutlierStats {
  OutlierStats(stats::Store& store, const std::string& cluster_prefix);
  struct OfCause {
    stats::Counter* detected;
    stats::Counter* enforced;
  };
  std::array<OfCause, 7> by_cause;  // By EjectionCause.
  stats::Counter& enforced_total;
  stats::Counter& overflow;
  stats::Gauge& active;
  // Deprecated, and still counted by Envoy.
  stats::Counter& total;
  stats::Counter& consecutive_5xx;
  stats::Counter& success_rate;
};

// Belongs to the leading worker's loop.
class OutlierDetector {
 public:
  class Owner {
   public:
    // Flags of endpoints have changed.
    virtual void onEjectionsChanged() = 0;

   protected:
    ~Owner() = default;
  };

  OutlierDetector(const OutlierSpec& spec, event::Loop& loop, base::Random& random, stats::Store& store,
                  const std::string& cluster_prefix, Owner& owner);
  ~OutlierDetector();

  // Who is judged. Who is not a member any more counts as ejected no more.
  void setMembers(const std::vector<std::shared_ptr<EndpointState>>& members);
  // A row of failures is long enough. Those who are no members are let be.
  void onSuspect(const std::shared_ptr<EndpointState>& endpoint, EjectionCause cause);
  // An active check succeeded.
  void onCheckSucceeded(EndpointState& endpoint);

 private:
  struct Record {
    std::shared_ptr<EndpointState> state;
    uint32_t multiplier = 0;  // How often it was ejected, less the intervals that it has been good since.
    base::MonotonicTime ejected{};
    base::Duration jitter{};
  };
  struct Rates {
    OutcomeCounts EndpointState::*counts;
    std::atomic<double> EndpointState::*shown;
    EjectionCause by_rate;
    EjectionCause by_percentage;
  };

  void onInterval();
  void takeBackOrForgive(Record& record);
  void judgeRates(const Rates& rates);
  void eject(Record& record, EjectionCause cause);
  bool mayEject() const;
  bool enforced(EjectionCause cause);
  void takeBack(Record& record);
  base::Duration ejectionTime(const Record& record) const;

  const OutlierSpec spec_;
  event::Loop& loop_;
  base::Random& random_;
  OutlierStats stats_;
  Owner& owner_;
  std::unordered_map<EndpointState*, Record> records_;
  size_t ejected_ = 0;
  bool changed_ = false;
  event::Timer interval_;
};

}  // namespace weir::upstream
