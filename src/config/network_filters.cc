// The network filters of a chain: HTTP, or bytes as they come.
#include <envoy/extensions/filters/network/connection_limit/v3/connection_limit.pb.h>
#include <envoy/extensions/filters/network/direct_response/v3/config.pb.h>
#include <envoy/extensions/filters/network/echo/v3/echo.pb.h>
#include <envoy/extensions/filters/network/sni_cluster/v3/sni_cluster.pb.h>
#include <envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h>
#include <envoy/extensions/filters/network/wasm/v3/wasm.pb.h>

#include <algorithm>

#include "config/access_log.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace ext = envoy::extensions::filters::network;
using ext::http_connection_manager::v3::HttpConnectionManager;
using ext::tcp_proxy::v3::TcpProxy;

void convertClusters(const TcpProxy& proxy, const Place& place, tcp::ProxySpec& spec, Conversion& conversion) {
  if (proxy.has_weighted_clusters()) {
    for (int i = 0; i < proxy.weighted_clusters().clusters_size(); ++i) {
      const auto& cluster = proxy.weighted_clusters().clusters(i);
      spec.clusters.push_back({cluster.name(), cluster.weight()});
    }
    return;
  }
  if (proxy.cluster().empty()) {
    return place.fault(FaultKind::Rule, "one of cluster and weighted_clusters is required");
  }
  spec.clusters.push_back({proxy.cluster(), 1});
}

void convertConnect(const TcpProxy& proxy, const Place& place, tcp::ProxySpec& spec) {
  namespace v3 = ext::tcp_proxy::v3;
  if (proxy.has_max_connect_attempts()) spec.max_connect_attempts = proxy.max_connect_attempts().value();
  if (proxy.has_max_early_data_bytes()) spec.max_early_data = proxy.max_early_data_bytes().value();
  spec.connect_on_data = proxy.upstream_connect_mode() == v3::ON_DOWNSTREAM_DATA;
  const Place mode = place.field("upstream_connect_mode");
  if (proxy.upstream_connect_mode() == v3::ON_DOWNSTREAM_TLS_HANDSHAKE) {
    mode.unsupported("upstream_connect_mode ON_DOWNSTREAM_TLS_HANDSHAKE");
  }
  if (spec.connect_on_data && !spec.max_early_data) {
    mode.fault(FaultKind::Conflict, "ON_DOWNSTREAM_DATA needs max_early_data_bytes");
  }
}

// The two fields that stand in TcpProxy itself are deprecated: they count where access_log_options is not given.
void convertLogging(const TcpProxy& proxy, const Place& place, tcp::ProxySpec& spec, Conversion& conversion) {
  spec.access_logs = convertAccessLogs(proxy.access_log(), place.field("access_log"), conversion);
  const auto interval = [&spec](const auto& message, const Place& where) {
    if (!message.has_access_log_flush_interval()) return;
    spec.log_options.interval =
        convertTimeout(message.access_log_flush_interval(), where.field("access_log_flush_interval"));
  };
  if (!proxy.has_access_log_options()) {
    interval(proxy, place);
    spec.log_options.at_connected = proxy.flush_access_log_on_connected();
    return;
  }
  const auto& options = proxy.access_log_options();
  interval(options, place.field("access_log_options"));
  spec.log_options.at_connected = options.flush_access_log_on_connected();
  spec.log_options.at_start = options.flush_access_log_on_start();
}

tcp::ProxySpec convertTcpProxy(const TcpProxy& proxy, const Place& place, Conversion& conversion) {
  tcp::ProxySpec spec;
  spec.stat_prefix = proxy.stat_prefix();
  convertClusters(proxy, place, spec, conversion);
  convertConnect(proxy, place, spec);
  convertLogging(proxy, place, spec, conversion);
  if (proxy.has_idle_timeout()) spec.idle_timeout = convertTimeout(proxy.idle_timeout(), place.field("idle_timeout"));
  if (proxy.has_max_downstream_connection_duration()) {
    spec.max_connection_duration =
        convertTimeout(proxy.max_downstream_connection_duration(), place.field("max_downstream_connection_duration"));
  }
  if (proxy.hash_policy_size() > 0) {
    spec.hash_source_address = proxy.hash_policy(0).has_source_ip();
    if (!spec.hash_source_address) place.field("hash_policy").item(0).unsupported("a hash policy other than source_ip");
  }
  return spec;
}

bool isPlugin(const NetworkFilterSpec& filter) { return std::holds_alternative<proxy_wasm::PluginSpec>(filter); }

// Where a filter of each kind may stand, and what it becomes.
struct NetworkFilters {
  FilterChainSpec& spec;
  Conversion& conversion;

