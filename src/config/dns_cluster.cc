// envoy.clusters.dns: what STRICT_DNS and LOGICAL_DNS say, as an extension.
#include <envoy/extensions/clusters/dns/v3/dns_cluster.pb.h>

#include "config/cluster_parts.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace dns = envoy::extensions::clusters::dns::v3;
namespace common = envoy::extensions::clusters::common::dns::v3;

upstream::DnsFamily convertFamily(common::DnsLookupFamily family) {
  switch (family) {
    case common::V4_ONLY: return upstream::DnsFamily::V4Only;
    case common::V6_ONLY: return upstream::DnsFamily::V6Only;
    case common::V4_PREFERRED: return upstream::DnsFamily::V4Preferred;
    case common::ALL: return upstream::DnsFamily::All;
    default: return upstream::DnsFamily::Auto;
  }
}

}  // namespace

void convertDnsCluster(const envoy::config::cluster::v3::Cluster::CustomClusterType& type, const Place& place,
                       upstream::ClusterSpec& spec) {
  const Place here = place.field("typed_config");
  const auto cluster = unpack<dns::DnsCluster>(type.typed_config(), here, "the cluster's type");
  if (!cluster) return;
  spec.discovery =
      cluster->all_addresses_in_single_endpoint() ? upstream::Discovery::LogicalDns : upstream::Discovery::StrictDns;
  spec.dns_family = convertFamily(cluster->dns_lookup_family());
  spec.respect_dns_ttl = cluster->respect_dns_ttl();
  if (cluster->has_dns_refresh_rate()) {
    spec.dns_refresh = convertDuration(cluster->dns_refresh_rate(), here.field("dns_refresh_rate"));
  }
  if (cluster->has_dns_jitter()) spec.dns_jitter = convertDuration(cluster->dns_jitter(), here.field("dns_jitter"));
  if (cluster->has_dns_failure_refresh_rate()) {
    convertFailureRefresh(cluster->dns_failure_refresh_rate(), here.field("dns_failure_refresh_rate"), spec);
  }
}

SupportTables dnsClusterSupport() {
  return {{"envoy.config.cluster.v3.Cluster.CustomClusterType", {{"name"}, {"typed_config"}}},
          {"envoy.extensions.clusters.dns.v3.DnsCluster",
           {{"dns_refresh_rate"},
            {"dns_failure_refresh_rate"},
            {"respect_dns_ttl"},
            {"dns_jitter"},
            {"dns_lookup_family"},
            {"all_addresses_in_single_endpoint"},
            refused("typed_dns_resolver_config", "the system's resolvers are asked"),
            refused("dns_min_refresh_rate",
                    "an answer that lives less than a moment is asked for again after "
                    "dns_refresh_rate")}},
          {"envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate", {{"base_interval"}, {"max_interval"}}}};
}

}  // namespace weir::config
