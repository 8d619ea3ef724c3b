// Facts about tunnels where a side speaks HTTP/2 (RFC 8441, RFC 9113 8.5), and about CONNECTs that end here.
#include "exchange/test_exchange.h"
#include "http2/testing.h"

namespace weir::exchange {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kAsk = "GET / HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
const std::string kGranted = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

struct Http2Tunnel : ExchangeTest {
  Http2Tunnel() {
    spec.upgrades = {{"websocket", true}, {"CONNECT", true}};
    spec.http2.allow_connect = true;
    settings.allow_connect = true;
  }
  void upstreamByHttp2() { cluster.protocol = upstream::HttpProtocol::Http2; }
  void connectRoute() { route.path = {route::PathMatch::Kind::Connect, "", true}; }

  // Carries what a client by HTTP/2 and an upstream by HTTP/2 have to say until all is said.
  void carry() {
    for (int i = 0; i < 6; ++i) {
      if (http2_client) {
        say(http2_client->wire.sent.toString());
        http2_client->wire.sent.clear();
        base::BufferChain bytes(std::exchange(client.bytes, {}));
        EXPECT_TRUE(http2_client->codec->receive(bytes).ok());
      }
      if (cluster.protocol == upstream::HttpProtocol::Http2 && peers() > 0 && !peer(0).ended) {
        if (!server) server = std::make_unique<http2::TestServer>(settings);
        base::BufferChain bytes(std::exchange(peer(0).bytes, {}));
        EXPECT_TRUE(server->codec->receive(bytes).ok());
        if (!server->wire.sent.empty()) peer(0).say(server->wire.sent.toString());
        server->wire.sent.clear();
      }
      turns();
    }
  }
  void begin2() {
    begin();
    http2_client = std::make_unique<http2::TestClient>();
    carry();
  }
  void ask2(bool connect = false) {
    http::HeaderMap headers;
    headers.add(":method", connect ? "CONNECT" : "GET");
    headers.add(":authority", "h:80");
    if (!connect) {
      headers.add(":scheme", "http");
      headers.add(":path", "/");
      headers.add("connection", "upgrade");
      headers.add("upgrade", "websocket");
    }
    http2_client->begin(heard).expectTunnel();
    heard.stream->sendHeaders(headers, false);
    carry();
  }
  void send2(std::string_view text, bool end = false) {
    base::BufferChain bytes(text);
    heard.stream->sendBody(bytes, end);
    carry();
  }
  void upstreamAnswers(std::string_view status, std::string_view body = {}, bool end = false) {
    http::HeaderMap headers;
    headers.add(":status", status);
    server->requests.at(0)->stream->sendHeaders(headers, false);
    upstreamSends(body, end);
  }
  void upstreamSends(std::string_view text, bool end = false) {
    base::BufferChain bytes(text);
    if (!text.empty() || end) server->requests.at(0)->stream->sendBody(bytes, end);
    carry();
  }

