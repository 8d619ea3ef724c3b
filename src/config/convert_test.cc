// Fields that arrive in the specs.
#include <envoy/config/core/v3/base.pb.h>
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Bootstrap loaded(const Parts& parts) {
  const LoadOutcome outcome = loadParts(parts);
  if (!outcome.bootstrap) ADD_FAILURE() << faults(outcome).at(0);
  return outcome.bootstrap.value_or(Bootstrap{});
}
exchange::HttpManagerSpec managerOf(const std::string& members) {
  Parts parts;
  parts.manager = members;
  return loaded(parts).listeners.at(0).filter_chains.at(0).http.value();
}
std::vector<route::Route> routesOf(const std::string& routes) {
  Parts parts;
  parts.routes = routes;
  return loaded(parts).listeners.at(0).filter_chains.at(0).http->routes.virtual_hosts.at(0).routes;
}
upstream::ClusterSpec clusterOf(const std::string& members, const std::string& type = "STATIC") {
  Parts parts;
  parts.cluster = members;
  parts.type = type;
  return loaded(parts).clusters.at(0);
}

TEST(Manager, ZeroSwitchesATimeoutOffAndAbsentLeavesTheDefault) {
  const auto defaults = managerOf("");
  EXPECT_EQ(defaults.stream_idle_timeout, std::chrono::minutes(5));
  EXPECT_EQ(defaults.request_timeout, std::chrono::hours(1));
  const auto set = managerOf(
      "stream_idle_timeout: 0s\n          request_timeout: 3s\n          common_http_protocol_options: {idle_timeout: "
      "0s, "
      "max_headers_count: 7}");
  EXPECT_FALSE(set.stream_idle_timeout);
  EXPECT_FALSE(set.idle_timeout);
  EXPECT_EQ(set.request_timeout, std::chrono::seconds(3));
  EXPECT_EQ(set.max_headers_count, 7u);
}

TEST(Manager, Http2OptionsAndTheirDefaults) {
  const auto defaults = managerOf("");
  EXPECT_EQ(defaults.codec, exchange::HttpManagerSpec::Codec::Auto);
  EXPECT_EQ(defaults.http2.max_concurrent_streams, 100u);
  EXPECT_TRUE(defaults.http2.stream_error_on_invalid_message);
  EXPECT_FALSE(defaults.http2.allow_metadata);
  EXPECT_EQ(defaults.http2.max_metadata_size, 1024u * 1024);
  const auto spec = managerOf(
      "codec_type: HTTP2\n          http2_protocol_options: {max_concurrent_streams: 7, initial_stream_window_size: "
      "65535, initial_connection_window_size: 65536, hpack_table_size: 0, allow_connect: true, max_outbound_frames: 5, "
      "allow_metadata: true, max_metadata_size: 9, "
      "override_stream_error_on_invalid_http_message: false}");
  EXPECT_EQ(spec.codec, exchange::HttpManagerSpec::Codec::Http2);
  EXPECT_EQ(spec.http2.max_concurrent_streams, 7u);
  EXPECT_EQ(spec.http2.stream_window, 65535u);
  EXPECT_EQ(spec.http2.connection_window, 65536u);
  EXPECT_EQ(spec.http2.hpack_table_size, 0u);
  EXPECT_TRUE(spec.http2.allow_connect);
  EXPECT_TRUE(spec.http2.allow_metadata);
  EXPECT_EQ(spec.http2.max_metadata_size, 9u);
  EXPECT_EQ(spec.http2.max_outbound_frames, 5u);
  EXPECT_FALSE(spec.http2.stream_error_on_invalid_message);
}

TEST(Manager, HeadersAndPaths) {
  const auto spec = managerOf(
      "server_name: x\n          server_header_transformation: pass_through\n          use_remote_address: true\n      "
      "    "
      "xff_num_trusted_hops: 2\n          generate_request_id: false\n          normalize_path: true\n          "
      "path_with_escaped_slashes_action: REJECT_REQUEST\n          scheme_header_transformation: {scheme_to_overwrite: "
      "https}\n          http_protocol_options: {accept_http_10: true, allow_absolute_url: false}");
  EXPECT_EQ(spec.server_name, "x");
  EXPECT_EQ(spec.server_header, exchange::HttpManagerSpec::ServerHeader::PassThrough);
  EXPECT_TRUE(spec.use_remote_address);
  EXPECT_EQ(spec.xff_num_trusted_hops, 2u);
  EXPECT_FALSE(spec.generate_request_id);
  EXPECT_TRUE(spec.normalize_path);
  EXPECT_EQ(spec.escaped_slashes, exchange::HttpManagerSpec::EscapedSlashes::Reject);
  EXPECT_EQ(spec.scheme_to_overwrite, "https");
  EXPECT_TRUE(spec.accept_http_10);
  EXPECT_FALSE(spec.allow_absolute_url);
}

