// An HTTP connection manager as configuration gives it: plain data, after
// envoy.extensions.filters.network.http_connection_manager.v3.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "access_log/spec.h"
#include "base/clock.h"
#include "base/file_source.h"
#include "filter/set_metadata_spec.h"
#include "http2/settings.h"
#include "proxy_wasm/spec.h"
#include "route/spec.h"
#include "upstream/spec.h"

namespace weir::exchange {

struct RouterFilterSpec {
  bool suppress_envoy_headers = false;
  std::shared_ptr<const upstream::HttpFilters> upstream_filters = nullptr;  // Null: none.
};

// One entry of http_filters; the last one is the router.
struct HttpFilterSpec {
  std::string name;
  bool disabled = false;
  std::variant<proxy_wasm::PluginSpec, RouterFilterSpec, filter::SetMetadataSpec> filter;
  std::string path;  // Where it stands in the configuration, for messages.
};

// A Wasm filter's settings for some routes: a plugin in the place of the filter's own.
struct PluginSettings final : route::FilterSettings {
  proxy_wasm::PluginSpec plugin;
  std::string path;  // Where it stands in the configuration, for messages.
};

// HttpProtocolOptions.http_filters of a cluster, or the router's upstream_http_filters: plugins, in order, without the
// upstream_codec at the end.
struct UpstreamFilterSpecs final : upstream::HttpFilters {
  bool empty() const override { return filters.empty(); }
  std::vector<HttpFilterSpec> filters;
};

// forward_client_cert_details and set_current_client_cert_details.
struct ClientCertificateSpec {
  enum class Forward : uint8_t { Sanitize, ForwardOnly, AppendForward, SanitizeSet, AlwaysForwardOnly };
  Forward forward = Forward::Sanitize;
  bool subject = false;
  bool cert = false;
  bool chain = false;
  bool uri = false;
  bool dns = false;
};

// One mapper of local_reply_config: what it changes of the replies that its filter lets pass.
struct LocalReplyMapper {
  access_log::FilterSpec filter;
  std::optional<int> status;
  std::optional<std::string> body;
  std::optional<format::FormatSpec> body_format;
  std::vector<route::HeaderValueOption> headers_to_add;
};

struct LocalReplySpec {
  std::vector<LocalReplyMapper> mappers;  // The first that fits counts.
  std::optional<format::FormatSpec> body_format;
  bool empty() const { return mappers.empty() && !body_format; }
};

// A route configuration that comes by itself (RDS).
struct RouteSourceSpec {
  std::string name;
  base::FileSource source;
};

struct HttpManagerSpec {
  enum class ServerHeader : uint8_t { Overwrite, AppendIfAbsent, PassThrough };
  enum class EscapedSlashes : uint8_t { Keep, Reject, UnescapeAndRedirect, UnescapeAndForward };
  enum class Underscores : uint8_t { Allow, Reject, Drop };
  enum class Codec : uint8_t { Auto, Http1, Http2 };

  std::string stat_prefix;
  Codec codec = Codec::Auto;
  route::RouteConfig routes;
  std::optional<RouteSourceSpec> rds;  // In the place of routes.
  std::vector<HttpFilterSpec> filters;

  std::string server_name = "envoy";
  ServerHeader server_header = ServerHeader::Overwrite;
  bool use_remote_address = false;
  uint32_t xff_num_trusted_hops = 0;
  bool skip_xff_append = false;
  ClientCertificateSpec client_certificate;
  std::string via;
  bool generate_request_id = true;
  bool preserve_external_request_id = false;
  bool always_set_request_id_in_response = false;
  bool normalize_path = false;
  bool merge_slashes = false;
  EscapedSlashes escaped_slashes = EscapedSlashes::Keep;
  bool strip_matching_host_port = false;
  bool strip_any_host_port = false;
  bool strip_trailing_host_dot = false;
  Underscores underscores = Underscores::Allow;  // In names of request headers.
  bool append_x_forwarded_port = false;
  bool proper_case = false;  // Names of response headers towards HTTP/1 clients: "Content-Type".
  std::string scheme_to_overwrite;
  bool accept_http_10 = false;
  std::string default_host_for_http_10;
  bool enable_trailers = false;  // http_protocol_options.enable_trailers
  bool allow_absolute_url = true;
  bool proxy_100_continue = false;
  http2::Settings http2;  // Its header limits are those below.
  std::vector<route::Upgrade> upgrades;

  std::vector<access_log::LogSpec> access_logs;
  access_log::LogOptions access_log_options;
  LocalReplySpec local_replies;

  uint32_t max_request_headers_kb = 60;
  uint32_t max_headers_count = 100;
  std::optional<uint64_t> max_requests_per_connection;
  std::optional<base::Duration> idle_timeout = std::chrono::hours(1);  // Connection without a stream.
  std::optional<base::Duration> stream_idle_timeout = std::chrono::minutes(5);
  // Where Envoy has no limit weir has one: nobody may hold a connection by sending a request for ever.
  std::optional<base::Duration> request_timeout = std::chrono::hours(1);  // Not for gRPC and tunnels by default.
  bool request_timeout_configured = false;
  std::optional<base::Duration> request_headers_timeout = std::chrono::seconds(60);
  std::optional<base::Duration> max_stream_duration;
  std::optional<base::Duration> max_connection_duration;
  base::Duration drain_timeout = std::chrono::seconds(5);
  base::Duration delayed_close_timeout = std::chrono::seconds(1);
};

}  // namespace weir::exchange