  http2::Settings settings;  // Of the upstream.
  std::unique_ptr<http2::TestServer> server;
  std::unique_ptr<http2::TestClient> http2_client;
  http2::Recorder heard;
};

TEST_F(Http2Tunnel, AnExtendedConnectIsAnUpgradeToAnUpstreamByHttp1) {
  begin2();
  ask2();
  EXPECT_THAT(peer(0).bytes, StartsWith("GET / HTTP/1.1\r\n"));
  EXPECT_THAT(peer(0).bytes, HasSubstr("upgrade: websocket\r\n"));
  send2("early");
  EXPECT_THAT(peer(0).bytes, testing::Not(HasSubstr("early")));
  peer(0).say(kGranted + "words");
  carry();
  EXPECT_THAT(peer(0).bytes, EndsWith("early"));
  EXPECT_THAT(heard.log, HasSubstr("headers(:status=101;"));
  EXPECT_THAT(heard.log, HasSubstr("body(words)"));
  send2("last", true);
  EXPECT_THAT(peer(0).bytes, EndsWith("last"));
  EXPECT_TRUE(peer(0).ended);
  peer(0).say("answer");
  peer(0).stream->close(net::ByteStream::Close::Flush);
  carry();
  EXPECT_THAT(heard.log, EndsWith("body(answer) | body() end | complete"));
}

TEST_F(Http2Tunnel, AnUpgradeIsAnExtendedConnectToAnUpstreamByHttp2) {
  upstreamByHttp2();
  begin();
  say(kAsk + "early");
  carry();
  EXPECT_THAT(server->log(), HasSubstr("upgrade=websocket;connection=upgrade;)"));
  EXPECT_THAT(server->log(), testing::Not(HasSubstr("early")));
  upstreamAnswers("101", "words");
  EXPECT_EQ(status(), "101");
  EXPECT_THAT(server->log(), EndsWith("body(early)"));
  EXPECT_THAT(client.bytes, EndsWith("\r\n\r\nwords"));
  say("ping");
  carry();
  EXPECT_THAT(server->log(), EndsWith("body(ping)"));
  upstreamSends("last", true);
  EXPECT_THAT(client.bytes, EndsWith("last"));
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(store.gauge("http.m.downstream_cx_upgrades_active").value(), 0);
}

TEST_F(Http2Tunnel, TheClientsEndIsThatOfItsDirection) {
  upstreamByHttp2();
  begin();
  say(kAsk);
  carry();
  upstreamAnswers("101");
  client_stream->finishWriting();
  carry();
  EXPECT_THAT(server->log(), EndsWith("body() end"));
  upstreamSends("the answer", true);
  EXPECT_THAT(client.bytes, EndsWith("the answer"));
}

TEST_F(Http2Tunnel, AnUpstreamThatDoesNotTakeItIsNotAsked) {
  settings.allow_connect = false;
  upstreamByHttp2();
  begin();
  say(kAsk);
  carry();
  EXPECT_TRUE(server->requests.empty());
  EXPECT_EQ(status(), "503");
}

TEST_F(Http2Tunnel, FromHttp2ToHttp2) {
  upstreamByHttp2();
  begin2();
  ask2();
  upstreamAnswers("101", "words");
  send2("ping");
  EXPECT_THAT(server->log(), EndsWith("body(ping)"));
  EXPECT_THAT(heard.log, EndsWith("body(words)"));
  server->requests[0]->stream->reset(http::ResetReason::LocalReset);
  carry();
  EXPECT_THAT(heard.log, HasSubstr("reset("));
}

TEST_F(Http2Tunnel, ConnectToAnUpstreamByHttp2) {
  connectRoute();
  upstreamByHttp2();
  begin2();
  ask2(true);
  EXPECT_THAT(server->log(), StartsWith("headers(:method=CONNECT;:authority=h:80;"));
  upstreamAnswers("200", "words");
  EXPECT_THAT(heard.log, HasSubstr("headers(:status=200;"));
  send2("ping", true);
  EXPECT_THAT(server->log(), EndsWith("body(ping) end"));
}

// --- connect_config ---

struct EndsHere : Http2Tunnel {
  EndsHere() {
    connectRoute();
    route.forward->upgrades = {{.type = "CONNECT", .ends_here = true}};
  }
};

TEST_F(EndsHere, WithAConnectionForTheBytes) {
  begin();
  say("CONNECT far:1 HTTP/1.1\r\nhost: far:1\r\n\r\nearly");
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(peer(0).bytes, "early");
  say("more");
  EXPECT_EQ(peer(0).bytes, "earlymore");
  peer(0).say("words");
  turns();
  EXPECT_THAT(client.bytes, EndsWith("\r\n\r\nwords"));
  client_stream->finishWriting();
  turns();
  EXPECT_TRUE(peer(0).ended);
  peer(0).say("last");
  peer(0).stream->close(net::ByteStream::Close::Flush);
  turns();
  EXPECT_THAT(client.bytes, EndsWith("last"));
  EXPECT_TRUE(closed);
  EXPECT_EQ(count("upstream_cx_total"), 1u);
  EXPECT_EQ(count("upstream_rq_200"), 1u);
  EXPECT_EQ(store.gauge("cluster.c.upstream_cx_active").value(), 0);
}

TEST_F(EndsHere, FromHttp2) {
  begin2();
  ask2(true);
  send2("ping", true);
  EXPECT_EQ(peer(0).bytes, "ping");
  EXPECT_TRUE(peer(0).ended);
  peer(0).say("pong");
  peer(0).stream->close(net::ByteStream::Close::Flush);
  carry();
  EXPECT_THAT(heard.log, EndsWith("body(pong) | body() end | complete"));
}

TEST_F(EndsHere, AClientThatGivesUpEndsTheConnection) {
  begin2();
  ask2(true);
  heard.stream->reset(http::ResetReason::LocalReset);
  carry();
  EXPECT_TRUE(peer(0).ended);
}

TEST_F(EndsHere, AFarEndThatIsLostIsTold) {
  begin2();
  ask2(true);
  peer(0).stream->close(net::ByteStream::Close::Reset);
  carry();
  EXPECT_THAT(heard.log, HasSubstr("reset("));
}

TEST_F(EndsHere, WhereNobodyIsItIsA503) {
  connector.at_once = false;
  begin();
  say("CONNECT far:1 HTTP/1.1\r\nhost: far:1\r\n\r\n");
  peer(0).client->connectFails({base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes, "refused"});
  turns();
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(count("upstream_cx_connect_fail"), 1u);
}

TEST_F(EndsHere, APostMayBeOne) {
  route.path = {route::PathMatch::Kind::Prefix, "/", true};
  route.forward->upgrades[0].allow_post = true;
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nping");
  EXPECT_EQ(peer(0).bytes, "ping");
  peer(0).say("pong");
  peer(0).stream->close(net::ByteStream::Close::Flush);
  turns();
  EXPECT_THAT(client.bytes, HasSubstr("pong"));
  EXPECT_EQ(status(), "200");
}

}  // namespace
}  // namespace weir::exchange
