#include "server/manager.h"

#include <utility>

#include "proxy_wasm/access_logger.h"
#include "server/route_filters.h"
#include "server/upstream_filters.h"

namespace weir::server {

access_log::Logs makeLogs(std::shared_ptr<const access_log::CompiledLogs> compiled, const ManagerPlace& place) {
  proxy_wasm::LoggerOpener loggers(place.plugins);
  return access_log::Logs(std::move(compiled), place.log_feeds, &loggers);
}

std::unique_ptr<exchange::HttpManager> makeManager(const SharedHttp& http, const std::string& local_ip,
                                                   size_t buffer_limit, const ManagerPlace& place) {
  std::vector<std::shared_ptr<filter::FilterFactory>> filters;
  for (const SharedFilter& filter : http.filters) filters.push_back(createFactory(filter, place.plugins));
  auto manager = std::make_unique<exchange::HttpManager>(exchange::HttpManager{
      .loop = place.loop,
      .random = place.random,
      .clusters = place.clusters,
      .stats = *http.stats,
      .spec = http.spec,
      .routes = nullptr,
      .filters = std::move(filters),
      .access_logs = makeLogs(http.access_logs, place),
      .local_replies = http.local_replies,
      .suppress_envoy_headers = http.suppress_envoy_headers,
      .upstream_filters = useUpstreamFilters(http.upstream_filters.get(), place.plugins),
      .buffer_limit = buffer_limit,
      .local_ip = local_ip,
  });
  useRoutes(*http.routes, http.filters, http.router_name, place.plugins, *manager);
  return manager;
}

}  // namespace weir::server
