// Active health checks of a cluster: each endpoint is asked again and again, and its flags are set by what it answers.
//
// Belongs to the leading worker alone: an endpoint is checked once, not once by each worker.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "event/timer.h"
#include "upstream/health_probe.h"

namespace weir::upstream {

class HealthChecker {
 public:
  class Owner {
   public:
    // Flags of an endpoint have changed.
    virtual void onHealthChanged() = 0;
    virtual void onCheckSucceeded(EndpointState& state) = 0;
    // After awaitFirstRound(): each endpoint that was there by then has been checked once. Told once, from the loop.
    virtual void onFirstRound() = 0;

   protected:
    ~Owner() = default;
  };

  HealthChecker(const ClusterSpec& spec, const Environment& environment, Connector& connector,
                ClusterStats& cluster_stats, Owner& owner);
  ~HealthChecker();

  // Who is to be checked. New ones are checked at once, or within initial_jitter.
  void setMembers(const std::vector<std::shared_ptr<const Endpoint>>& members);
  void awaitFirstRound();

 private:
  class Session;
  struct Stats {
    Stats(stats::Store& store, const std::string& cluster_prefix);
    stats::Counter& attempt;
    stats::Counter& success;
    stats::Counter& failure;
    stats::Counter& passive_failure;
    stats::Counter& network_failure;
    stats::Counter& verify_cluster;
    stats::Gauge& healthy;
    stats::Gauge& degraded;
  };

  void onResult(Session& session, const CheckResult& result, HealthVerdict::Transition transition);
  void countHealthy();
  void tellIfFirstRound();

  const ClusterSpec& spec_;
  const HealthCheckSpec& check_;
  event::Loop& loop_;
  base::Random& random_;
  Connector& connector_;
  ClusterStats& cluster_stats_;
  Stats stats_;
  Owner& owner_;
  std::unordered_map<EndpointState*, std::unique_ptr<Session>> sessions_;
  size_t unchecked_ = 0;  // Of the first members.
  bool first_round_awaited_ = false;
  bool first_round_told_ = false;
  event::Timer first_round_;
};

}  // namespace weir::upstream
