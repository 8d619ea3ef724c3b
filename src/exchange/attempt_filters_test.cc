// Facts about the filters on the upstream's side. The expectations are what Envoy's upstream filters do.
#include "exchange/attempt_filters.h"

#include "exchange/test_exchange.h"
#include "filter/test_filter.h"
#include "upstream/test_http2_upstream.h"

namespace weir::exchange {
namespace {

using filter::BodyAction;
using filter::HeadersAction;
using filter::ScriptedFilter;
using filter::TrailersAction;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Log = std::vector<std::string>;

struct AttemptFiltersTest : ExchangeTest {
  ~AttemptFiltersTest() override {  // What is under way ends while there still is a log.
    if (connection != nullptr) connection->closeNow();
    turns();
  }
  void beginFiltered() {
    begin();
    manager->upstream_filters = {{"up", false, up}};
  }
  void post(std::string_view body = "hello") {
    say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
        std::string(body));
  }
  route::RetryPolicy& retryOn5xx() {
    auto& policy = route.forward->retry_policy.emplace();
    policy.retry_on = "5xx,reset,connect-failure";
    policy.num_retries = 1;
    return policy;
  }
  // What the next filter does with the request's headers.
  void inHeaders(std::function<void(ScriptedFilter&)> act, HeadersAction action = HeadersAction::Continue) {
    up->prepare = [act = std::move(act), action](ScriptedFilter& filter) {
      filter.headers = action;
      if (act) filter.in_headers = [&filter, act] { act(filter); };
    };
  }
  void replyInHeaders() {
    inHeaders(
        [](ScriptedFilter& filter) {
          filter.handle().sendLocalReply({418, "tea", "mine", {}, -1});
        },
        HeadersAction::StopAllAndWatermark);
  }

  Log log;
  std::shared_ptr<filter::ScriptedFactory> up = std::make_shared<filter::ScriptedFactory>("up", log);
};

TEST_F(AttemptFiltersTest, SeeARequestAndItsAnswerAndAreDoneBeforeTheLog) {
  beginFiltered();
  post();
  answer(0, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_THAT(log, ElementsAre("up headers", "up body[hello]", "up body[] end", "up response 200",
                               "up response body[ok]", "up response body[] end", "up destroy"));
}

TEST_F(AttemptFiltersTest, SeeTheRequestBeforeThereIsAConnection) {
  connector.at_once = false;
  beginFiltered();
  post();
  EXPECT_THAT(log, ElementsAre("up headers", "up body[hello]", "up body[] end"));
  EXPECT_EQ(up->last->handle().info().upstream->remote.toString(), "10.0.0.1:8001");
  EXPECT_EQ(peer(0).bytes, "");
  peer(0).client->connectSucceeds();
  turns();
  EXPECT_THAT(peer(0).bytes, EndsWith("\r\n\r\nhello"));
}

TEST_F(AttemptFiltersTest, ChangeWhatIsSentAndWhatIsAnswered) {
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_headers = [&filter] { filter.handle().requestHeaders()->set("x-a", "1"); };
    filter.in_body = [](base::BufferChain& bytes, bool end) {
      if (!end) bytes = base::BufferChain("HELLO");
    };
    filter.in_response = [&filter] { filter.handle().responseHeaders()->set("x-b", "2"); };
    filter.in_response_body = [](base::BufferChain& bytes, bool end) {
      if (!end) bytes = base::BufferChain("OK");
    };
  };
  beginFiltered();
  post();
  EXPECT_THAT(peer(0).bytes, HasSubstr("x-a: 1\r\n"));
  EXPECT_THAT(peer(0).bytes, EndsWith("\r\n\r\nHELLO"));
  answer(0, "200");
  EXPECT_THAT(client.bytes, HasSubstr("x-b: 2\r\n"));
  EXPECT_THAT(client.bytes, EndsWith("\r\n\r\nOK"));
}

TEST_F(AttemptFiltersTest, HoldTheRequestUntilTheyGoOn) {
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  beginFiltered();
  post();
  EXPECT_EQ(peer(0).bytes, "");
  up->last->handle().continueRequest();
  turns();
  EXPECT_THAT(peer(0).bytes, EndsWith("\r\n\r\nhello"));
  answer(0, "200");
  EXPECT_EQ(status(), "200");
}

TEST_F(AttemptFiltersTest, HoldTheAnswerBeyondItsEndAndItIsStillCounted) {
  up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndWatermark; };
  beginFiltered();
  get();
  answer(0, "200");
  EXPECT_EQ(client.bytes, "");
  EXPECT_EQ(count("upstream_rq_200"), 0u);
  up->last->handle().continueResponse();
  turns();
  EXPECT_EQ(status(), "200");
  EXPECT_THAT(client.bytes, EndsWith("ok"));
  EXPECT_EQ(count("upstream_rq_200"), 1u);
  EXPECT_EQ(clusters->find("c")->endpoints().at(0)->counts.rq_success, 1u);
}