  // True if the filter ends the chain.
  bool add(const google::protobuf::Any& any, const Place& place) {
    if (any.Is<TcpProxy>()) {
      if (const auto proxy = unpack<TcpProxy>(any, place, "the filter's configuration")) {
        spec.network_filters.emplace_back(convertTcpProxy(*proxy, place, conversion));
      }
      return true;
    }
    if (any.Is<ext::echo::v3::Echo>()) {
      spec.network_filters.emplace_back(tcp::EchoSpec{});
      return true;
    }
    if (any.Is<ext::direct_response::v3::Config>()) {
      if (const auto direct = unpack<ext::direct_response::v3::Config>(any, place, "the filter's configuration")) {
        const Place here = place.field("response");
        spec.network_filters.emplace_back(
            tcp::DirectResponseSpec{readDataSource(direct->response(), here, conversion.options)});
      }
      return true;
    }
    if (any.Is<ext::sni_cluster::v3::SniCluster>()) {
      spec.network_filters.emplace_back(tcp::SniClusterSpec{});
      return false;
    }
    if (ext::connection_limit::v3::ConnectionLimit limit; any.UnpackTo(&limit)) {
      addLimit(limit, place);
      return false;
    }
    if (any.Is<ext::wasm::v3::Wasm>()) {
      if (const auto wasm = unpack<ext::wasm::v3::Wasm>(any, place, "the filter's configuration")) {
        const Place here = place.field("config");
        if (!wasm->has_config()) here.fault(FaultKind::Rule, "is required");
        spec.network_filters.emplace_back(convertPlugin(wasm->config(), here, conversion));
      }
      return false;
    }
    const auto manager = unpack<HttpConnectionManager>(any, place, "the filter's configuration");
    if (manager) spec.http = convertHttpManager(*manager, place, conversion);
    return true;
  }

  // One that is switched off (runtime_enabled) is none.
  void addLimit(const ext::connection_limit::v3::ConnectionLimit& limit, const Place& place) const {
    if (limit.has_runtime_enabled() && !limit.runtime_enabled().default_value().value()) return;
    ConnectionLimitSpec out{limit.stat_prefix(), limit.max_connections().value()};
    // It counts connections before any filter sees them.
    if (std::any_of(spec.network_filters.begin(), spec.network_filters.end(), isPlugin)) {
      place.unsupported("a connection limit behind a plugin");
    }
    if (limit.has_delay()) out.delay = convertDuration(limit.delay(), place.field("delay"));
    spec.connection_limits.push_back(std::move(out));
  }
};

bool isKnown(const google::protobuf::Any& any) {
  return any.type_url().empty() || any.Is<HttpConnectionManager>() || any.Is<TcpProxy>() ||
         any.Is<ext::echo::v3::Echo>() || any.Is<ext::direct_response::v3::Config>() ||
         any.Is<ext::sni_cluster::v3::SniCluster>() || any.Is<ext::connection_limit::v3::ConnectionLimit>() ||
         any.Is<ext::wasm::v3::Wasm>();
}

}  // namespace

void convertNetworkFilters(const envoy::config::listener::v3::FilterChain& chain, const Place& place,
                           FilterChainSpec& spec, Conversion& conversion) {
  NetworkFilters filters{spec, conversion};
  if (chain.filters_size() == 0) {
    return place.field("filters").fault(FaultKind::Rule, "is required: the last filter serves the connection");
  }
  for (int i = 0; i < chain.filters_size(); ++i) {
    const Place here = place.item("filters", static_cast<size_t>(i));
    const auto& any = chain.filters(i).typed_config();
    if (!isKnown(any)) continue;  // Refused by the support tables.
    const bool last = i + 1 == chain.filters_size();
    const bool ends = filters.add(any, here.field("typed_config"));
    if (ends && !last) here.fault(FaultKind::Conflict, "this filter must be the last one of its chain");
    if (!ends && last) here.fault(FaultKind::Conflict, "this filter must not be the last one of its chain");
  }
  if (spec.http && !std::all_of(spec.network_filters.begin(), spec.network_filters.end(), isPlugin)) {
    place.field("filters").unsupported("a network filter other than a plugin before the HTTP connection manager");
  }
}

const SupportTables& networkFilterSupport() {
  static const SupportTables kTables{
      {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
       {{"stat_prefix"},
        {"cluster"},
        {"weighted_clusters"},
        {"idle_timeout"},
        {"max_connect_attempts"},
        {"max_downstream_connection_duration"},
        {"max_early_data_bytes"},
        {"upstream_connect_mode"},
        {"hash_policy"},
        {"access_log"},
        {"access_log_options"},
        {"access_log_flush_interval"},
        {"flush_access_log_on_connected"},
        refused("metadata_match", "there are no subsets of endpoints"),
        refused("tunneling_config", "there are no tunnels over HTTP upstream"),
        refused("on_demand", "clusters are not discovered on demand"),
        refused("backoff_options", "connecting is tried again at once")}},
      {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TcpAccessLogOptions",
       {{"access_log_flush_interval"}, {"flush_access_log_on_connected"}, {"flush_access_log_on_start"}}},
      {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster", {{"clusters"}}},
      {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight",
       {{"name"}, {"weight"}, refused("metadata_match", "there are no subsets of endpoints")}},
      {"envoy.type.v3.HashPolicy", {{"source_ip"}}},
      {"envoy.type.v3.HashPolicy.SourceIp", {}},
      {"envoy.extensions.filters.network.echo.v3.Echo", {}},
      {"envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
       {{"stat_prefix"}, {"max_connections"}, {"delay"}, {"runtime_enabled"}}},
      {"envoy.config.core.v3.RuntimeFeatureFlag", {{"default_value"}, {"runtime_key"}}},
      {"envoy.extensions.filters.network.direct_response.v3.Config", {{"response"}}},
      {"envoy.extensions.filters.network.sni_cluster.v3.SniCluster", {}},
      {"envoy.extensions.filters.network.wasm.v3.Wasm", {{"config"}}},
  };
  return kTables;
}

}  // namespace weir::config
