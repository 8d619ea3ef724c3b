// envoy.config.core.v3.Http2ProtocolOptions, for clients and for upstreams.
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

using envoy::config::core::v3::Http2ProtocolOptions;

template <typename Wrapper>
void take(bool has, const Wrapper& value, uint32_t& out) {
  if (has) out = value.value();
}

void convertKeepalive(const envoy::config::core::v3::KeepaliveSettings& from, const Place& place,
                      http2::Keepalive& out) {
  if (from.has_interval()) out.interval = convertDuration(from.interval(), place.field("interval"));
  if (from.has_interval_jitter()) out.jitter_percent = from.interval_jitter().value();
  if (from.has_timeout()) out.timeout = convertDuration(from.timeout(), place.field("timeout"));
  if (from.has_connection_idle_interval()) {
    out.idle_interval = convertDuration(from.connection_idle_interval(), place.field("connection_idle_interval"));
  }
}

}  // namespace

http2::Settings convertHttp2(const Http2ProtocolOptions& options, const Place& place, const http2::Settings& defaults) {
  http2::Settings out = defaults;
  take(options.has_hpack_table_size(), options.hpack_table_size(), out.hpack_table_size);
  take(options.has_max_concurrent_streams(), options.max_concurrent_streams(), out.max_concurrent_streams);
  take(options.has_initial_stream_window_size(), options.initial_stream_window_size(), out.stream_window);
  take(options.has_initial_connection_window_size(), options.initial_connection_window_size(), out.connection_window);
  take(options.has_max_outbound_frames(), options.max_outbound_frames(), out.max_outbound_frames);
  take(options.has_max_outbound_control_frames(), options.max_outbound_control_frames(),
       out.max_outbound_control_frames);
  take(options.has_max_consecutive_inbound_frames_with_empty_payload(),
       options.max_consecutive_inbound_frames_with_empty_payload(),
       out.max_consecutive_inbound_frames_with_empty_payload);
  take(options.has_max_inbound_priority_frames_per_stream(), options.max_inbound_priority_frames_per_stream(),
       out.max_inbound_priority_frames_per_stream);
  take(options.has_max_inbound_window_update_frames_per_data_frame_sent(),
       options.max_inbound_window_update_frames_per_data_frame_sent(),
       out.max_inbound_window_update_frames_per_data_frame_sent);
  out.allow_connect = options.allow_connect();
  out.allow_metadata = options.allow_metadata();
  if (options.has_max_metadata_size()) out.max_metadata_size = options.max_metadata_size().value();
  if (options.has_override_stream_error_on_invalid_http_message()) {
    out.stream_error_on_invalid_message = options.override_stream_error_on_invalid_http_message().value();
  }
  if (options.has_connection_keepalive()) {
    convertKeepalive(options.connection_keepalive(), place.field("connection_keepalive"), out.keepalive);
  }
  return out;
}

const SupportTables& http2Support() {
  static const SupportTables kTables{
      {"envoy.config.core.v3.Http2ProtocolOptions",
       {{"connection_keepalive"},
        {"hpack_table_size"},
        {"max_concurrent_streams"},
        {"initial_stream_window_size"},
        {"initial_connection_window_size"},
        {"allow_connect"},
        {"allow_metadata"},
        {"max_metadata_size"},
        {"max_outbound_frames"},
        {"max_outbound_control_frames"},
        {"max_consecutive_inbound_frames_with_empty_payload"},
        {"max_inbound_priority_frames_per_stream"},
        {"max_inbound_window_update_frames_per_data_frame_sent"},
        {"override_stream_error_on_invalid_http_message"},
        noEffect("use_oghttp2_codec", "there is one codec"),
        refused("stream_error_on_invalid_http_messaging",
                "deprecated in Envoy; write override_stream_error_on_invalid_http_message"),
        refused("custom_settings_parameters", "no other SETTINGS are sent")}},
      {"envoy.config.core.v3.KeepaliveSettings",
       {{"interval"}, {"timeout"}, {"interval_jitter"}, {"connection_idle_interval"}}},
  };
  return kTables;
}

}  // namespace weir::config
