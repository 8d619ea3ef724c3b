// envoy.config.listener.v3: a listener with its filter chain.
#include <envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h>

#include "config/access_log.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::listener::v3;
using envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext;

FilterChainSpec convertChain(const v3::FilterChain& chain, const Place& place, Conversion& conversion) {
  FilterChainSpec spec;
  spec.name = chain.name();
  spec.match = convertChainMatch(chain.filter_chain_match(), place.field("filter_chain_match"));
  const auto& socket = chain.transport_socket();
  const bool plain = !socket.has_typed_config() ||
                     socket.typed_config().Is<envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer>();
  if (!plain && !socket.typed_config().Is<DownstreamTlsContext>()) {
    place.field("transport_socket").fault(FaultKind::Unsupported, "is none for clients");
  }
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
  convertNetworkFilters(chain, place, spec, conversion);
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
  const std::string limit = "envoy.resource_limits.listener." + spec.name + ".connection_limit";
  if (const auto most = conversion.runtime.wholeNumber(limit)) spec.max_connections = *most;
  spec.beyond_global_limit = listener.ignore_global_conn_limit();
  spec.direction = static_cast<int>(listener.traffic_direction());
  spec.metadata = serialized(listener.metadata());
  spec.access_logs = convertAccessLogs(listener.access_log(), place.field("access_log"), conversion);
  refuseSwitches(listener, place);

  convertListenerFilters(listener, place, spec);

  if (listener.filter_chains_size() == 0 && !listener.has_default_filter_chain()) {
    place.field("filter_chains").fault(FaultKind::Rule, "is required and must not be empty");
  }
  for (int i = 0; i < listener.filter_chains_size(); i++) {
    spec.filter_chains.push_back(
        convertChain(listener.filter_chains(i), place.item("filter_chains", static_cast<size_t>(i)), conversion));
  }
  checkChainMatches(spec.filter_chains, place.field("filter_chains"));
  if (listener.has_default_filter_chain()) {
    const Place here = place.field("default_filter_chain");
    spec.default_filter_chain = convertChain(listener.default_filter_chain(), here, conversion);
  }
  return spec;
}

const SupportTables& listenerSupport() {
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
        {"listener_filters"},
        {"listener_filters_timeout"},
        {"continue_on_listener_filters_timeout"},
        {"default_filter_chain"},
        {"ignore_global_conn_limit"},
        noEffect("bypass_overload_manager",
                 "the overload manager limits connections alone; write ignore_global_conn_limit"),
        {"access_log"},
        refused("udp_listener_config", "UDP and QUIC come later")}},
      {"envoy.config.listener.v3.FilterChain",
       {{"name"}, {"filters"}, {"filter_chain_match"}, {"transport_socket"}, {"transport_socket_connect_timeout"}}},
      {"envoy.config.listener.v3.FilterChainMatch",
       {{"destination_port"},
        {"prefix_ranges"},
        {"server_names"},
        {"transport_protocol"},
        {"application_protocols"},
        {"direct_source_prefix_ranges"},
        {"source_type"},
        {"source_prefix_ranges"},
        {"source_ports"},
        refused("address_suffix", "Envoy refuses it too"),
        refused("suffix_len", "Envoy refuses it too")}},
      {"envoy.config.core.v3.CidrRange", {{"address_prefix"}, {"prefix_len"}}},
      {"envoy.config.listener.v3.ListenerFilter",
       {{"name"},
        {"typed_config"},
        refused("config_discovery", "xDS comes later"),
        refused("filter_disabled", "listener filters run for every connection")}},
      {"envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
       {{"max_client_hello_size"},
        {"close_connection_on_client_hello_parsing_errors"},
        noEffect("initial_read_buffer_size", "the buffer grows with what comes"),
        refused("enable_ja3_fingerprinting", "there are no fingerprints of clients"),
        refused("enable_ja4_fingerprinting", "there are no fingerprints of clients")}},
      {"envoy.extensions.filters.listener.http_inspector.v3.HttpInspector", {}},
      {"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
       {{"allow_requests_without_proxy_protocol"},
        {"pass_through_tlvs"},
        {"disallowed_versions"},
        {"stat_prefix"},
        {"rules"},
        {"tlv_location"}}},
      {"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.Rule", {{"tlv_type"}, {"on_tlv_present"}}},
      {"envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol.KeyValuePair",
       {{"metadata_namespace"}, {"key"}, {"value_string_encoding"}}},
      {"envoy.config.core.v3.ProxyProtocolPassThroughTLVs", {{"match_type"}, {"tlv_type"}}},
      {"envoy.config.listener.v3.Filter", {{"name"}, {"typed_config"}, refused("config_discovery", "xDS comes later")}},
  };
  return kTables;
}

}  // namespace weir::config
