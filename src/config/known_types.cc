#include "config/known_types.h"

#include <envoy/extensions/access_loggers/file/v3/file.pb.h>
#include <envoy/extensions/access_loggers/stream/v3/stream.pb.h>
#include <envoy/extensions/access_loggers/wasm/v3/wasm.pb.h>
#include <envoy/extensions/clusters/dns/v3/dns_cluster.pb.h>
#include <envoy/extensions/filters/http/router/v3/router.pb.h>
#include <envoy/extensions/filters/http/set_metadata/v3/set_metadata.pb.h>
#include <envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.pb.h>
#include <envoy/extensions/filters/http/wasm/v3/wasm.pb.h>
#include <envoy/extensions/filters/listener/http_inspector/v3/http_inspector.pb.h>
#include <envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb.h>
#include <envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h>
#include <envoy/extensions/filters/network/connection_limit/v3/connection_limit.pb.h>
#include <envoy/extensions/filters/network/direct_response/v3/config.pb.h>
#include <envoy/extensions/filters/network/echo/v3/echo.pb.h>
#include <envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h>
#include <envoy/extensions/filters/network/sni_cluster/v3/sni_cluster.pb.h>
#include <envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb.h>
#include <envoy/extensions/filters/network/wasm/v3/wasm.pb.h>
#include <envoy/extensions/formatter/metadata/v3/metadata.pb.h>
#include <envoy/extensions/formatter/req_without_query/v3/req_without_query.pb.h>
#include <envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h>
#include <envoy/extensions/load_balancing_policies/maglev/v3/maglev.pb.h>
#include <envoy/extensions/load_balancing_policies/random/v3/random.pb.h>
#include <envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h>
#include <envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h>
#include <envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.pb.h>
#include <envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.pb.h>
#include <envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb.h>
#include <envoy/extensions/stat_sinks/wasm/v3/wasm.pb.h>
#include <envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.pb.h>
#include <envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h>
#include <envoy/extensions/transport_sockets/tls/v3/tls.pb.h>
#include <envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/wrappers.pb.h>
#include <udpa/type/v1/typed_struct.pb.h>
#include <weir/plugins/v1/limits.pb.h>
#include <xds/type/v3/typed_struct.pb.h>

namespace weir::config {
namespace {

namespace ext = envoy::extensions;

template <typename... T>
void link() {
  (google::protobuf::internal::StrongReference(T::default_instance()), ...);
}

}  // namespace

void linkKnownTypes() {
  namespace filters = ext::filters;
  namespace sockets = ext::transport_sockets;
  namespace balancers = ext::load_balancing_policies;
  link<ext::access_loggers::file::v3::FileAccessLog, ext::access_loggers::stream::v3::StdoutAccessLog,
       ext::access_loggers::wasm::v3::WasmAccessLog>();
  link<ext::formatter::metadata::v3::Metadata, ext::formatter::req_without_query::v3::ReqWithoutQuery>();
  link<filters::http::router::v3::Router, filters::http::set_metadata::v3::Config,
       filters::http::upstream_codec::v3::UpstreamCodec, filters::http::wasm::v3::Wasm,
       filters::listener::http_inspector::v3::HttpInspector, filters::listener::proxy_protocol::v3::ProxyProtocol,
       filters::listener::tls_inspector::v3::TlsInspector,
       filters::network::http_connection_manager::v3::HttpConnectionManager, filters::network::tcp_proxy::v3::TcpProxy,
       filters::network::wasm::v3::Wasm, filters::network::echo::v3::Echo,
       filters::network::direct_response::v3::Config, filters::network::sni_cluster::v3::SniCluster,
       filters::network::connection_limit::v3::ConnectionLimit>();
  link<ext::resource_monitors::downstream_connections::v3::DownstreamConnectionsConfig>();
  link<ext::clusters::dns::v3::DnsCluster>();
  link<balancers::least_request::v3::LeastRequest, balancers::maglev::v3::Maglev, balancers::random::v3::Random,
       balancers::ring_hash::v3::RingHash, balancers::round_robin::v3::RoundRobin,
       balancers::wrr_locality::v3::WrrLocality>();
  link<sockets::proxy_protocol::v3::ProxyProtocolUpstreamTransport, sockets::raw_buffer::v3::RawBuffer,
       sockets::tls::v3::DownstreamTlsContext, sockets::tls::v3::UpstreamTlsContext, sockets::tls::v3::Secret>();
  link<ext::stat_sinks::wasm::v3::Wasm, ext::upstreams::http::v3::HttpProtocolOptions>();
  link<ext::retry::host::previous_hosts::v3::PreviousHostsPredicate>();
  link<google::protobuf::Empty, google::protobuf::Struct, google::protobuf::StringValue>();
  link<weir::plugins::v1::PluginLimits>();
  link<udpa::type::v1::TypedStruct, xds::type::v3::TypedStruct>();
}

}  // namespace weir::config
