// Facts about files of discovered resources.
#include "config/discovery.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kCluster = R"(
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: {}
  type: STATIC
  load_assignment:
    cluster_name: x
    endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 10.0.0.1, port_value: 80}}}}}}}}]}}]
)";

constexpr std::string_view kListener = R"(
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {{socket_address: {{address: 127.0.0.1, port_value: 10000}}}}
  filter_chains:
  - filters:
    - name: hcm
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: in
        {}
        http_filters:
        - name: router
          typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
)";

struct DiscoveryTest : ::testing::Test {
  DiscoveryTest() : directory(std::filesystem::temp_directory_path() / ("weir-discovery-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(directory);
  }
  ~DiscoveryTest() override { std::filesystem::remove_all(directory); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = directory / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  DiscoverOutcome read(ResourceKind kind, const std::string& resources, const std::string& name = "file.yaml") {
    return discover(write(name, "version_info: v7\nresources:" + resources), kind, options);
  }
  static std::vector<std::string> texts(const DiscoverOutcome& outcome) {
    std::vector<std::string> texts;
    for (const Fault& fault : outcome.faults) texts.push_back(fault.text());
    return texts;
  }

  std::filesystem::path directory;
  DiscoverOptions options;
};

TEST_F(DiscoveryTest, ReadsResourcesWithTheirVersionNamesAndDumps) {
  const auto outcome = read(ResourceKind::Cluster, fmt::format(kCluster, "a") + fmt::format(kCluster, "b"));
  ASSERT_THAT(texts(outcome), ElementsAre());
  ASSERT_TRUE(outcome.resources);
  EXPECT_EQ(outcome.resources->version, "v7");
  ASSERT_EQ(outcome.resources->clusters.size(), 2u);
  EXPECT_EQ(outcome.resources->clusters[1].name, "b");
  EXPECT_EQ(outcome.resources->clusters[1].spec.name, "b");
  EXPECT_THAT(outcome.resources->clusters[1].dump, HasSubstr("\"@type\":"));
  EXPECT_NE(outcome.resources->clusters[0].bytes, outcome.resources->clusters[1].bytes);
}

TEST_F(DiscoveryTest, OneFaultRefusesTheWholeAndSaysWhereItStands) {
  const auto outcome = read(ResourceKind::Cluster, fmt::format(kCluster, "a") + fmt::format(kCluster, "b") + R"(
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: c
  connect_timeout: -1s)");
  EXPECT_FALSE(outcome.resources);
  EXPECT_TRUE(outcome.readable);
  EXPECT_EQ(outcome.version, "v7");
  ASSERT_FALSE(outcome.faults.empty());
  EXPECT_THAT(outcome.faults[0].text(), HasSubstr("resources[2].connect_timeout"));
  EXPECT_EQ(outcome.faults[0].line, 19u);
}

TEST_F(DiscoveryTest, AResourceOfAnotherTypeIsRefused) {
  const auto outcome = read(ResourceKind::Routes, fmt::format(kCluster, "a"));
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_THAT(outcome.faults[0].text(), HasSubstr("RouteConfiguration"));
}

TEST_F(DiscoveryTest, ANameThatStandsTwiceIsRefused) {
  const auto outcome = read(ResourceKind::Cluster, fmt::format(kCluster, "a") + fmt::format(kCluster, "a"));
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_THAT(outcome.faults[0].text(), HasSubstr("'a' stands twice"));
}

TEST_F(DiscoveryTest, WhatIsNotYamlIsNotReadable) {
  EXPECT_FALSE(discover(write("x.yaml", "resources: ["), ResourceKind::Cluster, options).readable);
  EXPECT_FALSE(discover(directory / "nothing.yaml", ResourceKind::Cluster, options).readable);
  EXPECT_FALSE(discover(write("x.pb", "\xff\xff"), ResourceKind::Cluster, options).readable);
}

TEST_F(DiscoveryTest, UnknownFieldsAreNoticedUnlessToldToRefuseThem) {
  const std::string resources = fmt::format(kCluster, "a") + "  nonsense: 1\n";
  const auto lax = read(ResourceKind::Cluster, resources);
  EXPECT_TRUE(lax.resources);
  EXPECT_EQ(lax.notices.size(), 1u);
  options.allow_unknown_fields = false;
  EXPECT_FALSE(read(ResourceKind::Cluster, resources).resources);
}

TEST_F(DiscoveryTest, RoutesWrittenInAListenerMustLeadToKnownClusters) {
  const std::string listener = fmt::format(
      kListener,
      R"(route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: web}}]}]})");
  EXPECT_TRUE(read(ResourceKind::Listener, listener).resources);
  options.knows_cluster = [](std::string_view name) { return name == "other"; };
  const auto outcome = read(ResourceKind::Listener, listener);
  ASSERT_EQ(outcome.faults.size(), 1u);
  EXPECT_THAT(outcome.faults[0].text(), HasSubstr("unknown cluster 'web'"));
}

TEST_F(DiscoveryTest, RoutesThatComeByThemselvesMayLeadAnywhere) {
  options.knows_cluster = [](std::string_view) { return false; };
  const auto outcome = read(ResourceKind::Routes, R"(
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: r
  virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: web}}]}]
)");
  ASSERT_TRUE(outcome.resources);
  EXPECT_EQ(outcome.resources->routes[0].spec.virtual_hosts.size(), 1u);
}

