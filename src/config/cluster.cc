// envoy.config.cluster.v3: a cluster and its endpoints.
#include <algorithm>

#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::cluster::v3;
using upstream::ClusterSpec;

upstream::Discovery convertDiscovery(const v3::Cluster& cluster, const Place& place) {
  switch (cluster.type()) {
    case v3::Cluster::STATIC: return upstream::Discovery::Static;
    case v3::Cluster::STRICT_DNS: return upstream::Discovery::StrictDns;
    case v3::Cluster::LOGICAL_DNS: return upstream::Discovery::LogicalDns;
    default:
      place.field("type").unsupported(fmt::format("type {}", v3::Cluster::DiscoveryType_Name(cluster.type())));
      return upstream::Discovery::Static;
  }
}

upstream::DnsFamily convertFamily(v3::Cluster::DnsLookupFamily family) {
  switch (family) {
    case v3::Cluster::V4_ONLY: return upstream::DnsFamily::V4Only;
    case v3::Cluster::V6_ONLY: return upstream::DnsFamily::V6Only;
    case v3::Cluster::V4_PREFERRED: return upstream::DnsFamily::V4Preferred;
    case v3::Cluster::ALL: return upstream::DnsFamily::All;
    default: return upstream::DnsFamily::Auto;
  }
}

// A host name is for the DNS types only; an address written as one is right everywhere.
void checkHost(const upstream::EndpointSpec& endpoint, upstream::Discovery discovery, const Place& place) {
  if (discovery != upstream::Discovery::Static || endpoint.host.empty()) return;
  if (net::Address::parseIp(endpoint.host, endpoint.port).ok()) return;
  place.fault(FaultKind::Conflict,
              fmt::format("a STATIC cluster needs an IP address, got '{}'; for a name set type: STRICT_DNS or "
                          "LOGICAL_DNS",
                          endpoint.host));
}

void convertEndpoint(const envoy::config::endpoint::v3::LbEndpoint& lb, const Place& place, ClusterSpec& spec) {
  if (!lb.has_endpoint()) return place.field("endpoint").fault(FaultKind::Rule, "is required");
  const auto& endpoint = lb.endpoint();
  const Place address = place.field("endpoint").field("address");
  if (!endpoint.has_address()) return address.fault(FaultKind::Rule, "is required");

  upstream::EndpointSpec result;
  if (endpoint.address().has_pipe()) {
    result.unix_path = endpoint.address().pipe().path();
  } else {
    const auto& socket = endpoint.address().socket_address();
    result.host = socket.address();
    result.port = static_cast<uint16_t>(socket.port_value());
    checkHost(result, spec.discovery, address.field("socket_address").field("address"));
  }
  result.hostname = endpoint.hostname();
  result.weight = lb.has_load_balancing_weight() ? lb.load_balancing_weight().value() : 1;
  result.metadata = serialized(lb.metadata());
  const auto health = lb.health_status();
  if (health != envoy::config::core::v3::UNKNOWN && health != envoy::config::core::v3::HEALTHY) {
    place.field("health_status")
        .unsupported(fmt::format("health_status {}", envoy::config::core::v3::HealthStatus_Name(health)));
  }
  spec.endpoints.push_back(std::move(result));
}

void convertEndpoints(const v3::Cluster& cluster, const Place& place, ClusterSpec& spec) {
  const auto& assignment = cluster.load_assignment();
  for (int i = 0; i < assignment.endpoints_size(); i++) {
    const auto& locality = assignment.endpoints(i);
    const Place here = place.item("endpoints", static_cast<size_t>(i));
    if (locality.priority() != 0) here.field("priority").unsupported("a priority other than 0");
    for (int j = 0; j < locality.lb_endpoints_size(); j++) {
      convertEndpoint(locality.lb_endpoints(j), here.item("lb_endpoints", static_cast<size_t>(j)), spec);
    }
  }
  if (spec.discovery == upstream::Discovery::LogicalDns && spec.endpoints.size() != 1) {
    place.fault(FaultKind::Conflict,
                fmt::format("a LOGICAL_DNS cluster needs exactly one endpoint, got {}", spec.endpoints.size()));
  }
}

