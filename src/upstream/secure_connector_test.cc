#include "upstream/secure_connector.h"

#include "tls/client_hello.h"
#include "upstream/endpoint_pool.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct Waiting final : ConnectionWaiter {
  void onConnection(const Granted&) override { granted = true; }
  void onNoConnection(AcquireFailure why, const Endpoint*, std::string_view text) override {
    place.reset();
    failure = why;
    detail = text;
  }
  void ask(Cluster& cluster, std::string_view authority) {
    Wish wish;
    wish.authority = authority;
    place = cluster.acquire(*this, wish);
  }
  std::unique_ptr<Acquisition> place;
  bool granted = false;
  std::optional<AcquireFailure> failure;
  std::string detail;
};

struct SecureConnectorTest : ::testing::Test {
  SecureConnectorTest() {
    spec.name = "web";
    EndpointSpec& endpoint = spec.assignment.endpoints.emplace_back();
    endpoint.host = "127.0.0.1";
    endpoint.port = 1;
    endpoint.hostname = "h.example";
    spec.tls.emplace();
    spec.tls->sni = "fixed.example";
  }
  ~SecureConnectorTest() override {
    waiting.clear();
    clusters.reset();
    loop.runReady();
  }
  void begin() {
    if (live) spec.live_tls = tls::LiveClient::create(*spec.tls, store, "cluster.web.", {}).value();
    const std::vector<ClusterSpec> specs{spec};
    clusters = createClusters(specs, Environment{loop, random, store, nullptr, &connector}, [] {});
    turns();
  }
  Waiting& ask(std::string_view authority) {
    waiting.push_back(std::make_unique<Waiting>());
    waiting.back()->ask(*clusters->find("web"), authority);
    turns();
    return *waiting.back();
  }
  void turns(base::Duration by = 1ms) {
    for (int i = 0; i < 5; ++i) {
      clock.advance(by);
      loop.runReady();
    }
  }
  tls::ClientHello helloAt(size_t index) {
    tls::ClientHello hello;
    EXPECT_EQ(tls::readClientHello(connector.peer(index).bytes, hello), tls::HelloOutcome::Found);
    return hello;
  }

  base::ManualClock clock;
  event::Loop loop{clock};
  base::FastRandom random{1};
  stats::Store store;
  FakeConnector connector{loop};
  ClusterSpec spec;
  bool live = true;
  std::unique_ptr<Clusters> clusters;
  std::vector<std::unique_ptr<Waiting>> waiting;
};

TEST_F(SecureConnectorTest, SpeaksTlsWithTheConfiguredName) {
  begin();
  ask("r.example");
  EXPECT_EQ(helloAt(0).server_name, "fixed.example");
  EXPECT_EQ(helloAt(0).alpn, std::vector<std::string>{"http/1.1"});
}

TEST_F(SecureConnectorTest, TakesTheEndpointsNameWhereAsked) {
  spec.tls->auto_host_sni = true;
  begin();
  ask("r.example");
  EXPECT_EQ(helloAt(0).server_name, "h.example");
}

TEST_F(SecureConnectorTest, KeepsConnectionsOfServerNamesApart) {
  spec.auto_sni = true;
  begin();
  ask("a.example:8080");
  ask("b.example");
  ask("127.0.0.1");
  EXPECT_EQ(helloAt(0).server_name, "a.example");
  EXPECT_EQ(helloAt(1).server_name, "b.example");
  EXPECT_EQ(helloAt(2).server_name, "fixed.example");  // An address is no server name.
}

TEST_F(SecureConnectorTest, TooManyServerNamesInUseAreAnOverflow) {
  spec.auto_sni = true;
  begin();
  for (size_t i = 0; i < EndpointPool::kMostServerNames; ++i) ask("n" + std::to_string(i) + ".example");
  EXPECT_EQ(ask("more.example").failure, AcquireFailure::Overflow);
}

TEST_F(SecureConnectorTest, AHandshakeThatStandsStillIsAConnectTimeout) {
  begin();
  Waiting& waiter = ask("r.example");
  EXPECT_FALSE(waiter.failure);
  clock.advance(spec.connect_timeout);
  turns();
  EXPECT_EQ(waiter.failure, AcquireFailure::ConnectTimeout);
}

TEST_F(SecureConnectorTest, NothingGoesOutPlainWhereThereIsNoContext) {
  live = false;
  begin();
  Waiting& waiter = ask("r.example");
  EXPECT_EQ(waiter.failure, AcquireFailure::ConnectFailed);
  EXPECT_EQ(waiter.detail, "TLS error: Secret is not supplied by SDS");
  EXPECT_TRUE(connector.peers.empty());
}

}  // namespace
}  // namespace weir::upstream
