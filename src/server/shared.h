// What all workers share: immutable once they run, but for counters, which are atomic.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access_log/log.h"
#include "config/spec.h"
#include "exchange/http_manager.h"
#include "listener/chain_matcher.h"
#include "listener/filter_set.h"
#include "proxy_wasm/breaker_board.h"
#include "proxy_wasm/plugin.h"
#include "server/listener_stats.h"
#include "server/route_filters.h"
#include "server/transports.h"
#include "stats/stats.h"
#include "tcp/proxy.h"
#include "upstream/shared_cluster.h"
#include "wasm/engine.h"

namespace weir::server {

// A connection manager with what its configuration led to.
struct SharedHttp {
  std::shared_ptr<const exchange::HttpManagerSpec> spec;
  std::shared_ptr<const LoadedRoutes> routes;  // With which it begins.
  uint64_t route_source = 0;                   // Whose updates replace them (RDS); 0: nobody's.
  std::unique_ptr<exchange::ManagerStats> stats;
  std::shared_ptr<const access_log::CompiledLogs> access_logs;
  std::shared_ptr<const exchange::LocalReplyRules> local_replies;
  std::vector<SharedFilter> filters;  // In the order of http_filters, without the router.
  std::string router_name;
  bool suppress_envoy_headers = false;
  std::shared_ptr<const upstream::HttpFilters> upstream_filters;  // The router's, loaded; null: none.
};

// How many connections of clients there may be at a time: of all listeners together, so that a flood of idle ones
// leaves descriptors and memory to those who are served; of one listener; of a filter chain. Any thread.
struct ConnectionLimit {
  std::optional<uint64_t> most;  // Nothing: no limit.
  std::atomic<uint64_t> open{0};

  bool reached() const { return most && open.load(std::memory_order_relaxed) >= *most; }
  // Takes a place, if there is one.
  bool enter() {
    if (open.fetch_add(1, std::memory_order_relaxed) < most.value_or(UINT64_MAX)) return true;
    leave();
    return false;
  }
  void leave() { open.fetch_sub(1, std::memory_order_relaxed); }
};

// envoy.filters.network.connection_limit, of a filter chain on all workers: connection_limit.<stat_prefix>.*
struct ChainLimit {
  ChainLimit(stats::Store& store, const config::ConnectionLimitSpec& spec);
  ConnectionLimit limit;
  const base::Duration delay;
  stats::Gauge& active_connections;
  stats::Counter& limited_connections;
};

// One way on from a listener: the transport that its connections speak, and what serves them above it.
struct SharedFilterChain {
  std::string name;
  std::shared_ptr<tls::LiveServer> tls;  // Null: a plain connection.
  base::Duration handshake_timeout = base::Duration::zero();
  std::unique_ptr<SharedHttp> http;                 // Null: the network filters serve it.
  std::vector<std::unique_ptr<ChainLimit>> limits;  // Before the network filters, in their order.
  std::vector<config::NetworkFilterSpec> network_filters;
  // Of each plugin among them.
  std::vector<std::shared_ptr<const proxy_wasm::LoadedPlugin>> network_plugins;
  // Of each TCP proxy among them.
  std::vector<std::unique_ptr<tcp::ProxyStats>> proxy_stats;
  std::vector<std::shared_ptr<const access_log::CompiledLogs>> proxy_logs;
};

// A listener with what its configuration led to. All workers bind the same address.
struct SharedListener {
  config::ListenerSpec spec;
  std::string key;       // What it is known by: its name, or what stands for it.
  net::Address address;  // As bound: with the port that port 0 became.
  std::unique_ptr<ListenerStats> stats;
  ConnectionLimit connections;
  std::shared_ptr<const access_log::CompiledLogs> access_logs;  // An entry for each connection, at its end.
  listener::FilterSet filters;
  // Which chain a connection gets; nothing: the first one gets all.
  std::optional<listener::ChainMatcher> matcher;
  bool has_default = false;  // The last chain gets what fits no other.
  // In the order of filter_chains; after them default_filter_chain, if there is one.
  std::vector<std::unique_ptr<SharedFilterChain>> chains;
};

struct Shared {
  ConnectionLimit connections;
  config::Bootstrap bootstrap;
  std::string local_ip;
  // The store outlives everything that counts in it.
  std::unique_ptr<stats::Store> stats = std::make_unique<stats::Store>();
  std::unique_ptr<Transports> transports;
  upstream::SharedClusters clusters;
  // Outlives all logs: what is still buffered is written when their last user goes.
  std::unique_ptr<access_log::Writers> log_writers = std::make_unique<access_log::Writers>(*stats);
  access_log::FlushRules log_flush;
  std::unique_ptr<wasm::Engine> engine;
  std::unique_ptr<proxy_wasm::RemoteCode> remote_code;  // Null if the configuration is only judged.
  std::function<void()> on_plugin_arrival;              // See PluginHost::Settings.
  proxy_wasm::BreakerBoard breakers;
  std::unique_ptr<proxy_wasm::PluginHost> plugins;
  // Bootstrap services that every worker runs, those that run once, and sinks of statistics.
  std::vector<std::shared_ptr<const proxy_wasm::LoadedPlugin>> worker_services;
  std::vector<std::shared_ptr<const proxy_wasm::LoadedPlugin>> singletons;
  std::vector<std::shared_ptr<const proxy_wasm::LoadedPlugin>> stats_sinks;
  // Whether there is a cluster of that name; for the main thread.
  std::function<bool(std::string_view)> knows_cluster;
  // What the workers begin with.
  std::vector<upstream::ClusterSpec> first_clusters;
};

}  // namespace weir::server
