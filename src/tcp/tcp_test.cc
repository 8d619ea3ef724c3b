// Network filters and the TCP proxy, in memory and in virtual time.
#include <gmock/gmock.h>

#include "net/test_peers.h"
#include "tcp/connection.h"
#include "tcp/proxy.h"
#include "tcp/small_filters.h"
#include "upstream/test_upstream.h"

namespace weir::tcp {
namespace {

using namespace std::chrono_literals;
using filter::ResponseFlag;
using net::ByteStream;
using upstream::staticSpec;

struct TcpTest : upstream::UpstreamTest, private Connection::Owner {
  // A connection that passes these filters.
  void comes(std::vector<std::unique_ptr<FilterFactory>> filters, filter::ConnectionInfo info = {}) {
    connection.reset();
    chain = std::make_unique<Chain>(Chain{loop, std::move(filters), 1000, [this](const filter::StreamInfo& at_end) {
                                            ++logged;
                                            log = at_end;
                                          }});
    auto [near, far] = net::MemoryStream::pair(loop);
    near_end = near.get();
    client = std::move(far);
    client->start(at_client);
    connection = std::make_unique<Connection>(*chain, static_cast<Connection::Owner&>(*this), std::move(near), info);
    over = false;
    connection->start();
    turns();
  }
  void comesToProxy(ProxySpec spec, const upstream::ClusterSpec& cluster_spec = staticSpec()) {
    connection.reset();
    chain.reset();
    make(cluster_spec);
    if (spec.clusters.empty()) spec.clusters = {{"c", 1}};
    if (!stats) stats.emplace(store, "t");
    std::vector<std::unique_ptr<FilterFactory>> filters;
    filters.push_back(std::make_unique<ProxyFactory>(std::make_shared<const ProxySpec>(spec), *stats,
                                                     ProxyFactory::Environment{loop, random, *clusters, logs}));
    comes(std::move(filters));
  }
  ~TcpTest() override {
    connection.reset();
    chain.reset();
  }
  void say(std::string_view text) {
    base::BufferChain bytes(text);
    client->write(bytes);
    turns();
  }
  void finish() {
    client->finishWriting();
    turns();
  }
  void onConnectionClosed(Connection&) override { over = true; }
  uint64_t tcp(const std::string& name) { return store.counter("tcp.t." + name).value(); }
  bool flagged(ResponseFlag flag) const { return log.response_flags >> static_cast<int>(flag) & 1; }

  // The lines that a proxy made from now on has logged, which nobody takes out of the block.
  std::string& logTo(const std::string& format) {
    access_log::LogSpec spec;
    spec.sink.path = "/dev/null";
    spec.format.text = format;
    logs = access_log::Logs(access_log::CompiledLogs::create({spec}, writers).value(), feeds);
    feed = feeds.get(writers.get(spec.sink).value());
    return feed->block();
  }

