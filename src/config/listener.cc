// envoy.config.listener.v3: a listener with its filter chain.
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::listener::v3;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext;

FilterChainSpec convertChain(const v3::FilterChain& chain, const Place& place, Conversion& conversion) {
  FilterChainSpec spec;
  spec.name = chain.name();
  const auto& socket = chain.transport_socket();
  if (socket.typed_config().Is<DownstreamTlsContext>()) {
    const Place here = place.field("transport_socket").field("typed_config");
    const auto context = unpack<DownstreamTlsContext>(socket.typed_config(), here, "the transport's configuration");
    if (context) spec.tls = convertDownstreamTls(*context, here, conversion);
  }
  if (chain.has_transport_socket_connect_timeout()) {
    spec.handshake_timeout =
        convertDuration(chain.transport_socket_connect_timeout(), place.field("transport_socket_connect_timeout"));
  }
  if (chain.has_transport_socket() && !socket.has_typed_config() &&
      socket.name() != "envoy.transport_sockets.raw_buffer") {
    place.field("transport_socket").unsupported(fmt::format("the transport socket {}", socket.name()));
  }
  if (chain.filters_size() != 1) {
    place.field("filters").fault(
        chain.filters_size() == 0 ? FaultKind::Rule : FaultKind::Unsupported,
        fmt::format("expected one filter, the HTTP connection manager, got {}", chain.filters_size()));
  }
  for (int i = 0; i < chain.filters_size(); i++) {
    const Place here = place.item("filters", static_cast<size_t>(i)).field("typed_config");
    const auto& any = chain.filters(i).typed_config();
    // Another known filter is refused by the support tables.
    if (!any.type_url().empty() && !any.Is<HttpConnectionManager>()) continue;
    const auto manager = unpack<HttpConnectionManager>(any, here, "the filter's configuration");
    if (manager) spec.http = convertHttpManager(*manager, here, conversion);
  }
  return spec;
}

void refuseSwitches(const v3::Listener& listener, const Place& place) {
  if (listener.has_bind_to_port() && !listener.bind_to_port().value()) {
    place.field("bind_to_port").unsupported("a listener that does not bind");
  }
  if (listener.has_enable_reuse_port() && !listener.enable_reuse_port().value()) {
    place.field("enable_reuse_port").unsupported("a listener that is shared by all workers (enable_reuse_port: false)");
  }
  if (listener.use_original_dst().value()) place.field("use_original_dst").unsupported("use_original_dst");
}

}  // namespace

ListenerSpec convertListener(const v3::Listener& listener, const Place& place, Conversion& conversion) {
  ListenerSpec spec;
  spec.name = listener.name();
  spec.stat_prefix = listener.stat_prefix();
  if (!listener.has_address()) place.field("address").fault(FaultKind::Rule, "is required");
  if (const auto address = convertAddress(listener.address(), place.field("address"))) spec.address = *address;
  if (listener.has_per_connection_buffer_limit_bytes()) {
    spec.buffer_limit = listener.per_connection_buffer_limit_bytes().value();
  }
  if (listener.has_tcp_backlog_size()) spec.backlog = listener.tcp_backlog_size().value();
  spec.direction = static_cast<int>(listener.traffic_direction());
  spec.metadata = serialized(listener.metadata());
  refuseSwitches(listener, place);

  if (listener.filter_chains_size() == 0) {
    place.field("filter_chains").fault(FaultKind::Rule, "is required and must not be empty");
  }
  if (listener.filter_chains_size() > 1) {
    place.field("filter_chains").unsupported("a listener with more than one filter chain");
  }
  for (int i = 0; i < listener.filter_chains_size(); i++) {
    spec.filter_chains.push_back(
        convertChain(listener.filter_chains(i), place.item("filter_chains", static_cast<size_t>(i)), conversion));
  }
  return spec;
}

const SupportTables& listenerSupport() {
  static constexpr std::string_view kNoLimit = "there is no such limit";
  static const SupportTables kTables{
      {"envoy.config.listener.v3.Listener",
       {{"name"},
        {"address"},
        {"stat_prefix"},
        {"filter_chains"},
        {"per_connection_buffer_limit_bytes"},
        {"metadata"},
        {"traffic_direction"},
        {"tcp_backlog_size"},
        {"bind_to_port"},
        {"enable_reuse_port"},
        {"use_original_dst"},
        noEffect("reuse_port", "each worker always has its own socket"),
        noEffect("listener_filters_timeout", "listener filters are refused"),
        noEffect("continue_on_listener_filters_timeout", "listener filters are refused"),
        noEffect("ignore_global_conn_limit", kNoLimit),
        noEffect("bypass_overload_manager", kNoLimit),
        refused("access_log", "access logs come later"),
        refused("listener_filters", "listener filters (TLS inspector, PROXY protocol) come later"),
        refused("default_filter_chain", "a listener has one filter chain, in filter_chains"),
        refused("udp_listener_config", "UDP and QUIC come later")}},
      {"envoy.config.listener.v3.FilterChain",
       {{"name"}, {"filters"}, {"filter_chain_match"}, {"transport_socket"}, {"transport_socket_connect_timeout"}}},
      {"envoy.config.listener.v3.FilterChainMatch", {}},
      {"envoy.config.listener.v3.Filter", {{"name"}, {"typed_config"}, refused("config_discovery", "xDS comes later")}},
  };
  return kTables;
}

}  // namespace weir::config
