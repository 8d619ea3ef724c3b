// What is refused, and with which words.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string at(const std::string& path, const std::string& message) { return path + ": " + message; }
std::string cluster(const std::string& path, const std::string& message) {
  return at(std::string(kCluster) + "." + path, message);
}
std::string manager(const std::string& path, const std::string& message) {
  return at(std::string(kManager) + "." + path, message);
}

std::vector<std::string> clusterFaults(const std::string& members, const std::string& type = "STATIC") {
  Parts parts;
  parts.cluster = members;
  parts.type = type;
  return faults(parts);
}
std::vector<std::string> managerFaults(const std::string& members) {
  Parts parts;
  parts.manager = members;
  return faults(parts);
}
std::vector<std::string> routeFaults(const std::string& routes) {
  Parts parts;
  parts.routes = routes;
  return faults(parts);
}
std::vector<std::string> endpointFaults(const std::string& endpoint, const std::string& type = "STATIC") {
  Parts parts;
  parts.endpoint = endpoint;
  parts.type = type;
  return faults(parts);
}

TEST(Fault, HasFileLineColumnPathAndExpectation) {
  const LoadOutcome outcome = loadYaml("static_resources:\n  clusters:\n  - name: [x]\n");
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_EQ(outcome.faults[0].text(),
            "--config-yaml:3:11: static_resources.clusters[0].name: expected a string, got a list");
  EXPECT_EQ(outcome.faults[0].kind, FaultKind::Type);
}

TEST(Fault, OfAMissingFieldStandsWhereItsMessageBegins) {
  const LoadOutcome outcome = loadYaml("static_resources:\n  clusters:\n  - alt_stat_name: x\n");
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_EQ(outcome.faults[0].text(),
            "--config-yaml:3:5: static_resources.clusters[0].name: is required and must not be empty");
}

TEST(Fault, InATypedStructHasThePathAsWritten) {
  Parts parts;
  parts.filters =
      "{name: w, typed_config: {'@type': udpa.type.v1.TypedStruct, type_url: "
      "envoy.extensions.filters.http.wasm.v3.Wasm, value: {config: {vm_confg: {}}}}},";
  EXPECT_THAT(faults(parts),
              Contains(manager("http_filters[0].typed_config.value.config.vm_confg",
                               "no such field in envoy.extensions.wasm.v3.PluginConfig; did you mean vm_config?")));
}

TEST(Fault, AllComeInOneGoInTheOrderOfTheText) {
  Parts parts;
  parts.manager = "stat_prefx: x\n          tracing: {}";
  parts.routes = R"([{match: {prefix: "/"}, route: {cluster: nowhere, timeout: 5}}])";
  parts.cluster = "connect_timeout: -1s\n    lb_policy: CLUSTER_PROVIDED";
  const LoadOutcome outcome = loadParts(parts);
  EXPECT_THAT(faults(outcome),
              ElementsAre(manager("stat_prefx",
                                  "no such field in envoy.extensions.filters.network.http_connection_manager.v3."
                                  "HttpConnectionManager; did you mean stat_prefix?"),
                          manager("tracing", "not implemented in weir: tracing comes later"),
                          manager("route_config.virtual_hosts[0].routes[0].route.timeout",
                                  "expected a duration in seconds such as \"0.25s\", got '5'"),
                          manager("route_config.virtual_hosts[0].routes[0].route.cluster", "unknown cluster 'nowhere'"),
                          cluster("connect_timeout", "must be greater than 0s"),
                          cluster("lb_policy",
                                  "lb_policy CLUSTER_PROVIDED is known to Envoy, but not implemented in weir yet")));
  EXPECT_FALSE(outcome.bootstrap);
}

TEST(Type, ScalarsAreNotMixedUp) {
  EXPECT_THAT(clusterFaults("alt_stat_name: 12"),
              ElementsAre(cluster("alt_stat_name", "expected a string (put it in quotes), got a number (12)")));
  // YAML 1.1: n is a boolean.
  EXPECT_THAT(clusterFaults("alt_stat_name: n"),
              ElementsAre(cluster("alt_stat_name", "expected a string (put it in quotes), got a boolean (false)")));
  EXPECT_THAT(clusterFaults("respect_dns_ttl: 1"),
              ElementsAre(cluster("respect_dns_ttl", "expected true or false, got a number (1)")));
  EXPECT_THAT(clusterFaults("per_connection_buffer_limit_bytes: -1"),
              ElementsAre(cluster("per_connection_buffer_limit_bytes",
                                  "expected an integer from 0 to 4294967295, got a number (-1)")));
  EXPECT_THAT(clusterFaults("per_connection_buffer_limit_bytes: 1.5"),
              ElementsAre(cluster("per_connection_buffer_limit_bytes",
                                  "expected an integer from 0 to 4294967295, got a string (1.5)")));
  EXPECT_THAT(clusterFaults("circuit_breakers: 5"),
              ElementsAre(cluster("circuit_breakers",
                                  "expected a mapping (envoy.config.cluster.v3.CircuitBreakers), got a number")));
}

