// What routes say of HTTP filters (typed_per_filter_config), made ready to be run: the plugins that routes configure
// for themselves, and each connection manager's filters for each combination that its routes ask for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "exchange/http_manager.h"
#include "filter/set_metadata.h"
#include "proxy_wasm/plugin.h"
#include "proxy_wasm/worker_plugins.h"
#include "route/route_table.h"

namespace weir::server {

// A route table with what its routes configure of filters. Immutable, shared by all workers.
struct LoadedRoutes {
  std::shared_ptr<const route::RouteTable> table;
  std::map<const route::FilterSettings*, std::shared_ptr<const proxy_wasm::LoadedPlugin>> plugins;
};

// Compiles the routes, and loads (compiles and tries) the plugins that they configure. All faults. Main thread.
std::shared_ptr<const LoadedRoutes> loadRoutes(route::RouteConfig config, proxy_wasm::PluginHost* plugins,
                                               std::vector<base::Error>& faults);

// An HTTP filter of a connection manager.
struct SharedFilter {
  std::string name;  // HttpFilter.name
  bool disabled = false;
  std::shared_ptr<const proxy_wasm::LoadedPlugin> plugin;  // Null: the filter is one of ours:
  const filter::SetMetadataSpec* set_metadata = nullptr;   // of the manager's spec.
  stats::Counter* overwrite_denied = nullptr;
};

// On the worker's thread.
std::shared_ptr<filter::FilterFactory> createFactory(const SharedFilter& filter, proxy_wasm::WorkerPlugins& plugins);

// Gives the manager these routes, and the filters that go with them: its own, some left out or put in, some with
// another plugin. router: the router's name. On the worker's thread.
void useRoutes(const LoadedRoutes& routes, const std::vector<SharedFilter>& filters, const std::string& router,
               proxy_wasm::WorkerPlugins& plugins, exchange::HttpManager& manager);

}  // namespace weir::server
