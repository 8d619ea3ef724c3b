// What all workers share: immutable once they run, but for counters, which are atomic.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/spec.h"
#include "exchange/http_manager.h"
#include "proxy_wasm/plugin.h"
#include "server/listener_stats.h"
#include "stats/stats.h"
#include "wasm/engine.h"

namespace weir::server {

// A listener with what its configuration led to. All workers bind the same address.
struct SharedListener {
  config::ListenerSpec spec;
  net::Address address;  // As bound: with the port that port 0 became.
  std::shared_ptr<const exchange::HttpManagerSpec> http;
  std::shared_ptr<const route::RouteTable> routes;
  std::unique_ptr<exchange::ManagerStats> manager_stats;
  std::unique_ptr<ListenerStats> stats;
  // In the order of http_filters, without the router and disabled filters.
  std::vector<std::shared_ptr<const proxy_wasm::LoadedPlugin>> plugins;
  bool suppress_envoy_headers = false;
};

struct Shared {
  config::Bootstrap bootstrap;
  std::string local_ip;
  // The store outlives everything that counts in it.
  std::unique_ptr<stats::Store> stats = std::make_unique<stats::Store>();
  std::unique_ptr<wasm::Engine> engine;
  std::unique_ptr<proxy_wasm::PluginHost> plugins;
  std::vector<std::unique_ptr<SharedListener>> listeners;
};

}  // namespace weir::server
