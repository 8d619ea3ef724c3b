// envoy.extensions.filters.listener: what looks at a connection before it has a filter chain.
#include <envoy/extensions/filters/listener/http_inspector/v3/http_inspector.pb.h>
#include <envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb.h>
#include <envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h>

#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::listener::v3;
namespace ext = envoy::extensions::filters::listener;
using envoy::config::core::v3::ProxyProtocolConfig;
using envoy::config::core::v3::ProxyProtocolPassThroughTLVs;
using ext::proxy_protocol::v3::ProxyProtocol;

listener::TlsInspectorSpec convert(const ext::tls_inspector::v3::TlsInspector& inspector, const Place&) {
  listener::TlsInspectorSpec spec;
  if (inspector.has_max_client_hello_size()) spec.most_bytes = inspector.max_client_hello_size().value();
  spec.close_on_errors = inspector.close_connection_on_client_hello_parsing_errors();
  return spec;
}

listener::HttpInspectorSpec convert(const ext::http_inspector::v3::HttpInspector&, const Place&) { return {}; }

listener::ProxyProtocolSpec::Rule convert(const ProxyProtocol::Rule& from) {
  const ProxyProtocol::KeyValuePair& to = from.on_tlv_present();
  return {static_cast<uint8_t>(from.tlv_type()),
          to.metadata_namespace().empty() ? "envoy.filters.listener.proxy_protocol" : to.metadata_namespace(), to.key(),
          to.value_string_encoding() == ProxyProtocol::KeyValuePair::BASE64};
}

listener::ProxyProtocolSpec convert(const ProxyProtocol& filter, const Place& place) {
  listener::ProxyProtocolSpec spec;
  spec.optional = filter.allow_requests_without_proxy_protocol();
  spec.stat_prefix = filter.stat_prefix();
  for (const int version : filter.disallowed_versions()) {
    (version == ProxyProtocolConfig::V1 ? spec.refuse_v1 : spec.refuse_v2) = true;
  }
  const auto& tlvs = filter.pass_through_tlvs();
  spec.keep_all_tlvs = filter.has_pass_through_tlvs() && tlvs.match_type() == ProxyProtocolPassThroughTLVs::INCLUDE_ALL;
  for (const uint32_t type : tlvs.tlv_type()) spec.keep_tlvs.push_back(static_cast<uint8_t>(type));
  // As Envoy: a rule without on_tlv_present has an empty key.
  for (const ProxyProtocol::Rule& rule : filter.rules()) spec.rules.push_back(convert(rule));
  if (filter.tlv_location() != ProxyProtocol::DYNAMIC_METADATA) {
    place.field("tlv_location").unsupported("another place for TLVs than DYNAMIC_METADATA");
  }
  return spec;
}

// Takes the filter if it is of this type.
template <typename T>
bool take(const google::protobuf::Any& any, const Place& place, ListenerSpec& spec) {
  T filter;
  if (!any.Is<T>() || !any.UnpackTo(&filter)) return false;
  spec.listener_filters.push_back(convert(filter, place));
  return true;
}

}  // namespace

void convertListenerFilters(const v3::Listener& listener, const Place& place, ListenerSpec& spec) {
  for (int i = 0; i < listener.listener_filters_size(); ++i) {
    const auto& any = listener.listener_filters(i).typed_config();
    const Place here = place.item("listener_filters", static_cast<size_t>(i)).field("typed_config");
    const bool known = take<ext::tls_inspector::v3::TlsInspector>(any, here, spec) ||
                       take<ext::http_inspector::v3::HttpInspector>(any, here, spec) ||
                       take<ProxyProtocol>(any, here, spec);
    if (known) continue;
    if (any.type_url().empty()) {
      here.fault(FaultKind::Rule, "is required: a mapping with \"@type\"");
    } else {
      here.unsupported("a listener filter of this type");
    }
  }
  if (listener.has_listener_filters_timeout()) {
    spec.listener_filters_timeout =
        convertDuration(listener.listener_filters_timeout(), place.field("listener_filters_timeout"));
  }
  spec.continue_on_listener_filters_timeout = listener.continue_on_listener_filters_timeout();
}

}  // namespace weir::config