TEST_F(AttemptFiltersTest, AnswerInTheUpstreamsPlace) {
  replyInHeaders();
  beginFiltered();
  get();
  EXPECT_EQ(status(), "418");
  EXPECT_THAT(client.bytes, EndsWith("tea"));
  EXPECT_EQ(peer(0).bytes, "");
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy"));
  EXPECT_EQ(count("upstream_rq_completed"), 0u);
  get();
  EXPECT_EQ(up->made, 2u);  // The client's connection goes on.
}

TEST_F(AttemptFiltersTest, AnswerOnAConnectionThatIsThereAlreadyAndItEnds) {
  beginFiltered();
  get();
  answer(0, "200");
  replyInHeaders();
  client.bytes.clear();
  peer(0).bytes.clear();
  get();
  EXPECT_EQ(status(), "418");
  EXPECT_EQ(peer(0).bytes, "");
  EXPECT_TRUE(peer(0).ended);
}

TEST_F(AttemptFiltersTest, AnswerBeforeThereIsAConnection) {
  connector.at_once = false;
  replyInHeaders();
  beginFiltered();
  get();
  EXPECT_EQ(status(), "418");
  EXPECT_EQ(count("upstream_rq_cancelled"), 1u);
}

TEST_F(AttemptFiltersTest, AnswerWithoutBeingTriedAgain) {
  retryOn5xx();
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response = [&filter] { filter.handle().sendLocalReply({503, "mine", "mine", {}, -1}); };
    filter.response_headers = HeadersAction::StopAllAndWatermark;
  };
  beginFiltered();
  get();
  answer(0, "200");
  passes(seconds(1));
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(up->made, 1u);
  EXPECT_EQ(count("upstream_rq_retry"), 0u);
}

TEST_F(AttemptFiltersTest, AnswerTooLateAndTheStreamIsReset) {
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response_body = [&filter](base::BufferChain&, bool) {
      filter.handle().sendLocalReply({418, "tea", "mine", {}, -1});
    };
    filter.response_body = BodyAction::StopNoBuffer;
  };
  beginFiltered();
  get();
  answer(0, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(log.back(), "up destroy");
}

TEST_F(AttemptFiltersTest, EndTheClientsStreamWithoutAnAnswer) {
  inHeaders([](ScriptedFilter& filter) { filter.handle().resetStream(); }, HeadersAction::StopAllAndWatermark);
  beginFiltered();
  get();
  EXPECT_EQ(client.bytes, "");
  EXPECT_TRUE(client.ended);
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy"));
}

TEST_F(AttemptFiltersTest, AreNewForEachAttempt) {
  retryOn5xx();
  beginFiltered();
  post();
  answer(0, "503");
  passes(milliseconds(25));
  answer(1, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_THAT(log, ElementsAre("up headers", "up body[hello]", "up body[] end", "up response 503", "up destroy",
                               "up headers", "up body[hello] end", "up response 200", "up response body[ok]",
                               "up response body[] end", "up destroy"));
}

TEST_F(AttemptFiltersTest, DecideByTheStatusThatTheyMakeWhetherThereIsAnother) {
  retryOn5xx();
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response = [&filter] { filter.handle().responseHeaders()->set(":status", "500"); };
  };
  beginFiltered();
  get();
  answer(0, "200");
  passes(milliseconds(25));
  answer(1, "200");
  EXPECT_EQ(status(), "500");
  EXPECT_EQ(count("upstream_rq_retry"), 1u);
}

