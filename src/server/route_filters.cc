#include "server/route_filters.h"

#include "exchange/spec.h"

namespace weir::server {
namespace {

using Factory = std::shared_ptr<filter::FilterFactory>;
using exchange::RouteFilters;

// own: of the filters, in their order.
exchange::FilterPlan plan(const route::FilterOverrides& choice, const std::vector<SharedFilter>& filters,
                          const std::string& router, const std::vector<Factory>& own, const RouteFilters& of_routes) {
  exchange::FilterPlan plan;
  for (size_t i = 0; i < filters.size(); ++i) {
    const route::FilterOverride* said = route::find(choice, filters[i].name);
    if (said == nullptr ? filters[i].disabled : said->disabled) continue;
    const bool replaced = said != nullptr && said->settings != nullptr;
    plan.filters.push_back(replaced ? of_routes.at(said->settings.get()) : own[i]);
  }
  const route::FilterOverride* said = route::find(choice, router);
  plan.has_router = said == nullptr || !said->disabled;
  return plan;
}

}  // namespace

std::shared_ptr<filter::FilterFactory> createFactory(const SharedFilter& filter, proxy_wasm::WorkerPlugins& plugins) {
  if (filter.plugin != nullptr) return plugins.createFactory(filter.plugin);
  return filter::setMetadata(filter.name, *filter.set_metadata, *filter.overwrite_denied);
}

std::shared_ptr<const LoadedRoutes> loadRoutes(route::RouteConfig config, proxy_wasm::PluginHost* plugins,
                                               std::vector<base::Error>& faults) {
  auto routes = std::make_shared<LoadedRoutes>();
  auto table = route::RouteTable::create(std::move(config));
  if (!table.ok()) {
    faults.push_back(std::move(table).error());
    return nullptr;
  }
  routes->table = *std::move(table);
  for (const route::FilterOverrides& choice : routes->table->filterChoices()) {
    for (const route::FilterOverride& each : choice) {
      const auto* settings = dynamic_cast<const exchange::PluginSettings*>(each.settings.get());
      if (settings == nullptr || plugins == nullptr || routes->plugins.contains(settings)) continue;
      auto plugin = plugins->load(settings->plugin, settings->path);
      if (plugin.ok()) {
        routes->plugins.emplace(settings, *std::move(plugin));
      } else {
        faults.push_back(std::move(plugin).error());
      }
    }
  }
  return routes;
}

void useRoutes(const LoadedRoutes& routes, const std::vector<SharedFilter>& filters, const std::string& router,
               proxy_wasm::WorkerPlugins& plugins, exchange::HttpManager& manager) {
  RouteFilters of_routes;
  for (const auto& [settings, plugin] : routes.plugins) of_routes[settings] = plugins.createFactory(plugin);
  std::vector<exchange::FilterPlan> plans;
  for (const route::FilterOverrides& choice : routes.table->filterChoices()) {
    plans.push_back(plan(choice, filters, router, manager.filters, of_routes));
  }
  manager.routes = routes.table;
  manager.plans = std::move(plans);
  manager.route_filters = std::move(of_routes);
}

}  // namespace weir::server
