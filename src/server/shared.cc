#include "server/shared.h"

namespace weir::server {

ChainLimit::ChainLimit(stats::Store& store, const config::ConnectionLimitSpec& spec)
    : delay(spec.delay),
      active_connections(store.gauge("connection_limit." + spec.stat_prefix + ".active_connections")),
      limited_connections(store.counter("connection_limit." + spec.stat_prefix + ".limited_connections")) {
  limit.most = spec.max_connections;
}

}  // namespace weir::server
