// A cluster on one worker: its members, each with pools of connections, and whose turn it is.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <vector>

#include "upstream/cluster.h"
#include "upstream/endpoint_pool.h"
#include "upstream/guard.h"
#include "upstream/load_balancer.h"
#include "upstream/membership.h"
#include "upstream/secure_connector.h"

namespace weir::upstream {

class WorkerCluster final : public Cluster,
                            public event::Deferred,
                            private Membership::Listener,
                            private SharedCluster::Listener {
 public:
  WorkerCluster(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver, Connector& connector,
                std::shared_ptr<SharedCluster> shared, std::function<void()> on_first_answers);
  ~WorkerCluster() override;

  // Begins to find its members; may say that it has before it returns.
  void start() { membership_.start(); }
  void drain();
  // It is in the configuration no more. on_unused: nobody works with it; told once, possibly within the call.
  void retire(std::function<void(WorkerCluster&)> on_unused);

  const ClusterSpec& spec() const override { return spec_; }
  ClusterStats& stats() override { return stats_; }
  const std::shared_ptr<const std::string>& metadata() const override { return metadata_; }
  std::unique_ptr<Acquisition> acquire(ConnectionWaiter& waiter, const Wish& wish) override;
  StreamOffer openStream(const Wish& wish, const filter::ConnectionInfo& client) override;
  std::shared_ptr<const Endpoint> choose(const Wish& wish) override;
  void flush(std::unique_ptr<net::ByteStream> stream) override;
  std::vector<const Endpoint*> endpoints() const override;
  std::optional<RetryPlace> admitRetry(bool high_priority) override;
  void report(const Endpoint& endpoint, Outcome outcome, int status) override;
  void assign(const Assignment& assignment) override;

 private:
  // A member: the connections of each routing priority are apart, as what they may be is limited apart.
  struct Host {
    std::shared_ptr<const Endpoint> endpoint;
    uint32_t locality_weight = 0;
    base::MonotonicTime since{};                           // Since when it can serve.
    bool healthy = true;                                   // As of the last look.
    std::array<std::unique_ptr<EndpointPool>, 2> pools{};  // Made when first asked for.
  };

  class Departing;

  // Cluster
  void onUnused() override;
  // Membership::Listener
  void onMembers(const std::vector<Member>& members) override;
  void onFirstAnswers() override;
  // SharedCluster::Listener
  void onHealthChanged() override { refresh_.schedule(); }
  void onSuspect(const std::shared_ptr<EndpointState>& endpoint, int cause) override;

  bool take(Host& host, const Member& member) const;
  bool keepsUnlisted(const Host& host) const;
  void refresh();
  void noteHealth(Host& host);
  void countMembers();
  void tellGuard();
  std::optional<size_t> pick(const Wish& wish);
  EndpointPool& poolOf(Host& host, bool high_priority);
  static void drain(const Host& host);
  void retireHost(Host host);
  void onRetired(EndpointPool& pool);

  const ClusterSpec spec_;
  const std::shared_ptr<const std::string> metadata_;
  ClusterStats stats_;
  event::Loop& loop_;
  std::function<void()> on_first_answers_;
  std::function<void(WorkerCluster&)> on_unused_;  // Set by retire().
  SecureConnector secure_;                         // Before what connects by it.
  const std::shared_ptr<SharedCluster> shared_;
  SharedCluster::Ear ear_;
  const bool leads_;
  std::array<EndpointPool::Shared, 2> pool_parts_;  // By routing priority.
  stats::Gauge& membership_degraded_;
  stats::Gauge& membership_excluded_;
  LoadBalancer balancer_;
  LoadBalancer::Settings balancing_;
  std::vector<Host> hosts_;
  std::vector<std::unique_ptr<EndpointPool>> retired_;  // Not members any more; their last requests are under way.
  std::list<std::unique_ptr<Departing>> departing_;
  event::TurnEnd refresh_;
  std::unique_ptr<Guard> guard_;  // The leading worker's.
  Membership membership_;
};

}  // namespace weir::upstream
