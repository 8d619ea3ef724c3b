// Route tables that come from files (RDS), shared by all connection managers that name the same ones. Main thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "exchange/spec.h"
#include "server/admin_source.h"
#include "server/crew.h"
#include "xds/subscription.h"

namespace weir::server {

class RouteSources;

// One route configuration, followed while somebody holds this.
class RouteSource {
 public:
  RouteSource(RouteSources& sources, uint64_t id, const exchange::RouteSourceSpec& spec,
              const std::string& stat_prefix);
  uint64_t id() const { return id_; }
  // Without a first answer that can be taken: a table without routes, as Envoy.
  const std::shared_ptr<const LoadedRoutes>& routes() const { return routes_; }
  const ResourceStatus& status() const { return status_; }

 private:
  std::vector<std::string> take(config::Discovered& resources);

  RouteSources& sources_;
  const uint64_t id_;
  const std::string name_;
  std::shared_ptr<const LoadedRoutes> routes_;
  ResourceStatus status_;
  stats::Counter& config_reload_;
  stats::Gauge& config_reload_time_;
  stats::Counter& update_empty_;
  std::unique_ptr<xds::Subscription> subscription_;
};

class RouteSources {
 public:
  // plugins: loads those that routes configure; null: none is.
  RouteSources(const xds::Subscription::Environment& environment, Crew& crew, proxy_wasm::PluginHost* plugins)
      : environment_(environment), crew_(crew), plugins_(plugins) {}
  // The one that is followed already, or a new one, which reads its file within the call. stat_prefix: the connection
  // manager's.
  std::shared_ptr<RouteSource> find(const exchange::RouteSourceSpec& spec, const std::string& stat_prefix);
  void describe(DiscoveryStatus& status) const;

 private:
  friend class RouteSource;
  const xds::Subscription::Environment environment_;
  Crew& crew_;
  proxy_wasm::PluginHost* const plugins_;
  std::map<std::pair<base::FileSource, std::string>, std::weak_ptr<RouteSource>> sources_;
  uint64_t next_id_ = 1;
};

}  // namespace weir::server
