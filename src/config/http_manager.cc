// envoy.extensions.filters.network.http_connection_manager.v3: the HTTP side of a listener.
#include "config/access_log.h"
#include "config/config_source.h"
#include "config/filter_overrides.h"
#include "config/header_mutations.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using exchange::HttpManagerSpec;

constexpr std::string_view kKeepsConnection = "going on with a connection after a malformed message";

HttpManagerSpec::Codec convertCodec(HttpConnectionManager::CodecType codec, const Place& place) {
  switch (codec) {
    case HttpConnectionManager::AUTO: return HttpManagerSpec::Codec::Auto;
    case HttpConnectionManager::HTTP1: return HttpManagerSpec::Codec::Http1;
    case HttpConnectionManager::HTTP2: return HttpManagerSpec::Codec::Http2;
    default:
      place.field("codec_type").unsupported(fmt::format("codec_type {}", HttpConnectionManager::CodecType_Name(codec)));
      return HttpManagerSpec::Codec::Auto;
  }
}

HttpManagerSpec::ServerHeader convertServerHeader(HttpConnectionManager::ServerHeaderTransformation header) {
  switch (header) {
    case HttpConnectionManager::APPEND_IF_ABSENT: return HttpManagerSpec::ServerHeader::AppendIfAbsent;
    case HttpConnectionManager::PASS_THROUGH: return HttpManagerSpec::ServerHeader::PassThrough;
    default: return HttpManagerSpec::ServerHeader::Overwrite;
  }
}

HttpManagerSpec::EscapedSlashes convertSlashes(HttpConnectionManager::PathWithEscapedSlashesAction action,
                                               const Place& place) {
  switch (action) {
    case HttpConnectionManager::IMPLEMENTATION_SPECIFIC_DEFAULT:
    case HttpConnectionManager::KEEP_UNCHANGED: return HttpManagerSpec::EscapedSlashes::Keep;
    case HttpConnectionManager::REJECT_REQUEST: return HttpManagerSpec::EscapedSlashes::Reject;
    case HttpConnectionManager::UNESCAPE_AND_REDIRECT: return HttpManagerSpec::EscapedSlashes::UnescapeAndRedirect;
    case HttpConnectionManager::UNESCAPE_AND_FORWARD: return HttpManagerSpec::EscapedSlashes::UnescapeAndForward;
    default:
      place.field("path_with_escaped_slashes_action").fault(FaultKind::Unknown, "unknown value");
      return HttpManagerSpec::EscapedSlashes::Keep;
  }
}

void convertCommon(const HttpConnectionManager& manager, const Place& place, HttpManagerSpec& spec) {
  const auto& common = manager.common_http_protocol_options();
  const Place here = place.field("common_http_protocol_options");
  if (common.has_idle_timeout()) {
    spec.idle_timeout = convertTimeout(common.idle_timeout(), here.field("idle_timeout"));
  }
  if (common.has_max_connection_duration()) {
    spec.max_connection_duration =
        convertTimeout(common.max_connection_duration(), here.field("max_connection_duration"));
  }
  if (common.has_max_stream_duration()) {
    spec.max_stream_duration = convertTimeout(common.max_stream_duration(), here.field("max_stream_duration"));
  }
  if (common.has_max_headers_count()) spec.max_headers_count = common.max_headers_count().value();
  if (common.has_max_requests_per_connection() && common.max_requests_per_connection().value() > 0) {
    spec.max_requests_per_connection = common.max_requests_per_connection().value();
  }
  switch (common.headers_with_underscores_action()) {
    case envoy::config::core::v3::HttpProtocolOptions::REJECT_REQUEST:
      spec.underscores = HttpManagerSpec::Underscores::Reject;
      break;
    case envoy::config::core::v3::HttpProtocolOptions::DROP_HEADER:
      spec.underscores = HttpManagerSpec::Underscores::Drop;
      break;
    default: break;
  }
  if (common.has_max_response_headers_kb()) {
    here.field("max_response_headers_kb").notice("accepted, without effect: it concerns responses of upstreams only");
  }
}

// True: names as "Content-Type".
bool convertKeyFormat(const envoy::config::core::v3::Http1ProtocolOptions& options, const Place& place) {
  return options.header_key_format().has_proper_case_words();
}

