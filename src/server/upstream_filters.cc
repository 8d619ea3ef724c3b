#include "server/upstream_filters.h"

#include <utility>

#include "exchange/spec.h"
#include "server/route_filters.h"

namespace weir::server {
namespace {

struct LoadedUpstreamFilters final : upstream::HttpFilters {
  bool empty() const override { return filters.empty(); }
  std::vector<SharedFilter> filters;
};

}  // namespace

base::Result<void> loadUpstreamFilters(std::shared_ptr<const upstream::HttpFilters>& filters,
                                       proxy_wasm::PluginHost& plugins) {
  const auto* configured = dynamic_cast<const exchange::UpstreamFilterSpecs*>(filters.get());
  if (configured == nullptr) return base::Ok{};
  auto loaded = std::make_shared<LoadedUpstreamFilters>();
  for (const exchange::HttpFilterSpec& filter : configured->filters) {
    const auto* plugin = std::get_if<proxy_wasm::PluginSpec>(&filter.filter);
    if (plugin == nullptr) continue;
    auto made = plugins.load(*plugin, filter.path);
    if (!made.ok()) return std::move(made).error();
    loaded->filters.push_back({filter.name, filter.disabled, *std::move(made), nullptr, nullptr});
  }
  filters = std::move(loaded);
  return base::Ok{};
}

exchange::UpstreamFilters useUpstreamFilters(const upstream::HttpFilters* filters, proxy_wasm::WorkerPlugins& plugins) {
  exchange::UpstreamFilters used;
  const auto* loaded = dynamic_cast<const LoadedUpstreamFilters*>(filters);
  if (loaded == nullptr) return used;
  for (const SharedFilter& filter : loaded->filters) {
    used.push_back({filter.name, filter.disabled, plugins.createFactory(filter.plugin)});
  }
  return used;
}

void OwnFilters::own(upstream::ClusterSpec& cluster) {
  if (cluster.http_filters == nullptr) return;
  auto own = std::make_shared<exchange::ClusterFilters>();
  std::erase_if(clusters_, [](const OfCluster& each) { return each.own.expired(); });
  clusters_.push_back({own, std::exchange(cluster.http_filters, own)});
}

void OwnFilters::fill(proxy_wasm::WorkerPlugins& plugins) {
  for (OfCluster& each : clusters_) {
    const auto own = each.own.lock();
    const auto loaded = std::exchange(each.loaded, nullptr);
    if (own != nullptr && loaded != nullptr) own->filters = useUpstreamFilters(loaded.get(), plugins);
  }
}

void OwnFilters::clear() {
  for (const OfCluster& each : clusters_) {
    if (const auto own = each.own.lock()) own->filters.clear();
  }
}

void endPlugins(proxy_wasm::WorkerPlugins& plugins, OwnFilters& filters, event::Loop& loop) {
  plugins.abandonPending();
  loop.runReady();
  filters.clear();
  plugins.abandonPending();
  loop.runReady();
}

}  // namespace weir::server
