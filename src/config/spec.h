// What a whole configuration says, as plain data: the result of loading, and all that `server` needs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "access_log/spec.h"
#include "base/file_source.h"
#include "exchange/spec.h"
#include "listener/spec.h"
#include "net/address.h"
#include "proxy_wasm/budgets.h"
#include "proxy_wasm/spec.h"
#include "stats/stats.h"
#include "tcp/spec.h"
#include "tls/spec.h"
#include "upstream/spec.h"

namespace weir::config {

// envoy.filters.network.connection_limit
struct ConnectionLimitSpec {
  std::string stat_prefix;
  uint64_t max_connections = 0;
  base::Duration delay{};  // How long one that is too many is kept waiting for its end.
};

// A network filter: one of ours, or a plugin.
using NetworkFilterSpec =
    std::variant<tcp::ProxySpec, tcp::EchoSpec, tcp::DirectResponseSpec, tcp::SniClusterSpec, proxy_wasm::PluginSpec>;

// What a listener does with the connections that its match fits: which transport, then which network filters.
struct FilterChainSpec {
  std::string name;
  listener::ChainMatch match;
  std::optional<tls::ServerSpec> tls;  // Nothing: a plain connection.
  // transport_socket_connect_timeout: how long a handshake may take.
  std::optional<base::Duration> handshake_timeout;  // Zero: for ever.
  // Network filters: HTTP, with plugins before it; or others, the last of which ends the chain.
  std::optional<exchange::HttpManagerSpec> http;
  std::vector<NetworkFilterSpec> network_filters;
  std::vector<ConnectionLimitSpec> connection_limits;  // Before either.
};

struct ListenerSpec {
  std::string name;
  net::Address address;
  size_t buffer_limit = 1024 * 1024;  // per_connection_buffer_limit_bytes
  uint32_t backlog = 4096;
  std::optional<uint64_t> max_connections;  // envoy.resource_limits.listener.<name>.connection_limit
  bool beyond_global_limit = false;         // ignore_global_conn_limit
  std::string stat_prefix;
  int direction = 0;
  std::string metadata;                          // Serialized core.v3.Metadata
  std::vector<access_log::LogSpec> access_logs;  // Of connections.
  std::vector<listener::FilterSpec> listener_filters;
  base::Duration listener_filters_timeout = std::chrono::seconds(15);  // Zero: none.
  bool continue_on_listener_filters_timeout = false;
  std::vector<FilterChainSpec> filter_chains;  // Their matches were tried: a matcher can be made of them.
  std::optional<FilterChainSpec> default_filter_chain;
};

struct AdminSpec {
  std::optional<net::Address> address;
  std::string access_log_path;
};

// What /runtime shows.
struct RuntimeDump {
  std::vector<std::string> layers;
  std::map<std::string, std::vector<std::string>> values;  // By key: as each layer has it; empty where it has not.
};

struct Bootstrap {
  std::string node_id;
  std::string node_cluster;
  std::string node;  // Serialized core.v3.Node, command line included.
  AdminSpec admin;
  std::vector<proxy_wasm::ServiceSpec> services;     // bootstrap_extensions
  proxy_wasm::BudgetRules plugin_limits;             // Likewise: weir.plugins.v1.PluginLimits
  std::vector<proxy_wasm::ServiceSpec> stats_sinks;  // All are singletons.
  std::vector<ListenerSpec> listeners;
  std::vector<upstream::ClusterSpec> clusters;
  // The same, each as JSON with "@type", for /config_dump.
  std::vector<std::string> listener_dumps;
  std::vector<std::string> cluster_dumps;
  std::vector<std::string> secrets;     // static_resources.secrets, serialized: what discovered resources may name.
  std::optional<base::FileSource> lds;  // Further listeners,
  std::optional<base::FileSource> cds;  // and clusters.
  std::vector<stats::TagRule> tag_rules;
  std::vector<stats::Tag> fixed_tags;
  bool use_default_tags = true;
  base::Duration stats_flush_interval = std::chrono::seconds(5);
  std::optional<uint64_t> max_connections;  // Of clients, over all listeners; 0: no limit.
  RuntimeDump runtime;
  std::string layered_runtime;  // Serialized: discovered resources are read by its keys, too.
  std::string dump;             // The bootstrap as JSON, for /config_dump.
};

}  // namespace weir::config
