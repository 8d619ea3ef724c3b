// Facts about calls to a cluster that has filters of its own. The expectations are what Envoy's upstream filters do.
#include "upstream/call_filters.h"

#include <functional>

#include "filter/test_filter.h"
#include "upstream/grpc_stream.h"
#include "upstream/http_call.h"
#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using filter::BodyAction;
using filter::HeadersAction;
using filter::ScriptedFilter;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

struct CallFiltersTest : UpstreamTest, HttpCallReceiver {
  struct Filters final : CallableFilters {
    bool empty() const override { return factories.empty(); }
    std::vector<filter::FilterFactory*> forCalls() const override {
      std::vector<filter::FilterFactory*> all;
      for (const auto& each : factories) all.push_back(each.get());
      return all;
    }
    std::vector<std::shared_ptr<filter::ScriptedFactory>> factories;
  };
  ~CallFiltersTest() override {  // What is under way ends while there still is a log.
    call.reset();
    turns();
  }
  void onCallResponse(HttpCallResponse response) override {
    for (const auto& entry : response.headers) heads += std::string(entry.name) + "=" + std::string(entry.value) + " ";
    body = response.body.toString();
    ended("answered");
  }
  void onCallFailure(http::ResetReason) override { ended("failed"); }
  void ended(const char* how) {
    log.emplace_back(how);
    call.reset();  // Allowed within.
  }
  void start(std::string_view method = "GET", std::string_view text = "", bool somewhere = true) {
    ClusterSpec spec = somewhere ? staticSpec() : staticSpec({});
    spec.http_filters = filters;
    make(spec);
    call = startHttpCall(*cluster, loop, callRequest(method, text), *this);
  }
  void inHeaders(std::function<void(ScriptedFilter&)> act, HeadersAction action = HeadersAction::Continue) {
    up->prepare = [act = std::move(act), action](ScriptedFilter& filter) {
      filter.headers = action;
      if (act) filter.in_headers = [&filter, act] { act(filter); };
    };
  }

  std::vector<std::string> log;
  std::shared_ptr<filter::ScriptedFactory> up = std::make_shared<filter::ScriptedFactory>("up", log);
  std::shared_ptr<Filters> filters = [this] {
    auto all = std::make_shared<Filters>();
    all->factories = {up};
    return all;
  }();
  std::unique_ptr<HttpCall> call;
  std::string heads, body;
};

TEST_F(CallFiltersTest, SeeACallAndItsAnswerAndAreDoneBeforeTheCallerIs) {
  inHeaders([](ScriptedFilter& filter) { filter.handle().requestHeaders()->set("x-a", "1"); });
  start("POST", "hello");
  EXPECT_THAT(log, IsEmpty());  // Not before the caller has returned.
  turns();
  EXPECT_THAT(connector.last().bytes, HasSubstr("\r\nx-a: 1\r\n"));
  EXPECT_THAT(connector.last().bytes, EndsWith("\r\n\r\nhello"));
  connector.last().answer("fine");
  turns();
  EXPECT_THAT(log, ElementsAre("up headers", "up body[hello] end", "up response 200", "up response body[fine]",
                               "up response body[] end", "up destroy", "answered"));
  EXPECT_EQ(body, "fine");
  EXPECT_EQ(count("upstream_rq_200"), 1u);
}

TEST_F(CallFiltersTest, SeeTheCallBeforeThereIsAConnection) {
  connector.at_once = false;
  start("POST", "hello");
  turns();
  EXPECT_THAT(log, ElementsAre("up headers", "up body[hello] end"));
  EXPECT_EQ(up->last->handle().info().upstream->remote.toString(), "10.0.0.1:8001");
  EXPECT_EQ(up->last->handle().info().connection, nullptr);
  connector.last().client->connectSucceeds();
  turns();
  EXPECT_THAT(connector.last().bytes, EndsWith("\r\n\r\nhello"));
}