void convertHttp1(const HttpConnectionManager& manager, const Place& place, HttpManagerSpec& spec) {
  const auto& http1 = manager.http_protocol_options();
  spec.accept_http_10 = http1.accept_http_10();
  spec.default_host_for_http_10 = http1.default_host_for_http_10();
  spec.enable_trailers = http1.enable_trailers();
  const Place here = place.field("http_protocol_options");
  spec.proper_case = convertKeyFormat(http1, here);
  if (http1.override_stream_error_on_invalid_http_message().value()) {
    here.field("override_stream_error_on_invalid_http_message").unsupported(kKeepsConnection);
  }
  if (http1.has_allow_absolute_url()) spec.allow_absolute_url = http1.allow_absolute_url().value();
}

void convertTimes(const HttpConnectionManager& manager, const Place& place, HttpManagerSpec& spec) {
  if (manager.has_stream_idle_timeout()) {
    spec.stream_idle_timeout = convertTimeout(manager.stream_idle_timeout(), place.field("stream_idle_timeout"));
  }
  spec.request_timeout_configured = manager.has_request_timeout();
  if (manager.has_request_timeout()) {
    spec.request_timeout = convertTimeout(manager.request_timeout(), place.field("request_timeout"));
  }
  if (manager.has_request_headers_timeout()) {
    spec.request_headers_timeout =
        convertTimeout(manager.request_headers_timeout(), place.field("request_headers_timeout"));
  }
  if (manager.has_drain_timeout()) {
    spec.drain_timeout = convertDuration(manager.drain_timeout(), place.field("drain_timeout"));
  }
  if (manager.has_delayed_close_timeout()) {
    spec.delayed_close_timeout = convertDuration(manager.delayed_close_timeout(), place.field("delayed_close_timeout"));
  }
}

exchange::ClientCertificateSpec convertClientCertificate(const HttpConnectionManager& manager) {
  using Forward = exchange::ClientCertificateSpec::Forward;
  exchange::ClientCertificateSpec spec;
  switch (manager.forward_client_cert_details()) {
    case HttpConnectionManager::FORWARD_ONLY: spec.forward = Forward::ForwardOnly; break;
    case HttpConnectionManager::APPEND_FORWARD: spec.forward = Forward::AppendForward; break;
    case HttpConnectionManager::SANITIZE_SET: spec.forward = Forward::SanitizeSet; break;
    case HttpConnectionManager::ALWAYS_FORWARD_ONLY: spec.forward = Forward::AlwaysForwardOnly; break;
    default: break;
  }
  const auto& details = manager.set_current_client_cert_details();
  spec.subject = details.subject().value();
  spec.cert = details.cert();
  spec.chain = details.chain();
  spec.uri = details.uri();
  spec.dns = details.dns();
  return spec;
}

void convertHeaders(const HttpConnectionManager& manager, const Place& place, HttpManagerSpec& spec) {
  if (!manager.server_name().empty()) spec.server_name = manager.server_name();
  spec.server_header = convertServerHeader(manager.server_header_transformation());
  spec.use_remote_address = manager.use_remote_address().value();
  spec.xff_num_trusted_hops = manager.xff_num_trusted_hops();
  spec.skip_xff_append = manager.skip_xff_append();
  spec.client_certificate = convertClientCertificate(manager);
  spec.via = manager.via();
  if (manager.has_generate_request_id()) spec.generate_request_id = manager.generate_request_id().value();
  spec.preserve_external_request_id = manager.preserve_external_request_id();
  spec.always_set_request_id_in_response = manager.always_set_request_id_in_response();
  spec.scheme_to_overwrite = manager.scheme_header_transformation().scheme_to_overwrite();
  if (manager.has_max_request_headers_kb()) spec.max_request_headers_kb = manager.max_request_headers_kb().value();
  spec.proxy_100_continue = manager.proxy_100_continue();
  spec.append_x_forwarded_port = manager.append_x_forwarded_port();
  if (manager.stream_error_on_invalid_http_message().value()) {
    place.field("stream_error_on_invalid_http_message").unsupported(kKeepsConnection);
  }
}

