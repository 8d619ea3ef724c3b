// The HTTP options of a cluster, in their old place (on the cluster) and in their new one (HttpProtocolOptions).
#include "config/values.h"

namespace weir::config {

void convertUpstreamCommon(const envoy::config::core::v3::HttpProtocolOptions& options, const Place& place,
                           upstream::ClusterSpec& spec) {
  if (options.has_idle_timeout()) {
    spec.idle_timeout = convertTimeout(options.idle_timeout(), place.field("idle_timeout"));
  }
  if (options.has_max_connection_duration()) {
    place.field("max_connection_duration").unsupported("max_connection_duration towards upstreams");
  }
  if (options.has_max_stream_duration()) {
    place.field("max_stream_duration").unsupported("max_stream_duration towards upstreams");
  }
  if (options.headers_with_underscores_action() != envoy::config::core::v3::HttpProtocolOptions::ALLOW) {
    place.field("headers_with_underscores_action")
        .notice("accepted, without effect: it concerns requests from clients only");
  }
  if (options.has_max_headers_count()) spec.max_response_headers_count = options.max_headers_count().value();
  if (options.has_max_response_headers_kb()) spec.max_response_headers_kb = options.max_response_headers_kb().value();
  if (options.has_max_requests_per_connection() && options.max_requests_per_connection().value() > 0) {
    spec.max_requests_per_connection = options.max_requests_per_connection().value();
  }
}

void convertUpstreamHttp1(const envoy::config::core::v3::Http1ProtocolOptions& options, const Place& place,
                          upstream::ClusterSpec& spec) {
  static constexpr std::string_view kServerOnly = "accepted, without effect: it concerns requests from clients only";
  if (options.has_allow_absolute_url()) place.field("allow_absolute_url").notice(std::string(kServerOnly));
  if (options.accept_http_10()) place.field("accept_http_10").notice(std::string(kServerOnly));
  if (!options.default_host_for_http_10().empty()) {
    place.field("default_host_for_http_10").notice(std::string(kServerOnly));
  }
  if (options.has_override_stream_error_on_invalid_http_message()) {
    place.field("override_stream_error_on_invalid_http_message").notice(std::string(kServerOnly));
  }
  spec.enable_trailers = options.enable_trailers();
  spec.proper_case = options.header_key_format().has_proper_case_words();
}

void convertUpstreamSni(const envoy::config::core::v3::UpstreamHttpProtocolOptions& options,
                        upstream::ClusterSpec& spec) {
  spec.auto_sni = options.auto_sni();
  spec.auto_san_validation = options.auto_san_validation();
}

void convertUpstreamHttp2(const envoy::config::core::v3::Http2ProtocolOptions& options, const Place& place,
                          upstream::ClusterSpec& spec) {
  spec.http2 = convertHttp2(options, place, spec.http2);
}

void convertUpstreamHttp(const envoy::extensions::upstreams::http::v3::HttpProtocolOptions& options, const Place& place,
                         const Conversion& conversion, upstream::ClusterSpec& spec) {
  spec.http_filters = convertUpstreamFilters(options.http_filters(), "http_filters", place, conversion);
  if (options.has_common_http_protocol_options()) {
    convertUpstreamCommon(options.common_http_protocol_options(), place.field("common_http_protocol_options"), spec);
  }
  // The three ways to say what is spoken have the same two members.
  const auto convertBoth = [&spec](const auto& config, const Place& here) {
    convertUpstreamHttp1(config.http_protocol_options(), here.field("http_protocol_options"), spec);
    if (config.has_http2_protocol_options()) {
      convertUpstreamHttp2(config.http2_protocol_options(), here.field("http2_protocol_options"), spec);
    }
  };
  if (options.has_explicit_http_config()) {
    const auto& config = options.explicit_http_config();
    convertBoth(config, place.field("explicit_http_config"));
    if (config.has_http2_protocol_options()) spec.protocol = upstream::HttpProtocol::Http2;
  }
  if (options.has_upstream_http_protocol_options()) convertUpstreamSni(options.upstream_http_protocol_options(), spec);
  if (options.has_use_downstream_protocol_config()) {
    const auto& config = options.use_downstream_protocol_config();
    convertBoth(config, place.field("use_downstream_protocol_config"));
    // As Envoy: without options for HTTP/2 all clients are asked for by HTTP/1.1.
    if (config.has_http2_protocol_options()) spec.protocol = upstream::HttpProtocol::AsDownstream;
  }
  if (options.has_auto_config()) {
    convertBoth(options.auto_config(), place.field("auto_config"));
    spec.protocol = upstream::HttpProtocol::ByAlpn;
  }
}

}  // namespace weir::config