  access_log::Writers writers{store};
  access_log::Feeds feeds{loop, {.interval = std::chrono::hours(1)}};
  access_log::Logs logs;
  std::shared_ptr<access_log::Feed> feed;
  std::optional<ProxyStats> stats;
  std::unique_ptr<Chain> chain;
  net::Hearing at_client;
  std::unique_ptr<net::MemoryStream> client;
  net::MemoryStream* near_end = nullptr;
  std::unique_ptr<Connection> connection;
  bool over = false;
  int logged = 0;
  filter::StreamInfo log;
};

TEST_F(TcpTest, CarriesBytesBothWays) {
  comesToProxy({});
  say("hello");
  EXPECT_EQ(connector.last().bytes, "hello");
  connector.last().say("back");
  turns();
  EXPECT_EQ(at_client.bytes, "back");
  EXPECT_EQ(tcp("downstream_cx_rx_bytes_total"), 5u);
  EXPECT_EQ(tcp("downstream_cx_tx_bytes_total"), 4u);
  EXPECT_EQ(count("upstream_cx_rx_bytes_total"), 4u);
  EXPECT_EQ(gauge("upstream_cx_active"), 1);
  EXPECT_EQ(gauge("upstream_rq_active"), 1);
}

TEST_F(TcpTest, PassesEachEndOnAndClosesAfterBoth) {
  comesToProxy({});
  say("question");
  finish();
  EXPECT_TRUE(connector.last().ended);
  EXPECT_FALSE(over);
  connector.last().say("answer");
  turns();
  EXPECT_EQ(at_client.bytes, "answer");
  connector.last().stream->finishWriting();
  turns();
  EXPECT_TRUE(at_client.heard("end"));
  EXPECT_TRUE(over);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(count("upstream_cx_destroy_remote"), 1u);
  EXPECT_EQ(logged, 1);
  EXPECT_EQ(log.request_body_bytes, 8u);
  EXPECT_EQ(log.response_body_bytes, 6u);
  EXPECT_EQ(log.upstream->cluster, "c");
  EXPECT_EQ(log.upstream->remote.toString(), "10.0.0.1:8001");
}

TEST_F(TcpTest, LetsTheUpstreamEndFirst) {
  comesToProxy({});
  connector.last().say("greeting");
  connector.last().stream->finishWriting();
  turns();
  EXPECT_TRUE(at_client.heard("end"));
  say("still talking");
  EXPECT_EQ(connector.last().bytes, "still talking");
  finish();
  EXPECT_TRUE(over);
}

TEST_F(TcpTest, PassesAResetOn) {
  comesToProxy({});
  connector.last().stream->close(ByteStream::Close::Reset);
  turns();
  EXPECT_TRUE(over);
  EXPECT_EQ(near_end->closedHow(), ByteStream::Close::Reset);
  comesToProxy({});
  net::MemoryStream* upstream = connector.last().client;
  client->close(ByteStream::Close::Reset);
  loop.runReady();
  EXPECT_TRUE(over);
  EXPECT_EQ(upstream->closedHow(), ByteStream::Close::Reset);
}

TEST_F(TcpTest, DoesNotReadTheClientBeforeTheUpstreamIsThere) {
  connector.at_once = false;
  comesToProxy({});
  say("early");
  EXPECT_TRUE(near_end->paused());
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_EQ(connector.last().bytes, "early");
}

TEST_F(TcpTest, TakesEarlyDataUpToItsLimit) {
  connector.at_once = false;
  comesToProxy({.max_early_data = 10});
  say("12345");
  EXPECT_FALSE(near_end->paused());
  say("67890");
  EXPECT_TRUE(near_end->paused());
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_EQ(connector.last().bytes, "1234567890");
  EXPECT_EQ(tcp("early_data_received_count_total"), 1u);
}

TEST_F(TcpTest, MayConnectOnlyWhenTheClientHasSpoken) {
  comesToProxy({.max_early_data = 10, .connect_on_data = true});
  EXPECT_TRUE(connector.peers.empty());
  say("hi");
  ASSERT_EQ(connector.peers.size(), 1u);
  turns();
  EXPECT_EQ(connector.last().bytes, "hi");
}

TEST_F(TcpTest, TriesAgainAsOftenAsItMay) {
  connector.at_once = false;
  comesToProxy({.max_connect_attempts = 2});
  connector.last().client->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no"});
  turns();
  ASSERT_EQ(connector.peers.size(), 2u);
  connector.last().client->connectFails({base::Code::Timeout, base::Side::Upstream, base::Retry::Yes, "late"});
  turns();
  EXPECT_TRUE(over);
  EXPECT_TRUE(flagged(ResponseFlag::UpstreamConnectionFailure));
  EXPECT_TRUE(flagged(ResponseFlag::UpstreamRetryLimitExceeded));
  EXPECT_EQ(count("upstream_cx_connect_fail"), 2u);
  EXPECT_EQ(count("upstream_cx_connect_timeout"), 1u);
  EXPECT_EQ(count("upstream_cx_connect_attempts_exceeded"), 1u);
  EXPECT_EQ(gauge("upstream_cx_active"), 0);
  EXPECT_EQ(gauge("upstream_rq_pending_active"), 0);
}

TEST_F(TcpTest, KeepsEarlyDataForTheNextAttempt) {
  connector.at_once = false;
  comesToProxy({.max_connect_attempts = 2, .max_early_data = 10});
  say("early");
  connector.last().client->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no"});
  turns();
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_EQ(connector.last().bytes, "early");
}

TEST_F(TcpTest, ClosesWhenThereIsNobodyToTalkTo) {
  comesToProxy({.clusters = {{"other", 1}}});
  EXPECT_TRUE(over);
  EXPECT_TRUE(flagged(ResponseFlag::NoClusterFound));
  EXPECT_EQ(tcp("downstream_cx_no_route"), 1u);
  comesToProxy({}, staticSpec({}));
  EXPECT_TRUE(over);
  EXPECT_TRUE(flagged(ResponseFlag::NoHealthyUpstream));
  EXPECT_EQ(count("upstream_cx_none_healthy"), 1u);
  upstream::ClusterSpec full = staticSpec();
  full.breakers.max_connections = 0;
  comesToProxy({}, full);
  EXPECT_TRUE(over);
  EXPECT_TRUE(flagged(ResponseFlag::UpstreamOverflow));
  EXPECT_EQ(count("upstream_cx_overflow"), 1u);
}

TEST_F(TcpTest, ClosesAfterSilence) {
  comesToProxy({.idle_timeout = 10s});
  passes(9s);
  say("hi");
  passes(9s);
  connector.last().say("ho");
  turns();
  passes(9s);
  EXPECT_FALSE(over);
  passes(1s);
  EXPECT_TRUE(over);
  EXPECT_TRUE(connector.last().ended);
  EXPECT_EQ(tcp("idle_timeout"), 1u);
}

TEST_F(TcpTest, ClosesWhenItsTimeIsOver) {
  comesToProxy({.max_connection_duration = 10s});
  passes(9s);
  say("hi");
  passes(1s);
  EXPECT_TRUE(over);
  EXPECT_EQ(tcp("max_downstream_connection_duration"), 1u);
  EXPECT_TRUE(flagged(ResponseFlag::DurationTimeout));
}

TEST_F(TcpTest, ReadsNoFasterThanTheOtherSideTakes) {
  upstream::ClusterSpec spec = staticSpec();
  spec.buffer_limit = 1000;
  comesToProxy({}, spec);
  connector.last().client->takeAtMost(0);
  say(std::string(2000, 'a'));
  EXPECT_TRUE(near_end->paused());
  EXPECT_EQ(tcp("downstream_flow_control_paused_reading_total"), 1u);
  connector.last().client->takeAll();
  turns();
  EXPECT_FALSE(near_end->paused());
  EXPECT_EQ(connector.last().bytes.size(), 2000u);

  near_end->takeAtMost(0);
  connector.last().say(std::string(2000, 'b'));
  turns();
  EXPECT_TRUE(connector.last().client->paused());
  near_end->takeAll();
  turns();
  EXPECT_FALSE(connector.last().client->paused());
  EXPECT_EQ(at_client.bytes.size(), 2000u);
}

TEST_F(TcpTest, SendsTheLastBytesOfAClientThatHasGone) {
  comesToProxy({});
  connector.last().stream->finishWriting();
  connector.last().client->takeAtMost(0);
  say("last words");
  finish();
  EXPECT_EQ(tcp("upstream_flush_total"), 1u);
  EXPECT_EQ(store.gauge("tcp.t.upstream_flush_active").value(), 1);
  connector.last().client->takeAll();
  turns();
  EXPECT_EQ(connector.last().bytes, "last words");
  EXPECT_EQ(store.gauge("tcp.t.upstream_flush_active").value(), 0);
}

TEST_F(TcpTest, DoesNotConnectForAClientThatSaysNothing) {
  comesToProxy({.max_early_data = 10, .connect_on_data = true});
  finish();
  EXPECT_TRUE(over);
  EXPECT_TRUE(connector.peers.empty());
}

TEST_F(TcpTest, ChoosesClustersByWeight) {
  random.value = 3;
  comesToProxy({.clusters = {{"other", 3}, {"c", 1}}});
  EXPECT_FALSE(over);
  random.value = 2;
  comesToProxy({.clusters = {{"other", 3}, {"c", 1}}});
  EXPECT_TRUE(over);
}

TEST_F(TcpTest, GoesToTheClusterOfTheServerName) {
  make(staticSpec());
  stats.emplace(store, "t");
  ProxySpec spec;
  spec.clusters = {{"other", 1}};
  std::vector<std::unique_ptr<FilterFactory>> filters;
  filters.push_back(sniCluster());
  filters.push_back(std::make_unique<ProxyFactory>(std::make_shared<const ProxySpec>(spec), *stats,
                                                   ProxyFactory::Environment{loop, random, *clusters}));
  filter::ConnectionInfo info;
  info.requested_server_name = "c";
  comes(std::move(filters), info);
  EXPECT_FALSE(over);
  EXPECT_EQ(connector.peers.size(), 1u);
}

TEST_F(TcpTest, Echoes) {
  std::vector<std::unique_ptr<FilterFactory>> filters;
  filters.push_back(echo());
  comes(std::move(filters));
  say("hello");
  EXPECT_EQ(at_client.bytes, "hello");
  finish();
  EXPECT_TRUE(at_client.heard("end"));
  EXPECT_TRUE(over);
}

TEST_F(TcpTest, RespondsAndCloses) {
  std::vector<std::unique_ptr<FilterFactory>> filters;
  filters.push_back(directResponse({"go away\n"}));
  comes(std::move(filters));
  EXPECT_EQ(at_client.bytes, "go away\n");
  EXPECT_TRUE(at_client.heard("end"));
  finish();
  EXPECT_TRUE(over);
}

// Writes down what passes, and stops when told.
struct Watcher final : Filter {
  struct Log {
    std::string events;
    bool stop_new = false, stop_data = false, stop_write = false;
    ConnectionHandle* handle = nullptr;
  };
  explicit Watcher(Log& log) : log(log) {}
  void setHandle(ConnectionHandle& handle) override { log.handle = &handle; }
  Pass onNewConnection() override {
    log.events += "new ";
    return log.stop_new ? Pass::Stop : Pass::Continue;
  }
  Pass onData(base::BufferChain& bytes, bool end) override {
    log.events += "data:" + bytes.toString() + (end ? "$ " : " ");
    return log.stop_data ? Pass::Stop : Pass::Continue;
  }
  Pass onWrite(base::BufferChain& bytes, bool end) override {
    log.events += "write:" + bytes.toString() + (end ? "$ " : " ");
    return log.stop_write ? Pass::Stop : Pass::Continue;
  }
  void onClosed(Ending ending) override { log.events += ending == Ending::Local ? "closed:us" : "closed:peer"; }
  Log& log;
};
struct WatcherFactory final : FilterFactory {
  explicit WatcherFactory(Watcher::Log& log) : log(log) {}
  std::unique_ptr<Filter> create() override { return std::make_unique<Watcher>(log); }
  Watcher::Log& log;
};

struct WatchedTest : TcpTest {
  void comesWatched() {
    std::vector<std::unique_ptr<FilterFactory>> filters;
    filters.push_back(std::make_unique<WatcherFactory>(log_of_filter));
    filters.push_back(echo());
    comes(std::move(filters));
  }
  Watcher::Log log_of_filter;
};

TEST_F(WatchedTest, FiltersSeeBothDirectionsAndTheEnd) {
  comesWatched();
  say("a");
  finish();
  EXPECT_EQ(log_of_filter.events, "new data:a write:a data:$ write:$ closed:peer");
}

TEST_F(WatchedTest, AFilterThatStopsIsOfferedWhatItLeftAgain) {
  log_of_filter.stop_data = true;
  comesWatched();
  say("a");
  say("b");
  EXPECT_EQ(log_of_filter.events, "new data:a data:ab ");
  EXPECT_EQ(at_client.bytes, "");
  log_of_filter.handle->continueReading();
  turns();
  EXPECT_EQ(at_client.bytes, "ab");
}

TEST_F(WatchedTest, AFilterThatStopsTheConnectionKeepsItFromTheOthers) {
  log_of_filter.stop_new = true;
  comesWatched();
  log_of_filter.handle->continueReading();
  say("a");
  EXPECT_EQ(at_client.bytes, "a");
}

TEST_F(WatchedTest, WhatWaitsForAFilterIsLimited) {
  log_of_filter.stop_data = true;
  comesWatched();
  say(std::string(1001, 'a'));
  EXPECT_TRUE(near_end->paused());
  log_of_filter.stop_data = false;
  log_of_filter.handle->continueReading();
  turns();
  EXPECT_FALSE(near_end->paused());
}

TEST_F(WatchedTest, AFilterThatStopsTheAnswerMayLetItGoLater) {
  log_of_filter.stop_write = true;
  comesWatched();
  say("a");
  say("b");
  EXPECT_EQ(at_client.bytes, "");
  log_of_filter.stop_write = false;
  log_of_filter.handle->continueWriting();
  turns();
  EXPECT_EQ(at_client.bytes, "ab");
}

TEST_F(TcpTest, LogsWhenItStartsConnectsRunsAndEnds) {
  const std::string& lines = logTo("%ACCESS_LOG_TYPE% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST%\n");
  ProxySpec spec;
  spec.log_options = {.at_start = true, .at_connected = true, .interval = 2s};
  comesToProxy(spec);
  EXPECT_EQ(lines, "TcpConnectionStart 0 0 -\nTcpUpstreamConnected 0 0 10.0.0.1:8001\n");
  say("hello");
  passes(2s);
  EXPECT_THAT(lines, testing::EndsWith("\nTcpPeriodic 5 0 10.0.0.1:8001\n"));
  connection->closeNow();
  EXPECT_THAT(lines, testing::EndsWith("\nTcpConnectionEnd 5 0 10.0.0.1:8001\n"));
  passes(5s);
  EXPECT_THAT(lines, testing::EndsWith("\nTcpConnectionEnd 5 0 10.0.0.1:8001\n"));
}

constexpr char kWhy[] =
    "%RESPONSE_FLAGS% %DOWNSTREAM_LOCAL_CLOSE_REASON% %DOWNSTREAM_DETECTED_CLOSE_TYPE% "
    "%UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_TRANSPORT_FAILURE_REASON%\n";

TEST_F(TcpTest, LogsWhyThereWasNoUpstream) {
  const std::string& lines = logTo(kWhy);
  connector.at_once = false;
  ProxySpec spec;
  spec.max_connect_attempts = 2;
  comesToProxy(spec);
  for (size_t i = 0; i < 2; ++i) {
    connector.peer(i).client->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no one"});
    turns();
  }
  EXPECT_EQ(lines, "UF,URX tcp_initializion_failure:0 Normal 2 10.0.0.1:8001,10.0.0.1:8001 no_one\n");
}

TEST_F(TcpTest, LogsAnIdleEndWithoutAFlag) {
  const std::string& lines = logTo(kWhy);
  ProxySpec spec;
  spec.idle_timeout = 1s;
  comesToProxy(spec);
  passes(1s);
  EXPECT_EQ(lines, "- tcp_session_idle_timeout Normal 1 10.0.0.1:8001 -\n");
}

TEST_F(TcpTest, LogsWhoHasResetTheConnection) {
  const std::string& lines = logTo("%RESPONSE_FLAGS% %DOWNSTREAM_DETECTED_CLOSE_TYPE%\n");
  comesToProxy({});
  connector.last().stream->close(ByteStream::Close::Reset);
  turns();
  EXPECT_EQ(lines, "UR LocalReset\n");
  comesToProxy({});
  client->close(ByteStream::Close::Reset);
  turns();
  EXPECT_EQ(lines, "UR LocalReset\n- RemoteReset\n");
}

// --- Filters that keep what is written ---

// Keeps all that is written through it until it is told to let go.
class Keeping final : public Filter {
 public:
  explicit Keeping(ConnectionHandle*& handle, bool& keeps) : seen_(handle), keeps_(keeps) {}
  void setHandle(ConnectionHandle& handle) override { seen_ = &handle; }
  Pass onNewConnection() override { return Pass::Continue; }
  Pass onData(base::BufferChain&, bool) override { return Pass::Continue; }
  Pass onWrite(base::BufferChain&, bool) override { return keeps_ ? Pass::Stop : Pass::Continue; }

 private:
  ConnectionHandle*& seen_;
  bool& keeps_;
};
struct KeepingFactory final : FilterFactory {
  KeepingFactory(ConnectionHandle*& handle, bool& keeps) : handle(handle), keeps(keeps) {}
  std::unique_ptr<Filter> create() override { return std::make_unique<Keeping>(handle, keeps); }
  ConnectionHandle*& handle;
  bool& keeps;
};

TEST_F(TcpTest, AFilterThatKeepsMuchOfWhatIsWrittenHoldsTheWriterBack) {
  ConnectionHandle* handle = nullptr;
  bool keeps = true;
  std::vector<std::unique_ptr<FilterFactory>> filters;
  filters.push_back(std::make_unique<KeepingFactory>(handle, keeps));
  filters.push_back(echo());
  comes(std::move(filters));
  say(std::string(1500, 'x'));  // Above the limit of 1000: the echo reads no more.
  say("more");
  EXPECT_EQ(at_client.bytes, "");
  keeps = false;
  handle->continueWriting();
  turns();
  EXPECT_EQ(at_client.bytes.size(), 1504u);
}

}  // namespace
}  // namespace weir::tcp
