// Health of a cluster's endpoints, as its requests see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "upstream/test_http2_upstream.h"

namespace weir::upstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

HealthCheckSpec checkEvery(base::Duration interval) {
  HealthCheckSpec check;
  check.timeout = 1s;
  check.interval = check.unhealthy_interval = check.unhealthy_edge_interval = check.healthy_edge_interval = interval;
  check.no_traffic_interval = check.no_traffic_healthy_interval = interval;
  check.unhealthy_threshold = 2;
  check.healthy_threshold = 2;
  check.path = "/health";
  return check;
}

struct HealthTest : UpstreamTest {
  ClusterSpec checked(std::vector<uint16_t> ports = {8001, 8002}) {
    ClusterSpec spec = staticSpec(std::move(ports));
    spec.health_checks = {checkEvery(10s)};
    return spec;
  }
  // Answers the last request at this connection.
  void status(size_t peer, int status, const std::string& headers = "") {
    connector.peer(peer).bytes.clear();
    connector.peer(peer).say("HTTP/1.1 " + std::to_string(status) + " X\r\ncontent-length: 0\r\n" + headers + "\r\n");
    turns();
  }
  uint32_t flags(size_t endpoint) { return cluster->endpoints().at(endpoint)->state->flags(); }
};

TEST_F(HealthTest, AClusterIsReadyWhenEachEndpointWasCheckedOnce) {
  make(checked());
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
  EXPECT_THAT(connector.peer(0).bytes, HasSubstr("GET /health HTTP/1.1\r\nhost: c\r\nuser-agent: Envoy/HC\r\n"));
  status(0, 200);
  EXPECT_FALSE(ready);
  status(1, 503);
  EXPECT_TRUE(ready);
  EXPECT_EQ(gauge("membership_healthy"), 1);
  EXPECT_EQ(gauge("health_check.healthy"), 1);
  EXPECT_EQ(count("health_check.attempt"), 2u);
  EXPECT_EQ(count("health_check.success"), 1u);
  EXPECT_EQ(count("health_check.failure"), 1u);
  EXPECT_EQ(count("health_check.network_failure"), 0u);
}

TEST_F(HealthTest, RequestsGoToTheHealthyAndChecksKeepTheirConnection) {
  make(checked());
  turns();
  status(0, 503);
  status(1, 200);
  for (int i = 0; i < 4; ++i) {
    Requester requester;
    requester.ask(*cluster);
    turns();
    EXPECT_EQ(requester.endpoint, "10.0.0.1:8002");
    connector.last().answer();
    turns();
  }
  const size_t connections = connector.peers.size();
  passes(10s);
  EXPECT_THAT(connector.peer(1).bytes, HasSubstr("/health"));
  status(0, 200);
  status(1, 200);
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});  // Once is not twice.
  passes(10s);
  status(0, 200);
  status(1, 200);
  EXPECT_EQ(flags(0), 0u);
  EXPECT_EQ(connector.peers.size(), connections);
}

TEST_F(HealthTest, ACheckThatIsNotAnsweredTimesOut) {
  make(checked({8001}));
  turns();
  status(0, 200);
  passes(10s);
  passes(1s);
  EXPECT_EQ(count("health_check.network_failure"), 1u);
  EXPECT_TRUE(connector.peer(0).ended);
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  passes(1s);
  EXPECT_EQ(flags(0), kFailedActiveCheck | kActiveCheckTimeout);
  EXPECT_EQ(gauge("membership_healthy"), 0);
}

TEST_F(HealthTest, ARefusedConnectionIsAFailure) {
  connector.at_once = false;
  make(checked({8001}));
  turns();
  connector.peer(0).client->connectFails({base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes, "refused"});
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(count("health_check.network_failure"), 1u);
  passes(10s);
  EXPECT_EQ(connector.peers.size(), 2u);
}

