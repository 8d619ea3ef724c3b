// The process's own counters: server.*, listener_manager.*, cluster_manager.*, by Envoy's names.
#pragma once

#include "server/admin_source.h"
#include "stats/stats.h"

namespace weir::server {

struct ServerStats {
  ServerStats(stats::Store& store, uint32_t workers);
  void setState(ServerState state);

  stats::Gauge& live;
  stats::Gauge& state;
  stats::Gauge& workers_started;
};

}  // namespace weir::server