TEST(Route, EveryKindOfMatch) {
  const auto routes = routesOf(R"([
    {match: {path: /a, case_sensitive: false, headers: [{name: h, exact_match: v}, {name: i, present_match: false},
      {name: j, range_match: {start: 1, end: 5}}, {name: k, string_match: {contains: c, ignore_case: true}, invert_match: true}, {name: l}],
      query_parameters: [{name: q}, {name: r, string_match: {safe_regex: {regex: "x.*"}}}]}, non_forwarding_action: {}},
    {match: {safe_regex: {google_re2: {}, regex: "/b.*"}, grpc: {}}, non_forwarding_action: {}},
    {match: {path_separated_prefix: /c, runtime_fraction: {default_value: {numerator: 25}, runtime_key: k}}, non_forwarding_action: {}},
    {match: {connect_matcher: {}}, non_forwarding_action: {}},
    {match: {prefix: ""}, non_forwarding_action: {}}])");
  using Path = route::PathMatch::Kind;
  using Header = route::HeaderMatch::Kind;
  ASSERT_EQ(routes.size(), 5u);
  EXPECT_EQ(routes[0].path.kind, Path::Path);
  EXPECT_FALSE(routes[0].path.case_sensitive);
  EXPECT_EQ(routes[0].headers[0].string.text, "v");
  EXPECT_EQ(routes[0].headers[1].kind, Header::Present);
  EXPECT_TRUE(routes[0].headers[1].invert);
  EXPECT_EQ(routes[0].headers[2].range_end, 5);
  EXPECT_EQ(routes[0].headers[3].string.kind, route::StringMatch::Kind::Contains);
  EXPECT_TRUE(routes[0].headers[3].string.ignore_case);
  EXPECT_TRUE(routes[0].headers[3].invert);
  EXPECT_EQ(routes[0].headers[4].kind, Header::Present);
  EXPECT_TRUE(routes[0].query[0].present_only);
  EXPECT_EQ(routes[0].query[1].string.kind, route::StringMatch::Kind::Regex);
  EXPECT_EQ(routes[1].path.kind, Path::Regex);
  EXPECT_TRUE(routes[1].grpc_only);
  EXPECT_EQ(routes[2].path.kind, Path::PathSeparatedPrefix);
  EXPECT_EQ(routes[2].runtime_fraction, 0.25);
  EXPECT_EQ(routes[3].path.kind, Path::Connect);
  EXPECT_EQ(routes[4].path.kind, Path::Prefix);
  EXPECT_FALSE(routes[4].forward || routes[4].redirect || routes[4].direct);
}

TEST(Route, Forwarding) {
  const auto routes = routesOf(R"([
    {match: {prefix: /a}, route: {cluster: web, prefix_rewrite: /b, host_rewrite_literal: h, timeout: 0s, idle_timeout: 1s},
     request_headers_to_add: [{header: {key: x-a, value: b}, append: false}], response_headers_to_remove: [server]},
    {match: {prefix: /b}, route: {weighted_clusters: {clusters: [{name: web, weight: 3}]}, cluster_not_found_response_code: NOT_FOUND}},
    {match: {prefix: /c}, route: {cluster_header: x-cluster, auto_host_rewrite: true, regex_rewrite: {pattern: {regex: '^/c(.*)'}, substitution: '\1'
}
}
}])");
  const auto& forward = *routes[0].forward;
  EXPECT_EQ(forward.cluster, "web");
  EXPECT_EQ(forward.prefix_rewrite, "/b");
  EXPECT_EQ(forward.host_rewrite, "h");
  EXPECT_EQ(forward.timeout, base::Duration::zero());
  EXPECT_EQ(forward.idle_timeout, std::chrono::seconds(1));
  ASSERT_EQ(routes[0].header_mutations.request_add.size(), 1u);
  EXPECT_EQ(routes[0].header_mutations.request_add[0].action, route::HeaderValueOption::Action::OverwriteIfExistsOrAdd);
  EXPECT_THAT(routes[0].header_mutations.response_remove, ElementsAre("server"));
  EXPECT_EQ(routes[1].forward->weighted.at(0).weight, 3u);
  EXPECT_EQ(routes[1].forward->cluster_not_found_status, 404);
  EXPECT_FALSE(routes[1].forward->timeout);
  EXPECT_EQ(routes[2].forward->cluster_header, "x-cluster");
  EXPECT_TRUE(routes[2].forward->auto_host_rewrite);
  EXPECT_EQ(routes[2].forward->regex_rewrite->substitution, "\\1");
}

