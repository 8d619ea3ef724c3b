// envoy.config.cluster.v3: a cluster and its endpoints.
#include <algorithm>

#include "config/cluster_parts.h"
#include "config/config_source.h"
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
    case v3::Cluster::EDS: return upstream::Discovery::Assigned;
    default:
      place.field("type").unsupported(fmt::format("type {}", v3::Cluster::DiscoveryType_Name(cluster.type())));
      return upstream::Discovery::Static;
  }
}

void convertEndpointSource(const v3::Cluster& cluster, const Place& place, ClusterSpec& spec) {
  const bool wanted = spec.discovery == upstream::Discovery::Assigned;
  const Place here = place.field("eds_cluster_config");
  if (!cluster.has_eds_cluster_config()) {
    if (wanted) here.fault(FaultKind::Rule, "is required by type: EDS");
    return;
  }
  if (!wanted) return here.fault(FaultKind::Conflict, "is only for type: EDS");
  if (cluster.has_load_assignment()) {
    place.field("load_assignment").fault(FaultKind::Conflict, "a cluster of type EDS has its endpoints from its file");
  }
  spec.service_name = cluster.eds_cluster_config().service_name();
  spec.endpoint_source = convertConfigSource(cluster.eds_cluster_config().eds_config(), here.field("eds_config"));
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

void convertProtocol(const v3::Cluster& cluster, const Place& place, const Conversion& conversion, ClusterSpec& spec) {
  static constexpr std::string_view kHttp = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  if (cluster.has_max_requests_per_connection() && cluster.max_requests_per_connection().value() > 0) {
    spec.max_requests_per_connection = cluster.max_requests_per_connection().value();
  }
  if (cluster.has_common_http_protocol_options()) {
    convertUpstreamCommon(cluster.common_http_protocol_options(), place.field("common_http_protocol_options"), spec);
  }
  if (cluster.has_upstream_http_protocol_options()) convertUpstreamSni(cluster.upstream_http_protocol_options(), spec);
  convertUpstreamHttp1(cluster.http_protocol_options(), place.field("http_protocol_options"), spec);
  if (cluster.has_http2_protocol_options()) {
    spec.http2 = convertHttp2(cluster.http2_protocol_options(), place.field("http2_protocol_options"), spec.http2);
    spec.protocol = upstream::HttpProtocol::Http2;
  }
  for (const auto& [name, any] : cluster.typed_extension_protocol_options()) {
    const Place here = place.field("typed_extension_protocol_options").key(name);
    if (name != kHttp) {
      here.fault(FaultKind::Unknown, fmt::format("expected the name {}", kHttp));
      continue;
    }
    const auto options = unpack<envoy::extensions::upstreams::http::v3::HttpProtocolOptions>(any, here, "options");
    if (options) convertUpstreamHttp(*options, here, conversion, spec);
  }
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
  if (cluster.has_dns_jitter()) spec.dns_jitter = convertDuration(cluster.dns_jitter(), place.field("dns_jitter"));
  if (cluster.has_wait_for_warm_on_init()) spec.wait_for_warm = cluster.wait_for_warm_on_init().value();
  if (cluster.has_dns_failure_refresh_rate()) {
    convertFailureRefresh(cluster.dns_failure_refresh_rate(), place.field("dns_failure_refresh_rate"), spec);
  }
  if (cluster.has_cluster_type()) convertDnsCluster(cluster.cluster_type(), place.field("cluster_type"), spec);
  if (cluster.has_connect_timeout()) {
    spec.connect_timeout = convertDuration(cluster.connect_timeout(), place.field("connect_timeout"));
  }
  if (cluster.has_per_connection_buffer_limit_bytes()) {
    spec.buffer_limit = cluster.per_connection_buffer_limit_bytes().value();
  }
  spec.metadata = serialized(cluster.metadata());
  convertEndpointSource(cluster, place, spec);
  spec.assignment = convertAssignment(cluster.load_assignment(), spec.discovery, place.field("load_assignment"));
  convertBalancing(cluster, place, spec);
  if (cluster.has_outlier_detection()) {
    convertOutlierDetection(cluster.outlier_detection(), place.field("outlier_detection"), spec);
  }
  convertBreakers(cluster.circuit_breakers(), place.field("circuit_breakers"), spec);
  convertProtocol(cluster, place, conversion, spec);
  convertHealthChecks(cluster, place, spec);
  if (cluster.has_transport_socket()) {
    convertUpstreamTransport(cluster.transport_socket(), place.field("transport_socket"), conversion, spec);
  }
  if (spec.protocol == upstream::HttpProtocol::ByAlpn && !spec.tls) {
    place.fault(FaultKind::Conflict,
                "auto_config chooses the protocol by ALPN, which needs TLS: give a transport_socket");
  }
  return spec;
}

namespace {

SupportTables ownSupport() {
  return {
      {"envoy.config.cluster.v3.Cluster",
       {{"name"},
        {"alt_stat_name"},
        {"type"},
        {"connect_timeout"},
        {"per_connection_buffer_limit_bytes"},
        {"lb_policy"},
        {"load_assignment"},
        {"eds_cluster_config"},
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
        {"close_connections_on_host_health_failure"},
        {"ignore_health_on_host_removal"},
        {"http2_protocol_options"},
        {"health_checks"},
        {"outlier_detection"},
        {"load_balancing_policy"},
        {"round_robin_lb_config"},
        {"least_request_lb_config"},
        {"ring_hash_lb_config"},
        {"maglev_lb_config"},
        {"dns_failure_refresh_rate"},
        {"dns_jitter"},
        {"wait_for_warm_on_init"},
        {"cluster_type"},
        noEffect("cleanup_interval", "only clusters of type ORIGINAL_DST have something to clean up"),
        refused("lb_subset_config", "subsets of endpoints are not built"),
        refused("original_dst_lb_config", "clusters of type ORIGINAL_DST are not built")}},
      {"envoy.config.cluster.v3.Cluster.RefreshRate", {{"base_interval"}, {"max_interval"}}},
      {"envoy.config.cluster.v3.Cluster.EdsClusterConfig", {{"eds_config"}, {"service_name"}}},
      {"envoy.config.cluster.v3.CircuitBreakers", {{"thresholds"}, {"per_host_thresholds"}}},
      {"envoy.config.cluster.v3.CircuitBreakers.Thresholds",
       {{"priority"},
        {"max_connections"},
        {"max_pending_requests"},
        {"max_requests"},
        {"max_retries"},
        {"retry_budget"},
        {"track_remaining"},
        refused("max_connection_pools", "pools are per endpoint and worker, and not limited")}},
      {"envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget",
       {{"budget_percent"}, {"min_retry_concurrency"}}},
      {"envoy.config.core.v3.UpstreamHttpProtocolOptions",
       {{"auto_sni"}, {"auto_san_validation"}, refused("override_auto_sni_header", "the name comes from :authority")}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
       {{"common_http_protocol_options"},
        {"explicit_http_config"},
        {"use_downstream_protocol_config"},
        {"upstream_http_protocol_options"},
        {"auto_config"},
        {"http_filters"}}},
      {"envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec", {}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig",
       {{"http_protocol_options"}, {"http2_protocol_options"}}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig",
       {{"http_protocol_options"}, {"http2_protocol_options"}}},
      {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig",
       {{"http_protocol_options"}, {"http2_protocol_options"}}},
  };
}

}  // namespace

const SupportTables& clusterSupport() {
  static const SupportTables kTables = [] {
    SupportTables all = ownSupport();
    for (SupportTables part : {endpointSupport(), balancingSupport(), healthCheckSupport(), outlierSupport(),
                               dnsClusterSupport(), upstreamTransportSupport()}) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
  }();
  return kTables;
}

}  // namespace weir::config
