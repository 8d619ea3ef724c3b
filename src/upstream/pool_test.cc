#include <gtest/gtest.h>

#include "event/timer.h"
#include "net/listener.h"
#include "net/socket_stream.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct PoolTest : UpstreamTest {};

TEST_F(PoolTest, ARequestGoesOutInOnePieceAndItsAnswerComesBack) {
  make(staticSpec());
  Requester requester;
  requester.with_body = true;
  requester.ask(*cluster);
  EXPECT_FALSE(requester.granted);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 1);
  turns(1);
  ASSERT_TRUE(requester.granted);
  EXPECT_EQ(requester.endpoint, "10.0.0.1:8001");
  EXPECT_FALSE(requester.reused);
  base::BufferChain body("hello");
  requester.stream->sendBody(body, true);
  turns();
  EXPECT_EQ(connector.last().bytes,
            "GET / HTTP/1.1\r\nhost: host\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(gauge("upstream_rq_active"), 1);
  connector.last().answer("answer");
  turns();
  EXPECT_TRUE(requester.complete);
  EXPECT_EQ(requester.status + requester.body, "200answer");
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  EXPECT_EQ(count("upstream_rq_total"), 1u);
  EXPECT_EQ(count("upstream_rq_pending_total"), 1u);
  EXPECT_EQ(count("upstream_cx_total"), 1u);
  EXPECT_EQ(count("upstream_cx_tx_bytes_total"), connector.last().bytes.size());
}

TEST_F(PoolTest, AnIdleConnectionIsGrantedWithinTheCall) {
  make(staticSpec());
  roundTrip();
  Requester requester;
  requester.ask(*cluster);
  EXPECT_TRUE(requester.granted);
  EXPECT_TRUE(requester.reused);
  EXPECT_EQ(requester.acquisition, nullptr);
  EXPECT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(count("upstream_rq_pending_total"), 1u);
}

TEST_F(PoolTest, TheConnectionIsFreeForTheNextRequestWhenTheReceiverHearsOfTheEnd) {
  make(staticSpec());
  Requester first, second;
  first.on_complete = [&] { second.ask(*cluster); };
  first.ask(*cluster);
  turns();
  connector.last().answer("one");
  turns();
  EXPECT_TRUE(second.granted);
  connector.last().answer("two");
  turns();
  EXPECT_EQ(second.body, "two");
  EXPECT_EQ(connector.peers.size(), 1u);
}

TEST_F(PoolTest, TheConnectionUsedLastIsUsedNext) {
  make(staticSpec());
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  FakePeer& first_idle = connector.peer(0);
  FakePeer& last_idle = connector.peer(1);
  first_idle.answer();
  turns();
  last_idle.answer();
  turns();
  last_idle.bytes.clear();
  Requester next;
  next.ask(*cluster);
  turns();
  EXPECT_NE(last_idle.bytes, "");
}

TEST_F(PoolTest, WaitersAreServedInTheirOrder) {
  ClusterSpec spec = staticSpec();
  spec.breakers.max_connections = 1;
  make(spec);
  Requester a, b, c;
  a.ask(*cluster);
  b.ask(*cluster);
  c.ask(*cluster);
  turns();
  EXPECT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(count("upstream_cx_overflow"), 2u);
  EXPECT_TRUE(a.granted);
  EXPECT_FALSE(b.granted);
  connector.last().answer();
  turns();
  EXPECT_TRUE(b.granted);
  EXPECT_FALSE(c.granted);
  connector.last().answer();
  turns();
  EXPECT_TRUE(c.granted);
}

TEST_F(PoolTest, EveryEndpointMayHaveOneConnectionWhateverTheLimit) {
  ClusterSpec spec = staticSpec({8001, 8002});
  spec.breakers.max_connections = 1;
  make(spec);
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  EXPECT_TRUE(a.granted && b.granted);
  EXPECT_NE(a.endpoint, b.endpoint);
}

