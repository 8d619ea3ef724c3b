#include "server/route_sources.h"

#include <fmt/core.h>

namespace weir::server {
namespace {

std::string statPrefix(const std::string& manager, const std::string& routes) {
  return fmt::format("http.{}.rds.{}.", manager, routes);
}

}  // namespace

RouteSource::RouteSource(RouteSources& sources, uint64_t id, const exchange::RouteSourceSpec& spec,
                         const std::string& stat_prefix)
    : sources_(sources),
      id_(id),
      name_(spec.name),
      config_reload_(sources.environment_.stats.counter(statPrefix(stat_prefix, name_) + "config_reload")),
      config_reload_time_(sources.environment_.stats.gauge(statPrefix(stat_prefix, name_) + "config_reload_time_ms")),
      update_empty_(sources.environment_.stats.counter(statPrefix(stat_prefix, name_) + "update_empty")) {
  routes_ = std::make_shared<const LoadedRoutes>(LoadedRoutes{*route::RouteTable::create({}), {}});
  subscription_ = std::make_unique<xds::Subscription>(
      sources.environment_, config::ResourceKind::Routes, spec.source, fmt::format("rds '{}'", name_),
      statPrefix(stat_prefix, name_), [this](config::Discovered& resources) { return take(resources); });
  subscription_->start();
}

std::vector<std::string> RouteSource::take(config::Discovered& resources) {
  if (resources.routes.empty()) {
    update_empty_.add();
    return {};
  }
  if (resources.routes.size() > 1) {
    return {fmt::format("Unexpected RDS resource length: {}", resources.routes.size())};
  }
  auto& resource = resources.routes.front();
  if (resource.name != name_) {
    return {fmt::format("Unexpected RDS configuration (expecting {}): {}", name_, resource.name)};
  }
  std::vector<base::Error> faults;
  auto routes = loadRoutes(std::move(resource.spec), sources_.plugins_, faults);
  if (!faults.empty()) {
    std::vector<std::string> reasons;
    for (const base::Error& fault : faults) reasons.push_back(fault.detail);
    return reasons;
  }
  routes_ = std::move(routes);
  const base::WallTime now = sources_.environment_.loop.wallNow();
  status_ = {name_, resources.version, std::move(resource.dump), now, true};
  config_reload_.add();
  config_reload_time_.set(std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  sources_.crew_.setRoutes(id_, routes_);
  return {};
}

std::shared_ptr<RouteSource> RouteSources::find(const exchange::RouteSourceSpec& spec, const std::string& stat_prefix) {
  std::erase_if(sources_, [](const auto& source) { return source.second.expired(); });
  std::weak_ptr<RouteSource>& place = sources_[{spec.source, spec.name}];
  if (auto known = place.lock()) return known;
  auto source = std::make_shared<RouteSource>(*this, next_id_++, spec, stat_prefix);
  place = source;
  return source;
}

void RouteSources::describe(DiscoveryStatus& status) const {
  for (const auto& [key, weak] : sources_) {
    const auto source = weak.lock();
    if (source != nullptr && !source->status().dump.empty()) status.routes.push_back(source->status());
  }
}

}  // namespace weir::server
