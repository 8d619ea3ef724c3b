// For tests: a client's connection and upstreams, all in memory and in virtual time. What is said is HTTP/1 as text.
#pragma once

#include "exchange/client_connection.h"
#include "upstream/test_upstream.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace weir::exchange {

// The client's end of its connection.
struct FakeClient final : net::ByteStream::Receiver {
  void onBytes(base::BufferChain& received) override {
    bytes += received.toString();
    received.clear();
  }
  void onEnd() override { ended = true; }
  void onClosed(const base::Error&) override { ended = true; }
  std::string bytes;
  bool ended = false;
};

struct ExchangeTest : ::testing::Test, ClientConnection::Owner {
  ExchangeTest() {
    route.path.text = "/";
    route.forward.emplace().cluster = "c";
    host.name = "all";
    host.domains = {"*"};
  }
  ~ExchangeTest() override {
    if (connection != nullptr) connection->closeNow();
    turns();
    connection.reset();
    turns();
  }

  // After route, host, spec and cluster have been set as the test wants them.
  void begin() {
    host.routes = {route};
    route::RouteConfig config;
    config.virtual_hosts = {host};
    auto table = route::RouteTable::create(config);
    ASSERT_TRUE(table.ok()) << table.error().detail;
    clusters = upstream::createClusters({cluster}, {loop, random, store, &resolver, &connector}, [] {});
    manager.reset(new HttpManager{.loop = loop,
                                  .random = random,
                                  .clusters = *clusters,
                                  .stats = stats,
                                  .spec = std::make_shared<const HttpManagerSpec>(spec),
                                  .routes = *table,
                                  .filters = {},
                                  .buffer_limit = buffer_limit});
    auto [end, server] = net::MemoryStream::pair(loop);
    client_stream = std::move(end);
    client_stream->start(client);
    filter::ConnectionInfo info;
    info.peer = *net::Address::parseIp("10.1.1.1", 4000);
    info.local = *net::Address::parseIp("10.1.1.2", 80);
    connection = std::make_unique<ClientConnection>(*manager, *this, std::move(server), info);
    connection->start();
    turns();
  }
  void turns(int count = 12) {
    for (int i = 0; i < count; ++i) loop.runReady();
  }
  void passes(base::Duration time) {
    clock.advance(time);
    turns();
  }
  void say(std::string_view text) {
    base::BufferChain out(text);
    client_stream->write(out);
    turns();
  }
  void get(std::string_view more = "") { say("GET / HTTP/1.1\r\nhost: h\r\n" + std::string(more) + "\r\n"); }
  // Number of the upstream connection, in the order in which they were made.
  upstream::FakePeer& peer(size_t index) { return connector.peer(index); }
  size_t peers() const { return connector.peers.size(); }
  void answer(size_t index, std::string_view status, std::string_view more = "", std::string_view body = "ok") {
    peer(index).say("HTTP/1.1 " + std::string(status) + " X\r\n" + std::string(more) +
                    "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    turns();
  }
  std::string status() const { return client.bytes.size() < 12 ? "" : client.bytes.substr(9, 3); }
  uint64_t count(std::string_view name) { return store.counter("cluster.c." + std::string(name)).value(); }
  uint64_t managerCount(std::string_view name) { return store.counter("http.m." + std::string(name)).value(); }

  void onConnectionClosed(ClientConnection&) override {
    closed = true;
    loop.destroyLater(std::move(connection));
  }

  base::ManualClock clock;
  event::Loop loop{clock};
  upstream::FixedRandom random;
  stats::Store store;
  ManagerStats stats{store, "m"};
  upstream::FakeConnector connector{loop};
  upstream::FakeResolver resolver;
  upstream::ClusterSpec cluster = upstream::staticSpec();
  HttpManagerSpec spec;
  route::VirtualHost host;
  route::Route route;
  size_t buffer_limit = 1024 * 1024;
  std::unique_ptr<upstream::Clusters> clusters;
  std::unique_ptr<HttpManager> manager;
  FakeClient client;
  std::unique_ptr<net::MemoryStream> client_stream;
  std::unique_ptr<ClientConnection> connection;
  bool closed = false;
};

}  // namespace weir::exchange