void convertPathRules(const HttpConnectionManager& manager, const Place& place, HttpManagerSpec& spec) {
  spec.normalize_path = manager.normalize_path().value();
  spec.merge_slashes = manager.merge_slashes();
  spec.escaped_slashes = convertSlashes(manager.path_with_escaped_slashes_action(), place);
  spec.strip_matching_host_port = manager.strip_matching_host_port();
  spec.strip_any_host_port = manager.strip_any_host_port();
  spec.strip_trailing_host_dot = manager.strip_trailing_host_dot();
  if (spec.strip_matching_host_port && spec.strip_any_host_port) {
    place.field("strip_any_host_port")
        .fault(FaultKind::Conflict, "only one of strip_matching_host_port and strip_any_host_port may be set");
  }
}

void convertLogging(const HttpConnectionManager& manager, const Place& place, Conversion& conversion,
                    HttpManagerSpec& spec) {
  spec.access_logs = convertAccessLogs(manager.access_log(), place.field("access_log"), conversion);
  const auto& options = manager.access_log_options();
  const Place here = place.field("access_log_options");
  spec.access_log_options.at_start = options.flush_access_log_on_new_request();
  spec.access_log_options.at_tunnel = options.flush_log_on_tunnel_successfully_established();
  if (options.has_access_log_flush_interval()) {
    spec.access_log_options.interval =
        convertTimeout(options.access_log_flush_interval(), here.field("access_log_flush_interval"));
  }
}

exchange::LocalReplySpec convertLocalReplies(const HttpConnectionManager& manager, const Place& place,
                                             const Conversion& conversion) {
  exchange::LocalReplySpec spec;
  const auto& config = manager.local_reply_config();
  for (int i = 0; i < config.mappers_size(); i++) {
    const auto& mapper = config.mappers(i);
    const Place here = place.item("mappers", static_cast<size_t>(i));
    exchange::LocalReplyMapper& result = spec.mappers.emplace_back();
    result.filter = convertLogFilter(mapper.filter(), here.field("filter"));
    if (mapper.has_status_code()) result.status = static_cast<int>(mapper.status_code().value());
    if (mapper.has_body()) result.body = readDataSource(mapper.body(), here.field("body"), conversion.options);
    if (mapper.has_body_format_override()) {
      result.body_format = convertFormat(mapper.body_format_override(), here.field("body_format_override"), conversion);
    }
    result.headers_to_add = convertOptions(mapper.headers_to_add(), here.field("headers_to_add"));
  }
  if (config.has_body_format()) {
    spec.body_format = convertFormat(config.body_format(), place.field("body_format"), conversion);
  }
  return spec;
}

std::optional<exchange::RouteSourceSpec> convertRds(
    const envoy::extensions::filters::network::http_connection_manager::v3::Rds& rds, const Place& place) {
  if (rds.route_config_name().empty()) place.field("route_config_name").fault(FaultKind::Rule, "is required");
  if (!rds.has_config_source()) place.field("config_source").fault(FaultKind::Rule, "is required");
  const auto source = convertConfigSource(rds.config_source(), place.field("config_source"));
  if (!source) return std::nullopt;
  return exchange::RouteSourceSpec{rds.route_config_name(), *source};
}

}  // namespace

HttpManagerSpec convertHttpManager(const HttpConnectionManager& manager, const Place& place, Conversion& conversion) {
  HttpManagerSpec spec;
  spec.stat_prefix = manager.stat_prefix();
  spec.codec = convertCodec(manager.codec_type(), place);
  if (manager.has_route_config()) {
    spec.routes = convertRouteConfig(manager.route_config(), place.field("route_config"), conversion);
  }
  if (manager.has_rds()) spec.rds = convertRds(manager.rds(), place.field("rds"));
  spec.filters = convertHttpFilters(manager, place, conversion);
  checkFilterOverrides(spec, place.field("route_config"));
  convertHeaders(manager, place, spec);
  convertPathRules(manager, place, spec);
  convertCommon(manager, place, spec);
  convertHttp1(manager, place, spec);
  if (manager.has_http2_protocol_options()) {
    spec.http2 = convertHttp2(manager.http2_protocol_options(), place.field("http2_protocol_options"), spec.http2);
  }
  convertTimes(manager, place, spec);
  for (const auto& upgrade : manager.upgrade_configs()) {
    spec.upgrades.push_back({upgrade.upgrade_type(), !upgrade.has_enabled() || upgrade.enabled().value()});
  }
  convertLogging(manager, place, conversion, spec);
  spec.local_replies = convertLocalReplies(manager, place.field("local_reply_config"), conversion);
  return spec;
}

