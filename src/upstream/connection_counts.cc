#include "upstream/connection_counts.h"

namespace weir::upstream {

void countOpened(ClusterStats& stats, Breakers& breakers, const Endpoint& endpoint) {
  stats.upstream_cx_total.add();
  stats.upstream_cx_active.add();
  breakers.connections.take();
  endpoint.state->connections.fetch_add(1, std::memory_order_relaxed);
  ++endpoint.counts.cx_total;
  ++endpoint.counts.cx_active;
}

void countClosed(ClusterStats& stats, Breakers& breakers, const Endpoint& endpoint, base::Duration lasted, bool by_peer,
                 bool within_request) {
  stats.upstream_cx_active.sub();
  breakers.connections.giveBack();
  endpoint.state->connections.fetch_sub(1, std::memory_order_relaxed);
  --endpoint.counts.cx_active;
  stats.upstream_cx_destroy.add();
  (by_peer ? stats.upstream_cx_destroy_remote : stats.upstream_cx_destroy_local).add();
  stats.upstream_cx_length_ms.record(base::milliseconds(lasted));
  if (!within_request) return;
  stats.upstream_cx_destroy_with_active_rq.add();
  (by_peer ? stats.upstream_cx_destroy_remote_with_active_rq : stats.upstream_cx_destroy_local_with_active_rq).add();
}

}  // namespace weir::upstream
