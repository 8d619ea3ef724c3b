// The filters on the upstream's side (of clusters, or of the router), made ready to be run.
#pragma once

#include <memory>

#include "base/result.h"
#include "exchange/http_manager.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/worker_plugins.h"
#include "upstream/spec.h"

namespace weir::server {

// Loads (compiles and tries) the plugins among filters as they were configured, and puts what useUpstreamFilters()
// takes in their place; nothing happens to what is loaded already, or null. Main thread. Error: the first that cannot
// be.
base::Result<void> loadUpstreamFilters(std::shared_ptr<const upstream::HttpFilters>& filters,
                                       proxy_wasm::PluginHost& plugins);

// What a worker runs of filters that were loaded; null: nothing. On its thread.
exchange::UpstreamFilters useUpstreamFilters(const upstream::HttpFilters* filters, proxy_wasm::WorkerPlugins& plugins);

// The filters of a thread's own in its clusters, in the place of those that all threads share. On that thread.
class OwnFilters {
 public:
  // Before the cluster is made. Its filters need the plugins, and these the clusters: so they are put in later.
  void own(upstream::ClusterSpec& cluster);
  void fill(proxy_wasm::WorkerPlugins& plugins);
  // Before the plugins that they are made of go.
  void clear();

 private:
  struct OfCluster {
    std::weak_ptr<exchange::ClusterFilters> own;
    std::shared_ptr<const upstream::HttpFilters> loaded;  // What they are made of, until that was done.
  };
  std::vector<OfCluster> clusters_;
};

// Ends what plugins have under way, calls and the filters that these pass, so that the plugins can go. The thread's
// last turns.
void endPlugins(proxy_wasm::WorkerPlugins& plugins, OwnFilters& filters, event::Loop& loop);

}  // namespace weir::server