const SupportTables& httpManagerSupport() {
  static constexpr std::string_view kNoTracing = "there is no tracing to describe";
  static const SupportTables kTables{
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
       {{"codec_type"},
        {"stat_prefix"},
        {"route_config"},
        {"rds"},
        {"http_filters"},
        {"common_http_protocol_options"},
        {"http_protocol_options"},
        {"server_name"},
        {"server_header_transformation"},
        {"scheme_header_transformation"},
        {"max_request_headers_kb"},
        {"stream_idle_timeout"},
        {"request_timeout"},
        {"request_headers_timeout"},
        {"drain_timeout"},
        {"delayed_close_timeout"},
        {"use_remote_address"},
        {"xff_num_trusted_hops"},
        {"skip_xff_append"},
        {"forward_client_cert_details"},
        {"set_current_client_cert_details"},
        {"via"},
        {"generate_request_id"},
        {"preserve_external_request_id"},
        {"always_set_request_id_in_response"},
        {"proxy_100_continue"},
        {"normalize_path"},
        {"merge_slashes"},
        {"path_with_escaped_slashes_action"},
        {"strip_matching_host_port"},
        {"strip_any_host_port"},
        {"strip_trailing_host_dot"},
        {"append_x_forwarded_port"},
        {"stream_error_on_invalid_http_message"},
        {"access_log"},
        {"access_log_options"},
        {"local_reply_config"},
        refused("scoped_routes", "xDS comes later; write the routes in route_config"),
        refused("tracing", "tracing comes later"),
        {"upgrade_configs"},
        {"http2_protocol_options"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails",
       {{"subject"}, {"cert"}, {"chain"}, {"dns"}, {"uri"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.HcmAccessLogOptions",
       {{"access_log_flush_interval"},
        {"flush_access_log_on_new_request"},
        {"flush_log_on_tunnel_successfully_established"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig", {{"mappers"}, {"body_format"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.ResponseMapper",
       {{"filter"}, {"status_code"}, {"body"}, {"body_format_override"}, {"headers_to_add"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.Rds", {{"config_source"}, {"route_config_name"}}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
       {{"name"},
        {"typed_config"},
        {"disabled"},
        noEffect("is_optional", "a filter that weir does not have is refused all the same"),
        refused("config_discovery", "xDS comes later")}},
      {"envoy.extensions.filters.http.router.v3.Router",
       {{"suppress_envoy_headers"},
        noEffect("start_child_span", kNoTracing),
        refused("upstream_log", "the router's own log comes later"),
        {"upstream_http_filters"}}},
      {"envoy.extensions.filters.http.set_metadata.v3.Config", {{"metadata_namespace"}, {"value"}, {"metadata"}}},
      {"envoy.extensions.filters.http.set_metadata.v3.Metadata",
       {{"metadata_namespace"},
        {"allow_overwrite"},
        {"value"},
        refused("typed_value", "nothing reads messages from dynamic metadata; write value")}},
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig",
       {{"upgrade_type"},
        {"enabled"},
        refused("filters", "the filters of the connection manager are those of its upgrades, too")}},
      {"envoy.config.core.v3.HttpProtocolOptions",
       {{"idle_timeout"},
        {"max_connection_duration"},
        {"max_stream_duration"},
        {"max_headers_count"},
        {"max_response_headers_kb"},
        {"max_requests_per_connection"},
        {"headers_with_underscores_action"}}},
      {"envoy.config.core.v3.Http1ProtocolOptions",
       {{"allow_absolute_url"},
        {"accept_http_10"},
        {"default_host_for_http_10"},
        {"enable_trailers"},
        {"header_key_format"},
        {"override_stream_error_on_invalid_http_message"}}},
      {"envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat",
       {{"proper_case_words"}, refused("stateful_formatter", "the case in which names came is not kept")}},
      {"envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords", {}},
      {"envoy.config.core.v3.SchemeHeaderTransformation", {{"scheme_to_overwrite"}}},
  };
  return kTables;
}

}  // namespace weir::config
