// A cluster on one worker: its members, each with a pool, and whose turn it is.
#pragma once

#include <memory>
#include <vector>

#include "upstream/balancer.h"
#include "upstream/cluster.h"
#include "upstream/endpoint_pool.h"
#include "upstream/membership.h"
#include "upstream/secure_connector.h"

namespace weir::upstream {

class WorkerCluster final : public Cluster, public event::Deferred, private Membership::Listener {
 public:
  WorkerCluster(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver, Connector& connector,
                std::function<void()> on_first_answers);
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
  std::vector<const Endpoint*> endpoints() const override;

 private:
  // Cluster
  void onUnused() override;
  // Membership::Listener
  void onMembers(const std::vector<Member>& members) override;
  void onFirstAnswers() override { on_first_answers_(); }
  std::unique_ptr<EndpointPool> takePool(std::vector<std::unique_ptr<EndpointPool>>& from, const Endpoint& endpoint);
  void onRetired(EndpointPool& pool);

  const ClusterSpec spec_;
  const std::shared_ptr<const std::string> metadata_;
  ClusterStats stats_;
  std::function<void()> on_first_answers_;
  std::function<void(WorkerCluster&)> on_unused_;  // Set by retire().
  SecureConnector secure_;                         // Before what connects by it.
  EndpointPool::Shared shared_;
  RoundRobin balancer_;
  std::vector<std::unique_ptr<EndpointPool>> pools_;
  std::vector<std::unique_ptr<EndpointPool>> retired_;  // Not members any more; their last requests are under way.
  Membership membership_;
};

}  // namespace weir::upstream
