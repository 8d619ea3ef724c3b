// For tests: endpoints in memory, names that answer when the test says so, a waiter that sends one request, and what a
// call asks for.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/memory_stream.h"
#include "upstream/cluster.h"
#include "upstream/http_call.h"

namespace weir::upstream {

// The other end of a connection that a cluster made.
struct FakePeer final : net::ByteStream::Receiver {
  FakePeer(std::unique_ptr<net::MemoryStream> end, net::MemoryStream* client, const net::Address& address)
      : stream(std::move(end)), client(client), address(address) {
    stream->start(*this);
  }
  void onBytes(base::BufferChain& received) override {
    bytes += received.toString();
    received.clear();
  }
  void onEnd() override { ended = true; }
  void onClosed(const base::Error&) override { ended = true; }
  void say(std::string_view text) {
    base::BufferChain out(text);
    stream->write(out);
  }
  void answer(std::string_view body = "ok") {
    say("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

  std::unique_ptr<net::MemoryStream> stream;
  net::MemoryStream* client;  // The cluster's end; dangling once ended.
  net::Address address;
  std::string bytes;
  bool ended = false;
};

// Connections stay connecting until the test says otherwise, unless at_once.
struct FakeConnector final : Connector {
  explicit FakeConnector(event::Loop& loop) : loop(loop) {}
  std::unique_ptr<net::ByteStream> connect(const net::Address& to, base::Duration timeout) override {
    auto [client, server] = net::MemoryStream::pair(loop);
    client->beginConnecting();
    timeouts.push_back(timeout);
    peers.push_back(std::make_unique<FakePeer>(std::move(server), client.get(), to));
    if (at_once) client->connectSucceeds();
    return std::move(client);
  }
  FakePeer& peer(size_t index) { return *peers.at(index); }
  FakePeer& last() { return *peers.back(); }

  event::Loop& loop;
  std::vector<std::unique_ptr<FakePeer>> peers;
  std::vector<base::Duration> timeouts;
  bool at_once = true;
};

struct FakeResolver final : net::Resolver {
  struct FakeQuery final : Query {
    explicit FakeQuery(FakeResolver& resolver, std::string name) : resolver(resolver), name(std::move(name)) {}
    ~FakeQuery() override { resolver.asked.erase(name); }
    FakeResolver& resolver;
    std::string name;
  };
  std::unique_ptr<Query> resolve(std::string_view name, net::LookupFamily family, OnAnswer on_answer) override {
    ++questions;
    families.push_back(family);
    asked[std::string(name)] = std::move(on_answer);
    return std::make_unique<FakeQuery>(*this, std::string(name));
  }
  void answer(const std::string& name, const std::vector<std::string>& ips, base::Duration ttl = {}) {
    net::Resolved resolved;
    for (const std::string& ip : ips) resolved.entries.push_back({net::Address::parseIp(ip, 0).value(), ttl});
    const OnAnswer on_answer = asked.at(name);
    on_answer(std::move(resolved));
  }
  void fail(const std::string& name, base::Code code) {
    const OnAnswer on_answer = asked.at(name);
    on_answer(base::Error{code, base::Side::Upstream, base::Retry::Yes, name});
  }
  std::map<std::string, OnAnswer> asked;
  std::vector<net::LookupFamily> families;
  int questions = 0;
};

// Asks for a connection and sends a request on it; writes down what comes.
struct Requester final : ConnectionWaiter, http::StreamReceiver {
  ~Requester() {
    if (stream != nullptr) stream->reset(http::ResetReason::LocalReset);
  }
  void ask(Cluster& cluster) {
    granted = false;
    auto place = cluster.acquire(*this, Wish{});
    if (place != nullptr) acquisition = std::move(place);
  }
  void onConnection(const Granted& grant) override {
    acquisition.reset();
    granted = true;
    reused = grant.reused;
    endpoint = grant.endpoint.address.toString();
    hostname = grant.endpoint.hostname;
    stream = &grant.codec.newStream(*this);
    http::HeaderMap headers;
    headers.add(":method", "GET");
    headers.add(":path", path);
    headers.add(":authority", "host");
    stream->sendHeaders(headers, !with_body);
  }
  void onNoConnection(AcquireFailure why, const Endpoint* failed, std::string_view text) override {
    acquisition.reset();
    failure = why;
    endpoint = failed == nullptr ? "" : failed->address.toString();
    detail = text;
    if (on_failure) on_failure();
  }
  void onHeaders(http::HeaderMap& headers, bool) override { status = headers.getOr(http::HeaderId::Status, ""); }
  void onBody(base::BufferChain& bytes, bool) override { body += bytes.toString(); }
  void onTrailers(http::HeaderMap&) override {}
  void onReset(http::ResetReason why, std::string_view) override {
    stream = nullptr;
    reset = why;
  }
  void onComplete() override {
    stream = nullptr;
    complete = true;
    if (on_complete) on_complete();
  }
  void onSendBlocked() override { ++blocked; }
  void onSendDrained() override { ++drained; }

  std::unique_ptr<Acquisition> acquisition;
  http::Stream* stream = nullptr;
  std::string path = "/";
  bool with_body = false;
  bool granted = false;
  bool reused = false;
  bool complete = false;
  int blocked = 0, drained = 0;
  std::string endpoint, hostname, detail, status, body;
  std::optional<AcquireFailure> failure;
  std::optional<http::ResetReason> reset;
  std::function<void()> on_failure, on_complete;
};

struct FixedRandom final : base::Random {
  uint64_t next() override { return value; }
  uint64_t value = 0;
};

inline ClusterSpec staticSpec(std::vector<uint16_t> ports = {8001}) {
  ClusterSpec spec;
  spec.name = "c";
  for (const uint16_t port : ports) {
    EndpointSpec endpoint;
    endpoint.host = "10.0.0.1";
    endpoint.port = port;
    spec.assignment.endpoints.push_back(endpoint);
  }
  return spec;
}

inline HttpCallRequest callRequest(std::string_view method = "GET", std::string_view text = "") {
  HttpCallRequest request;
  request.headers.add(":method", method);
  request.headers.add(":path", "/x");
  request.headers.add(":authority", "auth");
  request.body.append(text);
  request.timeout = std::chrono::milliseconds(300);
  return request;
}

struct UpstreamTest : ::testing::Test {
  void make(const ClusterSpec& spec) {
    clusters.reset();
    clusters = createClusters({spec}, {loop, random, store, &resolver, &connector}, [this] { ready = true; });
    cluster = clusters->find("c");
    ASSERT_NE(cluster, nullptr);
  }
  void turns(int count = 6) {
    for (int i = 0; i < count; ++i) loop.runReady();
  }
  void passes(base::Duration time) {
    clock.advance(time);
    turns();
  }
  // A request that was answered, so that a connection is idle.
  void roundTrip() {
    Requester requester;
    requester.ask(*cluster);
    turns();
    connector.last().answer();
    turns();
    ASSERT_TRUE(requester.complete);
  }
  uint64_t count(std::string_view name) { return store.counter("cluster.c." + std::string(name)).value(); }
  int64_t gauge(std::string_view name) { return store.gauge("cluster.c." + std::string(name)).value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  FixedRandom random;
  stats::Store store;
  FakeConnector connector{loop};
  FakeResolver resolver;
  std::unique_ptr<Clusters> clusters;
  Cluster* cluster = nullptr;
  bool ready = false;
};

}  // namespace weir::upstream
