// What one log line, or one header value with operators in it, is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "filter/stream_info.h"
#include "http/header_map.h"

namespace weir::format {

// When an entry is written. Named as Envoy's %ACCESS_LOG_TYPE% and its log_type filter name them.
enum class LogType : uint8_t {
  NotSet,
  TcpUpstreamConnected,
  TcpPeriodic,
  TcpConnectionEnd,
  DownstreamStart,
  DownstreamPeriodic,
  DownstreamEnd,
  UpstreamPoolReady,
  UpstreamPeriodic,
  UpstreamEnd,
  DownstreamTunnelSuccessfullyEstablished,
  UdpTunnelUpstreamConnected,
  UdpPeriodic,
  UdpSessionEnd,
  TcpConnectionStart,
};
std::string_view name(LogType type);  // "DownstreamEnd"

// A view, made for one use on the stack: everything it points to belongs to the caller. Whatever is null is absent.
struct Entry {
  const filter::StreamInfo& info;
  const http::HeaderMap* request = nullptr;
  const http::HeaderMap* response = nullptr;
  const http::HeaderMap* trailers = nullptr;  // Of the response.
  std::string_view local_reply_body = {};
  LogType type = LogType::NotSet;
  base::WallTime now = {};          // %EMIT_TIME%
  base::Duration since_start = {};  // %DURATION% of what has not finished.
  base::Random* random = nullptr;   // For %UNIQUE_ID%.
};

// The status of a gRPC call: from trailers, headers, or as gRPC derives it from the HTTP status. nullopt: the request
// was no gRPC call.
std::optional<int64_t> grpcStatus(const Entry& entry);
// The same, whatever the request was.
std::optional<int64_t> statusOfAnyCall(const Entry& entry);

}  // namespace weir::format
