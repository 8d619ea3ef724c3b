// Listeners: several filter chains, what chooses among them, listener filters, limits.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// A listener with these members and filter chains.
std::string listenerOf(const std::string& members, const std::string& chains) {
  return fmt::format(R"(static_resources:
  listeners:
  - name: main
    address: {{socket_address: {{address: 127.0.0.1, port_value: 10000}}}}
    {}
    filter_chains: {}
  clusters:
  - {{name: web, type: STATIC}}
)",
                     members, chains);
}
std::string chain(const std::string& match) {
  return "{filter_chain_match: " + match +
         ", filters: [{name: h, typed_config: {'@type': "
         "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "
         "stat_prefix: in, route_config: {}, http_filters: [{name: envoy.router}]}}]}";
}
std::string filter(const std::string& type, const std::string& members) {
  return "{name: f, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener." + type + ", " +
         members + "}}";
}
ListenerSpec loaded(const std::string& yaml) {
  const LoadOutcome outcome = loadYaml(yaml);
  if (!outcome.bootstrap) ADD_FAILURE() << faults(outcome).at(0);
  return outcome.bootstrap ? outcome.bootstrap->listeners.at(0) : ListenerSpec{};
}
constexpr char kListener[] = "static_resources.listeners[0].";

TEST(ListenerConfig, HasChainsForEveryCriterionAndADefault) {
  const ListenerSpec spec = loaded(
      listenerOf("default_filter_chain: " + chain("{}"),
                 "[" +
                     chain("{destination_port: 443, prefix_ranges: [{address_prefix: 10.1.2.3, prefix_len: 8}], "
                           "server_names: [a.b, '*.c'], transport_protocol: tls, application_protocols: [h2], "
                           "source_type: EXTERNAL, direct_source_prefix_ranges: [{address_prefix: '::1', prefix_len: "
                           "128}], source_prefix_ranges: [{address_prefix: 1.2.3.4}], source_ports: [7, 8]}") +
                     ", " + chain("{}") + "]"));
  ASSERT_THAT(spec.filter_chains, SizeIs(2));
  const listener::ChainMatch& match = spec.filter_chains[0].match;
  EXPECT_EQ(match.destination_port, 443);
  EXPECT_EQ(match.destination_ranges.at(0).toString(), "10.0.0.0/8");
  EXPECT_THAT(match.server_names, ElementsAre("a.b", "*.c"));
  EXPECT_EQ(match.transport_protocol, "tls");
  EXPECT_THAT(match.application_protocols, ElementsAre("h2"));
  EXPECT_EQ(match.source, listener::ChainMatch::Source::External);
  EXPECT_EQ(match.direct_source_ranges.at(0).toString(), "::1/128");
  EXPECT_EQ(match.source_ranges.at(0).toString(), "0.0.0.0/0");
  EXPECT_THAT(match.source_ports, ElementsAre(7, 8));
  EXPECT_EQ(spec.filter_chains[1].match, listener::ChainMatch());
  EXPECT_TRUE(spec.default_filter_chain);
}

TEST(ListenerConfig, MayHaveADefaultChainAlone) {
  EXPECT_TRUE(loaded(listenerOf("default_filter_chain: " + chain("{}"), "[]")).default_filter_chain);
  EXPECT_THAT(faults(loadYaml(listenerOf("", "[]"))),
              ElementsAre(std::string(kListener) + "filter_chains: is required and must not be empty"));
}

TEST(ListenerConfig, RefusesChainsThatAConnectionCouldFitAlike) {
  EXPECT_THAT(faults(loadYaml(listenerOf("", "[" + chain("{}") + ", " + chain("{}") + "]"))),
              ElementsAre(std::string(kListener) + "filter_chains: two filter chains have the same matching rules"));
  EXPECT_THAT(faults(loadYaml(
                  listenerOf("", "[" + chain("{server_names: [a, b]}") + ", " + chain("{server_names: [b]}") + "]"))),
              ElementsAre(std::string(kListener) +
                          "filter_chains: multiple filter chains with overlapping matching rules are defined"));
}

TEST(ListenerConfig, RefusesBadCriteria) {
  const std::string at = std::string(kListener) + "filter_chains[0].filter_chain_match.";
  EXPECT_THAT(faults(loadYaml(listenerOf("", "[" + chain("{prefix_ranges: [{address_prefix: x}]}") + "]"))),
              ElementsAre(at + "prefix_ranges[0].address_prefix: expected an IP address, got 'x'"));
  EXPECT_THAT(
      faults(loadYaml(listenerOf("", "[" + chain("{server_names: ['a*']}") + "]"))),
      ElementsAre(std::string(kListener) + "filter_chains: partial wildcards are not supported in \"server_names\""));
  EXPECT_THAT(faults(loadYaml(listenerOf("", "[" + chain("{destination_port: 0}") + "]"))), SizeIs(1));
}

