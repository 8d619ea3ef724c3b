#include "upstream/worker_cluster.h"

#include <algorithm>

#include "base/log.h"

namespace weir::upstream {
namespace {

std::shared_ptr<const std::string> metadataOf(const ClusterSpec& spec) {
  return spec.metadata.empty() ? nullptr : std::make_shared<const std::string>(spec.metadata);
}

}  // namespace

WorkerCluster::WorkerCluster(const ClusterSpec& spec, const Environment& environment, net::Resolver& resolver,
                             Connector& connector, std::function<void()> on_first_answers)
    : spec_(spec),
      metadata_(metadataOf(spec)),
      stats_(environment.stats, spec.alt_stat_name.empty() ? spec.name : spec.alt_stat_name),
      on_first_answers_(std::move(on_first_answers)),
      secure_(environment.loop, connector, spec_),
      shared_{environment.loop, secure_, spec_, stats_, [this](EndpointPool& pool) { onRetired(pool); }},
      balancer_(environment.random.next()),
      membership_(spec_, environment.loop, resolver, stats_, *this) {}

WorkerCluster::~WorkerCluster() = default;

std::unique_ptr<Acquisition> WorkerCluster::acquire(ConnectionWaiter& waiter, const Wish& wish) {
  if (pools_.empty()) {
    stats_.upstream_cx_none_healthy.add();
    waiter.onNoConnection(AcquireFailure::NoEndpoint, nullptr, "");
    return nullptr;
  }
  return pools_[balancer_.pick()]->acquire(waiter, wish);
}

std::vector<const Endpoint*> WorkerCluster::endpoints() const {
  std::vector<const Endpoint*> endpoints;
  for (const auto& pool : pools_) endpoints.push_back(&pool->endpoint());
  return endpoints;
}

void WorkerCluster::drain() {
  for (const auto& pool : pools_) pool->drain();
}

void WorkerCluster::retire(std::function<void(WorkerCluster&)> on_unused) {
  drain();
  on_unused_ = std::move(on_unused);
  const ClusterUse none_but_this(*this);  // Tells by its end, if it is the only one.
}

void WorkerCluster::onUnused() {
  if (on_unused_) std::exchange(on_unused_, nullptr)(*this);
}

// Members that stay keep their connections. So does the one of LOGICAL_DNS when its address changes: only new
// connections go to the new address.
void WorkerCluster::onMembers(const std::vector<Member>& members) {
  const bool one_logical = spec_.discovery == Discovery::LogicalDns && pools_.size() == 1 && members.size() == 1;
  if (one_logical) return pools_[0]->setEndpoint(members[0].endpoint);

  std::vector<std::unique_ptr<EndpointPool>> before = std::exchange(pools_, {});
  const size_t count_before = before.size();
  std::vector<uint32_t> weights;
  bool changed = false;
  for (const Member& member : members) {
    std::unique_ptr<EndpointPool> pool = takePool(before, *member.endpoint);
    changed = changed || pool == nullptr;
    if (pool == nullptr) {
      pool = std::make_unique<EndpointPool>(shared_, member.endpoint);
    } else {
      pool->setEndpoint(member.endpoint);
    }
    pools_.push_back(std::move(pool));
    weights.push_back(member.weight);
  }
  changed = changed || count_before != members.size();
  if (!changed) return;
  LOG(Upstream, Debug, "cluster {} has {} endpoints", spec_.name, members.size());
  balancer_.setWeights(weights);
  stats_.membership_change.add();
  stats_.membership_total.set(static_cast<int64_t>(members.size()));
  stats_.membership_healthy.set(static_cast<int64_t>(members.size()));
  for (std::unique_ptr<EndpointPool>& pool : before) {
    if (pool == nullptr) continue;
    EndpointPool& gone = *pool;
    retired_.push_back(std::move(pool));
    gone.retire();
  }
}

std::unique_ptr<EndpointPool> WorkerCluster::takePool(std::vector<std::unique_ptr<EndpointPool>>& from,
                                                      const Endpoint& endpoint) {
  for (std::unique_ptr<EndpointPool>& pool : from) {
    if (pool != nullptr && pool->endpoint().address == endpoint.address) return std::move(pool);
  }
  return nullptr;
}

void WorkerCluster::onRetired(EndpointPool& pool) {
  const auto at =
      std::find_if(retired_.begin(), retired_.end(), [&](const auto& other) { return other.get() == &pool; });
  shared_.loop.destroyLater(std::move(*at));
  retired_.erase(at);
}

}  // namespace weir::upstream
