#include "server/server_stats.h"

namespace weir::server {

ServerStats::ServerStats(stats::Store& store, uint32_t workers)
    : live(store.gauge("server.live")),
      state(store.gauge("server.state")),
      workers_started(store.gauge("listener_manager.workers_started")) {
  store.gauge("server.concurrency").set(workers);
  setState(ServerState::PreInitializing);
}

void ServerStats::setState(ServerState now) {
  state.set(static_cast<int64_t>(now));
  live.set(now == ServerState::Live ? 1 : 0);
}

}  // namespace weir::server
