// What is known about one request, collected as it goes: for filters, properties, headers and access logs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "http/codec.h"
#include "net/address.h"
#include "net/tls_info.h"

namespace weir::route {
struct Route;
struct VirtualHost;
class RouteTable;
}  // namespace weir::route

namespace weir::filter {

// Envoy's response flags, by the letters of its access log. Bits of StreamInfo::response_flags, numbered as Envoy's.
enum class ResponseFlag : uint8_t {
  FailedLocalHealthCheck,            // LH
  NoHealthyUpstream,                 // UH
  UpstreamRequestTimeout,            // UT
  LocalReset,                        // LR
  UpstreamRemoteReset,               // UR
  UpstreamConnectionFailure,         // UF
  UpstreamConnectionTermination,     // UC
  UpstreamOverflow,                  // UO
  NoRouteFound,                      // NR
  DelayInjected,                     // DI
  FaultInjected,                     // FI
  RateLimited,                       // RL
  UnauthorizedExternalService,       // UAEX
  RateLimitServiceError,             // RLSE
  DownstreamConnectionTermination,   // DC
  UpstreamRetryLimitExceeded,        // URX
  StreamIdleTimeout,                 // SI
  InvalidEnvoyRequestHeaders,        // IH
  DownstreamProtocolError,           // DPE
  UpstreamMaxStreamDurationReached,  // UMSDR
  ResponseFromCacheFilter,           // RFCF
  NoFilterConfigFound,               // NFCF
  DurationTimeout,                   // DT
  UpstreamProtocolError,             // UPE
  NoClusterFound,                    // NC
  OverloadManager,                   // OM
};

// What a connection knows that outlives its requests. Owned by the client connection.
struct ConnectionInfo {
  uint64_t id = 0;
  net::Address local;
  net::Address peer;                        // The socket's other end.
  std::string requested_server_name;        // SNI: also where TLS was only inspected, not ended here.
  std::shared_ptr<const net::TlsInfo> tls;  // Null without TLS.
  std::string listener_metadata;            // Serialized core.v3.Metadata
  int listener_direction = 0;               // 0 unspecified, 1 inbound, 2 outbound
};

// What is known of the endpoint once one was chosen; as of the last attempt.
struct UpstreamInfo {
  std::string cluster;
  net::Address remote;
  net::Address local;
  std::string hostname;
  std::string failure_reason;                           // %UPSTREAM_TRANSPORT_FAILURE_REASON%
  std::shared_ptr<const std::string> cluster_metadata;  // Serialized core.v3.Metadata; null if none.
  std::shared_ptr<const std::string> endpoint_metadata;
  uint32_t attempts = 0;
};

struct StreamInfo {
  const ConnectionInfo* connection = nullptr;
  net::Address client;  // The peer, or what x-forwarded-for says of it where that is trusted.
  http::Protocol protocol = http::Protocol::Http11;
  base::WallTime start;
  base::MonotonicTime start_monotonic;
  std::optional<base::Duration> request_received;  // Since start: the last byte of the request.
  std::optional<base::Duration> response_started;  // Since start: first byte of the upstream's response.
  std::optional<base::Duration> finished;

  uint64_t request_body_bytes = 0;
  uint64_t request_header_bytes = 0;
  uint64_t response_body_bytes = 0;
  uint64_t response_header_bytes = 0;

  int response_code = 0;  // 0: none was sent.
  std::string response_code_details;
  uint64_t response_flags = 0;
  void setFlag(ResponseFlag flag) { response_flags |= uint64_t{1} << static_cast<int>(flag); }

  std::shared_ptr<const route::RouteTable> route_table;  // Keeps route and virtual_host alive.
  const route::Route* route = nullptr;
  const route::VirtualHost* virtual_host = nullptr;
  std::optional<UpstreamInfo> upstream;

  // Filter state, by name ("wasm.<path>" is what plugins set). Small: a map is enough.
  std::map<std::string, std::string, std::less<>> filter_state;
};

}  // namespace weir::filter
