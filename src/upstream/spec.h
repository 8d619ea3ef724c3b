// A cluster as configuration gives it: plain data. After envoy.config.cluster.v3; what is absent here is refused by
// `config`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_source.h"
#include "http2/settings.h"
#include "net/address.h"
#include "net/proxy_protocol.h"
#include "tls/spec.h"
#include "upstream/balancing_spec.h"
#include "upstream/circuit_breaker.h"
#include "upstream/health_spec.h"

namespace weir::tls {
class LiveClient;
}

namespace weir::upstream {

// Assigned: the endpoints come from outside by Cluster::assign() (EDS); the cluster waits for the first of them.
enum class Discovery : uint8_t { Static, StrictDns, LogicalDns, Assigned };
enum class DnsFamily : uint8_t { Auto, V4Only, V6Only, V4Preferred, All };

struct Locality {
  std::string region;
  std::string zone;
  std::string sub_zone;
  friend auto operator<=>(const Locality&, const Locality&) = default;
};

enum class AssignedHealth : uint8_t { Unknown, Healthy, Unhealthy, Draining, Timeout, Degraded };

// What is spoken with endpoints. ByAlpn: what TLS agrees on. AsDownstream: what the client speaks.
enum class HttpProtocol : uint8_t { Http1, Http2, ByAlpn, AsDownstream };

// Of connections with upstreams, where windows cost us nothing before a client stalls: the peer's limit on streams
// counts, and the connection's window is given back at once.
inline http2::Settings upstreamHttp2() {
  http2::Settings settings;
  settings.max_concurrent_streams = 1024;
  settings.connection_window = 16 * 1024 * 1024;
  return settings;
}

// What an endpoint is told of the client before anything else: envoy.transport_sockets.upstream_proxy_protocol.
struct AnnouncementSpec {
  uint8_t version = 1;
  bool pass_all_tlvs = false;           // Of those that the listener has kept,
  std::vector<uint8_t> pass_tlvs;       // or these of them.
  std::vector<net::ProxyTlv> add_tlvs;  // In place of one of the same type that the client's header has.
  bool pools_by_tlvs = false;           // Connections with other TLVs of the client are not shared.
};

struct EndpointSpec {
  std::string host;  // An IP for Static, a name or an IP for DNS; or unix_path.
  uint16_t port = 0;
  std::string unix_path;
  std::string hostname;  // For auto_host_rewrite; empty: host.
  uint32_t weight = 1;
  std::string metadata;                       // Serialized core.v3.Metadata; empty if none.
  std::vector<net::ProxyTlv> announced_tlvs;  // In place of AnnouncementSpec::add_tlvs of the same type.
  uint32_t priority = 0;
  Locality locality;
  std::string locality_metadata;  // Serialized core.v3.Metadata of all endpoints there; empty if none.
  uint32_t locality_weight = 0;   // Of the whole locality; 0: none, which in locality-weighted balancing means no load.
  AssignedHealth health = AssignedHealth::Unknown;
  // Where to check it, if not where its requests go.
  uint16_t check_port = 0;
  std::string check_ip;
  std::string check_host;  // For the checks' :authority.
  bool check_disabled = false;
};

// The endpoints of a cluster, as an envoy.config.endpoint.v3.ClusterLoadAssignment gives them.
struct Assignment {
  std::vector<EndpointSpec> endpoints;
  uint32_t overprovisioning_percent = 140;
  bool weighted_priority_health = false;  // Health of a priority counted by endpoints' weights.
};

// Filters that requests pass on their way to upstreams. What they are is the business of whoever makes and reads them.
struct HttpFilters {
  virtual ~HttpFilters() = default;
  virtual bool empty() const = 0;
};

struct ClusterSpec {
  std::string name;
  std::string alt_stat_name;
  // Told apart from an earlier configuration of the same name: workers share what they know of equal generations only.
  uint64_t generation = 0;
  Discovery discovery = Discovery::Static;
  DnsFamily dns_family = DnsFamily::Auto;
  base::Duration dns_refresh = std::chrono::seconds(5);
  bool respect_dns_ttl = false;
  base::Duration dns_jitter{};
  // After a failure: doubled from the first to the second. nullopt: dns_refresh.
  std::optional<std::pair<base::Duration, base::Duration>> dns_failure_refresh;
  bool wait_for_warm = true;  // For the first answer of the names, before the cluster counts as ready.
  BalancingSpec balancing;
  std::vector<HealthCheckSpec> health_checks;
  std::optional<OutlierSpec> outlier;
  bool ignore_new_until_checked = false;        // ignore_new_hosts_until_first_hc
  bool ignore_health_on_removal = false;        // ignore_health_on_host_removal
  bool close_connections_on_change = false;     // common_lb_config.close_connections_on_host_set_change
  bool close_connections_on_unhealthy = false;  // close_connections_on_host_health_failure
  base::Duration connect_timeout = std::chrono::seconds(5);
  size_t buffer_limit = 1024 * 1024;                                   // per_connection_buffer_limit_bytes
  std::optional<base::Duration> idle_timeout = std::chrono::hours(1);  // Of a pooled connection; nullopt: none.
  std::optional<uint64_t> max_requests_per_connection;
  // Of Discovery::Assigned: the file that says it (EDS), and by which name; empty: the cluster's.
  std::optional<base::FileSource> endpoint_source;
  std::string service_name;
  std::optional<tls::ClientSpec> tls;            // Nothing: plain connections.
  std::optional<AnnouncementSpec> announcement;  // Goes before TLS.
  bool auto_sni = false;                         // SNI is the request's :authority; connections are kept apart by it.
  bool auto_san_validation = false;              // The certificate must be for the SNI.
  // Of tls: what its connections are made with, kept up to date by whoever assembles. Null where tls is nothing.
  std::shared_ptr<tls::LiveClient> live_tls;
  Assignment assignment;      // Empty for Discovery::Assigned.
  std::string metadata;       // Serialized core.v3.Metadata; empty if none.
  BreakerSpec breakers;       // For requests of routing priority DEFAULT
  BreakerSpec high_breakers;  // and HIGH.
  uint32_t max_connections_per_endpoint = UINT32_MAX;
  HttpProtocol protocol = HttpProtocol::Http1;
  http2::Settings http2 = upstreamHttp2();  // Its header limits are those below.
  bool enable_trailers = false;  // http_protocol_options.enable_trailers: request trailers are sent, response's kept.
  bool proper_case = false;      // Names of request headers over HTTP/1: "Content-Type".
  uint32_t max_response_headers_kb = 60;
  uint32_t max_response_headers_count = 100;
  std::shared_ptr<const HttpFilters> http_filters;  // Null: none are configured, and not even an empty list.
};

}  // namespace weir::upstream
