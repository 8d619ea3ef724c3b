// What Envoy 1.40 accepts beyond the plain form, and the legacy forms that only we accept.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kCode[] = "vm_config: {code: {local: {inline_string: code}}}";

const proxy_wasm::PluginSpec& plugin(const LoadOutcome& outcome) {
  return std::get<proxy_wasm::PluginSpec>(
      outcome.bootstrap->listeners.at(0).filter_chains.at(0).http->filters.at(0).filter);
}

LoadOutcome loadFilter(const std::string& filter) {
  Parts parts;
  parts.filters = filter;
  return loadParts(parts);
}

LoadOutcome loadCluster(const std::string& members, const std::string& type = "STATIC") {
  Parts parts;
  parts.cluster = members;
  parts.type = type;
  return loadParts(parts);
}

TEST(Accepted, TheConfigurationAllTestsStartFrom) {
  const LoadOutcome outcome = loadParts({});
  EXPECT_THAT(faults(outcome), IsEmpty());
  EXPECT_THAT(notices(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
}

TEST(Accepted, OneMappingWhereAListBelongs) {
  const LoadOutcome outcome = loadYaml(R"(
static_resources:
  listeners:
    name: main
    address: {socket_address: {address: 127.0.0.1, port_value: 10000}}
    filter_chains:
      filters:
        name: envoy.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config: {virtual_hosts: {name: all, domains: "*", routes: {match: {prefix: /}, direct_response: {status: 200}}}}
          http_filters: {name: r, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
)");
  EXPECT_THAT(faults(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->listeners[0].filter_chains[0].http->routes.virtual_hosts[0].domains[0], "*");
}

TEST(Accepted, EnumsInLowerCaseAndByNumber) {
  for (const char* type : {"strict_dns", "Strict_Dns", "1", "'1'"}) {
    const LoadOutcome outcome = loadCluster("lb_policy: round_robin", type);
    ASSERT_TRUE(outcome.bootstrap) << type;
    EXPECT_EQ(outcome.bootstrap->clusters[0].discovery, upstream::Discovery::StrictDns);
  }
}

TEST(Accepted, CamelCaseNames) {
  const LoadOutcome outcome = loadCluster("connectTimeout: 0.25s\n    perConnectionBufferLimitBytes: 1000");
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->clusters[0].connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(outcome.bootstrap->clusters[0].buffer_limit, 1000u);
}

TEST(Accepted, NumbersInStringsAndWithExponent) {
  for (const char* limit : {"1000", "'1000'", "1e3", "1000.0", "0x3e8", "{value: 1000}"}) {
    const LoadOutcome outcome = loadCluster(std::string("per_connection_buffer_limit_bytes: ") + limit);
    ASSERT_TRUE(outcome.bootstrap) << limit;
    EXPECT_EQ(outcome.bootstrap->clusters[0].buffer_limit, 1000u) << limit;
  }
}

TEST(Accepted, DurationsAsTextAndAsMapping) {
  const LoadOutcome outcome = loadCluster("connect_timeout: {seconds: 1, nanos: 5}");
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->clusters[0].connect_timeout, std::chrono::nanoseconds(1'000'000'005));
}

TEST(Accepted, NoConnectTimeoutMeansFiveSeconds) {
  EXPECT_EQ(loadParts({}).bootstrap->clusters[0].connect_timeout, std::chrono::seconds(5));
}

TEST(Accepted, ALoadAssignmentOfAnotherNameAndNoEndpoints) {
  Parts parts;
  parts.endpoint = "";
  const LoadOutcome outcome = loadParts(parts);
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_THAT(outcome.bootstrap->clusters[0].assignment.endpoints, IsEmpty());
}

TEST(Accepted, NullStandsForAbsent) {
  Parts parts;
  parts.manager = "via: ~\n          http_protocol_options:";
  parts.listener = "metadata: null";
  EXPECT_THAT(faults(parts), IsEmpty());
}

TEST(Accepted, AKeyWrittenTwiceWithANotice) {
  const LoadOutcome outcome = loadCluster("alt_stat_name: a\n    altStatName: b");
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->clusters[0].alt_stat_name, "b");
  EXPECT_THAT(notices(outcome),
              ElementsAre(": static_resources.clusters[0].alt_stat_name is written twice; the last one counts"));
}

TEST(Accepted, TypedStructInEverySpelling) {
  const std::string url = "envoy.extensions.filters.http.wasm.v3.Wasm";
  const std::string value = "value: {config: {name: p, root_id: r, " + std::string(kCode) + "}}";
  const std::string camel = "value: {config: {name: p, rootId: r, vmConfig: {code: {local: {inlineString: code}}}}}";
  for (const std::string& rest : {"type_url: type.googleapis.com/" + url + ", " + value,
                                  "type_url: " + url + ", " + value, "typeUrl: " + url + ", " + camel}) {
    for (const char* type : {"udpa.type.v1.TypedStruct", "type.googleapis.com/xds.type.v3.TypedStruct"}) {
      const LoadOutcome outcome =
          loadFilter("{name: w, typed_config: {'@type': " + std::string(type) + ", " + rest + "}},");
      ASSERT_TRUE(outcome.bootstrap) << rest;
      EXPECT_EQ(plugin(outcome).name, "p");
      EXPECT_EQ(plugin(outcome).root_id, "r");
      EXPECT_EQ(plugin(outcome).vm.code.bytes, "code");
    }
  }
}

TEST(Accepted, ConfigurationAsStringBytesAndStruct) {
  const auto configuration = [](const std::string& any) {
    const LoadOutcome outcome = loadFilter(wasmFilter("configuration: " + any + ", " + kCode));
    return outcome.bootstrap ? plugin(outcome).configuration : faults(outcome).at(0);
  };
  EXPECT_EQ(configuration("{'@type': type.googleapis.com/google.protobuf.StringValue, value: 'a b'}"), "a b");
  EXPECT_EQ(configuration("{'@type': google.protobuf.BytesValue, value: aGVsbG8=}"), "hello");
  // 0.5 is a string in YAML as Envoy reads it.
  EXPECT_EQ(configuration("{'@type': google.protobuf.Struct, value: {a: 1, b: [true, x], c: 0.5}}"),
            R"({"a":1,"b":[true,"x"],"c":"0.5"})");
}

TEST(Accepted, AdminAccessLogPathWithItsReason) {
  Parts parts;
  parts.rest = "admin: {access_log_path: /dev/null, address: {socket_address: {address: 127.0.0.1, port_value: 1}}}";
  const LoadOutcome outcome = loadParts(parts);
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_EQ(outcome.bootstrap->admin.address->toString(), "127.0.0.1:1");
  EXPECT_THAT(notices(outcome), Contains("admin.access_log_path: accepted, without effect: requests to the admin "
                                         "endpoint are not logged"));
}

TEST(Legacy, ARouterWithoutTypedConfig) {
  for (const char* router : {"envoy.router", "envoy.filters.http.router", "envoy.filters.http.router, typed_config: {}",
                             "envoy.filters.http.router, typedConfig: "}) {
    Parts parts;
    parts.router = std::string("{name: ") + router + "}";
    const LoadOutcome outcome = loadParts(parts);
    ASSERT_TRUE(outcome.bootstrap) << faults(outcome).at(0);
    ASSERT_EQ(outcome.notices.size(), 1u);
    EXPECT_THAT(outcome.notices[0].message, HasSubstr("legacy form: a router without typed_config; write "));
    EXPECT_EQ(outcome.notices[0].path, std::string(kManager) + ".http_filters[0]");
  }
}

TEST(Legacy, TheFormOfVersionTwo) {
  const LoadOutcome outcome = loadYaml(R"(
static_resources:
  listeners:
  - address: {socket_address: {address: 0.0.0.0, port_value: 80}}
    filter_chains:
    - filters:
      - name: envoy.http_connection_manager
        config:
          stat_prefix: in
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: web}}]}]}
          http_filters:
          - name: envoy.filters.http.wasm
            config:
              config:
                root_id: r
                configuration: "text"
                vm_config: {configuration: vm, runtime: envoy.wasm.runtime.v8, code: {local: {inline_string: code}}}
          - name: envoy.router
            config: {}
  clusters:
  - name: web
    type: static
    hosts: [{socket_address: {address: 127.0.0.1, port_value: 8080}}, {socket_address: {address: 127.0.0.2, port_value: 1}}]
)");
  ASSERT_TRUE(outcome.bootstrap) << faults(outcome).at(0);
  EXPECT_EQ(plugin(outcome).configuration, "text");
  EXPECT_EQ(plugin(outcome).vm.configuration, "vm");
  ASSERT_EQ(outcome.bootstrap->clusters[0].assignment.endpoints.size(), 2u);
  EXPECT_EQ(outcome.bootstrap->clusters[0].assignment.endpoints[1].host, "127.0.0.2");
  // Manager, plugin, two configurations, router, hosts: one notice each.
  EXPECT_EQ(outcome.notices.size(), 6u);
  for (const Notice& notice : outcome.notices) EXPECT_THAT(notice.message, HasSubstr("legacy form: "));
  EXPECT_EQ(outcome.notices.back().line, 23u);
}

TEST(Legacy, TypeUrlsOfVersionTwo) {
  const LoadOutcome outcome = loadFilter(
      "{name: w, typed_config: {'@type': type.googleapis.com/udpa.type.v1.TypedStruct, type_url: "
      "type.googleapis.com/envoy.config.filter.http.wasm.v2.Wasm, value: {config: {" +
      std::string(kCode) + "}}}},");
  ASSERT_TRUE(outcome.bootstrap);
  EXPECT_THAT(notices(outcome),
              ElementsAre(HasSubstr("legacy form: the v2 type envoy.config.filter.http.wasm.v2.Wasm")));
}

}  // namespace
}  // namespace weir::config
