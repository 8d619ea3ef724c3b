// Facts about what changes on the workers when files change: clusters, endpoints, listeners.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>

#include "server/cluster_table.h"
#include "server/listener_table.h"

namespace weir::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct FakeWatcher final : xds::Watcher {
  struct FakeWatch final : Watch {};
  base::Result<std::unique_ptr<Watch>> watch(const std::string& path, std::function<void()> on_change) override {
    changed[path] = std::move(on_change);
    return std::unique_ptr<Watch>(std::make_unique<FakeWatch>());
  }
  std::map<std::string, std::function<void()>> changed;
};

struct FakeCrew final : Crew {
  size_t size() const override { return 2; }
  void putCluster(const upstream::ClusterSpec& spec) override { said.push_back("put " + spec.name); }
  void removeCluster(const std::string& name) override { said.push_back("remove " + name); }
  void assign(const std::string& cluster, std::shared_ptr<const upstream::Assignment> endpoints) override {
    said.push_back("assign " + cluster + " " + std::to_string(endpoints->endpoints.size()));
  }
  void putListener(std::shared_ptr<SharedListener> listener, std::vector<net::Fd> sockets) override {
    said.push_back("put " + listener->key);
    listeners[listener->key] = listener;
    EXPECT_EQ(sockets.size(), size());
  }
  void removeListener(const std::string& key) override { said.push_back("remove " + key); }
  void setRoutes(uint64_t, std::shared_ptr<const LoadedRoutes>) override { said.emplace_back("routes"); }
  std::vector<std::string> take() { return std::exchange(said, {}); }
  std::vector<std::string> said;
  std::map<std::string, std::shared_ptr<SharedListener>> listeners;
};

struct TablesTest : ::testing::Test {
  xds::Subscription::Environment environment() {
    return {loop, *shared.stats, watcher, [this](const std::string& path, config::ResourceKind) {
              config::DiscoverOutcome outcome;
              outcome.resources = files[path];
              outcome.version = files[path].version;
              return outcome;
            }};
  }
  static config::Resource<upstream::ClusterSpec> cluster(const std::string& name, const std::string& bytes) {
    upstream::ClusterSpec spec;
    spec.name = name;
    return {name, spec, "{}", bytes};
  }
  static config::Resource<config::ListenerSpec> listener(const std::string& name, const std::string& bytes,
                                                         uint16_t port = 0) {
    config::ListenerSpec spec;
    spec.name = name;
    spec.address = *net::Address::parseIp("127.0.0.1", port);
    return {name, spec, "{}", bytes};
  }
  static config::Resource<upstream::Assignment> endpoints(const std::string& name, size_t count) {
    upstream::Assignment assignment;
    assignment.endpoints.resize(count);
    return {name, assignment, "{}", ""};
  }
  uint64_t count(const std::string& name) { return shared.stats->counter(name).value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  Shared shared;
  std::unique_ptr<Transports> transports = *Transports::create(nullptr, *shared.stats);
  FakeWatcher watcher;
  FakeCrew crew;
  std::map<std::string, config::Discovered> files;
};

TEST_F(TablesTest, OfClustersOnlyWhatChangedIsTold) {
  ClusterTable table(environment(), crew, *transports);
  files["cds"].clusters = {cluster("a", "1"), cluster("b", "1")};
  table.follow({"cds", ""});
  EXPECT_EQ(table.begin().size(), 2u);
  EXPECT_THAT(crew.take(), IsEmpty());
  files["cds"].clusters = {cluster("a", "1"), cluster("b", "2"), cluster("c", "1")};
  watcher.changed.at("cds")();
  EXPECT_THAT(crew.take(), ElementsAre("put b", "put c"));
  files["cds"].clusters = {cluster("c", "1")};
  watcher.changed.at("cds")();
  EXPECT_THAT(crew.take(), ElementsAre("remove a", "remove b"));
  EXPECT_TRUE(table.knows("c"));
  EXPECT_FALSE(table.knows("a"));
  EXPECT_EQ(count("cluster_manager.cluster_added"), 3u);
  EXPECT_EQ(count("cluster_manager.cluster_modified"), 1u);
  EXPECT_EQ(count("cluster_manager.cluster_removed"), 2u);
}

TEST_F(TablesTest, AClusterOfTheBootstrapStaysWhateverFilesSay) {
  ClusterTable table(environment(), crew, *transports);
  table.addStatic({cluster("a", "").spec}, {"{}"});
  table.begin();
  files["cds"].clusters = {cluster("a", "1")};
  table.follow({"cds", ""});
  files["cds"].clusters.clear();
  watcher.changed.at("cds")();
  EXPECT_THAT(crew.take(), IsEmpty());
  EXPECT_TRUE(table.knows("a"));
}

TEST_F(TablesTest, EndpointsFollowTheirFile) {
  ClusterTable table(environment(), crew, *transports);
  auto resource = cluster("a", "1");
  resource.spec.discovery = upstream::Discovery::Assigned;
  resource.spec.endpoint_source = base::FileSource{"eds", ""};
  files["cds"].clusters = {resource};
  files["eds"].endpoints = {endpoints("a", 1)};
  table.follow({"cds", ""});
  table.begin();
  EXPECT_THAT(crew.take(), ElementsAre("assign a 1"));
  files["eds"].endpoints = {endpoints("a", 3)};
  watcher.changed.at("eds")();
  EXPECT_THAT(crew.take(), ElementsAre("assign a 3"));
  files["eds"].endpoints = {endpoints("other", 3)};
  watcher.changed.at("eds")();
  files["eds"].endpoints = {endpoints("a", 1), endpoints("b", 1)};
  watcher.changed.at("eds")();
  EXPECT_THAT(crew.take(), IsEmpty());
  EXPECT_EQ(count("cluster.a.update_rejected"), 2u);
}

TEST_F(TablesTest, AClusterWhoseEndpointsCannotBeTakenBeginsEmpty) {
  ClusterTable table(environment(), crew, *transports);
  auto resource = cluster("a", "1");
  resource.spec.endpoint_source = base::FileSource{"eds", ""};
  files["cds"].clusters = {resource};
  files["eds"].endpoints = {endpoints("other", 1)};
  table.follow({"cds", ""});
  table.begin();
  EXPECT_THAT(crew.take(), ElementsAre("assign a 0"));
}

struct ListenersTest : TablesTest {
  ListenersTest() : routes(environment(), crew, nullptr), table(environment(), shared, crew, routes) {}
  RouteSources routes;
  ListenerTable table;
};

TEST_F(ListenersTest, OfListenersOnlyWhatChangedIsTold) {
  files["lds"].listeners = {listener("a", "1"), listener("b", "1")};
  table.follow({"lds", ""}, nullptr);
  EXPECT_THAT(crew.take(), ElementsAre("put a", "put b"));
  files["lds"].listeners = {listener("b", "2"), listener("c", "1")};
  watcher.changed.at("lds")();
  EXPECT_THAT(crew.take(), ElementsAre("put b", "put c", "remove a"));
  EXPECT_EQ(count("listener_manager.listener_added"), 3u);
  EXPECT_EQ(count("listener_manager.listener_modified"), 1u);
  EXPECT_EQ(count("listener_manager.listener_removed"), 1u);
}

TEST_F(ListenersTest, AListenerWhoseAddressStaysKeepsItsPort) {
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  const net::Address before = table.statuses()[0].address;
  EXPECT_NE(before.port(), 0);
  files["lds"].listeners = {listener("a", "2")};
  watcher.changed.at("lds")();
  EXPECT_EQ(table.statuses()[0].address, before);
}

TEST_F(ListenersTest, WhatIsAddedOnceWorkersAcceptTakesConnectionsBeforeAnybodyIsToldOfIt) {
  const auto listening = [&](size_t at) {
    const auto sockets = table.sockets();
    for (const int descriptor : sockets[at].descriptors) {
      int yes = 0;
      socklen_t length = sizeof yes;
      EXPECT_EQ(getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length), 0);
      if (yes == 0) return false;
    }
    return true;
  };
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  EXPECT_FALSE(listening(0)) << "before the start is over";
  table.onAccepting();
  files["lds"].listeners.push_back(listener("b", "1"));
  watcher.changed.at("lds")();
  EXPECT_TRUE(listening(1));
}

