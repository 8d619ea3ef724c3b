// Listener filters and the approach, in memory.
#include <gmock/gmock.h>

#include "listener/approach.h"
#include "listener/filter_set.h"
#include "net/memory_stream.h"
#include "net/test_peers.h"

namespace weir::listener {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;

// A client hello that asks for "a.b" and h2.
std::string hello() {
  const std::string names("\0\6\0\0\3a.b", 8);
  std::string extensions = "\0\0\0\x8"s + names + "\0\x10\0\5\0\3\2h2"s;
  std::string body =
      "\3\3"s + std::string(32, 'r') + "\0\0\2\x13\1\1\0\0"s + static_cast<char>(extensions.size()) + extensions;
  std::string message = "\1\0\0"s + static_cast<char>(body.size()) + body;
  return "\x16\3\1\0"s + static_cast<char>(message.size()) + message;
}

struct ListenerFilters : testing::Test, private Approach::Owner {
  // A connection from 10.0.0.1:1 to 10.0.0.2:2 that passes these filters.
  void comes(const std::vector<FilterSpec>& specs, Approach::Limits limits = {}) {
    auto [near, far] = net::MemoryStream::pair(loop);
    near_end = near.get();
    client = std::move(far);
    client->start(at_client);
    Findings findings;
    findings.remote = findings.direct_remote = net::Address::parseIp("10.0.0.1", 1).value();
    findings.local = net::Address::parseIp("10.0.0.2", 2).value();
    set = FilterSet(specs, store);
    approach = std::make_unique<Approach>(loop, static_cast<Approach::Owner&>(*this), std::move(near),
                                          std::move(findings), set.make(), limits);
    approach->start();
  }
  void says(std::string_view text) {
    base::BufferChain bytes(text);
    client->write(bytes);
    turn();
  }
  void turn() {
    for (int i = 0; i < 6; ++i) loop.runReady();
  }
  uint64_t counted(const std::string& name) { return store.counter(name).value(); }
  Findings& found() { return approach->findings(); }

  void onArrived(Approach& arrived) override {
    has_arrived = true;
    stream = arrived.takeStream();
    stream->start(served);
  }
  void onTurnedAway(Approach&, Approach::End end) override { why = end; }