TEST(Route, RedirectsAndDirectResponses) {
  const auto routes = routesOf(R"([
    {match: {prefix: /a}, redirect: {https_redirect: true, host_redirect: h, port_redirect: 8443, path_redirect: /x, response_code: PERMANENT_REDIRECT, strip_query: true}},
    {match: {prefix: /b}, direct_response: {status: 418, body: {inline_string: tea}}}])");
  EXPECT_TRUE(routes[0].redirect->https);
  EXPECT_EQ(routes[0].redirect->port, 8443u);
  EXPECT_EQ(routes[0].redirect->status, 308);
  EXPECT_TRUE(routes[0].redirect->strip_query);
  EXPECT_EQ(routes[1].direct->status, 418);
  EXPECT_EQ(routes[1].direct->body, "tea");
}

TEST(Route, MetadataIsKeptSerialised) {
  const auto routes =
      routesOf("[{match: {prefix: /}, route: {cluster: web}, metadata: {filter_metadata: {ns: {auth: x}}}}]");
  envoy::config::core::v3::Metadata metadata;
  ASSERT_TRUE(metadata.ParseFromString(routes[0].metadata));
  EXPECT_EQ(metadata.filter_metadata().at("ns").fields().at("auth").string_value(), "x");
}

TEST(Route, RefusesWhatDecidesTheRouteInHeaderMutations) {
  Parts parts;
  parts.routes =
      "[{match: {prefix: /}, route: {cluster: web}, request_headers_to_add: [{header: {key: ':path', value: x}}], "
      "request_headers_to_remove: [Host]}]";
  EXPECT_THAT(faults(parts), ElementsAre(HasSubstr(":-prefixed or host headers may not be modified"),
                                         HasSubstr(":-prefixed or host headers may not be removed")));
}

TEST(Route, ADirectResponseBodyIsBounded) {
  Parts parts;
  parts.routes =
      "[{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: '" + std::string(4097, 'x') + "'}}}]";
  EXPECT_THAT(faults(parts),
              ElementsAre(HasSubstr("body: is 4097 bytes long; max_direct_response_body_size_bytes allows "
                                    "4096")));
  parts.routes += "\n            max_direct_response_body_size_bytes: 5000";
  EXPECT_THAT(faults(parts), IsEmpty());
}

TEST(Cluster, HttpOptionsInBothPlaces) {
  const auto old = clusterOf(
      "common_http_protocol_options: {idle_timeout: 0s}\n    max_requests_per_connection: 5\n    "
      "http_protocol_options: {enable_trailers: true}");
  EXPECT_TRUE(old.enable_trailers);
  EXPECT_FALSE(old.idle_timeout);
  EXPECT_EQ(old.max_requests_per_connection, 5u);
  const auto modern = clusterOf(
      "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {'@type': "
      "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: "
      "{http_protocol_options: {}}, common_http_protocol_options: {max_requests_per_connection: 9, "
      "max_response_headers_kb: 70}}}");
  EXPECT_EQ(modern.max_requests_per_connection, 9u);
  EXPECT_EQ(modern.max_response_headers_kb, 70u);

  const auto spoken = [](const std::string& options) {
    return clusterOf(
        "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {'@type': "
        "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, " +
        options + "}}");
  };
  using upstream::HttpProtocol;
  EXPECT_EQ(clusterOf("").protocol, HttpProtocol::Http1);
  EXPECT_EQ(clusterOf("http2_protocol_options: {}").protocol, HttpProtocol::Http2);
  const auto http2 =
      spoken("explicit_http_config: {http2_protocol_options: {max_concurrent_streams: 5, allow_metadata: true}}");
  EXPECT_EQ(http2.protocol, HttpProtocol::Http2);
  EXPECT_EQ(http2.http2.max_concurrent_streams, 5u);
  EXPECT_TRUE(http2.http2.allow_metadata);
  EXPECT_EQ(http2.http2.connection_window, 16u * 1024 * 1024);
  EXPECT_EQ(spoken("use_downstream_protocol_config: {}").protocol, HttpProtocol::Http1);
  EXPECT_EQ(spoken("use_downstream_protocol_config: {http2_protocol_options: {}}").protocol,
            HttpProtocol::AsDownstream);
}

