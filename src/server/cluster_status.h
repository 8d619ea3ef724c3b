// What the admin pages show of clusters: asked of every worker, summed.
#pragma once

#include <memory>
#include <vector>

#include "server/admin_source.h"
#include "server/worker.h"
#include "upstream/spec.h"

namespace weir::server {

// Waits for each worker in turn, a second at most; a worker that is too busy is left out of the sums.
std::vector<ClusterStatus> collectClusters(const std::vector<upstream::ClusterSpec>& specs,
                                           const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace weir::server