TEST_F(PoolTest, TooManyWaitersOverflow) {
  ClusterSpec spec = staticSpec();
  spec.breakers.max_pending_requests = 1;
  make(spec);
  connector.at_once = false;
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  EXPECT_EQ(b.failure, AcquireFailure::Overflow);
  EXPECT_EQ(count("upstream_rq_pending_overflow"), 1u);
  EXPECT_FALSE(a.failure.has_value());
}

TEST_F(PoolTest, TooManyRequestsOverflow) {
  ClusterSpec spec = staticSpec();
  spec.breakers.max_requests = 1;
  make(spec);
  Requester a, b;
  a.ask(*cluster);
  turns();
  b.ask(*cluster);
  turns();
  EXPECT_EQ(b.failure, AcquireFailure::Overflow);
}

TEST_F(PoolTest, AWaiterThatGivesUpIsNotToldAndTheConnectionIsKept) {
  make(staticSpec());
  Requester requester;
  requester.ask(*cluster);
  requester.acquisition.reset();
  turns();
  EXPECT_FALSE(requester.granted);
  EXPECT_EQ(count("upstream_rq_cancelled"), 1u);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
  Requester next;
  next.ask(*cluster);
  EXPECT_TRUE(next.granted);
}

TEST_F(PoolTest, ARefusedConnectionFailsAllWhoWaitForIt) {
  make(staticSpec());
  connector.at_once = false;
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  a.on_failure = [&] { b.acquisition.reset(); };  // One may give up the other.
  connector.peer(0).client->connectFails(
      {base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "delayed connect error: Connection refused"});
  turns();
  EXPECT_EQ(a.failure, AcquireFailure::ConnectFailed);
  EXPECT_EQ(a.endpoint, "10.0.0.1:8001");
  EXPECT_EQ(a.detail, "delayed connect error: Connection refused");
  EXPECT_FALSE(b.failure.has_value());
  EXPECT_EQ(count("upstream_cx_connect_fail"), 1u);
  EXPECT_EQ(count("upstream_cx_destroy_remote"), 1u);
  EXPECT_EQ(count("upstream_rq_pending_failure_eject"), 1u);
  EXPECT_EQ(count("upstream_rq_total"), 0u);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
}

TEST_F(PoolTest, WhoAsksAgainWhileItIsToldOfAFailureGetsANewTry) {
  make(staticSpec());
  connector.at_once = false;
  Requester first, second;
  first.on_failure = [&] { second.ask(*cluster); };
  first.ask(*cluster);
  connector.peer(0).client->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no"});
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  EXPECT_FALSE(second.failure.has_value());
  connector.peer(1).client->connectSucceeds();
  turns();
  EXPECT_TRUE(second.granted);
}

TEST_F(PoolTest, AConnectTimeoutIsTheConnectorsAndIsCounted) {
  ClusterSpec spec = staticSpec();
  spec.connect_timeout = 250ms;
  make(spec);
  connector.at_once = false;
  Requester requester;
  requester.ask(*cluster);
  EXPECT_EQ(connector.timeouts[0], 250ms);
  connector.last().client->connectFails({base::Code::Timeout, base::Side::Upstream, base::Retry::Yes, "timeout"});
  turns();
  EXPECT_EQ(requester.failure, AcquireFailure::ConnectTimeout);
  EXPECT_EQ(count("upstream_cx_connect_timeout"), 1u);
  EXPECT_EQ(count("upstream_cx_connect_fail"), 1u);
  EXPECT_EQ(count("upstream_cx_destroy_local"), 1u);
}

TEST_F(PoolTest, AnIdleConnectionThatEndsOrSpeaksIsClosedAtOnce) {
  make(staticSpec());
  roundTrip();
  connector.last().stream->finishWriting();
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(count("upstream_cx_destroy_remote"), 1u);
  roundTrip();
  connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
  turns();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_TRUE(connector.last().ended);
  Requester next;
  next.ask(*cluster);
  turns();
  EXPECT_FALSE(next.reused);
  EXPECT_EQ(next.status, "");
  EXPECT_EQ(count("upstream_cx_destroy_with_active_rq"), 0u);
}