void convertBreakers(const v3::CircuitBreakers& breakers, const Place& place, ClusterSpec& spec) {
  for (int i = 0; i < breakers.thresholds_size(); i++) {
    const auto& thresholds = breakers.thresholds(i);
    const Place here = place.item("thresholds", static_cast<size_t>(i));
    if (thresholds.priority() != envoy::config::core::v3::DEFAULT) {
      here.notice(
          "accepted, without effect: routes of priority HIGH are refused, so nothing counts against these limits");
      continue;
    }
    if (thresholds.has_max_connections()) spec.max_connections = thresholds.max_connections().value();
    if (thresholds.has_max_pending_requests()) spec.max_pending_requests = thresholds.max_pending_requests().value();
    if (thresholds.has_max_requests()) spec.max_requests = thresholds.max_requests().value();
  }
}

void convertProtocol(const v3::Cluster& cluster, const Place& place, ClusterSpec& spec) {
  static constexpr std::string_view kHttp = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  if (cluster.has_max_requests_per_connection() && cluster.max_requests_per_connection().value() > 0) {
    spec.max_requests_per_connection = cluster.max_requests_per_connection().value();
  }
  if (cluster.has_common_http_protocol_options()) {
    convertUpstreamCommon(cluster.common_http_protocol_options(), place.field("common_http_protocol_options"), spec);
  }
  if (cluster.has_upstream_http_protocol_options()) convertUpstreamSni(cluster.upstream_http_protocol_options(), spec);
  convertUpstreamHttp1(cluster.http_protocol_options(), place.field("http_protocol_options"), spec);
  for (const auto& [name, any] : cluster.typed_extension_protocol_options()) {
    const Place here = place.field("typed_extension_protocol_options").key(name);
    if (name != kHttp) {
      here.fault(FaultKind::Unknown, fmt::format("expected the name {}", kHttp));
      continue;
    }
    const auto options = unpack<envoy::extensions::upstreams::http::v3::HttpProtocolOptions>(any, here, "options");
    if (options) convertUpstreamHttp(*options, here, spec);
  }
}

void convertTransport(const v3::Cluster& cluster, const Place& place, const Conversion& conversion, ClusterSpec& spec) {
  using envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext;
  if (!cluster.has_transport_socket()) return;
  const auto& socket = cluster.transport_socket();
  if (socket.typed_config().Is<UpstreamTlsContext>()) {
    const Place here = place.field("transport_socket").field("typed_config");
    const auto context = unpack<UpstreamTlsContext>(socket.typed_config(), here, "the transport's configuration");
    if (context) spec.tls = convertUpstreamTls(*context, here, conversion);
    return;
  }
  if (socket.has_typed_config() || socket.name() == "envoy.transport_sockets.raw_buffer") return;  // See the tables.
  place.field("transport_socket").unsupported(fmt::format("the transport socket {}", socket.name()));
}

}  // namespace

upstream::ClusterSpec convertCluster(const v3::Cluster& cluster, const Place& place, const Conversion& conversion) {
  ClusterSpec spec;
  spec.name = cluster.name();
  spec.alt_stat_name = cluster.alt_stat_name();
  spec.discovery = convertDiscovery(cluster, place);
  spec.dns_family = convertFamily(cluster.dns_lookup_family());
  if (cluster.has_dns_refresh_rate()) {
    spec.dns_refresh = convertDuration(cluster.dns_refresh_rate(), place.field("dns_refresh_rate"));
  }
  spec.respect_dns_ttl = cluster.respect_dns_ttl();
  if (cluster.lb_policy() != v3::Cluster::ROUND_ROBIN) {
    place.field("lb_policy").unsupported(fmt::format("lb_policy {}", v3::Cluster::LbPolicy_Name(cluster.lb_policy())));
  }
  if (cluster.has_connect_timeout()) {
    spec.connect_timeout = convertDuration(cluster.connect_timeout(), place.field("connect_timeout"));
  }
  if (cluster.has_per_connection_buffer_limit_bytes()) {
    spec.buffer_limit = cluster.per_connection_buffer_limit_bytes().value();
  }
  spec.metadata = serialized(cluster.metadata());
  convertEndpoints(cluster, place.field("load_assignment"), spec);
  convertBreakers(cluster.circuit_breakers(), place.field("circuit_breakers"), spec);
  convertProtocol(cluster, place, spec);
  convertTransport(cluster, place, conversion, spec);
  return spec;
}