TEST_F(AttemptFiltersTest, SendTheRequestsTrailersAnew) {
  retryOn5xx();
  cluster.enable_trailers = spec.enable_trailers = true;
  beginFiltered();
  say("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\nx-t: 1\r\n\r\n");
  answer(0, "503");
  passes(milliseconds(25));
  EXPECT_THAT(peer(1).bytes, EndsWith("one\r\n0\r\nx-t: 1\r\n\r\n"));
  answer(1, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(std::count(log.begin(), log.end(), "up trailers"), 2);
}

TEST_F(AttemptFiltersTest, AreToldNothingWhereThereIsNoRoom) {
  cluster.breakers.max_requests = 0;
  beginFiltered();
  get();
  EXPECT_EQ(status(), "503");
  EXPECT_THAT(log, testing::Each("up destroy"));
}

TEST_F(AttemptFiltersTest, SeeARequestThatNobodyTakes) {
  connector.at_once = false;
  beginFiltered();
  get();
  peer(0).client->connectFails({base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes, "refused"});
  turns();
  EXPECT_EQ(status(), "503");
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy"));
}

TEST_F(AttemptFiltersTest, SendNothingThatIsNoRequest) {
  for (const std::string name : {":method", ":path"}) {
    inHeaders([name](ScriptedFilter& filter) { filter.handle().requestHeaders()->remove(name); });
    if (manager == nullptr) beginFiltered();
    client.bytes.clear();
    get();
    EXPECT_EQ(status(), "503");
    EXPECT_THAT(client.bytes, EndsWith("missing required header: " + name));
  }
}

TEST_F(AttemptFiltersTest, GiveNoAnswerWithoutAStatus) {
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response = [&filter] { filter.handle().responseHeaders()->remove(":status"); };
  };
  beginFiltered();
  get();
  answer(0, "200");
  EXPECT_EQ(status(), "502");
  EXPECT_THAT(client.bytes, EndsWith("missing required header: :status"));
}

TEST_F(AttemptFiltersTest, LetTheClientWaitAboveTheLimitAndGoOn) {
  buffer_limit = 1000;
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  beginFiltered();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5000\r\n\r\n" + std::string(2000, 'x'));

  up->last->handle().continueRequest();
  turns();
  say(std::string(3000, 'x'));
  EXPECT_THAT(peer(0).bytes, EndsWith(std::string(5000, 'x')));
  answer(0, "200");
  EXPECT_EQ(status(), "200");
}

TEST_F(AttemptFiltersTest, AnswerARequestThatTheyKeepAboveTheLimit) {
  buffer_limit = 1000;
  up->prepare = [](ScriptedFilter& filter) {
    filter.headers = HeadersAction::StopIteration;
    filter.body = BodyAction::StopAndBuffer;
  };
  beginFiltered();
  post(std::string(2000, 'x'));
  EXPECT_EQ(status(), "413");
  EXPECT_EQ(peer(0).bytes, "");
}

TEST_F(AttemptFiltersTest, EndWithTheTryThatTakesTooLong) {
  retryOn5xx().per_try_timeout = milliseconds(100);
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  beginFiltered();
  get();
  passes(milliseconds(110));
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy", "up headers end"));
  passes(milliseconds(110));
  EXPECT_EQ(status(), "504");
  EXPECT_EQ(count("upstream_rq_per_try_timeout"), 2u);
}

TEST_F(AttemptFiltersTest, EndWithAnUpstreamThatGoesWhileTheyHoldTheAnswer) {
  up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndWatermark; };
  beginFiltered();
  get();
  peer(0).say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
  turns();
  peer(0).stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_EQ(status().front(), '5');
  EXPECT_EQ(log.back(), "up destroy");
}