TEST_F(PoolTest, AnIdleConnectionEndsByItsTimeoutAndABusyOneDoesNot) {
  ClusterSpec spec = staticSpec();
  spec.idle_timeout = 10s;
  make(spec);
  Requester requester;
  requester.ask(*cluster);
  turns();
  passes(1min);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  connector.last().answer();
  turns();
  passes(9999ms);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  passes(1ms);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(count("upstream_cx_idle_timeout"), 1u);
}

TEST_F(PoolTest, AConnectionServesNoMoreRequestsThanItMay) {
  ClusterSpec spec = staticSpec();
  spec.max_requests_per_connection = 2;
  make(spec);
  roundTrip();
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  roundTrip();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(count("upstream_cx_max_requests"), 1u);
  roundTrip();
  EXPECT_EQ(connector.peers.size(), 2u);
}

TEST_F(PoolTest, AnAnswerThatAsksToCloseIsTheLast) {
  make(staticSpec());
  Requester requester;
  requester.ask(*cluster);
  turns();
  connector.last().say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  turns();
  EXPECT_TRUE(requester.complete);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(PoolTest, ABrokenConnectionResetsItsRequest) {
  make(staticSpec());
  Requester requester;
  requester.ask(*cluster);
  turns();
  connector.last().stream->close(net::ByteStream::Close::Reset);
  turns();
  EXPECT_EQ(requester.reset, http::ResetReason::ConnectionTermination);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(count("upstream_cx_destroy_remote_with_active_rq"), 1u);
}

TEST_F(PoolTest, AMalformedAnswerResetsItsRequestAndClosesTheConnection) {
  make(staticSpec());
  Requester requester;
  requester.ask(*cluster);
  turns();
  connector.last().say("SMTP ready\r\n\r\n");
  turns();
  EXPECT_EQ(requester.reset, http::ResetReason::ProtocolError);
  EXPECT_TRUE(connector.last().ended);
  EXPECT_EQ(count("upstream_cx_protocol_error"), 1u);
}

TEST_F(PoolTest, ARequestThatIsGivenUpClosesItsConnectionAndWhoWaitsGetsANewOne) {
  ClusterSpec spec = staticSpec();
  spec.breakers.max_connections = 1;
  make(spec);
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  ASSERT_TRUE(a.granted);
  std::exchange(a.stream, nullptr)->reset(http::ResetReason::LocalReset);
  turns();
  EXPECT_TRUE(connector.peer(0).ended);
  EXPECT_TRUE(b.granted);
  EXPECT_EQ(count("upstream_cx_destroy_local_with_active_rq"), 1u);
}

TEST_F(PoolTest, ASlowEndpointBlocksTheSender) {
  ClusterSpec spec = staticSpec();
  spec.buffer_limit = 1000;
  make(spec);
  Requester requester;
  requester.with_body = true;
  requester.ask(*cluster);
  turns();
  connector.last().client->takeAtMost(0);
  base::BufferChain body(std::string(5000, 'x'));
  requester.stream->sendBody(body, false);
  turns();
  EXPECT_EQ(requester.blocked, 1);
  EXPECT_EQ(requester.drained, 0);
  connector.last().client->takeAll();
  turns();
  EXPECT_EQ(requester.drained, 1);
}

TEST_F(PoolTest, PausingAResponsePausesTheConnection) {
  make(staticSpec());
  Requester requester;
  requester.ask(*cluster);
  turns();
  requester.stream->pauseReceiving();
  EXPECT_TRUE(connector.last().client->paused());
  requester.stream->resumeReceiving();
  EXPECT_FALSE(connector.last().client->paused());
}

TEST_F(PoolTest, DrainingClosesIdleConnectionsAtOnceAndBusyOnesAfterTheirRequest) {
  make(staticSpec());
  Requester busy, other;
  busy.ask(*cluster);
  other.ask(*cluster);
  turns();
  connector.peer(1).answer();
  turns();
  clusters->drain();
  turns();
  EXPECT_FALSE(connector.peer(0).ended);
  EXPECT_TRUE(connector.peer(1).ended);
  connector.peer(0).answer("bye");
  turns();
  EXPECT_EQ(busy.body, "bye");
  EXPECT_TRUE(connector.peer(0).ended);
}

TEST_F(PoolTest, ClustersMayEndWithRequestsUnderWay) {
  make(staticSpec());
  Requester busy, waiting;
  busy.ask(*cluster);
  turns();
  connector.at_once = false;
  waiting.ask(*cluster);
  clusters.reset();
  EXPECT_EQ(busy.reset, http::ResetReason::ConnectionTermination);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
  turns();
}

TEST_F(PoolTest, ResponsesAreCountedByClassAndCode) {
  make(staticSpec());
  for (const int status : {200, 200, 204, 404, 503, 99, 1000}) cluster->stats().countResponse(status);
  EXPECT_EQ(count("upstream_rq_completed"), 7u);
  EXPECT_EQ(count("upstream_rq_2xx"), 3u);
  EXPECT_EQ(count("upstream_rq_200"), 2u);
  EXPECT_EQ(count("upstream_rq_404"), 1u);
  EXPECT_EQ(count("upstream_rq_5xx"), 1u);
}

// With real sockets.
struct LoopbackEndpoint final : net::Listener::Acceptor, net::ByteStream::Receiver {
  explicit LoopbackEndpoint(event::Loop& loop) : loop(loop) {
    listener = net::Listener::bind(loop, net::Address::parseIp("127.0.0.1", 0).value(), {}, *this).value();
    EXPECT_TRUE(listener->start().ok());
  }
  void onAccepted(net::Fd socket, const net::Address& peer) override {
    stream = net::SocketStream::accepted(loop, std::move(socket), peer);
    stream->start(*this);
  }
  void onBytes(base::BufferChain& received) override {
    received.clear();
    base::BufferChain out("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    stream->write(out);
  }
  void onEnd() override {}
  void onClosed(const base::Error&) override {}
  event::Loop& loop;
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<net::SocketStream> stream;
};

TEST(LoopbackTest, RequestsGoOverOneSocketAndARefusalHasTheSystemsWords) {
  event::Loop loop(base::systemClock());
  base::FastRandom random(1);
  stats::Store store;
  LoopbackEndpoint server(loop);
  ClusterSpec spec = staticSpec({server.listener->address().port()});
  spec.assignment.endpoints[0].host = "127.0.0.1";
  auto clusters = createClusters({spec}, {loop, random, store}, [] {});
  Cluster& cluster = *clusters->find("c");
  auto until = [&](auto condition) {
    event::Timer limit(loop, [&] { loop.stop(); });
    limit.arm(std::chrono::seconds(5));
    for (int i = 0; i < 1'000'000 && limit.armed() && !condition(); ++i) loop.runReady();
    return condition();
  };
  for (int i = 0; i < 3; ++i) {
    Requester requester;
    requester.ask(cluster);
    EXPECT_TRUE(until([&] { return requester.complete; }));
    EXPECT_EQ(requester.body, "hi");
    EXPECT_EQ(requester.reused, i > 0);
  }
  EXPECT_EQ(cluster.stats().upstream_cx_total.value(), 1u);
  server.listener->close();
  server.stream->close(net::ByteStream::Close::Now);
  EXPECT_TRUE(until([&] { return cluster.stats().upstream_cx_active.value() == 0; }));
  Requester refused;
  refused.ask(cluster);
  EXPECT_TRUE(until([&] { return refused.failure.has_value(); }));
  EXPECT_EQ(refused.detail, "delayed connect error: Connection refused");
}

}  // namespace
}  // namespace weir::upstream
