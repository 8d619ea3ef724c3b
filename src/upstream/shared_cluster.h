// What the workers of a process know together of a cluster: how much of it is under way, and how its endpoints are.
//
// Workers have clusters of their own (worker_cluster.h) and share only this: atomics, and a message to each when an
// endpoint's health has changed. One worker leads: it checks and judges the endpoints for all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "event/loop.h"
#include "stats/stats.h"
#include "upstream/circuit_breaker.h"
#include "upstream/endpoint_state.h"
#include "upstream/spec.h"

namespace weir::upstream {

// Thread-safe. What takes a lock is for when members or their health change, not for requests.
class SharedCluster {
 public:
  SharedCluster(const ClusterSpec& spec, stats::Store& store);

  Breakers& breakers(bool high_priority) { return high_priority ? high_ : default_; }
  // By address or, where the address may change under it, by name. The same for all workers; forgotten when nobody
  // holds it any more. Takes a lock.
  std::shared_ptr<EndpointState> endpoint(const std::string& key, uint32_t flags_of_a_new_one);

  // A worker's ear. Both are called on its loop, never within announce() or tellLeader(), and not after it was
  // destroyed (on its loop's thread).
  class Listener {
   public:
    virtual void onHealthChanged() = 0;
    // For the leader only: an endpoint has failed so often that something must be done.
    virtual void onSuspect(const std::shared_ptr<EndpointState>& endpoint, int cause) = 0;

   protected:
    ~Listener() = default;
  };
  class Ear {
   public:
    Ear(SharedCluster& shared, event::Loop& loop, Listener& listener, bool leads);
    ~Ear();
    Ear(const Ear&) = delete;
    Ear& operator=(const Ear&) = delete;

   private:
    friend class SharedCluster;
    SharedCluster& shared_;
    event::Loop& loop_;
    const bool leads_;
    std::shared_ptr<Listener*> alive_;  // What posted tasks hold weakly.
  };
  // Some endpoint's flags have changed: every worker hears it.
  void announce();
  void tellLeader(std::shared_ptr<EndpointState> endpoint, int cause);

 private:
  Breakers default_;
  Breakers high_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<EndpointState>, std::less<>> endpoints_;
  size_t prune_above_ = 64;  // Forgotten ones are swept out when there are more than this.
  std::vector<Ear*> ears_;
};

// All of a process. Must outlive the workers' clusters.
class SharedClusters {
 public:
  // What the cluster of this name and generation shares; made by the first who asks, gone with the last who holds it.
  std::shared_ptr<SharedCluster> of(const ClusterSpec& spec, stats::Store& store);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, uint64_t>, std::weak_ptr<SharedCluster>> clusters_;
};

}  // namespace weir::upstream
