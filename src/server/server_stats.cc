#include "server/server_stats.h"

namespace weir::server {

ServerStats::ServerStats(stats::Store& store, uint32_t workers, const config::Bootstrap& bootstrap)
    : live(store.gauge("server.live")),
      state(store.gauge("server.state")),
      workers_started(store.gauge("listener_manager.workers_started")) {
  store.gauge("server.concurrency").set(workers);
  store.gauge("listener_manager.total_listeners_active").set(static_cast<int64_t>(bootstrap.listeners.size()));
  store.gauge("cluster_manager.active_clusters").set(static_cast<int64_t>(bootstrap.clusters.size()));
  store.counter("listener_manager.listener_added").add(bootstrap.listeners.size());
  setState(ServerState::PreInitializing);
}

void ServerStats::setState(ServerState now) {
  state.set(static_cast<int64_t>(now));
  live.set(now == ServerState::Live ? 1 : 0);
}

}  // namespace weir::server
