// What a codec counts, by Envoy's names: "http2.*" for clients' connections, "cluster.<name>.http2.*" for upstreams'.
#pragma once

#include <string_view>

#include "stats/stats.h"

namespace weir::http2 {

// Made once per worker and prefix; the values behind it are the process's.
struct Stats {
  Stats(stats::Store& store, std::string_view prefix);  // "http2." or "cluster.x.http2."

  stats::Counter& goaway_sent;
  stats::Counter& header_list_size_too_large;
  stats::Counter& header_overflow;
  stats::Counter& headers_cb_no_stream;
  stats::Counter& inbound_empty_frames_flood;
  stats::Counter& inbound_priority_frames_flood;
  stats::Counter& inbound_window_update_frames_flood;
  stats::Counter& keepalive_timeout;
  stats::Counter& metadata_empty_frames;
  stats::Counter& outbound_control_flood;
  stats::Counter& outbound_flood;
  stats::Counter& rx_messaging_error;
  stats::Counter& rx_reset;
  stats::Counter& stream_refused_errors;
  stats::Counter& trailers;
  stats::Counter& tx_flush_timeout;
  stats::Counter& tx_reset;
  // Ours: floods that Envoy has no counter for.
  stats::Counter& inbound_ping_frames_flood;
  stats::Counter& inbound_settings_frames_flood;
  stats::Counter& inbound_reset_frames_flood;
  stats::Counter& inbound_unknown_frames_flood;
  stats::Counter& inbound_metadata_frames_flood;
  stats::Counter& inbound_continuation_flood;
  stats::Counter& inbound_table_size_updates_flood;
  stats::Counter& premature_resets_flood;
  stats::Counter& held_headers_overflow;
  // Ours: streams reset for their METADATA.
  stats::Counter& metadata_too_large;
  stats::Counter& held_metadata_overflow;
  stats::Counter& unsent_metadata_overflow;
  stats::Gauge& streams_active;
  stats::Gauge& pending_send_bytes;
};

}  // namespace weir::http2
