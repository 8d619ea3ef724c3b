// A worker's connection manager, out of what all workers share of it.
#pragma once

#include <memory>

#include "access_log/feed.h"
#include "access_log/log.h"
#include "base/random.h"
#include "event/loop.h"
#include "exchange/http_manager.h"
#include "proxy_wasm/worker_plugins.h"
#include "server/shared.h"
#include "upstream/cluster.h"

namespace weir::server {

// What is the worker's. Outlives its managers.
struct ManagerPlace {
  event::Loop& loop;
  base::Random& random;
  upstream::Clusters& clusters;
  proxy_wasm::WorkerPlugins& plugins;
  access_log::Feeds& log_feeds;
};

// On the worker's thread. compiled may be null.
access_log::Logs makeLogs(std::shared_ptr<const access_log::CompiledLogs> compiled, const ManagerPlace& place);

// On the worker's thread, and with the routes with which it begins. http outlives it.
std::unique_ptr<exchange::HttpManager> makeManager(const SharedHttp& http, const std::string& local_ip,
                                                   size_t buffer_limit, const ManagerPlace& place);

}  // namespace weir::server
