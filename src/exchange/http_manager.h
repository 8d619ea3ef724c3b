// What all connections of one listener's filter chain share on one worker: settings, routes, filters, counters,
// clusters.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "access_log/log.h"
#include "base/random.h"
#include "event/loop.h"
#include "exchange/local_reply_rules.h"
#include "exchange/manager_stats.h"
#include "exchange/spec.h"
#include "filter/filter.h"
#include "route/route_table.h"
#include "upstream/call_filters.h"
#include "upstream/cluster.h"

namespace weir::exchange {

// The filters that a request passes, in order, without the router.
struct FilterPlan {
  std::vector<std::shared_ptr<filter::FilterFactory>> filters;
  bool has_router = true;  // Its route may disable even that: then nobody forwards the request.
};

// A filter on the upstream's side. What a route says of its name counts for it, too.
struct UpstreamFilter {
  std::string name;
  bool disabled = false;
  std::shared_ptr<filter::FilterFactory> factory;
};
using UpstreamFilters = std::vector<UpstreamFilter>;
// A cluster's own, on this worker: what stands in ClusterSpec::http_filters there.
struct ClusterFilters final : upstream::CallableFilters {
  bool empty() const override { return filters.empty(); }
  std::vector<filter::FilterFactory*> forCalls() const override {
    std::vector<filter::FilterFactory*> enabled;
    for (const UpstreamFilter& filter : filters) {
      if (!filter.disabled) enabled.push_back(filter.factory.get());
    }
    return enabled;
  }
  UpstreamFilters filters;
};
// What takes a filter's place on routes that say so.
using RouteFilters = std::map<const route::FilterSettings*, std::shared_ptr<filter::FilterFactory>>;

// One per filter chain and worker. Outlives its connections; belongs to the worker's thread.
struct HttpManager {
  event::Loop& loop;
  base::Random& random;
  upstream::Clusters& clusters;
  ManagerStats& stats;
  std::shared_ptr<const HttpManagerSpec> spec;
  // May be replaced at any time (RDS): a request keeps the table in which it found its route (StreamInfo::route_table).
  std::shared_ptr<const route::RouteTable> routes;
  // All filters but the router, in order, also those that are disabled where no route enables them.
  std::vector<std::shared_ptr<filter::FilterFactory>> filters;
  // By route::Match::filter_choice of `routes`, and replaced with it. The first: where no route says anything.
  std::vector<FilterPlan> plans{1};
  RouteFilters route_filters = {};  // Of `routes`, and replaced with them.
  access_log::Logs access_logs = {};
  std::shared_ptr<const LocalReplyRules> local_replies = nullptr;  // Null: as the proxy makes them.
  bool suppress_envoy_headers = false;                             // The router's setting.
  UpstreamFilters upstream_filters = {};  // The router's own, in order; for clusters that configure none.
  size_t buffer_limit = 1024 * 1024;      // The listener's per_connection_buffer_limit_bytes.
  std::string local_ip;                   // What Envoy appends for a loopback client; see xff.
  bool draining = false;                  // Answers ask clients to go:
  base::MonotonicTime drain_began{};      // since then,
  base::Duration drain_over{};            // more and more of them until all do; zero: all.

  // Whether the answer to a request that comes now is to ask the client to go. As Envoy's drain strategies: gradual, by
  // chance, so that not all clients come back at one moment.
  bool asksToGo() const;
};

}  // namespace weir::exchange