TEST_F(CallFiltersTest, SeeNothingOfACallThatGoesNowhere) {
  start("GET", "", false);
  turns();
  EXPECT_THAT(log, ElementsAre("answered"));
  EXPECT_EQ(body, "no healthy upstream");
}

TEST_F(CallFiltersTest, AnswerInTheUpstreamsPlace) {
  inHeaders(
      [](ScriptedFilter& filter) {
        filter.handle().sendLocalReply({418, "tea", "mine", {{"x-r", "1"}}, -1});
      },
      HeadersAction::StopAllAndWatermark);
  start();
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "answered", "up destroy"));
  EXPECT_EQ(heads, ":status=418 x-r=1 content-length=3 content-type=text/plain ");
  EXPECT_EQ(body, "tea");
  EXPECT_EQ(connector.last().bytes, "");
  EXPECT_EQ(count("upstream_rq_4xx"), 0u);
}

TEST_F(CallFiltersTest, AnAnswerWithoutABodyIsItsStatusAlone) {
  inHeaders(
      [](ScriptedFilter& filter) {
        filter.handle().sendLocalReply({503, "", "", {}, -1});
      },
      HeadersAction::StopAllAndWatermark);
  start();
  turns();
  EXPECT_EQ(heads, ":status=503 ");
}

TEST_F(CallFiltersTest, LoseACallThatTheyAnswerWhenItsAnswerHasBegun) {
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response_body = [&filter](base::BufferChain&, bool) {
      filter.handle().sendLocalReply({418, "tea", "mine", {}, -1});
    };
  };
  start();
  turns();
  connector.last().answer();
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "up response 200", "up response body[ok]", "failed", "up destroy"));
}

TEST_F(CallFiltersTest, MayResetACall) {
  inHeaders([](ScriptedFilter& filter) { filter.handle().resetStream(); });
  start();
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "failed", "up destroy"));
  EXPECT_EQ(connector.last().bytes, "");
}

TEST_F(CallFiltersTest, HoldACallUntilTheyGoOn) {
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  start("POST", "hello");
  turns();
  EXPECT_EQ(connector.last().bytes, "");
  up->last->handle().continueRequest();
  turns();
  EXPECT_THAT(connector.last().bytes, EndsWith("\r\n\r\nhello"));
}

TEST_F(CallFiltersTest, ATimeoutEndsACallThatIsHeld) {
  inHeaders(nullptr, HeadersAction::StopIteration);
  start();
  passes(300ms);
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy", "answered"));
  EXPECT_EQ(body, "upstream request timeout");
}

// The connection has served, and may be gone, when the answer goes on.
TEST_F(CallFiltersTest, HoldAnAnswerForLongerThanItsStreamLasts) {
  up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndBuffer; };
  start();
  turns();
  connector.last().answer("fine");
  turns();
  connector.last().stream->finishWriting();
  turns();
  EXPECT_EQ(heads, "");
  up->last->handle().continueResponse();
  turns();
  EXPECT_EQ(body, "fine");
  EXPECT_EQ(log.back(), "answered");
}

TEST_F(CallFiltersTest, ARequestWithoutAPathIsA503AndAnAnswerWithoutAStatusA502) {
  inHeaders([](ScriptedFilter& filter) { filter.handle().requestHeaders()->remove(":path"); });
  start();
  turns();
  EXPECT_EQ(body, "missing required header: :path");
  EXPECT_THAT(heads, HasSubstr(":status=503"));
  heads.clear();
  up->prepare = [](ScriptedFilter& filter) {
    filter.in_response = [&filter] { filter.handle().responseHeaders()->remove(":status"); };
  };
  start();
  turns();
  connector.last().answer();
  turns();
  EXPECT_EQ(body, "missing required header: :status");
  EXPECT_THAT(heads, HasSubstr(":status=502"));
}

TEST_F(CallFiltersTest, AreToldWhenACallIsGivenUp) {
  start();
  call.reset();
  turns();
  EXPECT_THAT(log, IsEmpty());
  start();
  turns();
  call.reset();
  turns();
  EXPECT_THAT(log, ElementsAre("up headers end", "up destroy"));
}

