// The network filters that fit on a page: echo, direct response, and the cluster by server name.
#pragma once

#include <memory>

#include "tcp/filter.h"
#include "tcp/spec.h"

namespace weir::tcp {

// Sends back what comes, and its end.
std::unique_ptr<FilterFactory> echo();
// Says its piece to whoever connects, and closes.
std::unique_ptr<FilterFactory> directResponse(const DirectResponseSpec& spec);
// Names the client's server name (SNI) as the cluster of the TCP proxy behind it.
std::unique_ptr<FilterFactory> sniCluster();

}  // namespace weir::tcp