TEST_F(HealthTest, WhatTheAnswerMustSay) {
  ClusterSpec spec = checked({8001});
  spec.health_checks[0].expected = {{200, 300}};
  spec.health_checks[0].retriable = {{429, 430}};
  spec.health_checks[0].receive = {"all", "well"};
  spec.health_checks[0].method = "POST";
  spec.health_checks[0].headers_to_add = {{"x-check", "1"}};
  spec.assignment.endpoints[0].check_host = "own.test";
  make(spec);
  turns();
  EXPECT_THAT(connector.peer(0).bytes, HasSubstr("POST /health HTTP/1.1\r\nhost: own.test\r\n"));
  EXPECT_THAT(connector.peer(0).bytes, HasSubstr("x-check: 1\r\n"));
  connector.peer(0).say("HTTP/1.1 204 X\r\n\r\n");
  turns();
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});  // No body.
  for (int i = 0; i < 2; ++i) {
    passes(10s);
    connector.peer(0).answer("all is well");
    turns();
  }
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  status(0, 429);
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  status(0, 429);
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
}

TEST_F(HealthTest, DegradedByHeader) {
  make(checked());
  turns();
  status(0, 200, "x-envoy-degraded: true\r\n");
  status(1, 200);
  EXPECT_EQ(flags(0), uint32_t{kDegradedActiveCheck});
  EXPECT_EQ(gauge("membership_degraded"), 1);
}

TEST_F(HealthTest, ByBytesOverTcp) {
  ClusterSpec spec = checked({8001});
  HealthCheckSpec& check = spec.health_checks[0];
  check.kind = HealthCheckSpec::Kind::Tcp;
  check.send = "PING";
  check.receive = {"PO", "NG"};
  make(spec);
  turns();
  EXPECT_EQ(connector.peer(0).bytes, "PING");
  connector.peer(0).say("+P");
  turns();
  EXPECT_FALSE(ready);
  connector.peer(0).say("O..NG");
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  EXPECT_EQ(connector.peer(0).bytes, "PINGPING");
}

TEST_F(HealthTest, ConnectingIsEnoughWithoutBytes) {
  ClusterSpec spec = checked({8001});
  spec.health_checks[0].kind = HealthCheckSpec::Kind::Tcp;
  make(spec);
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(flags(0), 0u);
  EXPECT_TRUE(connector.peer(0).ended);
}

TEST_F(HealthTest, BytesThatWantNoAnswerAreSent) {
  ClusterSpec spec = checked({8001});
  spec.health_checks[0].kind = HealthCheckSpec::Kind::Tcp;
  spec.health_checks[0].send = "PING";
  make(spec);
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(connector.peer(0).bytes, "PING");
  EXPECT_EQ(count("health_check.success"), 1u);
}

struct Http2HealthTest : WithHttp2Peers<HealthTest> {
  ClusterSpec checkedBy(HealthCheckSpec::Kind kind) {
    ClusterSpec spec = checked({8001});
    spec.protocol = HttpProtocol::Http2;
    spec.health_checks[0].kind = kind;
    spec.health_checks[0].http2 = true;
    return spec;
  }
  void answer(size_t request, std::string_view status, size_t connection = 0) {
    servers[connection]->answer(request, status);
    serve(connection);
  }
  void answerGrpc(size_t request, std::string_view message, std::string_view status = "0", size_t connection = 0) {
    http::HeaderMap headers, trailers;
    headers.add(":status", "200");
    headers.add("content-type", "application/grpc");
    trailers.add("grpc-status", status);
    http::Stream& stream = *servers[connection]->requests.at(request)->stream;
    stream.sendHeaders(headers, false);
    base::BufferChain body(std::string{0, 0, 0, 0, static_cast<char>(message.size())}.append(message));
    stream.sendBody(body, false);
    stream.sendTrailers(trailers);
    serve(connection);
  }
  // A request that is not answered: reset with this reason.
  void reset(size_t request) {
    servers[0]->requests.at(request)->stream->reset(http::ResetReason::LocalReset);
    serve();
  }
  static constexpr std::string_view kServing = "\x08\x01", kNotServing = "\x08\x02";
};