TEST(Unknown, EnumValuesAreListed) {
  EXPECT_THAT(clusterFaults("", "STATC"),
              ElementsAre(cluster("type",
                                  "unknown value 'STATC'; expected one of STATIC, STRICT_DNS, LOGICAL_DNS, EDS, "
                                  "ORIGINAL_DST; did you mean STATIC?")));
}

TEST(Unknown, TypesGetAHint) {
  Parts parts;
  parts.filters = "{name: w, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasn}},";
  EXPECT_THAT(faults(parts),
              ElementsAre(manager("http_filters[0].typed_config",
                                  "unknown type 'envoy.extensions.filters.http.wasm.v3.Wasn'; did you mean "
                                  "envoy.extensions.filters.http.wasm.v3.Wasm?")));
  parts.filters = "{name: w, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}},";
  EXPECT_THAT(faults(parts),
              ElementsAre(manager("http_filters[0].typed_config",
                                  "the type envoy.extensions.filters.http.lua.v3.Lua is not implemented in weir")));
}

TEST(Unknown, FieldsAreTakenWithANoticeIfAskedTo) {
  LoadOptions options;
  Parts parts;
  parts.cluster = "nonsense: 5";
  options.config_yaml = bootstrap(parts);
  options.allow_unknown_static_fields = true;
  const LoadOutcome outcome = load(options);
  EXPECT_TRUE(outcome.bootstrap);
  EXPECT_THAT(notices(outcome), ElementsAre(cluster("nonsense",
                                                    "no such field in envoy.config.cluster.v3.Cluster "
                                                    "(ignored: --allow-unknown-static-fields)")));
}

TEST(Rule, TwoMembersOfAChoice) {
  EXPECT_THAT(clusterFaults("cluster_type: {name: x}"),
              ElementsAre(cluster("cluster_type", "only one of type and cluster_type may be set")));
}

TEST(Rule, RangesAndLengths) {
  EXPECT_THAT(managerFaults("max_request_headers_kb: 9000"),
              ElementsAre(manager("max_request_headers_kb", "must be greater than 0 and at most 8192, is 9000")));
  EXPECT_THAT(managerFaults("server_name: \"a\\nb\""), ElementsAre(manager("server_name", "must be a header value")));
  EXPECT_THAT(routeFaults("[{match: {prefix: /}, direct_response: {status: 99}}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].direct_response.status",
                                  "must be at least 200 and less than 600, is 99")));
  EXPECT_THAT(routeFaults("[{match: {}, route: {cluster: web}}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].match",
                                  "one of prefix, path, safe_regex, connect_matcher, path_separated_prefix, "
                                  "path_match_policy is required")));
  EXPECT_THAT(routeFaults("[{match: {path_separated_prefix: /a/}, route: {cluster: web}}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].match.path_separated_prefix",
                                  "must match ^[^?#]+[^?#/]$")));
  EXPECT_THAT(endpointFaults("{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 99999}}}}"),
              ElementsAre(HasSubstr("socket_address.port_value: must be at most 65535, is 99999")));
  EXPECT_THAT(managerFaults("scheme_header_transformation: {scheme_to_overwrite: ftp}"),
              ElementsAre(manager("scheme_header_transformation.scheme_to_overwrite", "must be one of http, https")));
}

