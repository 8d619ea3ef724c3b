#include "upstream/announcement.h"

#include "upstream/endpoint_pool.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;
using net::ProxyTlv;
using testing::ElementsAre;
using testing::StartsWith;

struct AnnouncementTest : UpstreamTest {
  ~AnnouncementTest() override {
    requesters.clear();
    clusters.reset();
    turns();
  }
  ClusterSpec announcing(uint8_t version) {
    ClusterSpec spec = staticSpec();
    spec.announcement.emplace();
    spec.announcement->version = version;
    return spec;
  }
  const filter::ConnectionInfo& client(uint16_t port, std::vector<ProxyTlv> tlvs = {}) {
    filter::ConnectionInfo& info = clients.emplace_back();
    info.peer = net::Address::parseIp("1.2.3.4", port).value();
    info.local = net::Address::parseIp("5.6.7.8", 80).value();
    net::ProxyHeader header;
    header.tlvs = std::move(tlvs);
    info.proxy = std::make_shared<const net::ProxyHeader>(std::move(header));
    return info;
  }
  Requester& ask(const filter::ConnectionInfo* of) {
    Requester& requester = requesters.emplace_back();
    Wish wish;
    wish.client = of;
    auto place = cluster->acquire(requester, wish);
    if (place != nullptr) requester.acquisition = std::move(place);
    turns();
    return requester;
  }
  void askAndAnswer(const filter::ConnectionInfo* of) {
    ask(of);
    connector.last().answer();
    turns();
    ASSERT_TRUE(requesters.back().complete);
  }
  net::ProxyHeader said(size_t index) {
    net::ProxyHeader header;
    EXPECT_EQ(net::parseProxyHeader(connector.peer(index).bytes, header).state, net::ProxyState::Complete);
    return header;
  }

  std::deque<filter::ConnectionInfo> clients;
  std::deque<Requester> requesters;
};

TEST_F(AnnouncementTest, TheClientIsToldBeforeItsRequest) {
  make(announcing(1));
  ask(&client(11));
  EXPECT_THAT(connector.last().bytes, StartsWith("PROXY TCP4 1.2.3.4 5.6.7.8 11 80\r\nGET / HTTP/1.1\r\n"));
  EXPECT_EQ(count("upstream_cx_tx_bytes_total"), connector.last().bytes.size());
}

TEST_F(AnnouncementTest, OnlyRequestsOfOneClientShareAConnection) {
  make(announcing(2));
  const auto& first = client(11);
  askAndAnswer(&first);
  askAndAnswer(&first);
  EXPECT_EQ(connector.peers.size(), 1u);
  askAndAnswer(&client(12));
  askAndAnswer(nullptr);
  EXPECT_EQ(connector.peers.size(), 3u);
  EXPECT_EQ(said(0).source.port(), 11);
  EXPECT_EQ(said(1).source.port(), 12);
  EXPECT_FALSE(said(2).has_addresses);
}

TEST_F(AnnouncementTest, OurOwnConnectionsTellTheirOwnAddressesInVersion1) {
  make(announcing(1));
  ask(nullptr);
  EXPECT_THAT(connector.last().bytes, StartsWith("PROXY "));
}

TEST_F(AnnouncementTest, TlvsAreTheEndpointsThenTheClustersThenTheClients) {
  ClusterSpec spec = announcing(2);
  spec.announcement->pass_tlvs = {1, 2, 4};
  spec.announcement->add_tlvs = {{2, "cluster"}, {3, "cluster"}, {3, "again"}};
  spec.assignment.endpoints[0].announced_tlvs = {{3, "endpoint"}};
  make(spec);
  ask(&client(11, {{1, "client"}, {2, "client"}, {5, "client"}}));
  EXPECT_THAT(said(0).tlvs, ElementsAre(ProxyTlv{3, "endpoint"}, ProxyTlv{2, "cluster"}, ProxyTlv{1, "client"}));
}

TEST_F(AnnouncementTest, OtherTlvsAreAnotherClientWhereSoConfigured) {
  ClusterSpec spec = announcing(2);
  spec.announcement->pass_all_tlvs = true;
  make(spec);
  askAndAnswer(&client(11, {{1, "a"}}));
  askAndAnswer(&client(11, {{1, "b"}}));
  EXPECT_EQ(connector.peers.size(), 1u);
  spec.announcement->pools_by_tlvs = true;
  make(spec);
  connector.peers.clear();
  askAndAnswer(&client(11, {{1, "a"}}));
  askAndAnswer(&client(11, {{1, "b"}}));
  EXPECT_EQ(connector.peers.size(), 2u);
}

TEST_F(AnnouncementTest, TlvsForWhichThereIsNoRoomAreCounted) {
  ClusterSpec spec = announcing(2);
  spec.announcement->add_tlvs = {{1, std::string(65000, 'a')}, {2, std::string(65000, 'b')}};
  make(spec);
  ask(&client(11));
  EXPECT_EQ(said(0).tlvs.size(), 1u);
  EXPECT_EQ(count("upstream.proxyprotocol.v2_tlvs_exceed_max_length"), 1u);
}

TEST_F(AnnouncementTest, AClientsPoolGoesWithItsLastConnection) {
  make(announcing(2));
  askAndAnswer(&client(11));
  connector.last().stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  askAndAnswer(&clients.front());
  EXPECT_EQ(connector.peers.size(), 2u);
  cluster = nullptr;
  clusters->remove("c");  // Its pools are destroyed, with what they hold.
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(AnnouncementTest, ConnectionsOfClientsThatHaveGoneAreGivenUpAboveALimit) {
  ClusterSpec spec = announcing(2);
  spec.breakers.max_connections = 100000;
  make(spec);
  const auto& busy = client(1);
  ask(&busy);  // The oldest, and under way.
  for (size_t i = 0; i < EndpointPool::kMostClients + 50; ++i) askAndAnswer(&client(static_cast<uint16_t>(1000 + i)));
  EXPECT_LE(gauge("upstream_cx_active"), static_cast<int64_t>(EndpointPool::kMostClients));
  EXPECT_FALSE(connector.peer(0).ended);
  EXPECT_TRUE(connector.peer(1).ended);
}

TEST_F(AnnouncementTest, ARawStreamTellsTheClientToo) {
  make(announcing(1));
  struct Nobody final : net::ByteStream::Receiver {
    void onBytes(base::BufferChain&) override {}
    void onEnd() override {}
    void onClosed(const base::Error&) override {}
  } nobody;
  StreamOffer offer = cluster->openStream({}, client(11));
  ASSERT_NE(offer.stream, nullptr);
  offer.stream->start(nobody);
  base::BufferChain hello("hello");
  offer.stream->write(hello);  // Before it is connected.
  turns();
  EXPECT_EQ(connector.last().bytes, "PROXY TCP4 1.2.3.4 5.6.7.8 11 80\r\nhello");
}

TEST_F(AnnouncementTest, AHealthCheckIsLocal) {
  ClusterSpec spec = announcing(2);
  HealthCheckSpec& check = spec.health_checks.emplace_back();
  check.kind = HealthCheckSpec::Kind::Tcp;
  check.timeout = 1s;
  check.interval = check.no_traffic_interval = check.no_traffic_healthy_interval = 10s;
  check.unhealthy_interval = check.unhealthy_edge_interval = check.healthy_edge_interval = 10s;
  make(spec);
  passes(1ms);
  ASSERT_FALSE(connector.peers.empty());
  EXPECT_FALSE(said(0).has_addresses);
  EXPECT_EQ(count("upstream_cx_tx_bytes_total"), 0u);
}

}  // namespace
}  // namespace weir::upstream