TEST_F(Http2HealthTest, ByHttp2OverOneConnection) {
  make(checkedBy(HealthCheckSpec::Kind::Http));
  turns();
  EXPECT_EQ(serve().log(), "headers(:method=GET;:authority=c;:scheme=http;:path=/health;user-agent=Envoy/HC;) end");
  answer(0, "200");
  EXPECT_TRUE(ready);
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  serve();
  answer(1, "503");
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
  EXPECT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(count("health_check.network_failure"), 0u);
  EXPECT_EQ(count("upstream_cx_total"), 0u);
}

TEST_F(Http2HealthTest, AResetStreamIsAFailureAndKeepsTheConnection) {
  for (const auto kind : {HealthCheckSpec::Kind::Http, HealthCheckSpec::Kind::Grpc}) {
    servers.clear();
    connector.peers.clear();
    const uint64_t before = count("health_check.network_failure");
    make(checkedBy(kind));
    turns();
    serve();
    reset(0);
    EXPECT_EQ(count("health_check.network_failure"), before + 1);
    passes(10s);
    EXPECT_EQ(serve().requests.size(), 2u);
    EXPECT_EQ(connector.peers.size(), 1u);
    clusters.reset();
  }
}

TEST_F(Http2HealthTest, AGracefulGoAwayLetsTheCheckEnd) {
  make(checkedBy(HealthCheckSpec::Kind::Http));
  turns();
  serve().codec->drain();
  serve();
  EXPECT_FALSE(ready);
  answer(0, "200");
  EXPECT_EQ(flags(0), 0u);
  EXPECT_TRUE(connector.peer(0).ended);
  passes(10s);
  EXPECT_EQ(serve(1).requests.size(), 1u);
}

TEST_F(Http2HealthTest, AGoAwayWithAnErrorIsAFailure) {
  for (const auto kind : {HealthCheckSpec::Kind::Http, HealthCheckSpec::Kind::Grpc}) {
    servers.clear();
    connector.peers.clear();
    ready = false;
    const uint64_t before = count("health_check.network_failure");
    make(checkedBy(kind));
    turns();
    serve();
    connector.peer(0).say(http2::frame(7, 0, 0, {"\0\0\0\x01\0\0\0\x02", 8}));
    turns();
    EXPECT_TRUE(ready);
    EXPECT_EQ(count("health_check.network_failure"), before + 1);
    EXPECT_TRUE(connector.peer(0).ended);
    clusters.reset();
  }
}

TEST_F(Http2HealthTest, APeerThatAllowsNoStreamsFails) {
  settings.max_concurrent_streams = 0;
  for (const auto kind : {HealthCheckSpec::Kind::Http, HealthCheckSpec::Kind::Grpc}) {
    servers.clear();
    connector.peers.clear();
    make(checkedBy(kind));
    turns();
    serve();
    passes(10s);
    EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
    clusters.reset();
  }
}

TEST_F(Http2HealthTest, ByGrpcsHealthService) {
  ClusterSpec spec = checkedBy(HealthCheckSpec::Kind::Grpc);
  spec.health_checks[0].grpc_service = "a.B";
  spec.health_checks[0].grpc_authority = "auth";
  spec.health_checks[0].headers_to_add = {{"x-a", "1"}};
  make(spec);
  turns();
  EXPECT_EQ(serve().log(),
            "headers(:method=POST;:authority=auth;:scheme=http;:path=/grpc.health.v1.Health/Check;te=trailers;"
            "content-type=application/grpc;user-agent=Envoy/HC;x-a=1;grpc-timeout=1000m;) | body(" +
                std::string("\0\0\0\0\x05\x0a\x03"
                            "a.B",
                            10) +
                ") end");
  answerGrpc(0, kServing);
  EXPECT_TRUE(ready);
  EXPECT_EQ(flags(0), 0u);
  passes(10s);
  serve();
  answerGrpc(1, kNotServing);
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
  for (size_t i = 2; i < 4; ++i) {
    passes(10s);
    serve();
    answerGrpc(i, kServing);
  }
  EXPECT_EQ(flags(0), 0u);
  EXPECT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(count("health_check.success"), 3u);
  EXPECT_EQ(count("health_check.failure"), 1u);
}