TEST_F(DiscoveryTest, AConnectionManagerMayTakeItsRoutesFromAFile) {
  const std::string routes = write("rds.yaml", "resources: []\n");
  const auto outcome =
      read(ResourceKind::Listener,
           fmt::format(kListener, "rds: {route_config_name: r, config_source: {path_config_source: {path: '" + routes +
                                      "', watched_directory: {path: /tmp}}}}"));
  ASSERT_THAT(texts(outcome), ElementsAre());
  const auto& rds = outcome.resources->listeners[0].spec.filter_chains[0].http->rds;
  ASSERT_TRUE(rds);
  EXPECT_EQ(rds->name, "r");
  EXPECT_EQ(rds->source, (base::FileSource{routes, "/tmp"}));
}

TEST_F(DiscoveryTest, AClusterMayTakeItsEndpointsFromAFile) {
  const std::string file = write("eds.yaml", "resources: []\n");
  const auto outcome = read(ResourceKind::Cluster, R"(
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: web
  type: EDS
  eds_cluster_config: {service_name: web-service, eds_config: {path: ')" +
                                                       file + "'}}\n");
  ASSERT_THAT(texts(outcome), ElementsAre());
  const upstream::ClusterSpec& spec = outcome.resources->clusters[0].spec;
  EXPECT_EQ(spec.discovery, upstream::Discovery::Assigned);
  EXPECT_EQ(spec.service_name, "web-service");
  EXPECT_EQ(spec.endpoint_source->path, file);
}

TEST_F(DiscoveryTest, ReadsEndpoints) {
  const auto outcome = read(ResourceKind::Endpoints, R"(
- "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: web
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}}]}]
)");
  ASSERT_THAT(texts(outcome), ElementsAre());
  EXPECT_EQ(outcome.resources->endpoints[0].name, "web");
  EXPECT_EQ(outcome.resources->endpoints[0].spec.endpoints.size(), 1u);
}

TEST_F(DiscoveryTest, AFileThatIsNamedMustBeThereAndServersAreRefused) {
  const auto missing =
      read(ResourceKind::Listener,
           fmt::format(kListener, "rds: {route_config_name: r, config_source: {path: /nowhere/rds.yaml}}"));
  ASSERT_EQ(missing.faults.size(), 1u);
  EXPECT_THAT(missing.faults[0].text(), HasSubstr("'/nowhere/rds.yaml' does not exist"));
  const auto server =
      read(ResourceKind::Listener, fmt::format(kListener, "rds: {route_config_name: r, config_source: {ads: {}}}"));
  ASSERT_EQ(server.faults.size(), 1u);
  EXPECT_THAT(server.faults[0].text(), HasSubstr("management server"));
}

}  // namespace
}  // namespace weir::config