TEST_F(CallFiltersTest, KeepNoMoreOfAnAnswerThanTheirLimit) {
  up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndBuffer; };
  start();
  turns();
  connector.last().say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 20 && heads.empty(); ++i) {
    connector.last().say("10000\r\n" + piece + "\r\n");
    turns();
  }
  EXPECT_THAT(heads, HasSubstr(":status=500"));
}

// A worker that ends: its plugins end, and give up their calls, then its clusters do. Only then the loop takes a turn.
TEST_F(CallFiltersTest, AreToldOfACallThatTheyHoldWhenItsCallerAndTheClustersEnd) {
  for (const bool connected : {true, false}) {
    connector.at_once = connected;
    inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
    start("POST", "hello");
    turns();
    call.reset();
    clusters.reset();
    EXPECT_THAT(log, ElementsAre("up headers"));
    turns();
    EXPECT_THAT(log, ElementsAre("up headers", "up destroy"));
    log.clear();
  }
}

TEST_F(CallFiltersTest, AreToldOfAnAnswerThatTheyHoldWhenItsCallerAndTheClustersEnd) {
  for (const std::string_view body : {"fine", "fi"}) {
    up->prepare = [](ScriptedFilter& filter) { filter.response_headers = HeadersAction::StopAllAndBuffer; };
    start();
    turns();
    connector.last().say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" + std::string(body));
    turns();
    call.reset();
    clusters.reset();
    turns();
    EXPECT_THAT(log, ElementsAre("up headers end", "up response 200", "up destroy"));
    log.clear();
  }
}

// A connection that is lost as its cluster ends is a lost connection, and the call is answered.
TEST_F(CallFiltersTest, AreToldWhenTheClustersEndBeforeTheCaller) {
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  start("POST", "hello");
  turns();
  clusters.reset();
  turns();
  EXPECT_THAT(log, ElementsAre("up headers", "up destroy", "answered"));
  EXPECT_THAT(heads, HasSubstr(":status=503"));
}

struct GrpcFiltersTest : CallFiltersTest, GrpcReceiver {
  void onGrpcInitialMetadata(http::HeaderMap&) override {}
  void onGrpcMessage(base::BufferChain&) override {}
  void onGrpcTrailingMetadata(http::HeaderMap&) override {}
  void onGrpcClose(int status, std::string_view message) override {
    log.push_back("closed " + std::to_string(status) + " " + std::string(message));
  }
};

TEST_F(GrpcFiltersTest, AnswerAGrpcCallWithAStatus) {
  inHeaders(
      [](ScriptedFilter& filter) {
        filter.handle().sendLocalReply({403, "denied", "mine", {}, -1});
      },
      HeadersAction::StopAllAndWatermark);
  ClusterSpec spec = staticSpec();
  spec.http_filters = filters;
  make(spec);
  GrpcStream stream(*cluster, loop, *this, {});
  stream.start(grpcHeaders("a", "S", "M", std::nullopt));
  EXPECT_TRUE(stream.send("hello", true));
  turns();
  EXPECT_THAT(log, ElementsAre("up headers", "closed 7 denied{mine}", "up destroy"));
}

// What a filter holds of a stream's messages counts as waiting.
TEST_F(GrpcFiltersTest, TakeNoMoreMessagesThanMayWait) {
  inHeaders(nullptr, HeadersAction::StopAllAndWatermark);
  ClusterSpec spec = staticSpec();
  spec.http_filters = filters;
  make(spec);
  GrpcStream stream(*cluster, loop, *this, {});
  stream.start(grpcHeaders("a", "S", "M", std::nullopt));
  const std::string message(1024 * 1024, 'm');
  int sent = 0;
  while (sent < 20 && stream.send(message, false)) {
    ++sent;
    turns();
  }
  EXPECT_EQ(sent, 7);
}

}  // namespace
}  // namespace weir::upstream
