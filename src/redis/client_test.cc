// A client over a real cluster, whose connections are in memory.
#include "redis/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "upstream/test_upstream.h"

namespace weir::redis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClientTest : public testing::Test, public Receiver {
 protected:
  ~ClientTest() override {
    client_.cancelAll();
    loop_.runReady();
  }
  void onAnswer(uint32_t token, base::BufferChain answer) override {
    told_.push_back(std::to_string(token) + " " + answer.toString());
    if (then_) then_();
  }
  void onFailure(uint32_t token) override {
    told_.push_back(std::to_string(token) + " failed");
    if (then_) then_();
  }

  void serve(const std::vector<uint16_t>& ports, uint32_t max_connections = 1024) {
    upstream::ClusterSpec spec;
    spec.name = "redis";
    spec.breakers.max_connections = max_connections;
    for (const uint16_t port : ports) {
      auto& endpoint = spec.assignment.endpoints.emplace_back();
      endpoint.host = "127.0.0.1";
      endpoint.port = port;
    }
    clusters_ = upstream::createClusters(
        {spec}, {.loop = loop_, .random = random_, .stats = stats_, .connector = &connector_}, [] {});
    loop_.runReady();
  }
  upstream::Cluster& cluster() { return *clusters_->find("redis"); }
  // Until nothing more happens: what one end writes, the other hears in the next turn.
  void settle() {
    for (int turn = 0; turn < 6; ++turn) loop_.runReady();
  }
  bool send(std::string_view command, uint32_t token) {
    const bool sent = client_.send(cluster(), command, token);
    settle();
    return sent;
  }
  static Options options(std::string user, std::string password, std::string database = "") {
    Options options;
    options.user = std::move(user);
    options.password = std::move(password);
    options.database = std::move(database);
    return options;
  }
  upstream::FakePeer& server(size_t index = 0) { return connector_.peer(index); }
  std::string heard(size_t index = 0) { return std::exchange(server(index).bytes, {}); }
  void say(std::string_view text, size_t index = 0) {
    server(index).say(text);
    settle();
  }
  void pass(base::Duration time) {
    clock_.advance(time);
    settle();
  }
  std::vector<std::string> told() { return std::exchange(told_, {}); }
  uint64_t count(std::string_view name) { return stats_.counter("cluster.redis." + std::string(name)).value(); }

  base::ManualClock clock_;
  event::Loop loop_{clock_};
  base::FastRandom random_{1};
  stats::Store stats_;
  upstream::FakeConnector connector_{loop_};
  std::vector<std::string> told_;
  std::function<void()> then_;
  std::unique_ptr<upstream::Clusters> clusters_;
  Client client_{loop_, *this};
};

TEST_F(ClientTest, SendsCommandsTogetherAndTellsAnswersInTheirOrder) {
  serve({1});
  EXPECT_TRUE(client_.send(cluster(), "GET a\r\n", 1));
  EXPECT_TRUE(client_.send(cluster(), "GET b\r\n", 2));
  settle();
  EXPECT_EQ(heard(), "GET a\r\nGET b\r\n");
  say("$1\r\nA\r\n*1\r\n");
  EXPECT_THAT(told(), ElementsAre("1 $1\r\nA\r\n"));
  say("-ERR b\r\n");
  EXPECT_THAT(told(), ElementsAre("2 *1\r\n-ERR b\r\n"));
  EXPECT_TRUE(send("GET c\r\n", 3));
  EXPECT_EQ(connector_.peers.size(), 1u);
}

TEST_F(ClientTest, BeginsAConnectionWithPasswordAndDatabaseWhoseAnswersNobodyHears) {
  serve({1});
  client_.configure(options("u", "secret", "2"));
  send("PING\r\n", 1);
  EXPECT_EQ(heard(), "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$6\r\nsecret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\nPING\r\n");
  say("-WRONGPASS\r\n-NOAUTH\r\n-NOAUTH for ping\r\n");
  EXPECT_THAT(told(), ElementsAre("1 -NOAUTH for ping\r\n"));
  client_.configure(options("", "p"));
  send("PING\r\n", 2);
  EXPECT_EQ(heard(1), "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\nPING\r\n");
}

TEST_F(ClientTest, ANewConfigurationLetsWhatIsUnderWayBeAnswered) {
  serve({1});
  send("GET a\r\n", 1);
  client_.configure(options("", "", "1"));
  send("GET b\r\n", 2);
  EXPECT_EQ(connector_.peers.size(), 2u);
  say("+a\r\n");
  say("+OK\r\n+b\r\n", 1);
  EXPECT_THAT(told(), ElementsAre("1 +a\r\n", "2 +b\r\n"));
  EXPECT_TRUE(server(0).ended);
  EXPECT_EQ(client_.connections(), 1u);
}

