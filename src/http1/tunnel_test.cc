// Facts about connections that change to another protocol: upgrades and CONNECT, on both sides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http1/codec.h"
#include "http1/recording.h"

namespace weir::http1 {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

http::HeaderMap headers(Fields fields) {
  http::HeaderMap out;
  for (const auto& [name, value] : fields) out.add(name, value);
  return out;
}

struct EndingWire final : http::Wire {
  void send(base::BufferChain& bytes) override {
    text += bytes.toString();
    bytes.clear();
  }
  void sendEnd() override { text += "<end>"; }
  std::string text;
};

const std::string kUpgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string kConnect = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n";

struct ServerTunnel : testing::Test, http::ServerCodec::Events {
  http::StreamReceiver& onNewStream(http::Stream& opened) override {
    stream = &opened;
    ++streams;
    return receiver;
  }
  void onPauseConnection() override {}
  void onResumeConnection() override {}
  void receive(std::string_view bytes) {
    in.append(bytes);
    EXPECT_TRUE(codec->receive(in).ok());
  }
  void answer(Fields fields, bool end_stream = false) { stream->sendHeaders(headers(fields), end_stream); }
  void sendBody(std::string_view text, bool end) {
    base::BufferChain bytes(text);
    stream->sendBody(bytes, end);
  }

