// What is known about one request, collected as it goes: for filters, properties, headers and access logs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entry_budget.h"
#include "filter/dynamic_metadata.h"
#include "filter/plugin_use.h"
#include "http/codec.h"
#include "net/address.h"
#include "net/proxy_protocol.h"
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
  DnsResolutionFailed,               // DF
  DropOverload,                      // DO
  DownstreamRemoteReset,             // DR
  UnconditionalDropOverload,         // UDO
};
constexpr uint64_t bitOf(ResponseFlag flag) { return uint64_t{1} << static_cast<int>(flag); }

// What one stream has put on a connection and taken from it, framing included; the header bytes are those of the field
// lines alone.
struct WireBytes {
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t header_sent = 0;
  uint64_t header_received = 0;
  uint64_t decompressed_header_sent = 0;  // The same for HTTP/1.
  uint64_t decompressed_header_received = 0;
};

WireBytes wireBytes(const http::Stream& stream);

// How a connection was seen to end.
enum class CloseType : uint8_t { Normal, LocalReset, RemoteReset };

// What a connection knows that outlives its requests. Owned by the client connection.
struct ConnectionInfo {
  uint64_t id = 0;
  net::Address local;                       // Where the client meant to go; as PROXY protocol says, where it is read.
  net::Address peer;                        // Who the client is; as PROXY protocol says, where it is read.
  net::Address direct_peer;                 // The socket's other end,
  net::Address direct_local;                // and its own; nowhere: as peer and local.
  std::string requested_server_name;        // SNI: also where TLS was only inspected, not ended here.
  std::shared_ptr<const net::TlsInfo> tls;  // Null without TLS.
  std::shared_ptr<const net::ProxyHeader> proxy;  // What PROXY protocol said; null if there was none.
  std::string listener_metadata;                  // Serialized core.v3.Metadata
  int listener_direction = 0;                     // 0 unspecified, 1 inbound, 2 outbound
  MetadataMap dynamic_metadata;                   // What listener filters have noted,
  MetadataMap typed_dynamic_metadata;             // for the connection as such and not for its requests.
  std::string filter_chain_name;
  std::string filter_chain_metadata;         // Serialized core.v3.Metadata
  std::optional<base::Duration> handshake;   // From accept to the end of the TLS handshake.
  std::string transport_failure_reason;      // Why the handshake failed.
  std::string termination_details;           // Why we ended it: %CONNECTION_TERMINATION_DETAILS%
  std::string local_close_reason;            // %DOWNSTREAM_LOCAL_CLOSE_REASON%
  CloseType close_type = CloseType::Normal;  // Known once it is closed.
};

// What is known of the endpoint once one was chosen; as of the last attempt.
struct UpstreamInfo {
  std::string cluster;
  std::string cluster_stat_name;  // alt_stat_name; empty if it has none.
  net::Address remote;
  net::Address local;
  std::string hostname;
  std::string failure_reason;                           // %UPSTREAM_TRANSPORT_FAILURE_REASON%
  std::shared_ptr<const std::string> cluster_metadata;  // Serialized core.v3.Metadata; null if none.
  std::shared_ptr<const std::string> endpoint_metadata;
  std::shared_ptr<const std::string> locality;  // Serialized core.v3.Locality; null if it has no name.
  std::shared_ptr<const std::string> locality_metadata;
  uint32_t attempts = 0;

  bool connected = false;                  // `local` and what follows is known.
  std::optional<http::Protocol> protocol;  // Empty for TCP.
  uint64_t connection_id = 0;
  std::shared_ptr<const net::TlsInfo> tls;  // Null without TLS.
  WireBytes wire;
  // Endpoints of earlier attempts, oldest first.
  struct Tried {
    net::Address remote;
    std::string hostname;
    uint64_t connection_id = 0;
  };
  std::vector<Tried> tried;

  // Times since the stream's start; those of the connection lie before it when it was kept alive.
  std::optional<base::Duration> connect_began;
  std::optional<base::Duration> connect_ended;
  std::optional<base::Duration> handshake_ended;
  std::optional<base::Duration> pool_ready;  // How long the request waited for a connection.
  std::optional<base::Duration> request_began;
  std::optional<base::Duration> request_ended;
  std::optional<base::Duration> response_body_began;
  std::optional<base::Duration> response_ended;
};

struct StreamInfo {
  const ConnectionInfo* connection = nullptr;
  net::Address client;  // The peer, or what x-forwarded-for says of it where that is trusted.
  bool is_http = true;  // False: a TCP connection, which has no messages, code or protocol.
  http::Protocol protocol = http::Protocol::Http11;
  base::WallTime start;
  base::MonotonicTime start_monotonic;
  std::optional<base::Duration> request_received;  // Since start: the last byte of the request.
  std::optional<base::Duration> response_started;  // Since start: first byte of the upstream's response.
  std::optional<base::Duration> answer_began;      // Since start: response headers were written to the client.
  std::optional<base::Duration> answer_ended;
  std::optional<base::Duration> finished;

  uint64_t request_body_bytes = 0;
  uint64_t request_header_bytes = 0;
  uint64_t response_body_bytes = 0;
  uint64_t response_header_bytes = 0;
  uint64_t response_trailer_bytes = 0;
  WireBytes wire;  // Towards the client.

  int response_code = 0;  // 0: none was sent.
  std::string response_code_details;
  std::string stream_id;  // Of a proxied TCP connection; a request's is x-request-id.
  uint64_t response_flags = 0;
  void setFlag(ResponseFlag flag) { response_flags |= bitOf(flag); }

  std::shared_ptr<const route::RouteTable> route_table;  // Keeps route and virtual_host alive.
  const route::Route* route = nullptr;
  const route::VirtualHost* virtual_host = nullptr;
  // Of the route, for those who know no routes: kept alive by route_table.
  std::string_view route_name;
  std::string_view route_metadata;  // Serialized core.v3.Metadata
  std::string_view virtual_host_metadata;
  std::string chosen_cluster;  // Of the route's clusters, where there are several or a header names it; else empty.
  std::optional<UpstreamInfo> upstream;
  // The address of the endpoint that a filter wants this request sent to ("10.0.0.1:80"); empty: none in particular.
  // Nothing comes of it unless the cluster has a member of that address that can serve.
  std::string override_host;

  // Filter state, by name ("wasm.<path>" is what plugins set). Small: a map is enough.
  std::map<std::string, std::string, std::less<>> filter_state;
  // Puts a value there. False: all that is kept would be more than kMaxFilterState bytes, and nothing has changed.
  bool keepFilterState(std::string name, std::string_view value);
  static constexpr size_t kMaxFilterState = 1 << 20;
  base::EntryBudget filter_state_budget;
  MetadataMap dynamic_metadata;  // Structs; of a connection's own, with those of ConnectionInfo.
  MetadataMap typed_dynamic_metadata;
  PluginUses plugins;
};

}  // namespace weir::filter