TEST_F(ClientTest, HasAConnectionWithEachEndpointThatIsChosen) {
  serve({1, 2});
  for (uint32_t i = 0; i < 10; ++i) send("PING\r\n", i);
  ASSERT_EQ(connector_.peers.size(), 2u);
  EXPECT_NE(server(0).address, server(1).address);
}

TEST_F(ClientTest, FailsAtOnceWhereNobodyCanServeOrConnectionsAreLimited) {
  serve({});
  EXPECT_FALSE(send("PING\r\n", 1));
  serve({1}, 0);
  EXPECT_FALSE(send("PING\r\n", 1));
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(ClientTest, FailsWhatWaitsWhenTheConnectionIsRefusedOrLost) {
  connector_.at_once = false;
  serve({1});
  send("GET a\r\n", 1);
  server().client->connectFails({base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes, "refused"});
  settle();
  EXPECT_THAT(told(), ElementsAre("1 failed"));
  connector_.at_once = true;
  send("GET a\r\n", 2);
  send("GET b\r\n", 3);
  server(1).stream->finishWriting();
  settle();
  EXPECT_THAT(told(), ElementsAre("2 failed", "3 failed"));
  EXPECT_EQ(client_.connections(), 0u);
}

TEST_F(ClientTest, TheTimeoutIsForEachAnswerAndEndsTheConnection) {
  serve({1});
  Options quick;
  quick.timeout = std::chrono::milliseconds(100);
  client_.configure(quick);
  send("GET a\r\n", 1);
  send("GET b\r\n", 2);
  pass(std::chrono::milliseconds(90));
  say("+a\r\n");
  pass(std::chrono::milliseconds(90));
  EXPECT_THAT(told(), ElementsAre("1 +a\r\n"));
  pass(std::chrono::milliseconds(20));
  EXPECT_THAT(told(), ElementsAre("2 failed"));
  EXPECT_TRUE(server().ended);
  EXPECT_EQ(count("upstream_rq_timeout"), 1u);
}

TEST_F(ClientTest, AnIdleConnectionIsClosedAfterAWhile) {
  serve({1});
  send("PING\r\n", 1);
  say("+PONG\r\n");
  pass(Connection::kIdleLimit - std::chrono::seconds(1));
  EXPECT_FALSE(server().ended);
  pass(std::chrono::seconds(2));
  EXPECT_TRUE(server().ended);
  EXPECT_EQ(count("upstream_rq_timeout"), 0u);
}

TEST_F(ClientTest, AnAnswerThatIsMalformedOrToNothingEndsTheConnection) {
  serve({1});
  send("PING\r\n", 1);
  say("nonsense\r\n");
  EXPECT_THAT(told(), ElementsAre("1 failed"));
  send("PING\r\n", 2);
  say("+PONG\r\n+MORE\r\n", 1);
  EXPECT_THAT(told(), ElementsAre("2 +PONG\r\n"));
  EXPECT_TRUE(server(1).ended);
  EXPECT_EQ(count("upstream_cx_protocol_error"), 2u);
}

TEST_F(ClientTest, PushesAnswerNothing) {
  serve({1});
  send("PING\r\n", 1);
  say(">1\r\n+invalidate\r\n+PONG\r\n");
  EXPECT_THAT(told(), ElementsAre("1 +PONG\r\n"));
}

TEST_F(ClientTest, RefusesWhatCannotBeSentSoon) {
  serve({1});
  const std::string big(Connection::kMaxUnsent / 2, 'x');
  connector_.at_once = false;
  EXPECT_TRUE(client_.send(cluster(), big, 1));
  EXPECT_TRUE(client_.send(cluster(), big, 2));
  EXPECT_FALSE(client_.send(cluster(), "x", 3));
}

TEST_F(ClientTest, WhoeverIsToldMayEndItAll) {
  serve({1});
  send("GET a\r\n", 1);
  send("GET b\r\n", 2);
  then_ = [this] { client_.cancelAll(); };
  say("+a\r\n+b\r\n");
  EXPECT_THAT(told(), ElementsAre("1 +a\r\n"));
  send("GET a\r\n", 3);
  send("GET b\r\n", 4);
  server(1).stream->finishWriting();
  settle();
  EXPECT_THAT(told(), ElementsAre("3 failed"));
}

}  // namespace
}  // namespace weir::redis
