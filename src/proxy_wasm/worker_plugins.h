// Plugins as they run on one worker: a VM per identity, a root per plugin in it, a filter per stream.
//
// A VM that has failed is replaced at once, whatever the policy: the next request meets a fresh one. A plugin that dies
// again and again without being of use is given time in between (breaker.h); meanwhile its streams get what its failure
// policy says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access_log/sink.h"
#include "base/random.h"
#include "event/loop.h"
#include "filter/filter.h"
#include "proxy_wasm/breaker_board.h"
#include "proxy_wasm/loaded_plugin.h"
#include "proxy_wasm/service.h"
#include "proxy_wasm/vm.h"
#include "tcp/filter.h"
#include "upstream/cluster.h"

namespace weir::proxy_wasm {

class PluginOnWorker;

// One per worker, on its thread. Must outlive its factories and the streams that they serve; the loop must outlive it.
class WorkerPlugins final : private VmObserver, private ClusterAccess, private NameAccess {
 public:
  struct Environment {
    event::Loop& loop;
    base::Random& random;
    upstream::Clusters* clusters = nullptr;  // For callouts; null: none is known.
    net::Resolver* resolver = nullptr;       // Null: the system's names.
    BreakerBoard* breakers = nullptr;        // Where open breakers are told; null: nowhere.
  };
  explicit WorkerPlugins(const Environment& environment);
  // Plugins that have not said that they are done are deleted without waiting.
  ~WorkerPlugins();

  // Starts the plugin here (or joins it, where an equal one runs). A start that fails is logged, and the factory gives
  // what the failure policy says until a later start succeeds.
  std::unique_ptr<filter::FilterFactory> createFactory(std::shared_ptr<const LoadedPlugin> plugin);
  // The same as a network filter.
  std::unique_ptr<tcp::FilterFactory> createNetworkFactory(std::shared_ptr<const LoadedPlugin> plugin);
  // The same as an access logger.
  std::shared_ptr<access_log::Sink> createLogger(std::shared_ptr<const LoadedPlugin> plugin);
  // The same as a service or a sink of statistics.
  std::unique_ptr<Service> createService(std::shared_ptr<const LoadedPlugin> plugin);
  // Plugins that have not said that they are done are deleted. For the end: what that ends is destroyed with the loop's
  // turn, which must come before this goes.
  void abandonPending();
  // Starts what could not be started so far, because its code has come meanwhile, and new versions.
  void startLate();
  // The clusters that callouts reach from now on.
  void setClusters(upstream::Clusters* clusters) { environment_.clusters = clusters; }

 private:
  friend class PluginOnWorker;
  // The plugin as it runs here: one that does already, or a new one.
  std::shared_ptr<PluginOnWorker> run(std::shared_ptr<const LoadedPlugin> plugin);
  // A living VM of that code: one that runs here, or a new one.
  base::Result<std::shared_ptr<Vm>> acquireVm(const std::shared_ptr<const PluginCode>& code);
  void reviveFailed();
  // For the VMs of single streams: nothing is to be revived when they fail.
  VmEnvironment environmentOfStreams();

  void onVmFailed(Vm& vm) override;
  void onVmWaits(Vm& vm) override { stream_vms_.onVmWaits(vm); }
  bool knows(std::string_view cluster) override { return find(cluster) != nullptr; }
  upstream::Cluster* find(std::string_view cluster) override;
  net::Resolver& resolver() override;

  // Of VMs that one stream has for itself: those that have failed, and those whose stream is over and which wait for
  // answers.
  class StreamVms final : public VmObserver {
   public:
    explicit StreamVms(WorkerPlugins& worker) : worker_(worker) {}
    ~StreamVms();
    void onVmFailed(Vm& vm) override;
    void onVmWaits(Vm& vm) override;

   private:
    static constexpr size_t kSweepAt = 64;
    WorkerPlugins& worker_;
    std::vector<std::weak_ptr<Vm>> waiting_;
    size_t sweep_at_ = kSweepAt;
  };

  Environment environment_;
  BreakerBoard own_breakers_;                    // Where no other was given.
  std::unique_ptr<net::Resolver> own_resolver_;  // Made when a plugin asks for the first name.
  StreamVms stream_vms_{*this};
  std::map<std::string, std::weak_ptr<Vm>> vms_;                  // By identity.
  std::map<std::string, std::weak_ptr<PluginOnWorker>> plugins_;  // By identity and key.
  std::shared_ptr<int> alive_ = std::make_shared<int>();          // For tasks that were posted.
};

}  // namespace weir::proxy_wasm