TEST(Unsupported, FieldsAreRefusedByPath) {
  EXPECT_THAT(clusterFaults("http2_protocol_options: {custom_settings_parameters: [{identifier: 77, value: 1}]}"),
              ElementsAre(cluster("http2_protocol_options.custom_settings_parameters",
                                  "not implemented in weir: no other SETTINGS are sent")));
  EXPECT_THAT(
      clusterFaults("typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
                    "{'@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, "
                    "auto_config: {}}}"),
      ElementsAre(HasSubstr("auto_config chooses the protocol by ALPN, which needs TLS")));
  EXPECT_THAT(clusterFaults("preconnect_policy: {}"),
              ElementsAre(cluster("preconnect_policy",
                                  "preconnect_policy of envoy.config.cluster.v3.Cluster is known "
                                  "to Envoy, but not implemented in weir yet")));
  EXPECT_THAT(clusterFaults("transport_socket: {name: envoy.transport_sockets.tls}"),
              ElementsAre(cluster("transport_socket",
                                  "the transport socket envoy.transport_sockets.tls is known to "
                                  "Envoy, but not implemented in weir yet")));
  EXPECT_THAT(managerFaults("tracing: {}"),
              ElementsAre(manager("tracing", "not implemented in weir: tracing comes later")));
  EXPECT_THAT(clusterFaults("", "ORIGINAL_DST"),
              ElementsAre(cluster("type", "type ORIGINAL_DST is known to Envoy, but not implemented in weir yet")));
  EXPECT_THAT(
      managerFaults("codec_type: HTTP3"),
      ElementsAre(manager("codec_type", "codec_type HTTP3 is known to Envoy, but not implemented in weir yet")));
}

TEST(Unsupported, WholePartsOfTheBootstrap) {
  Parts parts;
  parts.rest =
      "dynamic_resources: {ads_config: {api_type: GRPC}}\nstats_config: "
      "{stats_matcher: {reject_all: true}}";
  EXPECT_THAT(
      faults(parts),
      ElementsAre("dynamic_resources.ads_config: not implemented in weir: configuration from a management server comes "
                  "later; give a file by path_config_source",
                  "stats_config.stats_matcher: stats_matcher of envoy.config.metrics.v3.StatsConfig is known to "
                  "Envoy, but not implemented in weir yet"));
}

TEST(Unsupported, PartsOfTheTcpProxy) {
  const LoadOutcome outcome = loadYaml(R"(
static_resources:
  listeners:
  - address: {socket_address: {address: 0.0.0.0, port_value: 80}}
    filter_chains:
    - filters:
      - {name: t, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: x, cluster: web, tunneling_config: {hostname: a}}}
)");
  EXPECT_THAT(
      faults(outcome),
      ElementsAre(manager("tunneling_config", "not implemented in weir: there are no tunnels over HTTP upstream")));
}

TEST(Conflict, RoutersPlace) {
  Parts parts;
  parts.router = "{name: envoy.router}, " + wasmFilter("vm_config: {code: {local: {inline_string: x}}}");
  EXPECT_THAT(
      faults(parts),
      ElementsAre(manager("http_filters[0]", "the router must be the last HTTP filter"),
                  manager("http_filters[1]", "the last HTTP filter must be the router (envoy.filters.http.router)")));
  parts.router = "";
  EXPECT_THAT(faults(parts),
              ElementsAre(manager("http_filters", "is required; its last filter is envoy.filters.http.router")));
}

TEST(Conflict, DuplicateNamesAddressesAndDomains) {
  const LoadOutcome outcome = loadYaml(R"(
static_resources:
  listeners:
  - &l
    name: main
    address: {socket_address: {address: 127.0.0.1, port_value: 10000}}
    filter_chains:
    - filters:
      - name: m
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config:
            virtual_hosts:
            - {name: a, domains: ["*", "Example.com"]}
            - {name: b, domains: ["example.com", "*"]}
          http_filters: [{name: envoy.router}]
  - *l
  clusters: [{name: c}, {name: c}]
)");
  const std::string hosts = std::string(kManager) + ".route_config.virtual_hosts[1].";
  EXPECT_THAT(
      faults(outcome),
      ::testing::IsSupersetOf(
          {at("static_resources.listeners[1].name", "duplicate listener 'main'"),
           at("static_resources.listeners[1].address", "127.0.0.1:10000 is already the address of listeners[0]"),
           at("static_resources.clusters[1].name", "duplicate cluster 'c'"),
           at(hosts + "domains[0]", "the domain 'example.com' is already that of the virtual host 'a'"),
           at(hosts + "domains[1]", "the domain '*' is already that of the virtual host 'a'")}));
}

TEST(Conflict, AHostNameInAStaticCluster) {
  const std::string name = "{endpoint: {address: {socket_address: {address: web, port_value: 80}}}}";
  EXPECT_THAT(
      endpointFaults(name),
      ElementsAre(HasSubstr("socket_address.address: a STATIC cluster needs an IP address, got 'web'; for a name "
                            "set type: STRICT_DNS or LOGICAL_DNS")));
  EXPECT_THAT(endpointFaults(name, "STRICT_DNS"), IsEmpty());
  EXPECT_THAT(endpointFaults(name + ", " + name, "LOGICAL_DNS"),
              ElementsAre(cluster("load_assignment", "a LOGICAL_DNS cluster needs exactly one endpoint, got 2")));
}

