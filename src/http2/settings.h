// What can be set for a connection by HTTP/2, after envoy.config.core.v3.Http2ProtocolOptions. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weir::http2 {

// Pings that look whether the peer is still there.
struct Keepalive {
  base::Duration interval{};  // Zero: none.
  base::Duration timeout{};
  double jitter_percent = 15;                   // Of the interval, at most, added to it by chance.
  std::optional<base::Duration> idle_interval;  // A ping before a stream that comes after so long a silence.
};

// Windows and concurrency are smaller than Envoy's defaults (1024 streams, 16 and 24 MiB): what a peer can make us keep
// is bounded by them.
struct Settings {
  uint32_t hpack_table_size = 4096;
  uint32_t max_concurrent_streams = 100;
  uint32_t stream_window = 256 * 1024;
  uint32_t connection_window = 1024 * 1024;
  bool allow_connect = false;  // RFC 8441.
  // METADATA frames are taken and sent (metadata.h); else they are frames of an unknown type. The limit is for what the
  // frames of one stream hold, all of them together.
  bool allow_metadata = false;
  uint64_t max_metadata_size = 1024 * 1024;
  // A message that breaks RFC 9113 8 ends its stream; if false, the connection.
  bool stream_error_on_invalid_message = true;
  Keepalive keepalive;

  // Messages: names and values in their decoded form with 32 bytes for each field (RFC 9113 6.5.2), and fields; parts
  // of a split cookie count as fields.
  uint32_t max_headers_kb = 60;
  uint32_t max_headers_count = 100;

  // Floods, with Envoy's names and defaults. See frame_meter.h for what is not configurable.
  uint32_t max_outbound_frames = 10000;
  uint32_t max_outbound_control_frames = 1000;
  uint32_t max_consecutive_inbound_frames_with_empty_payload = 1;
  uint32_t max_inbound_priority_frames_per_stream = 100;
  uint32_t max_inbound_window_update_frames_per_data_frame_sent = 10;
};

// A stream with more unsent body than this blocks its sender, and from kShareBytes on where the connection as a whole
// has more than kConnectionBytes.
inline constexpr size_t kStreamBytes = 256 * 1024;
inline constexpr size_t kShareBytes = 16 * 1024;
inline constexpr size_t kConnectionBytes = 1024 * 1024;
// Decoded headers of the requests open on one connection: above it further ones are refused.
inline constexpr size_t kMaxHeldHeaderBytes = 2 * 1024 * 1024;
// Streams that the peer resets, or makes us reset, within kPrematureAge and before they were answered: when they are
// half of kPrematureStreams, or later half of all, the connection ends. As Envoy.
inline constexpr uint64_t kPrematureStreams = 500;
inline constexpr base::Duration kPrematureAge = std::chrono::seconds(1);
// 1xx responses before one final response.
inline constexpr int kMaxInformational = 100;

}  // namespace weir::http2
