// Plugins where they are no HTTP filters: access loggers, services, sinks of statistics.
#include <gmock/gmock.h>

#include "config/testing.h"
#include "proxy_wasm/access_logger.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

constexpr char kLogger[] = "'@type': type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog";
constexpr char kPlugin[] = "{name: p, root_id: r, vm_config: {vm_id: v, code: {local: {inline_string: code}}}}";

const proxy_wasm::PluginSpec& pluginOf(const access_log::LogSpec& log) {
  return dynamic_cast<const proxy_wasm::AccessLoggerConfig&>(*log.other).plugin;
}

TEST(Places, AnAccessLogMayBeAPlugin) {
  Parts parts;
  parts.manager =
      fmt::format("access_log: [{{typed_config: {{{}, config: {}}}, filter: {{not_health_check_filter: {{}}}}}}]",
                  kLogger, kPlugin);
  parts.listener = fmt::format("access_log: [{{typed_config: {{{}, config: {}}}}}]", kLogger, kPlugin);
  const LoadOutcome outcome = loadParts(parts);
  EXPECT_THAT(faults(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
  const ListenerSpec& listener = outcome.bootstrap->listeners[0];
  ASSERT_EQ(listener.access_logs.size(), 1u);
  EXPECT_EQ(pluginOf(listener.access_logs[0]).name, "p");
  const auto& logs = listener.filter_chains[0].http->access_logs;
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(pluginOf(logs[0]).root_id, "r");
  EXPECT_EQ(pluginOf(logs[0]).vm.vm_id, "v");
  EXPECT_TRUE(logs[0].filter);
}

TEST(Places, AnAccessLoggerNeedsItsPlugin) {
  Parts parts;
  parts.manager = fmt::format("access_log: [{{typed_config: {{{}}}}}]", kLogger);
  EXPECT_THAT(faults(parts), Contains(std::string(kManager) + ".access_log[0].typed_config.config: is required"));
}

constexpr char kService[] = "'@type': type.googleapis.com/envoy.extensions.wasm.v3.WasmService";
constexpr char kSink[] = "'@type': type.googleapis.com/envoy.extensions.stat_sinks.wasm.v3.Wasm";

TEST(Places, ServicesAndSinksOfStatisticsStandInTheBootstrap) {
  Parts parts;
  parts.rest = fmt::format(
      "bootstrap_extensions: [{{name: a, typed_config: {{{0}, config: {1}, singleton: true}}}}, "
      "{{name: b, typed_config: {{{0}, config: {1}}}}}]\n"
      "stats_sinks: [{{name: c, typed_config: {{{2}, config: {1}}}}}]",
      kService, kPlugin, kSink);
  const LoadOutcome outcome = loadParts(parts);
  EXPECT_THAT(faults(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
  const auto& services = outcome.bootstrap->services;
  ASSERT_EQ(services.size(), 2u);
  EXPECT_TRUE(services[0].singleton);
  EXPECT_EQ(services[0].plugin.name, "p");
  EXPECT_EQ(services[0].path, "bootstrap_extensions[0].typed_config");
  EXPECT_FALSE(services[1].singleton);
  ASSERT_EQ(outcome.bootstrap->stats_sinks.size(), 1u);
  EXPECT_EQ(outcome.bootstrap->stats_sinks[0].plugin.root_id, "r");
}

TEST(Places, ServicesAndSinksNeedTheirPlugin) {
  Parts parts;
  parts.rest =
      fmt::format("bootstrap_extensions: [{{name: a, typed_config: {{{}}}}}]\nstats_sinks: [{{name: c}}]", kService);
  EXPECT_THAT(faults(parts), IsSupersetOf({"bootstrap_extensions[0].typed_config.config: is required"}));
  EXPECT_THAT(faults(parts), Contains(HasSubstr("stats_sinks[0].typed_config")));
}

TEST(Places, AnotherExtensionOrSinkIsRefused) {
  Parts parts;
  parts.rest =
      "bootstrap_extensions: [{name: a, typed_config: {'@type': "
      "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog}}]";
  EXPECT_THAT(faults(parts), SizeIs(1));
}

// --- Network filters ---

constexpr char kNetworkFilters[] = "static_resources.listeners[0].filter_chains[0].filters";

LoadOutcome loadNetworkFilters(const std::string& filters) {
  return loadYaml(fmt::format(
      "static_resources: {{clusters: [{{name: web}}], listeners: [{{name: main, address: {{socket_address: {{address: "
      "127.0.0.1, port_value: 10000}}}}, filter_chains: [{{filters: [{}]}}]}}]}}",
      filters));
}
std::string networkPlugin(const std::string& config) {
  return "{name: w, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm" +
         config + "}}";
}
constexpr char kTcpProxy[] =
    "{name: t, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, "
    "stat_prefix: t, cluster: web}}";

TEST(Places, APluginMayStandBeforeTheTcpProxy) {
  const LoadOutcome outcome = loadNetworkFilters(networkPlugin(std::string(", config: ") + kPlugin) + ", " + kTcpProxy);
  EXPECT_THAT(faults(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
  const auto& filters = outcome.bootstrap->listeners[0].filter_chains[0].network_filters;
  ASSERT_EQ(filters.size(), 2u);
  EXPECT_EQ(std::get<proxy_wasm::PluginSpec>(filters[0]).name, "p");
}

TEST(Places, APluginServesNoConnectionAlone) {
  EXPECT_THAT(faults(loadNetworkFilters(networkPlugin(std::string(", config: ") + kPlugin))),
              Contains(std::string(kNetworkFilters) + "[0]: this filter must not be the last one of its chain"));
  EXPECT_THAT(faults(loadNetworkFilters(networkPlugin("") + ", " + kTcpProxy)),
              Contains(std::string(kNetworkFilters) + "[0].typed_config.config: is required"));
}

}  // namespace
}  // namespace weir::config