  EndingWire wire;
  RecordingReceiver receiver;
  std::unique_ptr<http::ServerCodec> codec = createServerCodec(wire, *this, {});
  http::Stream* stream = nullptr;
  base::BufferChain in;
  int streams = 0;
};

TEST_F(ServerTunnel, HoldsWhatComesBeforeTheAnswer) {
  receive(kUpgrade + "early");
  EXPECT_THAT(receiver.log(), Not(HasSubstr("body")));
  EXPECT_THAT(receiver.log(), EndsWith(";)"));
  answer({{":status", "101"}, {"connection", "Upgrade"}, {"upgrade", "websocket"}});
  EXPECT_EQ(wire.text, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n");
  EXPECT_TRUE(codec->tunnels());
  receive("");
  EXPECT_THAT(receiver.log(), EndsWith("body(early)"));
  receive(" and late");
  EXPECT_THAT(receiver.log(), EndsWith("body(early and late)"));
}

TEST_F(ServerTunnel, DropsWhatCameForAProtocolThatIsNotSpoken) {
  receive(kUpgrade + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  answer({{":status", "403"}, {"content-length", "0"}}, true);
  EXPECT_THAT(wire.text, HasSubstr("connection: close"));
  receive("GET /more HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(streams, 1);
  EXPECT_TRUE(codec->finished());
}

TEST_F(ServerTunnel, EndsEachDirectionByItself) {
  receive(kUpgrade);
  answer({{":status", "101"}, {"connection", "Upgrade"}, {"upgrade", "websocket"}});
  codec->receiveEnd();
  EXPECT_THAT(receiver.log(), EndsWith("end"));
  wire.text.clear();
  sendBody("last words", true);
  EXPECT_EQ(wire.text, "last words<end>");
  EXPECT_THAT(receiver.log(), EndsWith("end | complete"));
  EXPECT_TRUE(codec->finished());
}

TEST_F(ServerTunnel, GoesOnReadingWhenTheAnswerHasEnded) {
  receive(kUpgrade);
  answer({{":status", "101"}, {"connection", "Upgrade"}, {"upgrade", "websocket"}});
  sendBody("bye", true);
  EXPECT_FALSE(codec->finished());
  receive("bye too");
  EXPECT_THAT(receiver.log(), EndsWith("body(bye too)"));
  codec->receiveEnd();
  EXPECT_THAT(receiver.log(), EndsWith("end | complete"));
}

TEST_F(ServerTunnel, IsATunnelFor2xxToAConnectAlone) {
  receive(kConnect + "early");
  EXPECT_EQ(receiver.log(), "headers(:authority=h:80;:method=CONNECT;)");
  answer({{":status", "200"}, {"content-length", "7"}});
  EXPECT_EQ(wire.text, "HTTP/1.1 200 OK\r\n\r\n");
  receive("");
  EXPECT_THAT(receiver.log(), EndsWith("body(early)"));
}

TEST_F(ServerTunnel, RefusesAnUpgradeWithABody) {
  receive("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(receiver.log(), "malformed(400 http1.upgrade_with_body)");
}

TEST_F(ServerTunnel, TakesAClientThatGoesBeforeTheAnswerForLost) {
  receive(kUpgrade);
  codec->receiveEnd();
  EXPECT_THAT(receiver.log(), HasSubstr("reset(connection termination"));
}

struct ClientTunnel : testing::Test {
  void ask(Fields fields) {
    stream = &codec->newStream(receiver);
    stream->expectTunnel();
    stream->sendHeaders(headers(fields), false);
  }
  void upgrade() {
    ask({{":authority", "h"},
         {":path", "/"},
         {":method", "GET"},
         {"connection", "keep-alive, Upgrade"},
         {"upgrade", "websocket"}});
  }
  bool receive(std::string_view bytes) {
    in.append(bytes);
    return codec->receive(in).ok();
  }
  void sendBody(std::string_view text, bool end) {
    base::BufferChain bytes(text);
    stream->sendBody(bytes, end);
  }

  EndingWire wire;
  RecordingReceiver receiver;
  std::unique_ptr<http::ClientCodec> codec = createClientCodec(wire, {});
  http::Stream* stream = nullptr;
  base::BufferChain in;
};

const std::string kSwitched = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

TEST_F(ClientTunnel, AsksInTheWordsOfTheRequest) {
  upgrade();
  EXPECT_EQ(wire.text, "GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: keep-alive, Upgrade\r\n\r\n");
  EXPECT_FALSE(codec->reusable());
}

TEST_F(ClientTunnel, PassesBytesOnceItIsGranted) {
  upgrade();
  EXPECT_TRUE(receive(kSwitched + "first"));
  EXPECT_THAT(receiver.log(), HasSubstr(":status=101"));
  EXPECT_THAT(receiver.log(), EndsWith("body(first)"));
  wire.text.clear();
  sendBody("hello", false);
  EXPECT_EQ(wire.text, "hello");
  sendBody("", true);
  EXPECT_EQ(wire.text, "hello<end>");
  codec->receiveEnd();
  EXPECT_THAT(receiver.log(), EndsWith("end | complete"));
}

TEST_F(ClientTunnel, LetsTheRequestGoOnWhenTheUpstreamHasEnded) {
  upgrade();
  receive(kSwitched);
  codec->receiveEnd();
  EXPECT_EQ(codec->activeStreams(), 1u);
  wire.text.clear();
  sendBody("rest", true);
  EXPECT_EQ(wire.text, "rest<end>");
  EXPECT_THAT(receiver.log(), EndsWith("end | complete"));
}

TEST_F(ClientTunnel, TakesAnyOtherAnswerAsAnAnswer) {
  upgrade();
  EXPECT_TRUE(receive("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno"));
  EXPECT_THAT(receiver.log(), EndsWith("body(no) | end | complete"));
  EXPECT_FALSE(codec->reusable());
}

TEST_F(ClientTunnel, ConnectsToTheAuthority) {
  ask({{":authority", "h:80"}, {":method", "CONNECT"}});
  EXPECT_EQ(wire.text, "CONNECT h:80 HTTP/1.1\r\nhost: h:80\r\n\r\n");
  EXPECT_TRUE(receive("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nmore than three"));
  EXPECT_THAT(receiver.log(), EndsWith("body(more than three)"));
}

TEST_F(ClientTunnel, IsNoneForARequestThatWasNotOne) {
  stream = &codec->newStream(receiver);
  stream->sendHeaders(
      headers({{":authority", "h"}, {":path", "/"}, {":method", "POST"}, {"connection", "upgrade"}, {"upgrade", "x"}}),
      false);
  EXPECT_THAT(wire.text, HasSubstr("transfer-encoding: chunked"));
  EXPECT_FALSE(receive(kSwitched));
  EXPECT_THAT(receiver.log(), HasSubstr("reset(protocol error"));
}

}  // namespace
}  // namespace weir::http1
