// A cluster as configuration gives it: plain data. After envoy.config.cluster.v3; what is absent here is refused by
// `config`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/address.h"
#include "tls/spec.h"

namespace weir::tls {
class LiveClient;
}

namespace weir::upstream {

enum class Discovery : uint8_t { Static, StrictDns, LogicalDns };
enum class DnsFamily : uint8_t { Auto, V4Only, V6Only, V4Preferred, All };
enum class Balancing : uint8_t { RoundRobin };  // Others come with a later issue and are refused until then.

struct EndpointSpec {
  std::string host;  // An IP for Static, a name or an IP for DNS; or unix_path.
  uint16_t port = 0;
  std::string unix_path;
  std::string hostname;  // For auto_host_rewrite; empty: host.
  uint32_t weight = 1;
  std::string metadata;  // Serialized core.v3.Metadata; empty if none.
};

struct ClusterSpec {
  std::string name;
  std::string alt_stat_name;
  Discovery discovery = Discovery::Static;
  DnsFamily dns_family = DnsFamily::Auto;
  base::Duration dns_refresh = std::chrono::seconds(5);
  bool respect_dns_ttl = false;
  Balancing balancing = Balancing::RoundRobin;
  base::Duration connect_timeout = std::chrono::seconds(5);
  size_t buffer_limit = 1024 * 1024;                                   // per_connection_buffer_limit_bytes
  std::optional<base::Duration> idle_timeout = std::chrono::hours(1);  // Of a pooled connection; nullopt: none.
  std::optional<uint64_t> max_requests_per_connection;
  std::vector<EndpointSpec> endpoints;
  std::optional<tls::ClientSpec> tls;  // Nothing: plain connections.
  bool auto_sni = false;               // SNI is the request's :authority; connections are kept apart by it.
  bool auto_san_validation = false;    // The certificate must be for the SNI.
  // Of tls: what its connections are made with, kept up to date by whoever assembles. Null where tls is nothing.
  std::shared_ptr<tls::LiveClient> live_tls;
  std::string metadata;  // Serialized core.v3.Metadata; empty if none.
  // Circuit breakers of the default priority, with Envoy's defaults.
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  bool enable_trailers = false;  // http_protocol_options.enable_trailers: request trailers are sent, response's kept.
  bool proper_case = false;      // Names of request headers over HTTP/1: "Content-Type".
  uint32_t max_response_headers_kb = 60;
  uint32_t max_response_headers_count = 100;
};

}  // namespace weir::upstream
