// What counts a connection with an endpoint, from when it is opened to its end: the cluster's statistics, the circuit
// breaker of its priority, and the endpoint itself. The same for pooled connections and raw streams.
#pragma once

#include "upstream/circuit_breaker.h"
#include "upstream/cluster.h"

namespace weir::upstream {

void countOpened(ClusterStats& stats, Breakers& breakers, const Endpoint& endpoint);
// within_request: something was under way on it.
void countClosed(ClusterStats& stats, Breakers& breakers, const Endpoint& endpoint, base::Duration lasted, bool by_peer,
                 bool within_request);

}  // namespace weir::upstream