TEST_F(Http2HealthTest, AGrpcCallThatFailsIsAnAnswer) {
  make(checkedBy(HealthCheckSpec::Kind::Grpc));
  turns();
  serve();
  answerGrpc(0, kServing, "14");
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
  EXPECT_EQ(count("health_check.network_failure"), 0u);
}

TEST_F(Http2HealthTest, AnAnswerThatIsNotGrpcFailsAtOnceAndKeepsTheConnection) {
  make(checkedBy(HealthCheckSpec::Kind::Grpc));
  turns();
  serve();
  http::HeaderMap headers;
  headers.add(":status", "200");
  headers.add("content-type", "text/html");
  servers[0]->requests[0]->stream->sendHeaders(headers, false);
  serve();
  EXPECT_EQ(flags(0), uint32_t{kFailedActiveCheck});
  EXPECT_THAT(servers[0]->log(), HasSubstr("reset"));
  passes(10s);
  EXPECT_EQ(serve().requests.size(), 2u);
  EXPECT_EQ(connector.peers.size(), 1u);
}

TEST_F(Http2HealthTest, AGrpcCheckThatTimesOutKeepsItsConnection) {
  make(checkedBy(HealthCheckSpec::Kind::Grpc));
  turns();
  serve();
  passes(1s);
  serve();
  EXPECT_TRUE(ready);
  EXPECT_THAT(servers[0]->log(), HasSubstr("reset"));
  EXPECT_EQ(flags(0), kFailedActiveCheck | kActiveCheckTimeout);
  passes(10s);
  EXPECT_EQ(serve().requests.size(), 2u);
  EXPECT_EQ(connector.peers.size(), 1u);
}

TEST_F(Http2HealthTest, WithoutReuseEachGrpcCheckHasItsConnection) {
  ClusterSpec spec = checkedBy(HealthCheckSpec::Kind::Grpc);
  spec.health_checks[0].reuse_connection = false;
  make(spec);
  turns();
  serve();
  answerGrpc(0, kServing);
  EXPECT_TRUE(connector.peer(0).ended);
  passes(10s);
  serve(1);
  passes(1s);
  EXPECT_TRUE(connector.peer(1).ended);
}

TEST_F(HealthTest, AnAddressThatIsThereTwiceIsCheckedOnce) {
  make(checked({8001, 8001}));
  turns();
  EXPECT_EQ(connector.peers.size(), 1u);
  status(0, 200);
  EXPECT_TRUE(ready);
  EXPECT_EQ(gauge("membership_healthy"), 2);
}

TEST_F(HealthTest, AnEndpointMayBeCheckedElsewhereOrNotAtAll) {
  ClusterSpec spec = checked();
  spec.assignment.endpoints[0].check_port = 9999;
  spec.assignment.endpoints[1].check_disabled = true;
  make(spec);
  turns();
  ASSERT_EQ(connector.peers.size(), 1u);
  EXPECT_EQ(connector.peer(0).address.toString(), "10.0.0.1:9999");
  EXPECT_EQ(flags(1), 0u);
  status(0, 200);
  EXPECT_TRUE(ready);
}

TEST_F(HealthTest, WhatNamesListNoMoreIsKeptWhileItsChecksSucceed) {
  ClusterSpec spec = checked({80});
  spec.discovery = Discovery::StrictDns;
  spec.assignment.endpoints[0].host = "a.test";
  make(spec);
  resolver.answer("a.test", {"10.0.0.1", "10.0.0.2"});
  turns();
  status(0, 200);
  status(1, 200);
  passes(5s);
  resolver.answer("a.test", {"10.0.0.1"});
  EXPECT_EQ(cluster->endpoints().size(), 2u);
  EXPECT_TRUE(cluster->endpoints()[1]->state->has(kPendingRemoval));
  passes(5s);
  status(0, 200);
  status(1, 503);
  EXPECT_EQ(cluster->endpoints().size(), 1u);
}

