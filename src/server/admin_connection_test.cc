// How the admin endpoint treats its clients: in memory, and once over a real socket.
#include "server/admin_connection.h"

#include <gmock/gmock.h>

#include "net/memory_stream.h"
#include "net/socket_stream.h"
#include "server/admin.h"
#include "server/admin_test_source.h"

namespace weir::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Client final : public net::ByteStream::Receiver {
 public:
  void onBytes(base::BufferChain& received) override {
    text_ += received.toString();
    received.clear();
  }
  void onEnd() override { ended_ = true; }
  void onClosed(const base::Error&) override { ended_ = true; }

  std::string text_;
  bool ended_ = false;
};

class AdminConnections : public testing::Test, private AdminConnection::Owner {
 protected:
  AdminConnections() {
    auto [near, far] = net::MemoryStream::pair(loop_);
    server_end_ = near.get();
    client_end_ = std::move(far);
    connection_ =
        std::make_unique<AdminConnection>(loop_, static_cast<AdminConnection::Owner&>(*this), std::move(near));
    client_end_->start(client_);
    connection_->start();
  }

  void send(std::string_view text) {
    base::BufferChain bytes(text);
    client_end_->write(bytes);
    turn();
  }
  void turn() {
    for (int i = 0; i < 8; ++i) loop_.runReady();
  }

  base::ManualClock clock_;
  event::Loop loop_{clock_};
  Client client_;
  std::unique_ptr<net::MemoryStream> client_end_;
  std::unique_ptr<AdminConnection> connection_;
  net::MemoryStream* server_end_ = nullptr;
  AdminAnswer answer_{.body = "page\n"};
  std::vector<std::string> asked_;
  bool over_ = false;
  bool quit_ = false;

 private:
  AdminAnswer answer(std::string_view method, std::string_view target) override {
    asked_.push_back(std::string(method) + " " + std::string(target));
    return answer_;
  }
  void onConnectionOver(AdminConnection&) override {
    over_ = true;
    loop_.destroyLater(std::move(connection_));
  }
  void onQuit() override {
    // The answer is out by now.
    quit_ = server_end_->unsent() == 0;
  }
};

TEST_F(AdminConnections, AnswersWithEnvoysHeadersAndKeepsTheConnection) {
  send("GET /ready?x HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(client_.text_,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncache-control: no-cache, max-age=0\r\n"
            "x-content-type-options: nosniff\r\ncontent-length: 5\r\ndate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
            "server: envoy\r\n\r\npage\n");
  EXPECT_FALSE(client_.ended_);
  send("GET /b HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_THAT(asked_, testing::ElementsAre("GET /ready?x", "GET /b"));
}

TEST_F(AdminConnections, AnswersPipelinedRequestsInOrderAndHeadWithoutABody) {
  send(
      "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nhost: a\r\n\r\nPOST /3 HTTP/1.1\r\nhost: a\r\n"
      "content-length: 4\r\n\r\nbodyGET /4 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(asked_, testing::ElementsAre("GET /1", "HEAD /2", "POST /3", "GET /4"));
  size_t pages = 0;
  for (size_t at = 0; (at = client_.text_.find("page\n", at)) != std::string::npos; ++at) ++pages;
  EXPECT_EQ(pages, 3u);
  EXPECT_THAT(client_.text_, HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(client_.ended_);
}

TEST_F(AdminConnections, WaitsForTheEndOfTheRequest) {
  send("POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_TRUE(asked_.empty());
  send("0\r\n\r\n");
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(AdminConnections, RefusesWhatIsNotHttpAndCloses) {
  send("\x16\x03\x01 not http\r\n\r\n");
  EXPECT_THAT(client_.text_, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(client_.text_, EndsWith("\r\n\r\nBad Request\n"));
  EXPECT_TRUE(client_.ended_);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(AdminConnections, MakesNoFurtherPageForAClientThatDoesNotRead) {
  answer_.body = std::string(3'000'000, 'x');
  server_end_->takeAtMost(1000);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET /big HTTP/1.1\r\nhost: a\r\n\r\n";
  send(many);
  EXPECT_EQ(asked_.size(), 1u);
  answer_.body = "small";
  server_end_->takeAll();
  turn();
  EXPECT_EQ(asked_.size(), 100u);
}

TEST_F(AdminConnections, AClientThatHalfClosesIsStillAnswered) {
  base::BufferChain bytes("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  client_end_->write(bytes);
  client_end_->finishWriting();
  turn();
  EXPECT_THAT(client_.text_, EndsWith("page\n"));
  EXPECT_TRUE(over_);
}

TEST_F(AdminConnections, ARequestThatNeverComesWholeEndsTheConnection) {
  send("GET /stats HTTP/1.1\r\nhost:");
  clock_.advance(AdminConnection::kRequestTimeout - std::chrono::seconds(1));
  send("x");
  EXPECT_FALSE(over_);
  clock_.advance(std::chrono::seconds(2));
  turn();
  EXPECT_TRUE(client_.ended_);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(AdminConnections, QuitsAfterTheAnswerIsOut) {
  answer_.quit = true;
  send("POST /quitquitquit HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(quit_);
  EXPECT_THAT(client_.text_, EndsWith("page\n"));
}

TEST_F(AdminConnections, AClientThatGoesAwayIsForgotten) {
  send("GET /stats HTTP/1.1\r\nhost:");
  client_end_->close(net::ByteStream::Close::Reset);
  turn();
  EXPECT_TRUE(over_);
}

TEST(AdminEndpoint, AnswersOverASocketUntilItIsAskedToQuit) {
  event::Loop loop(base::systemClock());
  struct Quitting final : AdminSource {
    explicit Quitting(event::Loop& loop) : loop_(loop) {}
    const ServerFacts& facts() const override { return facts_; }
    ServerState state() const override { return ServerState::Live; }
    std::vector<ListenerStatus> listeners() const override { return {}; }
    std::vector<ClusterStatus> clusters() override { return {}; }
    DiscoveryStatus discovery() const override { return {}; }
    void drainListeners(const DrainRequest&) override {}
    void failHealthChecks(bool) override {}
    void quit() override { loop_.stop(); }
    event::Loop& loop_;
    ServerFacts facts_;
  } source(loop);
  stats::Store stats;
  auto endpoint = AdminEndpoint::open(loop, *net::Address::parseIp("127.0.0.1", 0), source, stats);
  ASSERT_TRUE(endpoint.ok());
  EXPECT_NE((*endpoint)->address().port(), 0);

  const auto taken = AdminEndpoint::open(loop, (*endpoint)->address(), source, stats);
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().detail, HasSubstr("admin"));
  EXPECT_THAT(taken.error().detail, HasSubstr((*endpoint)->address().toString()));

  Client client;
  auto stream = net::SocketStream::connect(loop, (*endpoint)->address(), std::chrono::seconds(5));
  base::BufferChain request("GET /ready HTTP/1.1\r\nhost: a\r\n\r\nPOST /quitquitquit HTTP/1.1\r\nhost: a\r\n\r\n");
  stream->start(client);
  stream->write(request);
  loop.run();
  for (int i = 0; i < 10; ++i) loop.runReady();
  EXPECT_THAT(client.text_, HasSubstr("\r\n\r\nLIVE\n"));
  EXPECT_THAT(client.text_, EndsWith("\r\n\r\nOK\n"));
}

}  // namespace
}  // namespace weir::server
