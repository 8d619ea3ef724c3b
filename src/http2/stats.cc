#include "http2/stats.h"

#include <string>

namespace weir::http2 {

#define COUNTER(name) name(store.counter(std::string(prefix) + #name))
#define GAUGE(name) name(store.gauge(std::string(prefix) + #name))

Stats::Stats(stats::Store& store, std::string_view prefix)
    : COUNTER(goaway_sent),
      COUNTER(header_list_size_too_large),
      COUNTER(header_overflow),
      COUNTER(headers_cb_no_stream),
      COUNTER(inbound_empty_frames_flood),
      COUNTER(inbound_priority_frames_flood),
      COUNTER(inbound_window_update_frames_flood),
      COUNTER(keepalive_timeout),
      COUNTER(metadata_empty_frames),
      COUNTER(outbound_control_flood),
      COUNTER(outbound_flood),
      COUNTER(rx_messaging_error),
      COUNTER(rx_reset),
      COUNTER(stream_refused_errors),
      COUNTER(trailers),
      COUNTER(tx_flush_timeout),
      COUNTER(tx_reset),
      COUNTER(inbound_ping_frames_flood),
      COUNTER(inbound_settings_frames_flood),
      COUNTER(inbound_reset_frames_flood),
      COUNTER(inbound_unknown_frames_flood),
      COUNTER(inbound_metadata_frames_flood),
      COUNTER(inbound_continuation_flood),
      COUNTER(inbound_table_size_updates_flood),
      COUNTER(premature_resets_flood),
      COUNTER(held_headers_overflow),
      COUNTER(metadata_too_large),
      COUNTER(held_metadata_overflow),
      COUNTER(unsent_metadata_overflow),
      GAUGE(streams_active),
      GAUGE(pending_send_bytes) {}

#undef COUNTER
#undef GAUGE

}  // namespace weir::http2