TEST(ListenerConfig, ReadsListenerFilters) {
  const ListenerSpec spec = loaded(
      listenerOf("listener_filters: [" +
                     filter("proxy_protocol.v3.ProxyProtocol",
                            "allow_requests_without_proxy_protocol: true, disallowed_versions: [V1], stat_prefix: p, "
                            "pass_through_tlvs: {match_type: INCLUDE, tlv_type: [2, 234]}, "
                            "rules: [{tlv_type: 2, on_tlv_present: {key: a}}, {tlv_type: 234, on_tlv_present: "
                            "{metadata_namespace: ns, key: b, value_string_encoding: BASE64}}]") +
                     ", " +
                     filter("tls_inspector.v3.TlsInspector",
                            "max_client_hello_size: 1000, close_connection_on_client_hello_parsing_errors: true") +
                     ", " + filter("http_inspector.v3.HttpInspector", "") +
                     "]\n    listener_filters_timeout: 3s\n    continue_on_listener_filters_timeout: true",
                 "[" + chain("{}") + "]"));
  ASSERT_THAT(spec.listener_filters, SizeIs(3));
  const auto& proxy = std::get<listener::ProxyProtocolSpec>(spec.listener_filters[0]);
  EXPECT_TRUE(proxy.optional);
  EXPECT_TRUE(proxy.refuse_v1);
  EXPECT_FALSE(proxy.refuse_v2);
  EXPECT_EQ(proxy.stat_prefix, "p");
  EXPECT_FALSE(proxy.keep_all_tlvs);
  EXPECT_THAT(proxy.keep_tlvs, ElementsAre(2, 234));
  ASSERT_THAT(proxy.rules, SizeIs(2));
  EXPECT_EQ(proxy.rules[0].name_space, "envoy.filters.listener.proxy_protocol");
  EXPECT_EQ(proxy.rules[0].key, "a");
  EXPECT_FALSE(proxy.rules[0].base64);
  EXPECT_EQ(proxy.rules[1].type, 234);
  EXPECT_EQ(proxy.rules[1].name_space, "ns");
  EXPECT_TRUE(proxy.rules[1].base64);
  const auto& inspector = std::get<listener::TlsInspectorSpec>(spec.listener_filters[1]);
  EXPECT_EQ(inspector.most_bytes, 1000u);
  EXPECT_TRUE(inspector.close_on_errors);
  EXPECT_TRUE(std::holds_alternative<listener::HttpInspectorSpec>(spec.listener_filters[2]));
  EXPECT_EQ(spec.listener_filters_timeout, std::chrono::seconds(3));
  EXPECT_TRUE(spec.continue_on_listener_filters_timeout);
}

TEST(ListenerConfig, RefusesWhatListenerFiltersCannotDo) {
  const std::string members =
      "listener_filters: [" + filter("proxy_protocol.v3.ProxyProtocol", "tlv_location: FILTER_STATE") +
      ", {name: x}, " + filter("tls_inspector.v3.TlsInspector", "enable_ja3_fingerprinting: true") + "]";
  const std::string at = std::string(kListener) + "listener_filters";
  EXPECT_THAT(faults(loadYaml(listenerOf(members, "[" + chain("{}") + "]"))),
              UnorderedElementsAre(
                  at + "[0].typed_config.tlv_location: another place for TLVs than DYNAMIC_METADATA is known to "
                       "Envoy, but not implemented in weir yet",
                  at + "[1].typed_config: is required: a mapping with \"@type\"",
                  at + "[2].typed_config.enable_ja3_fingerprinting: not implemented in weir: there are no fingerprints "
                       "of clients"));
}

constexpr char kLog[] =
    "access_log: [{typed_config: {'@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, "
    "path: /log}}]";

TEST(ListenerConfig, HasAnAccessLog) {
  const ListenerSpec spec = loaded(listenerOf(kLog, "[" + chain("{}") + "]"));
  EXPECT_EQ(spec.access_logs.at(0).sink.path, "/log");
}

tcp::ProxySpec proxyOf(const std::string& members) {
  const ListenerSpec spec =
      loaded(listenerOf("",
                        "[{filters: [{name: t, typed_config: {'@type': "
                        "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, "
                        "cluster: web, " +
                            members + "}}]}]"));
  return std::get<tcp::ProxySpec>(spec.filter_chains.at(0).network_filters.at(0));
}

TEST(TcpProxyConfig, SaysWhenItsLogIsWritten) {
  const tcp::ProxySpec spec =
      proxyOf(std::string(kLog) +
              ", access_log_options: {access_log_flush_interval: 2s, flush_access_log_on_connected: true, "
              "flush_access_log_on_start: true}, access_log_flush_interval: 9s");
  EXPECT_EQ(spec.access_logs.size(), 1u);
  EXPECT_TRUE(spec.log_options.at_start && spec.log_options.at_connected);
  EXPECT_EQ(spec.log_options.interval, std::chrono::seconds(2));
  const tcp::ProxySpec deprecated = proxyOf("access_log_flush_interval: 9s, flush_access_log_on_connected: true");
  EXPECT_TRUE(deprecated.log_options.at_connected && !deprecated.log_options.at_start);
  EXPECT_EQ(deprecated.log_options.interval, std::chrono::seconds(9));
}

TEST(ListenerConfig, RefusesATransportOfUpstreams) {
  EXPECT_THAT(faults(loadYaml(
                  listenerOf("",
                             "[{transport_socket: {name: t, typed_config: {'@type': "
                             "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}, " +
                                 chain("{}").substr(1) + "]"))),
              ElementsAre(std::string(kListener) + "filter_chains[0].transport_socket: is none for clients"));
}

}  // namespace
}  // namespace weir::config
