// The parts of a cluster that have converters of their own. Each has the support tables of what it reads beside it.
#pragma once

#include "config/convert.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {

// lb_policy and its settings, common_lb_config, or load_balancing_policy in their place.
void convertBalancing(const envoy::config::cluster::v3::Cluster& cluster, const Place& place,
                      upstream::ClusterSpec& spec);
SupportTables balancingSupport();

void convertHealthChecks(const envoy::config::cluster::v3::Cluster& cluster, const Place& place,
                         upstream::ClusterSpec& spec);
SupportTables healthCheckSupport();

void convertOutlierDetection(const envoy::config::cluster::v3::OutlierDetection& detection, const Place& place,
                             upstream::ClusterSpec& spec);
SupportTables outlierSupport();

// The extension envoy.clusters.dns.
void convertDnsCluster(const envoy::config::cluster::v3::Cluster::CustomClusterType& type, const Place& place,
                       upstream::ClusterSpec& spec);
SupportTables dnsClusterSupport();

// As Envoy: the longest is ten times the first unless it is given.
template <typename RefreshRate>
void convertFailureRefresh(const RefreshRate& rate, const Place& place, upstream::ClusterSpec& spec) {
  const base::Duration first = convertDuration(rate.base_interval(), place.field("base_interval"));
  const base::Duration last =
      rate.has_max_interval() ? convertDuration(rate.max_interval(), place.field("max_interval")) : 10 * first;
  if (last < first) place.field("max_interval").fault(FaultKind::Conflict, "must be at least base_interval");
  spec.dns_failure_refresh = {first, last};
}

SupportTables endpointSupport();

// Plain, TLS, or either of them behind a PROXY protocol header.
void convertUpstreamTransport(const envoy::config::core::v3::TransportSocket& socket, const Place& place,
                              const Conversion& conversion, upstream::ClusterSpec& spec);
// The TLVs that an endpoint's metadata says.
std::vector<net::ProxyTlv> convertAnnouncedTlvs(const envoy::config::core::v3::Metadata& metadata, const Place& place);
SupportTables upstreamTransportSupport();

}  // namespace weir::config