TEST(Cluster, BreakersOfTheDefaultPriority) {
  const auto spec = clusterOf(
      "circuit_breakers: {thresholds: [{max_connections: 1, max_pending_requests: 2, max_requests: 3}, {priority: "
      "HIGH, "
      "max_connections: 9}]}");
  EXPECT_EQ(spec.breakers.max_connections, 1u);
  EXPECT_EQ(spec.breakers.max_pending_requests, 2u);
  EXPECT_EQ(spec.breakers.max_requests, 3u);
}

TEST(Cluster, EndpointsWithWeightNameMetadataAndPipe) {
  Parts parts;
  parts.endpoint =
      "{endpoint: {hostname: web.internal, address: {socket_address: {address: '::1', port_value: 1}}}, "
      "load_balancing_weight: 4, "
      "metadata: {filter_metadata: {a: {b: c}}}}, {endpoint: {address: {pipe: {path: /run/x}}}}";
  parts.cluster = "dns_lookup_family: v4_only\n    dns_refresh_rate: 7s";
  const auto spec = loaded(parts).clusters.at(0);
  ASSERT_EQ(spec.assignment.endpoints.size(), 2u);
  EXPECT_EQ(spec.assignment.endpoints[0].host, "::1");
  EXPECT_EQ(spec.assignment.endpoints[0].hostname, "web.internal");
  EXPECT_EQ(spec.assignment.endpoints[0].weight, 4u);
  EXPECT_FALSE(spec.assignment.endpoints[0].metadata.empty());
  EXPECT_EQ(spec.assignment.endpoints[1].unix_path, "/run/x");
  EXPECT_EQ(spec.dns_family, upstream::DnsFamily::V4Only);
  EXPECT_EQ(spec.dns_refresh, std::chrono::seconds(7));
}

TEST(Listener, ItsOwnFields) {
  Parts parts;
  parts.listener =
      "per_connection_buffer_limit_bytes: 32768\n    tcp_backlog_size: 5\n    traffic_direction: outbound\n    "
      "stat_prefix: s\n    metadata: {filter_metadata: {a: {b: c}}}";
  const ListenerSpec spec = loaded(parts).listeners.at(0);
  EXPECT_EQ(spec.name, "main");
  EXPECT_EQ(spec.address.toString(), "127.0.0.1:10000");
  EXPECT_EQ(spec.buffer_limit, 32768u);
  EXPECT_EQ(spec.backlog, 5u);
  EXPECT_EQ(spec.direction, 2);
  EXPECT_EQ(spec.stat_prefix, "s");
  EXPECT_FALSE(spec.metadata.empty());
}

TEST(Bootstrap, StatsTags) {
  Parts parts;
  parts.rest =
      "stats_config: {use_all_default_tags: false, stats_tags: [{tag_name: a, regex: '(x(y))'}, {tag_name: f, "
      "fixed_value: "
      "v}]}";
  const Bootstrap bootstrap = loaded(parts);
  EXPECT_FALSE(bootstrap.use_default_tags);
  EXPECT_EQ(bootstrap.tag_rules.at(0).regex, "(x(y))");
  EXPECT_EQ(bootstrap.fixed_tags.at(0).value, "v");
  parts.rest = "stats_config: {stats_tags: [{tag_name: a, regex: '('}, {tag_name: b, regex: x}]}";
  EXPECT_THAT(faults(parts),
              ElementsAre(HasSubstr("stats_tags[0].regex: invalid regular expression: missing )"),
                          HasSubstr("stats_tags[1].regex: needs a group in parentheses: the tag's value")));
}

// ---- Access logs and formats

constexpr char kFile[] =
    "'@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /log";