TEST(Conflict, UnknownClustersUnlessTheyAreNotValidated) {
  EXPECT_THAT(routeFaults("[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: web, weight: 1}, {name: "
                          "x, weight: 2}]}}}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].route.weighted_clusters.clusters[1].name",
                                  "unknown cluster 'x'")));
  Parts parts;
  parts.routes = "[{match: {prefix: /}, route: {cluster: x}}]\n            validate_clusters: false";
  EXPECT_THAT(faults(parts), IsEmpty());
}

TEST(Rule, RegularExpressions) {
  EXPECT_THAT(routeFaults("[{match: {safe_regex: {regex: '('}}, route: {cluster: web}}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].match.safe_regex.regex",
                                  "invalid regular expression: missing ): (")));
  EXPECT_THAT(routeFaults("[{match: {safe_regex: {regex: '((a{100}){100}){100}'}}, route: {cluster: web}}]"),
              ElementsAre(HasSubstr("safe_regex.regex: invalid regular expression: ")));
  EXPECT_THAT(
      routeFaults(
          R"([{match: {prefix: /}, route: {cluster: web, regex_rewrite: {pattern: {regex: a}, substitution: '\2'}}}])"),
      ElementsAre(HasSubstr("regex_rewrite.substitution: ")));
}

TEST(File, OfAPluginIsNotLookedAt) {
  Parts parts;
  parts.filters = wasmFilter("vm_config: {code: {local: {filename: nowhere.wasm}}}");
  EXPECT_THAT(faults(loadParts(parts)), ElementsAre());
}

TEST(File, AnEndlessFileIsNoBody) {
  EXPECT_THAT(routeFaults("[{match: {prefix: /}, direct_response: {status: 200, body: {filename: /dev/zero}}}]"),
              ElementsAre(HasSubstr("body.filename: cannot read '/dev/zero': no regular file")));
}

std::vector<std::string> logFaults(const std::string& members, const std::string& more = "") {
  return managerFaults(
      "access_log: [{name: x, typed_config: {'@type': "
      "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, " +
      members + "}" + more + "}]");
}

TEST(Refused, FormatsOfAccessLogs) {
  const std::string format = "access_log[0].typed_config.log_format.";
  EXPECT_THAT(logFaults("path: /x, log_format: {text_format_source: {inline_string: '%FOO%'}}"),
              ElementsAre(manager(format + "text_format_source", "there is no operator %FOO%")));
  EXPECT_THAT(logFaults("path: /x, log_format: {text_format: '%CEL(x)%'}"),
              ElementsAre(manager(format + "text_format",
                                  "%CEL% is known to Envoy, but not implemented in weir yet: there are no CEL "
                                  "expressions")));
  EXPECT_THAT(logFaults("path: /x, log_format: {json_format: {a: {b: ['%REQ%']}}}"),
              ElementsAre(manager(format + "json_format", "a: b: [0]: REQ requires parameters")));
  EXPECT_THAT(logFaults("path: ''"),
              ElementsAre(manager("access_log[0].typed_config.path", "is required and must not be empty")));
}

TEST(Refused, FiltersOfAccessLogsThatNeedWhatIsNotThere) {
  EXPECT_THAT(
      logFaults("path: /x", ", filter: {traceable_filter: {}}"),
      ElementsAre(manager("access_log[0].filter.traceable_filter", "not implemented in weir: tracing comes later")));
  EXPECT_THAT(logFaults("path: /x", ", filter: {response_flag_filter: {flags: [XX]}}").size(), 1u);
  EXPECT_THAT(logFaults("path: /x", ", filter: {and_filter: {filters: [{not_health_check_filter: {}}]}}").size(), 1u);
}

TEST(Refused, OperatorsInHeaderValuesThatThereAreNot) {
  EXPECT_THAT(routeFaults("[{match: {prefix: '/'}, route: {cluster: web}, request_headers_to_add: [{header: {key: x, "
                          "value: 'a%b'}}]}]"),
              ElementsAre(manager("route_config.virtual_hosts[0].routes[0].request_headers_to_add[0].header.value",
                                  "no operator begins at the '%' at position 1 of the format; a '%' itself is written "
                                  "'%%'")));
}

TEST(Refused, GoingOnAfterMalformedMessages) {
  EXPECT_THAT(managerFaults("stream_error_on_invalid_http_message: true").size(), 1u);
  EXPECT_THAT(managerFaults("stream_error_on_invalid_http_message: false"), IsEmpty());
}

}  // namespace
}  // namespace weir::config
