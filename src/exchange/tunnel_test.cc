// Facts about upgrades and CONNECT, from the client's bytes to the upstream's.
#include "exchange/test_exchange.h"

namespace weir::exchange {
namespace {

using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const std::string kAsk = "GET / HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
const std::string kGranted = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

struct Tunnel : ExchangeTest {
  Tunnel() { spec.upgrades = {{"websocket", true}}; }
  void open() {
    begin();
    say(kAsk);
    peer(0).say(kGranted);
    turns();
    EXPECT_EQ(status(), "101");
  }
  void upstreamSays(std::string_view text) {
    peer(0).say(text);
    turns();
  }
};

TEST_F(Tunnel, PassesBytesBothWays) {
  open();
  EXPECT_THAT(peer(0).bytes, HasSubstr("connection: Upgrade\r\n"));
  EXPECT_THAT(client.bytes, HasSubstr("connection: Upgrade\r\n"));
  say("ping");
  EXPECT_THAT(peer(0).bytes, EndsWith("\r\n\r\nping"));
  upstreamSays("pong");
  EXPECT_THAT(client.bytes, EndsWith("\r\n\r\npong"));
  EXPECT_EQ(managerCount("downstream_cx_upgrades_total"), 1u);
}

TEST_F(Tunnel, IsRefusedUnlessItIsConfigured) {
  spec.upgrades.clear();
  begin();
  say(kAsk + "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(status(), "403");
  EXPECT_EQ(peers(), 0u);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(managerCount("downstream_rq_ws_on_non_ws_route"), 1u);
}

TEST_F(Tunnel, IsTheRoutesToAllowOrRefuse) {
  route.forward->upgrades = {{"WebSocket", false}};
  begin();
  say(kAsk);
  EXPECT_EQ(status(), "403");
}

TEST_F(Tunnel, HoldsEarlyBytesUntilItIsGranted) {
  begin();
  say(kAsk + "early");
  EXPECT_THAT(peer(0).bytes, Not(HasSubstr("early")));
  upstreamSays(kGranted);
  EXPECT_THAT(peer(0).bytes, EndsWith("\r\n\r\nearly"));
}

TEST_F(Tunnel, DropsEarlyBytesWhenItIsRefused) {
  begin();
  say(kAsk + "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n");
  answer(0, "403");
  EXPECT_EQ(status(), "403");
  EXPECT_THAT(peer(0).bytes, Not(HasSubstr("smuggled")));
  EXPECT_EQ(peers(), 1u);
  EXPECT_TRUE(client.ended);
}

TEST_F(Tunnel, DeliversWhatStoodBeforeTheUpstreamsEnd) {
  open();
  peer(0).say("last words");
  peer(0).stream->close(net::ByteStream::Close::Flush);
  turns();
  EXPECT_THAT(client.bytes, EndsWith("last words"));
  EXPECT_TRUE(client.ended);
  client_stream->close(net::ByteStream::Close::Reset);
  turns();
  EXPECT_EQ(store.gauge("cluster.c.upstream_cx_active").value(), 0);  // The upstream's other direction was let go, too.
}

TEST_F(Tunnel, DeliversWhatStoodBeforeTheClientsEnd) {
  open();
  base::BufferChain out("last words");
  client_stream->write(out);
  client_stream->finishWriting();
  turns();
  EXPECT_THAT(peer(0).bytes, EndsWith("last words"));
  EXPECT_TRUE(peer(0).ended);
  upstreamSays("and the answer");
  EXPECT_THAT(client.bytes, EndsWith("and the answer"));
  peer(0).stream->close(net::ByteStream::Close::Flush);
  turns();
  EXPECT_TRUE(closed);
}

TEST_F(Tunnel, HasNoTimeoutButThatOfSilence) {
  spec.stream_idle_timeout = seconds(30);
  open();
  for (int i = 0; i < 4; ++i) {
    passes(seconds(20));
    say("x");
  }
  EXPECT_FALSE(client.ended);
  passes(seconds(31));
  EXPECT_TRUE(client.ended);
}

TEST_F(Tunnel, EndsWithAClientThatIsLost) {
  open();
  client_stream->close(net::ByteStream::Close::Reset);
  turns();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(peer(0).ended);
  EXPECT_EQ(store.gauge("http.m.downstream_cx_upgrades_active").value(), 0);
}

TEST_F(Tunnel, ConnectsWhereARouteTakesIt) {
  route.path = {route::PathMatch::Kind::Connect, "", true};
  spec.upgrades = {{"CONNECT", true}};
  begin();
  say("CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\n\r\n");
  EXPECT_THAT(peer(0).bytes, testing::StartsWith("CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\n"));
  upstreamSays("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(status(), "200");
  say("hello");
  EXPECT_THAT(peer(0).bytes, EndsWith("hello"));
}

TEST_F(Tunnel, HasNoRouteForAConnectThatNoneTakes) {
  spec.upgrades = {{"CONNECT", true}};
  begin();
  say("CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\n\r\n");
  EXPECT_EQ(status(), "404");
}

}  // namespace
}  // namespace weir::exchange