TEST(AccessLog, FilesAndStreams) {
  const auto spec =
      managerOf(std::string("access_log: [{typed_config: {") + kFile +
                "}}, {typed_config: {'@type': "
                "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog, log_format: "
                "{json_format: {a: 1, b: ['%PROTOCOL%', null]}, omit_empty_values: true}}}]");
  ASSERT_EQ(spec.access_logs.size(), 2u);
  EXPECT_EQ(spec.access_logs[0].sink.path, "/log");
  EXPECT_EQ(spec.access_logs[0].format.text, format::kDefaultFormat);
  EXPECT_EQ(spec.access_logs[1].sink.kind, access_log::SinkSpec::Kind::Stdout);
  EXPECT_EQ(spec.access_logs[1].format.kind, format::FormatSpec::Kind::Json);
  EXPECT_TRUE(spec.access_logs[1].format.omit_empty);
}

TEST(AccessLog, Filters) {
  const auto spec = managerOf(
      std::string("access_log: [{typed_config: {") + kFile +
      "}, filter: {or_filter: {filters: [{status_code_filter: {comparison: {op: GE, value: {default_value: 500, "
      "runtime_key: k}}}}, {response_flag_filter: {flags: [NR, UF]}}, {log_type_filter: {types: [DownstreamStart], "
      "exclude: true}}, {grpc_status_filter: {statuses: [UNAVAILABLE]}}, {runtime_filter: {runtime_key: k, "
      "percent_sampled: {numerator: 5, denominator: TEN_THOUSAND}}}]}}}]");
  const access_log::FilterSpec& any = *spec.access_logs.at(0).filter;
  ASSERT_EQ(any.parts.size(), 5u);
  EXPECT_EQ(any.parts[0].comparison.op, access_log::Comparison::Op::AtLeast);
  EXPECT_EQ(any.parts[0].comparison.value, 500u);
  EXPECT_EQ(any.parts[1].flags, 1u << 8 | 1u << 5);
  EXPECT_EQ(any.parts[2].types.at(0), format::LogType::DownstreamStart);
  EXPECT_TRUE(any.parts[2].exclude);
  EXPECT_EQ(any.parts[3].grpc_statuses.at(0), 14);
  EXPECT_EQ(any.parts[4].numerator, 5u);
  EXPECT_EQ(any.parts[4].denominator, 10'000u);
}

TEST(AccessLog, Options) {
  const auto spec = managerOf(
      "access_log_options: {flush_access_log_on_new_request: true, access_log_flush_interval: 2s, "
      "flush_log_on_tunnel_successfully_established: true}");
  EXPECT_TRUE(spec.access_log_options.at_start && spec.access_log_options.at_tunnel);
  EXPECT_EQ(spec.access_log_options.interval, std::chrono::seconds(2));
}

TEST(LocalReplies, MappersAndTheirFormats) {
  const auto spec = managerOf(
      "local_reply_config: {mappers: [{filter: {response_flag_filter: {}}, status_code: 500, body: {inline_string: x}, "
      "body_format_override: {json_format: {a: '%LOCAL_REPLY_BODY%'}}, headers_to_add: [{header: {key: a, value: "
      "b}}]}], "
      "body_format: {text_format_source: {inline_string: '%RESPONSE_CODE%'}, content_type: text/html}}");
  ASSERT_EQ(spec.local_replies.mappers.size(), 1u);
  EXPECT_EQ(spec.local_replies.mappers[0].status, 500);
  EXPECT_EQ(spec.local_replies.mappers[0].body, "x");
  EXPECT_EQ(spec.local_replies.mappers[0].headers_to_add.at(0).name, "a");
  EXPECT_EQ(spec.local_replies.body_format->content_type, "text/html");
}

TEST(HttpManager, HeaderRules) {
  const auto spec = managerOf(
      "strip_trailing_host_dot: true\n          append_x_forwarded_port: true\n          common_http_protocol_options: "
      "{headers_with_underscores_action: DROP_HEADER}\n          http_protocol_options: {header_key_format: "
      "{proper_case_words: {}}}");
  EXPECT_TRUE(spec.strip_trailing_host_dot && spec.append_x_forwarded_port && spec.proper_case);
  EXPECT_EQ(spec.underscores, exchange::HttpManagerSpec::Underscores::Drop);
}

}  // namespace
}  // namespace weir::config