const SupportTables& clusterSupport() {
  static constexpr std::string_view kNoHealth = "there are no health checks; every endpoint counts as healthy";
  static const SupportTables kTables{
      {"envoy.config.cluster.v3.Cluster",
       {{"name"},
        {"alt_stat_name"},
        {"type"},
        {"connect_timeout"},
        {"per_connection_buffer_limit_bytes"},
        {"lb_policy"},
        {"load_assignment"},
        {"max_requests_per_connection"},
        {"circuit_breakers"},
        {"common_http_protocol_options"},
        {"http_protocol_options"},
        {"typed_extension_protocol_options"},
        {"dns_refresh_rate"},
        {"respect_dns_ttl"},
        {"dns_lookup_family"},
        {"common_lb_config"},
        {"transport_socket"},
        {"metadata"},
        {"upstream_http_protocol_options"},
        noEffect("close_connections_on_host_health_failure", kNoHealth),
        noEffect("ignore_health_on_host_removal", kNoHealth),
        refused("http2_protocol_options", "HTTP/2 to upstreams comes later"),
        refused("eds_cluster_config", "xDS comes later"),
        refused("health_checks", "health checks come later"),
        refused("outlier_detection", "outlier detection comes later"),
        refused("load_balancing_policy", "the balancer is round robin; others come later")}},
      {"envoy.config.cluster.v3.Cluster.CommonLbConfig",
       {noEffect("healthy_panic_threshold", kNoHealth), noEffect("ignore_new_hosts_until_first_hc", kNoHealth)}},
      {"envoy.config.endpoint.v3.ClusterLoadAssignment", {{"cluster_name"}, {"endpoints"}, {"policy"}}},
      {"envoy.config.endpoint.v3.ClusterLoadAssignment.Policy", {noEffect("overprovisioning_factor", kNoHealth)}},
      {"envoy.config.endpoint.v3.LocalityLbEndpoints",
       {{"lb_endpoints"},
        {"priority"},
        noEffect("locality",
                 "the endpoints of all localities are balanced as one, as in Envoy without zone-aware or "
                 "locality-weighted balancing, which are refused"),
        noEffect("load_balancing_weight", "it counts in locality-weighted balancing only, which is refused")}},
      {"envoy.config.endpoint.v3.LbEndpoint",
       {{"endpoint"}, {"health_status"}, {"metadata"}, {"load_balancing_weight"}}},
      {"envoy.config.endpoint.v3.Endpoint", {{"address"}, {"hostname"}, noEffect("health_check_config", kNoHealth)}},
      {"envoy.config.cluster.v3.CircuitBreakers", {{"thresholds"}}},
      {"envoy.config.cluster.v3.CircuitBreakers.Thresholds",
       {{"priority"},
        {"max_connections"},
        {"max_pending_requests"},
        {"max_requests"},
        noEffect("max_retries", "retry policies are refused, so there are no retries to count")}},
      {"envoy.config.core.v3.UpstreamHttpProtocolOptions",
       {{"auto_sni"}, {"auto_san_validation"}, refused("override_auto_sni_header", "the name comes from :authority")}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
       {{"common_http_protocol_options"},
        {"explicit_http_config"},
        {"use_downstream_protocol_config"},
        {"upstream_http_protocol_options"},
        refused("auto_config", "the protocol is chosen by TLS (ALPN), and TLS to upstreams comes later"),
        refused("http_filters", "filters towards upstreams come later")}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig",
       {{"http_protocol_options"}, refused("http2_protocol_options", "HTTP/2 to upstreams comes later")}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig",
       {{"http_protocol_options"}, refused("http2_protocol_options", "HTTP/2 comes later")}},
  };
  return kTables;
}

}  // namespace weir::config
