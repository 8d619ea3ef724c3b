// Pools whose endpoints speak HTTP/2.
#include <gtest/gtest.h>

#include "upstream/test_http2_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct Http2PoolTest : Http2UpstreamTest {};

TEST_F(Http2PoolTest, ManyRequestsShareAConnection) {
  make(http2Spec());
  Requester a, b, c;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  serve();
  c.ask(*cluster);
  EXPECT_TRUE(c.granted);
  EXPECT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(gauge("upstream_rq_active"), 3);
  EXPECT_EQ(count("upstream_cx_http2_total"), 1u);
  serve();
  answer(1);
  EXPECT_TRUE(b.complete);
  EXPECT_FALSE(a.complete);
  EXPECT_EQ(b.status + b.body, "200answer");
  answer(0);
  answer(2);
  EXPECT_TRUE(a.complete && c.complete);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

TEST_F(Http2PoolTest, ThePeersLimitOpensAnotherConnection) {
  settings.max_concurrent_streams = 2;
  make(http2Spec());
  Requester requesters[5];
  requesters[0].ask(*cluster);
  turns();
  serve();
  for (size_t i = 1; i < 5; ++i) requesters[i].ask(*cluster);
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  serve(0);
  serve(1);
  turns();
  EXPECT_EQ(servers[0]->requests.size(), 2u);
  EXPECT_LE(servers[1]->requests.size(), 3u);
  for (const Requester& requester : requesters) EXPECT_TRUE(requester.granted);
}

TEST_F(Http2PoolTest, AfterGoAwayWhatRunsEndsAndWhatComesTakesAFreshConnection) {
  make(http2Spec());
  Requester running, next;
  running.ask(*cluster);
  turns();
  serve().codec->drain();
  serve();
  EXPECT_EQ(count("upstream_cx_close_notify"), 2u);
  next.ask(*cluster);
  turns();
  EXPECT_EQ(connector.peers.size(), 2u);
  EXPECT_TRUE(next.granted);
  answer(0);
  EXPECT_TRUE(running.complete);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

TEST_F(Http2PoolTest, AnIdleConnectionClosesAtGoAway) {
  make(http2Spec());
  Requester requester;
  requester.ask(*cluster);
  turns();
  serve();
  answer(0);
  servers[0]->codec->drain();
  serve();
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(Http2PoolTest, AResetStreamLeavesTheOthersAlone) {
  make(http2Spec());
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  serve();
  servers[0]->requests[0]->stream->reset(http::ResetReason::LocalReset);
  serve();
  EXPECT_EQ(a.reset, http::ResetReason::RemoteReset);
  answer(1);
  EXPECT_TRUE(b.complete);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

TEST_F(Http2PoolTest, ABrokenConnectionResetsAllItsStreams) {
  make(http2Spec());
  Requester a, b;
  a.ask(*cluster);
  b.ask(*cluster);
  turns();
  connector.peer(0).say("HTTP/1.1 200 OK\r\n\r\n");
  turns();
  EXPECT_EQ(a.reset, http::ResetReason::ProtocolError);
  EXPECT_EQ(b.reset, http::ResetReason::ProtocolError);
  EXPECT_EQ(count("upstream_cx_protocol_error"), 1u);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
}

TEST_F(Http2PoolTest, AnEndpointThatGoesResetsAllItsStreams) {
  make(http2Spec());
  Requester a;
  a.ask(*cluster);
  turns();
  serve();
  connector.peer(0).stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(a.reset, http::ResetReason::ConnectionTermination);
  EXPECT_EQ(gauge("upstream_rq_active"), 0);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
}

TEST_F(Http2PoolTest, TheClientsProtocolDecidesWhereItIsAskedTo) {
  ClusterSpec spec = http2Spec();
  spec.protocol = HttpProtocol::AsDownstream;
  make(spec);
  Requester http1, http2;
  http1.ask(*cluster);
  Wish wish;
  wish.downstream = http::Protocol::Http2;
  http2.acquisition = cluster->acquire(http2, wish);
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  EXPECT_TRUE(connector.peer(0).bytes.starts_with("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(connector.peer(1).bytes.starts_with(http2::kPreface));
}

TEST_F(Http2PoolTest, AfterItsLastRequestAConnectionCloses) {
  ClusterSpec spec = http2Spec();
  spec.max_requests_per_connection = 2;
  make(spec);
  Requester a, b, c;
  a.ask(*cluster);
  b.ask(*cluster);
  c.ask(*cluster);
  turns();
  serve();
  EXPECT_EQ(connector.peers.size(), 2u);
  answer(0);
  EXPECT_EQ(gauge("upstream_cx_active"), 2);
  answer(1);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
}

}  // namespace
}  // namespace weir::upstream