TEST_F(HealthTest, HealthByConfiguration) {
  ClusterSpec spec = staticSpec({8001, 8002, 8003, 8004});
  spec.assignment.endpoints[0].health = AssignedHealth::Unhealthy;
  spec.assignment.endpoints[1].health = AssignedHealth::Draining;
  make(spec);
  EXPECT_EQ(gauge("membership_healthy"), 2);
  for (int i = 0; i < 4; ++i) {
    Requester requester;
    requester.ask(*cluster);
    turns();
    EXPECT_NE(requester.endpoint, "10.0.0.1:8001");
    EXPECT_NE(requester.endpoint, "10.0.0.1:8002");
    requester.stream->reset(http::ResetReason::LocalReset);
    requester.stream = nullptr;
  }
}

TEST_F(HealthTest, OutliersAreEjectedForAllWorkersAndComeBack) {
  ClusterSpec spec = staticSpec({8001, 8002});
  spec.outlier.emplace();
  spec.outlier->max_ejection_percent = 100;
  SharedClusters shared;
  clusters = createClusters({spec}, {loop, random, store, &resolver, &connector, &shared, true}, [] {});
  auto others = createClusters({spec}, {loop, random, store, &resolver, &connector, &shared, false}, [] {});
  cluster = clusters->find("c");
  Cluster& other = *others->find("c");
  for (int i = 0; i < 5; ++i) (i % 2 == 0 ? other : *cluster).report(*other.endpoints()[0], Outcome::Answered, 500);
  turns();
  EXPECT_EQ(flags(0), uint32_t{kFailedOutlierCheck});
  EXPECT_EQ(gauge("membership_healthy"), 1);
  for (Cluster* each : {cluster, &other}) {
    for (int i = 0; i < 3; ++i) {
      Requester requester;
      requester.ask(*each);
      turns();
      EXPECT_EQ(requester.endpoint, "10.0.0.1:8002");
      connector.last().answer();
      turns();
    }
  }
  for (int i = 0; i < 3; ++i) passes(10s);
  EXPECT_EQ(gauge("membership_healthy"), 2);
  others.reset();
}

TEST_F(HealthTest, ClustersMayEndWithinACheck) {
  make(checked());
  turns();
  clusters.reset();
  turns();
  EXPECT_TRUE(connector.peer(0).ended);
}

TEST_F(HealthTest, AnAddressThatIsAssignedTwiceKeepsItsConnections) {
  ClusterSpec spec;
  spec.name = "c";
  spec.discovery = Discovery::Assigned;
  make(spec);
  const Assignment twice = staticSpec({8001, 8001}).assignment;
  cluster->assign(twice);
  Requester first, second;
  first.ask(*cluster);
  second.ask(*cluster);
  turns();
  cluster->assign(twice);
  turns();
  EXPECT_FALSE(connector.peer(0).ended);
  EXPECT_FALSE(connector.peer(1).ended);
  connector.peer(0).answer();
  connector.peer(1).answer();
  turns();
  EXPECT_TRUE(first.complete && second.complete);
}

TEST_F(HealthTest, AssignedMembersKeepTheirHealthAndOthersGo) {
  ClusterSpec spec;
  spec.name = "c";
  spec.discovery = Discovery::Assigned;
  make(spec);
  turns();
  EXPECT_FALSE(ready);
  Assignment assignment = staticSpec({8001, 8002}).assignment;
  assignment.endpoints[1].health = AssignedHealth::Degraded;
  clusters->assign("c", assignment);
  turns();
  EXPECT_TRUE(ready);
  EXPECT_EQ(gauge("membership_degraded"), 1);
  EXPECT_EQ(count("membership_change"), 1u);
  assignment.endpoints[1].health = AssignedHealth::Healthy;
  assignment.endpoints[0].weight = 7;
  cluster->assign(assignment);
  EXPECT_EQ(gauge("membership_degraded"), 0);
  EXPECT_EQ(cluster->endpoints()[0]->weight, 7u);
  EXPECT_EQ(count("membership_change"), 1u);
  assignment.endpoints.pop_back();
  cluster->assign(assignment);
  EXPECT_EQ(cluster->endpoints().size(), 1u);
  EXPECT_EQ(count("membership_change"), 2u);
}

}  // namespace
}  // namespace weir::upstream
