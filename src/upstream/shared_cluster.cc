#include "upstream/shared_cluster.h"

#include <algorithm>

namespace weir::upstream {
namespace {

std::string breakerPrefix(const ClusterSpec& spec, std::string_view priority) {
  const std::string& name = spec.alt_stat_name.empty() ? spec.name : spec.alt_stat_name;
  return "cluster." + name + ".circuit_breakers." + std::string(priority) + ".";
}

}  // namespace

SharedCluster::SharedCluster(const ClusterSpec& spec, stats::Store& store)
    : default_(spec.breakers, store, breakerPrefix(spec, "default")),
      high_(spec.high_breakers, store, breakerPrefix(spec, "high")) {}

std::shared_ptr<EndpointState> SharedCluster::endpoint(const std::string& key, uint32_t flags_of_a_new_one) {
  const std::scoped_lock lock(mutex_);
  std::weak_ptr<EndpointState>& known = endpoints_[key];
  std::shared_ptr<EndpointState> state = known.lock();
  if (state != nullptr) return state;
  state = std::make_shared<EndpointState>(flags_of_a_new_one);
  known = state;
  if (endpoints_.size() <= prune_above_) return state;
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.expired(); });
  prune_above_ = 2 * endpoints_.size();
  return state;
}

SharedCluster::Ear::Ear(SharedCluster& shared, event::Loop& loop, Listener& listener, bool leads)
    : shared_(shared), loop_(loop), leads_(leads), alive_(std::make_shared<Listener*>(&listener)) {
  const std::scoped_lock lock(shared_.mutex_);
  shared_.ears_.push_back(this);
}

SharedCluster::Ear::~Ear() {
  const std::scoped_lock lock(shared_.mutex_);
  std::erase(shared_.ears_, this);
}

void SharedCluster::announce() {
  const std::scoped_lock lock(mutex_);
  for (const Ear* ear : ears_) {
    ear->loop_.post([weak = std::weak_ptr(ear->alive_)] {
      if (const auto listener = weak.lock()) (*listener)->onHealthChanged();
    });
  }
}

void SharedCluster::tellLeader(std::shared_ptr<EndpointState> endpoint, int cause) {
  const std::scoped_lock lock(mutex_);
  for (const Ear* ear : ears_) {
    if (!ear->leads_) continue;
    ear->loop_.post([weak = std::weak_ptr(ear->alive_), endpoint, cause] {
      if (const auto listener = weak.lock()) (*listener)->onSuspect(endpoint, cause);
    });
  }
}

std::shared_ptr<SharedCluster> SharedClusters::of(const ClusterSpec& spec, stats::Store& store) {
  const std::scoped_lock lock(mutex_);
  std::weak_ptr<SharedCluster>& known = clusters_[{spec.name, spec.generation}];
  std::shared_ptr<SharedCluster> shared = known.lock();
  if (shared != nullptr) return shared;
  std::erase_if(clusters_, [&](const auto& entry) { return &entry.second != &known && entry.second.expired(); });
  shared = std::make_shared<SharedCluster>(spec, store);
  known = shared;
  return shared;
}

}  // namespace weir::upstream