  base::ManualClock clock;
  event::Loop loop{clock};
  stats::Store store;
  FilterSet set;
  net::Hearing at_client, served;
  std::unique_ptr<net::MemoryStream> client;
  net::MemoryStream* near_end = nullptr;
  std::unique_ptr<Approach> approach;
  std::unique_ptr<net::ByteStream> stream;
  bool has_arrived = false;
  std::optional<Approach::End> why;
};

TEST_F(ListenerFilters, LeaveWhatTheyOnlyLookedAtForTheConnection) {
  comes({TlsInspectorSpec{}});
  says(hello().substr(0, 20));
  EXPECT_FALSE(has_arrived);
  says(hello().substr(20) + "more");
  ASSERT_TRUE(has_arrived);
  EXPECT_EQ(found().transport_protocol, "tls");
  EXPECT_EQ(found().server_name, "a.b");
  EXPECT_THAT(found().application_protocols, ElementsAre("h2"));
  EXPECT_EQ(served.bytes, hello() + "more");
  EXPECT_EQ(counted("tls_inspector.sni_found"), 1u);
}

TEST_F(ListenerFilters, FollowEachOther) {
  comes({ProxyProtocolSpec{}, TlsInspectorSpec{}});
  says("PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n" + hello());
  ASSERT_TRUE(has_arrived);
  EXPECT_EQ(found().remote.toString(), "1.2.3.4:11");
  EXPECT_EQ(found().local.toString(), "5.6.7.8:22");
  EXPECT_EQ(found().direct_remote.toString(), "10.0.0.1:1");
  EXPECT_EQ(found().server_name, "a.b");
  EXPECT_EQ(served.bytes, hello());
}

TEST_F(ListenerFilters, TellTheEndBehindTheBytesThatWereLeft) {
  comes({HttpInspectorSpec{}});
  base::BufferChain bytes("GET / HTTP/1.1\r\n");
  client->write(bytes);
  client->finishWriting();
  turn();
  EXPECT_EQ(served.bytes, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(served.events, "end");
}

TEST_F(ListenerFilters, AreGivenUpOnWhenTheirTimeIsOver) {
  comes({TlsInspectorSpec{}}, {.timeout = 2s});
  says("\x16");
  clock.advance(1999ms);
  turn();
  EXPECT_FALSE(why);
  clock.advance(1ms);
  turn();
  EXPECT_EQ(why, Approach::End::Timeout);
  EXPECT_EQ(near_end->closedHow(), net::ByteStream::Close::Reset);
}

TEST_F(ListenerFilters, MayBePassedWhenTheirTimeIsOver) {
  comes({TlsInspectorSpec{}}, {.timeout = 2s, .continue_on_timeout = true});
  says("\x16");
  clock.advance(2s);
  turn();
  ASSERT_TRUE(has_arrived);
  EXPECT_EQ(served.bytes, "\x16");
  says("x");
  EXPECT_EQ(served.bytes, "\x16x");
}

TEST_F(ListenerFilters, HearOfAClientThatWentAway) {
  comes({TlsInspectorSpec{}});
  client->finishWriting();
  turn();
  EXPECT_EQ(why, Approach::End::ClientWent);
  EXPECT_EQ(near_end->closedHow(), net::ByteStream::Close::Now);
}

TEST_F(ListenerFilters, WithNothingToAskAreDoneAtOnce) {
  comes({});
  EXPECT_TRUE(has_arrived);
}

TEST_F(ListenerFilters, TakePlainTextForPlainUnlessTlsIsDemanded) {
  comes({TlsInspectorSpec{}});
  says("GET");
  EXPECT_TRUE(has_arrived);
  EXPECT_EQ(found().transport_protocol, "");
  EXPECT_EQ(counted("tls_inspector.tls_not_found"), 1u);
  comes({TlsInspectorSpec{.close_on_errors = true}});
  says("GET");
  EXPECT_EQ(why, Approach::End::Refused);
}

TEST_F(ListenerFilters, LimitTheClientHello) {
  comes({TlsInspectorSpec{.most_bytes = 256}});
  says("\x16\3\1\x10\0\1\0\x0f\xfc"s + std::string(246, 'a'));
  EXPECT_FALSE(has_arrived);
  says("aaaa");
  EXPECT_TRUE(has_arrived);
  comes({TlsInspectorSpec{.most_bytes = 256, .close_on_errors = true}});
  says("\x16\3\1\x10\0\1\0\x0f\xfc"s + std::string(250, 'a'));
  EXPECT_EQ(why, Approach::End::Refused);
  EXPECT_EQ(counted("tls_inspector.client_hello_too_large"), 1u);
}

TEST_F(ListenerFilters, TellHttpAndItsVersion) {
  const struct {
    const char* text;
    const char* protocol;
  } cases[] = {{"GET / HTTP/1.1\r\n", "http/1.1"},
               {"get / HTTP/1.1\n", "http/1.1"},
               {"GET / HTTP/1.0\r\n", "http/1.0"},
               {"GET /\r\n", "http/1.0"},
               {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "h2c"},
               {"\1\2", ""},
               {"EHLO foo\r\n", ""}};
  for (const auto& one : cases) {
    has_arrived = false;
    comes({HttpInspectorSpec{}});
    says(one.text);
    ASSERT_TRUE(has_arrived) << one.text;
    EXPECT_EQ(found().application_protocols.empty() ? "" : found().application_protocols[0], one.protocol) << one.text;
  }
}

TEST_F(ListenerFilters, WaitForAWholeRequestLine) {
  comes({HttpInspectorSpec{}});
  says("GET / HT");
  EXPECT_FALSE(has_arrived);
  says(std::string(8 * 1024, 'a'));
  EXPECT_TRUE(has_arrived);
  EXPECT_EQ(counted("http_inspector.http_not_found"), 1u);
}

TEST_F(ListenerFilters, RefuseConnectionsWithoutProxyProtocolUnlessItIsOptional) {
  comes({ProxyProtocolSpec{}});
  says("GET / HTTP/1.1\r\n");
  EXPECT_EQ(why, Approach::End::Refused);
  EXPECT_EQ(counted("proxy_proto.not_found_disallowed"), 1u);
  EXPECT_EQ(counted("downstream_cx_proxy_proto_error"), 1u);
  comes({ProxyProtocolSpec{.optional = true}});
  says("GET");
  EXPECT_TRUE(has_arrived);
  EXPECT_EQ(found().proxy, nullptr);
  EXPECT_EQ(served.bytes, "GET");
  comes({ProxyProtocolSpec{.optional = true}});
  says("PROXY TCP4 nonsense\r\n");
  EXPECT_EQ(why, Approach::End::Refused);
  EXPECT_EQ(counted("proxy_proto.versions.v1.error"), 1u);
}

TEST_F(ListenerFilters, RefuseAVersionThatIsDisallowed) {
  comes({ProxyProtocolSpec{.refuse_v1 = true, .stat_prefix = "edge"}});
  says("PROXY UNKNOWN\r\n");
  EXPECT_EQ(why, Approach::End::Refused);
  EXPECT_EQ(counted("proxy_proto.edge.versions.v1.disallowed"), 1u);
  comes({ProxyProtocolSpec{.optional = true, .refuse_v1 = true}});
  says("PROXY UNKNOWN\r\n");
  EXPECT_TRUE(has_arrived);
  EXPECT_EQ(served.bytes, "PROXY UNKNOWN\r\n");
}

TEST_F(ListenerFilters, KeepTheTlvsThatAreWanted) {
  const net::Address here = net::Address::parseIp("1.2.3.4", 1).value();
  const std::string header = net::proxyHeaderV2(here, here, {{2, "a"}, {3, "b"}}).bytes;
  comes({ProxyProtocolSpec{}});
  says(header);
  EXPECT_TRUE(found().proxy->tlvs.empty());
  comes({ProxyProtocolSpec{.keep_tlvs = {3}}});
  says(header);
  EXPECT_THAT(found().proxy->tlvs, ElementsAre(net::ProxyTlv{3, "b"}));
  comes({ProxyProtocolSpec{.keep_all_tlvs = true}});
  says(header);
  EXPECT_EQ(found().proxy->tlvs.size(), 2u);
}

TEST_F(ListenerFilters, ReadAHeaderThatIsLongerThanASlab) {
  const net::Address here = net::Address::parseIp("1.2.3.4", 1).value();
  const std::string header = net::proxyHeaderV2(here, here, {{2, std::string(60000, 'x')}}).bytes;
  comes({ProxyProtocolSpec{.keep_all_tlvs = true}});
  for (size_t i = 0; i < header.size(); i += 10000) says(header.substr(i, 10000));
  says("rest");
  ASSERT_TRUE(has_arrived);
  EXPECT_EQ(found().proxy->tlvs.at(0).value.size(), 60000u);
  EXPECT_EQ(served.bytes, "rest");
}

}  // namespace
}  // namespace weir::listener
