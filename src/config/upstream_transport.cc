// envoy.config.core.v3.TransportSocket of a cluster: how connections to its endpoints begin.
#include <envoy/config/core/v3/proxy_protocol.pb.h>
#include <envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.pb.h>
#include <envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h>

#include "config/cluster_parts.h"

namespace weir::config {
namespace {

namespace core = envoy::config::core::v3;
namespace sockets = envoy::extensions::transport_sockets;
using sockets::proxy_protocol::v3::ProxyProtocolUpstreamTransport;
using sockets::raw_buffer::v3::RawBuffer;
using sockets::tls::v3::UpstreamTlsContext;

template <typename Message>
std::vector<net::ProxyTlv> convertTlvs(const Message& message, const Place& place) {
  std::vector<net::ProxyTlv> tlvs;
  for (int i = 0; i < message.added_tlvs_size(); ++i) {
    const core::TlvEntry& entry = message.added_tlvs(i);
    const Place here = place.item("added_tlvs", static_cast<size_t>(i));
    // A format_string is refused by the tables.
    if (entry.value().empty() && !entry.has_format_string()) {
      here.fault(FaultKind::Rule, "one of value and format_string is required");
    }
    tlvs.push_back({static_cast<uint8_t>(entry.type()), entry.value()});
  }
  return tlvs;
}

upstream::AnnouncementSpec convertAnnouncement(const ProxyProtocolUpstreamTransport& transport, const Place& place) {
  const core::ProxyProtocolConfig& config = transport.config();
  const Place here = place.field("config");
  upstream::AnnouncementSpec spec;
  spec.version = config.version() == core::ProxyProtocolConfig::V2 ? 2 : 1;
  spec.add_tlvs = convertTlvs(config, here);
  spec.pools_by_tlvs = transport.tlv_as_pool_key();
  if (!config.has_pass_through_tlvs()) return spec;
  const core::ProxyProtocolPassThroughTLVs& pass = config.pass_through_tlvs();
  spec.pass_all_tlvs = pass.match_type() == core::ProxyProtocolPassThroughTLVs::INCLUDE_ALL;
  for (const uint32_t type : pass.tlv_type()) spec.pass_tlvs.push_back(static_cast<uint8_t>(type));
  return spec;
}

}  // namespace

void convertUpstreamTransport(const core::TransportSocket& socket, const Place& place, const Conversion& conversion,
                              upstream::ClusterSpec& spec) {
  const google::protobuf::Any& any = socket.typed_config();
  const Place here = place.field("typed_config");
  if (any.Is<UpstreamTlsContext>()) {
    const auto context = unpack<UpstreamTlsContext>(any, here, "the transport's configuration");
    if (context) spec.tls = convertUpstreamTls(*context, here, conversion);
    return;
  }
  if (any.Is<ProxyProtocolUpstreamTransport>()) {
    const auto transport = unpack<ProxyProtocolUpstreamTransport>(any, here, "the transport's configuration");
    if (!transport) return;
    const Place inner = here.field("transport_socket");
    if (spec.announcement) return place.unsupported("a PROXY protocol header before another one");
    spec.announcement = convertAnnouncement(*transport, here);
    return convertUpstreamTransport(transport->transport_socket(), inner, conversion, spec);
  }
  if (any.Is<RawBuffer>() || (!socket.has_typed_config() && socket.name() == "envoy.transport_sockets.raw_buffer")) {
    return;
  }
  // What has no type here is refused by the tables, or was not readable.
  if (!socket.has_typed_config()) return place.unsupported(fmt::format("the transport socket {}", socket.name()));
  if (!any.type_url().empty()) place.fault(FaultKind::Unsupported, "is none for upstreams");
}

std::vector<net::ProxyTlv> convertAnnouncedTlvs(const core::Metadata& metadata, const Place& place) {
  const auto& typed = metadata.typed_filter_metadata();
  const auto at = typed.find("envoy.transport_sockets.proxy_protocol");
  if (at == typed.end()) return {};
  const Place here = place.field("typed_filter_metadata").key(at->first);
  const auto config = unpack<core::PerHostConfig>(at->second, here, "the endpoint's TLVs");
  if (!config) return {};
  for (int i = 0; i < config->added_tlvs_size(); ++i) {
    if (!config->added_tlvs(i).has_format_string()) continue;
    here.item("added_tlvs", static_cast<size_t>(i))
        .field("format_string")
        .unsupported("a format_string of an endpoint");
  }
  return convertTlvs(*config, here);
}

SupportTables upstreamTransportSupport() {
  return {
      {"envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
       {{"config"},
        {"transport_socket"},
        {"tlv_as_pool_key"},
        noEffect("allow_unspecified_address",
                 "an address that has no words in the header is always sent as none: UNKNOWN, or LOCAL")}},
      {"envoy.config.core.v3.ProxyProtocolConfig", {{"version"}, {"pass_through_tlvs"}, {"added_tlvs"}}},
      {"envoy.config.core.v3.TlvEntry",
       {{"type"}, {"value"}, refused("format_string", "values of TLVs are fixed; give value")}},
  };
}

}  // namespace weir::config