TEST_F(AttemptFiltersTest, EndWithAClientThatGoes) {
  beginFiltered();
  get();
  client_stream->close(net::ByteStream::Close::Now);
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy"));
  EXPECT_TRUE(peer(0).ended);
}

TEST_F(AttemptFiltersTest, LetATunnelPassAndBeCountedOnce) {
  spec.upgrades = {{"websocket", true}};
  beginFiltered();
  say("GET / HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nearly");
  EXPECT_THAT(peer(0).bytes, Not(HasSubstr("early")));
  peer(0).say("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nhi");
  turns();
  EXPECT_THAT(peer(0).bytes, EndsWith("early"));
  EXPECT_THAT(client.bytes, EndsWith("hi"));
  say("more");
  EXPECT_THAT(peer(0).bytes, EndsWith("earlymore"));
  EXPECT_THAT(log,
              ElementsAre("up headers", "up response 101", "up response body[hi]", "up body[early]", "up body[more]"));
}

TEST_F(AttemptFiltersTest, AreTheClustersWhereItHasSome) {
  auto own = std::make_shared<filter::ScriptedFactory>("own", log);
  auto filters = std::make_shared<ClusterFilters>();
  filters->filters = {{"own", false, own}};
  cluster.http_filters = filters;
  beginFiltered();
  get();
  answer(0, "200");
  EXPECT_EQ(own->made, 1u);
  EXPECT_EQ(up->made, 0u);
}

// A cluster that configures the codec alone has no filters, and so the router's do not stand in for them.
TEST_F(AttemptFiltersTest, AreNoneWhereTheClusterWantsNone) {
  cluster.http_filters = std::make_shared<ClusterFilters>();
  beginFiltered();
  get();
  answer(0, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(AttemptFiltersTest, AreLeftOutAndPutInByRoutes) {
  host.filters = {{"asleep", false, nullptr}, {"up", true, nullptr}};
  auto asleep = std::make_shared<filter::ScriptedFactory>("asleep", log);
  begin();
  manager->upstream_filters = {{"up", false, up}, {"asleep", true, asleep}, {"never", true, up}};
  get();
  EXPECT_THAT(log, ElementsAre("asleep headers end"));
}

struct AttemptFiltersHttp2 : upstream::WithHttp2Peers<AttemptFiltersTest> {
  AttemptFiltersHttp2() { cluster.protocol = upstream::HttpProtocol::Http2; }
};

TEST_F(AttemptFiltersHttp2, HoldARequestAndSendIt) {
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  beginFiltered();
  post();
  EXPECT_THAT(serve().requests, IsEmpty());
  up->last->handle().continueRequest();
  turns();
  EXPECT_THAT(serve().log(), EndsWith("body(hello) end"));
  servers[0]->answer(0, "200", "answer");
  serve();
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(log.back(), "up destroy");
}

TEST_F(AttemptFiltersHttp2, AnswerInPlaceOfAnUpstreamThatHearsNothingAndGoesOn) {
  replyInHeaders();
  beginFiltered();
  get();
  EXPECT_EQ(status(), "418");
  EXPECT_THAT(serve().requests, IsEmpty());
  up->prepare = nullptr;
  client.bytes.clear();
  get();
  ASSERT_EQ(serve().requests.size(), 1u);
  servers[0]->answer(0, "200", "answer");
  serve();
  EXPECT_EQ(status(), "200");
  EXPECT_EQ(peers(), 1u);
}

TEST_F(AttemptFiltersHttp2, EndWithAStreamThatIsResetWhileTheyHoldTheAnswer) {
  up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndWatermark; };
  beginFiltered();
  get();
  serve();
  http::HeaderMap headers;
  headers.add(":status", "200");
  servers[0]->requests.at(0)->stream->sendHeaders(headers, false);
  serve();
  EXPECT_EQ(client.bytes, "");
  servers[0]->requests.at(0)->stream->reset(http::ResetReason::LocalReset);
  serve();
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(log.back(), "up destroy");
}

}  // namespace
}  // namespace weir::exchange
