#include "server/cluster_status.h"

#include <map>

namespace weir::server {
namespace {

void add(EndpointStatus& sum, const upstream::EndpointCounts& counts) {
  sum.cx_total += counts.cx_total;
  sum.cx_active += counts.cx_active;
  sum.cx_connect_fail += counts.cx_connect_fail;
  sum.rq_total += counts.rq_total;
  sum.rq_active += counts.rq_active;
  sum.rq_success += counts.rq_success;
  sum.rq_error += counts.rq_error;
  sum.rq_timeout += counts.rq_timeout;
}

using Endpoints = std::map<std::string, EndpointStatus>;  // By address.

}  // namespace

std::vector<ClusterStatus> collectClusters(const std::vector<upstream::ClusterSpec>& specs,
                                           const std::vector<std::unique_ptr<Worker>>& workers) {
  std::map<std::string, Endpoints, std::less<>> found;
  for (const auto& worker : workers) {
    worker->inspectClusters([&found](upstream::Clusters& clusters) {
      for (const upstream::Cluster* cluster : clusters.all()) {
        for (const upstream::Endpoint* endpoint : cluster->endpoints()) {
          EndpointStatus& status = found[cluster->spec().name][endpoint->address.toString()];
          status.address = endpoint->address;
          status.hostname = endpoint->hostname;
          status.weight = endpoint->weight;
          status.priority = endpoint->priority;
          status.locality = endpoint->locality;
          status.flags = endpoint->state->flags();
          status.success_rate = endpoint->state->success_rate.load(std::memory_order_relaxed);
          status.local_success_rate = endpoint->state->local_success_rate.load(std::memory_order_relaxed);
          add(status, endpoint->counts);
        }
      }
    });
  }
  std::vector<ClusterStatus> out;
  for (const upstream::ClusterSpec& spec : specs) {
    ClusterStatus status;
    status.name = spec.name;
    status.observability_name = spec.alt_stat_name.empty() ? spec.name : spec.alt_stat_name;
    status.breakers = spec.breakers;
    status.high_breakers = spec.high_breakers;
    for (auto& [address, endpoint] : found[spec.name]) status.endpoints.push_back(std::move(endpoint));
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace weir::server