TEST_F(ListenersTest, OneListenerThatCannotBeRefusesTheWholeResponse) {
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  crew.take();
  const uint16_t taken = table.statuses()[0].address.port();
  files["lds"].listeners = {listener("a", "2"), listener("b", "1", taken), listener("c", "1", taken)};
  watcher.changed.at("lds")();
  EXPECT_THAT(crew.take(), IsEmpty());
  EXPECT_EQ(count("listener_manager.lds.update_rejected"), 1u);
  DiscoveryStatus status;
  table.describe(status);
  ASSERT_TRUE(status.listeners_error);
  EXPECT_THAT(status.listeners_error->details, HasSubstr("duplicate address"));
}

TEST_F(ListenersTest, ANameMayTakeTheAddressOfAnotherThatGoes) {
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  const uint16_t port = table.statuses()[0].address.port();
  files["lds"].listeners = {listener("b", "1", port)};
  watcher.changed.at("lds")();
  EXPECT_EQ(count("listener_manager.lds.update_success"), 2u);
  EXPECT_EQ(table.statuses()[0].address.port(), port);
}

TEST_F(ListenersTest, AReplacedListenerDrainsUntilEachWorkerHasDoneWithIt) {
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  const auto old = crew.listeners.at("a");
  files["lds"].listeners = {listener("a", "2")};
  watcher.changed.at("lds")();
  const stats::Gauge& draining = shared.stats->gauge("listener_manager.total_listeners_draining");
  EXPECT_EQ(draining.value(), 1);
  table.onListenerGone(old);
  EXPECT_EQ(draining.value(), 1);
  table.onListenerGone(old);
  EXPECT_EQ(draining.value(), 0);
}

TEST_F(ListenersTest, SocketsAreHandedOverAndAListenerCanBeOpenedAgain) {
  files["lds"].listeners = {listener("a", "1")};
  table.follow({"lds", ""}, nullptr);
  ASSERT_EQ(table.sockets().size(), 1u);
  EXPECT_EQ(table.sockets()[0].key, "127.0.0.1:0 a");
  EXPECT_EQ(table.sockets()[0].descriptors.size(), 2u);
  const net::Address address = table.statuses()[0].address;
  table.releaseSockets();
  EXPECT_TRUE(table.sockets()[0].descriptors.empty());
  crew.take();
  table.reopen();
  EXPECT_THAT(crew.take(), ElementsAre("put a"));
  EXPECT_EQ(table.statuses()[0].address, address);
}

}  // namespace
}  // namespace weir::server
