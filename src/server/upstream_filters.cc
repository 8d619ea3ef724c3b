#include "server/upstream_filters.h"

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

}  // namespace weir::server
