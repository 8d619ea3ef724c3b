// Facts about bytes that a filter puts into a response.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/chain.h"
#include "filter/test_filter.h"

namespace weir::filter {
namespace {

using testing::ElementsAre;

// The client's end of a chain of three filters: the response passes c, b (which puts in), a.
class InjectTest : public testing::Test, public Ends {
 public:
  void forwardRequestHeaders(http::HeaderMap&, bool) override {}
  void forwardRequestBody(base::BufferChain&, bool) override {}
  void forwardRequestTrailers(http::HeaderMap&) override {}
  void answerHeaders(http::HeaderMap&, bool end) override { log.push_back(end ? "<- headers end" : "<- headers"); }
  void answerBody(base::BufferChain& bytes, bool end) override {
    log.push_back("<- [" + bytes.toString() + "]" + (end ? " end" : ""));
  }
  void forwardRequestMetadata(http::Metadata& metadata) override {
    log.push_back("-> metadata " + metadata.fields().begin()->first);
  }
  void answerMetadata(http::Metadata& metadata) override {
    log.push_back("<- metadata " + metadata.fields().begin()->first);
  }
  void answerTrailers(http::HeaderMap&) override { log.push_back("<- trailers"); }
  http::HeaderMap& makeLocalReply(const LocalReply&, base::BufferChain&) override { return headers_; }
  void abandonUpstream() override { log.push_back("abandon"); }
  void resetClientStream() override { log.push_back("reset"); }
  void pauseRequest() override {}
  void resumeRequest() override {}
  void pauseResponse() override { log.push_back("pause"); }
  void resumeResponse() override { log.push_back("resume"); }
  bool responsePaused() const override { return false; }
  void clearRouteCache() override {}
  event::Loop& loop() override { return loop_; }
  StreamInfo& info() override { return info_; }
  size_t bufferLimit() const override { return 100; }

 protected:
  InjectTest() {
    for (ScriptedFilter** filter : {&a, &b, &c}) {
      auto made = std::make_unique<ScriptedFilter>(filter == &a ? "a" : filter == &b ? "b" : "c", ignored);
      *filter = made.get();
      chain.add(std::move(made));
    }
    chain.requestHeaders(headers_, true);
  }
  void headers(bool end = false) { chain.responseHeaders(headers_, end); }
  void body(std::string_view text, bool end = false) {
    base::BufferChain bytes(text);
    chain.responseBody(bytes, end);
  }
  void put(ScriptedFilter& filter, std::string_view text, bool end = false) {
    base::BufferChain bytes(text);
    filter.handle().injectResponse(bytes, end);
  }

  std::vector<std::string> log, ignored;
  Chain chain{*this};
  http::HeaderMap headers_;
  base::ManualClock clock_;
  event::Loop loop_{clock_};
  StreamInfo info_;
  ScriptedFilter* a = nullptr;
  ScriptedFilter* b = nullptr;
  ScriptedFilter* c = nullptr;
};

TEST_F(InjectTest, GoesToTheClientWhileTheFilterHoldsTheResponsesOwn) {
  headers();
  b->response_body = BodyAction::StopAndBuffer;
  body("held");
  put(*b, "put");
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]"));
  b->handle().continueResponse();
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]", "<- [held]"));
}

TEST_F(InjectTest, IsSeenByTheFiltersBehindOnly) {
  headers();
  ignored.clear();
  put(*b, "put");
  EXPECT_THAT(ignored, ElementsAre("a response body[put]"));
}

TEST_F(InjectTest, TakesHeldHeadersAlong) {
  b->response_headers = HeadersAction::StopAllAndWatermark;
  headers();
  body("own", true);
  EXPECT_THAT(log, ElementsAre());
  put(*b, "put");
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]"));
  b->handle().continueResponse();
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]", "<- [own] end"));
}

TEST_F(InjectTest, EndsTheResponseAndDropsTheRest) {
  headers();
  b->response_body = BodyAction::StopAndBuffer;
  body("held");
  put(*b, "put", true);
  EXPECT_THAT(log, ElementsAre("<- headers", "abandon", "<- [put] end"));
  b->handle().continueResponse();
  body("late", true);
  put(*b, "more");
  put(*c, "more");
  EXPECT_EQ(log.size(), 3u);
}

TEST_F(InjectTest, WithinTheBodyCallbackGoesBeforeItsPiece) {
  b->in_response_body = [&](base::BufferChain&, bool) { put(*b, "first"); };
  headers();
  body("second", true);
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [first]", "<- [second] end"));
}

TEST_F(InjectTest, WithinTheBodyCallbackMayEndTheResponseInsteadOfItsPiece) {
  b->in_response_body = [&](base::BufferChain&, bool) { put(*b, "all", true); };
  headers();
  body("dropped", true);
  EXPECT_THAT(log, ElementsAre("<- headers", "abandon", "<- [all] end"));
}

TEST_F(InjectTest, WithinTheHeadersCallbackFollowsTheHeaders) {
  b->in_response = [&] { put(*b, "early"); };
  headers();
  body("own", true);
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [early]", "<- [own] end"));
}

TEST_F(InjectTest, WithinTheHeadersCallbackGivesABodyToAResponseWithoutOne) {
  b->in_response = [&] {
    put(*b, "a bo");
    put(*b, "dy");
  };
  headers(true);
  EXPECT_THAT(log, ElementsAre("abandon", "<- headers", "<- [a body] end"));
}

TEST_F(InjectTest, DoesNothingBeforeTheResponseAndAfterItsEnd) {
  put(*b, "early");
  headers();
  body("own", true);
  put(*b, "late");
  put(*a, "late");
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [own] end"));
}

TEST_F(InjectTest, DoesNotTakeTheEndAlongThatTheFilterStillHolds) {
  a->response_body = BodyAction::StopAndBuffer;
  headers();
  b->response_body = BodyAction::StopNoBuffer;
  body("own", true);
  put(*b, "put");
  a->response_body = BodyAction::Continue;
  a->handle().continueResponse();
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]"));
  b->handle().continueResponse();
  EXPECT_THAT(log, ElementsAre("<- headers", "<- [put]", "<- [] end"));
}

TEST_F(InjectTest, LeavesWhatAFilterBehindKeeps) {
  a->response_body = BodyAction::StopAndBuffer;
  headers();
  put(*b, "one");
  put(*b, "two", true);
  EXPECT_THAT(log, ElementsAre("<- headers", "abandon"));
  a->handle().continueResponse();
  EXPECT_THAT(log, ElementsAre("<- headers", "abandon", "<- [onetwo] end"));
}

}  // namespace
}  // namespace weir::filter
