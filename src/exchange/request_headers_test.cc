// Facts about what the proxy itself does to headers. Expectations were read off Envoy 1.40 with the same settings.
#include "exchange/request_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::exchange {
namespace {

using http::HeaderId;
using testing::Optional;

class NoClusters final : public upstream::Clusters {
 public:
  upstream::Cluster* find(std::string_view) override { return nullptr; }
  std::vector<upstream::Cluster*> all() override { return {}; }
  void put(const upstream::ClusterSpec&, std::function<void()>) override {}
  void remove(std::string_view) override {}
  void assign(std::string_view, const upstream::Assignment&) override {}
  void drain() override {}
};

class RequestHeaders : public testing::Test {
 public:
  RequestHeaders() {
    connection.peer = *net::Address::parseIp("203.0.113.9", 40000);
    connection.local = *net::Address::parseIp("127.0.0.1", 10000);
    info.connection = &connection;
    info.client = connection.peer;
    request.add(":authority", "example.com");
    request.add(":path", "/");
    request.add(":method", "GET");
  }
  void prepare() {
    HttpManager manager{.loop = loop,
                        .random = random,
                        .clusters = clusters,
                        .stats = manager_stats,
                        .spec = std::make_shared<const HttpManagerSpec>(spec),
                        .routes = nullptr,
                        .filters = {},
                        .suppress_envoy_headers = false,
                        .buffer_limit = 1024,
                        .local_ip = "192.0.2.2"};
    prepareRequestHeaders(manager, request, info);
  }

  base::ManualClock clock;
  event::Loop loop{clock};
  base::FastRandom random{7};
  NoClusters clusters;
  stats::Store store;
  ManagerStats manager_stats{store, "test"};
  HttpManagerSpec spec;
  filter::ConnectionInfo connection;
  filter::StreamInfo info;
  http::HeaderMap request;
};

TEST_F(RequestHeaders, RemovesWhatConcernsOnlyThisConnection) {
  request.add("connection", "x-a, TE, x-forwarded-for");
  request.add("x-a", "1");
  request.add("te", "gzip, trailers;q=0.5");
  request.add("keep-alive", "3");
  request.add("transfer-encoding", "chunked");
  request.add("x-forwarded-for", "1.2.3.4");
  prepare();
  EXPECT_FALSE(request.get("connection"));
  EXPECT_FALSE(request.get("x-a"));
  EXPECT_FALSE(request.get("keep-alive"));
  EXPECT_FALSE(request.get("transfer-encoding"));
  EXPECT_THAT(request.get("te"), Optional(std::string_view("trailers")));
  EXPECT_TRUE(request.get("x-forwarded-for"));  // Nobody removes our forwarding data.
}

TEST_F(RequestHeaders, TrustsForwardedDataUnlessItStandsAtTheEdge) {
  request.add("x-forwarded-for", "1.2.3.4, 5.6.7.8");
  request.add("x-forwarded-proto", "https");
  request.add("x-request-id", "mine");
  prepare();
  EXPECT_EQ(info.client.ip(), "5.6.7.8");
  EXPECT_THAT(request.get("x-forwarded-for"), Optional(std::string_view("1.2.3.4, 5.6.7.8")));
  EXPECT_THAT(request.get(":scheme"), Optional(std::string_view("https")));
  EXPECT_THAT(request.get("x-request-id"), Optional(std::string_view("mine")));
}

TEST_F(RequestHeaders, AppendsTheClientAtTheEdgeAndBelievesNothing) {
  spec.use_remote_address = true;
  request.add("x-forwarded-for", "1.2.3.4");
  request.add("x-forwarded-proto", "https");
  request.add("x-request-id", "mine");
  request.add("x-envoy-retry-on", "5xx");
  prepare();
  EXPECT_EQ(info.client.ip(), "203.0.113.9");
  EXPECT_THAT(request.get("x-forwarded-for"), Optional(std::string_view("1.2.3.4,203.0.113.9")));
  EXPECT_THAT(request.get("x-forwarded-proto"), Optional(std::string_view("http")));
  EXPECT_THAT(request.get("x-envoy-external-address"), Optional(std::string_view("203.0.113.9")));
  EXPECT_NE(*request.get("x-request-id"), "mine");
  EXPECT_FALSE(request.get("x-envoy-retry-on"));
}

TEST_F(RequestHeaders, NamesTheMachineForALoopbackClient) {
  spec.use_remote_address = true;
  connection.peer = info.client = *net::Address::parseIp("127.0.0.1", 40000);
  prepare();
  EXPECT_THAT(request.get("x-forwarded-for"), Optional(std::string_view("192.0.2.2")));
}

TEST_F(RequestHeaders, CountsTrustedHopsFromTheRight) {
  spec.xff_num_trusted_hops = 1;
  request.add("x-forwarded-for", "1.1.1.1, 2.2.2.2, 3.3.3.3");
  prepare();
  EXPECT_EQ(info.client.ip(), "2.2.2.2");
}

TEST_F(RequestHeaders, NormalisesThePathAsConfigured) {
  spec.normalize_path = spec.merge_slashes = true;
  request.set(":path", "/a/./b//../%41?x=//");
  EXPECT_FALSE(normalizeTarget(spec, connection, request));
  EXPECT_THAT(request.get(":path"), Optional(std::string_view("/a/b/A?x=//")));
}

TEST_F(RequestHeaders, HasNoRouteForWhatIsNoPath) {
  request.set(":path", "*");
  const auto refusal = normalizeTarget(spec, connection, request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 404);
}

TEST_F(RequestHeaders, RedirectsAnEscapedSlashWhereConfigured) {
  spec.escaped_slashes = HttpManagerSpec::EscapedSlashes::UnescapeAndRedirect;
  request.set(":path", "/a%2Fb");
  const auto refusal = normalizeTarget(spec, connection, request);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 307);
  EXPECT_EQ(refusal->location, "/a/b");
}

}  // namespace
}  // namespace weir::exchange
