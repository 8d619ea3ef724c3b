// Facts about how a stream passes its filters. The expectations are what Envoy's filter manager does.
#include "filter/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "filter/test_filter.h"

namespace weir::filter {
namespace {

using testing::ElementsAre;
using Log = std::vector<std::string>;

class ChainTest : public testing::Test, public Ends {
 public:
  void forwardRequestHeaders(http::HeaderMap&, bool end) override {
    log.push_back(end ? "-> headers end" : "-> headers");
  }
  void forwardRequestBody(base::BufferChain& bytes, bool end) override {
    log.push_back("-> body[" + bytes.toString() + "]" + (end ? " end" : ""));
    bytes.clear();
  }
  void forwardRequestTrailers(http::HeaderMap&) override { log.push_back("-> trailers"); }
  void answerHeaders(http::HeaderMap& map, bool end) override {
    log.push_back("<- " + std::string(map.getOr(http::HeaderId::Status, "")) + (end ? " end" : ""));
  }
  void answerBody(base::BufferChain& bytes, bool end) override {
    log.push_back("<- body[" + bytes.toString() + "]" + (end ? " end" : ""));
  }
  void forwardRequestMetadata(http::Metadata& metadata) override {
    log.push_back("-> metadata " + metadata.fields().begin()->first);
  }
  void answerMetadata(http::Metadata& metadata) override {
    log.push_back("<- metadata " + metadata.fields().begin()->first);
  }
  void answerTrailers(http::HeaderMap&) override { log.push_back("<- trailers"); }
  http::HeaderMap& makeLocalReply(const LocalReply& reply, base::BufferChain& body) override {
    reply_headers.clear();
    reply_headers.add(http::HeaderId::Status, std::to_string(reply.status));
    body.append(reply.body);
    return reply_headers;
  }
  void abandonUpstream() override { log.push_back("abandon"); }
  void resetClientStream() override { log.push_back("reset"); }
  void pauseRequest() override { log.push_back("pause request"); }
  void resumeRequest() override { log.push_back("resume request"); }
  void pauseResponse() override { log.push_back("pause response"); }
  void resumeResponse() override { log.push_back("resume response"); }
  bool responsePaused() const override { return false; }
  void clearRouteCache() override {}
  event::Loop& loop() override { return loop_; }
  StreamInfo& info() override { return info_; }
  size_t bufferLimit() const override { return limit; }

  ScriptedFilter& addFilter(std::string name) {
    auto filter = std::make_unique<ScriptedFilter>(std::move(name), log);
    ScriptedFilter& reference = *filter;
    chain.add(std::move(filter));
    return reference;
  }
  void request(bool end) { chain.requestHeaders(request_headers, end); }
  void body(std::string_view text, bool end) {
    base::BufferChain bytes(text);
    chain.requestBody(bytes, end);
  }
  void metadata(std::string_view name) {
    http::Metadata metadata;
    metadata.add(name, "v");
    chain.requestMetadata(metadata);
  }
  void responseMetadata(std::string_view name) {
    http::Metadata metadata;
    metadata.add(name, "v");
    chain.responseMetadata(metadata);
  }
  void response(bool end) {
    response_headers.add(http::HeaderId::Status, "200");
    chain.responseHeaders(response_headers, end);
  }
  void responseBody(std::string_view text, bool end) {
    base::BufferChain bytes(text);
    chain.responseBody(bytes, end);
  }

  Log log;
  size_t limit = 100;
  Chain chain{*this};
  http::HeaderMap request_headers, response_headers, request_trailers, reply_headers;
  base::ManualClock clock;
  event::Loop loop_{clock};
  StreamInfo info_;
};

TEST_F(ChainTest, PassesTheRequestInOrderAndTheResponseInReverse) {
  addFilter("a");
  addFilter("b");
  request(true);
  response(true);
  EXPECT_THAT(log, ElementsAre("a headers end", "b headers end", "-> headers end", "b response 200 end",
                               "a response 200 end", "<- 200 end"));
}

TEST_F(ChainTest, KeepsTheBodyBeforeAFilterThatStoppedAllAndGivesItThatWhenItGoesOn) {
  ScriptedFilter& a = addFilter("a");
  a.headers = HeadersAction::StopAllAndWatermark;
  request(false);
  body("one", false);
  body("two", true);
  EXPECT_THAT(log, ElementsAre("a headers"));
  a.handle().continueRequest();
  EXPECT_THAT(log, ElementsAre("a headers", "-> headers", "a body[onetwo] end", "-> body[onetwo] end"));
}

TEST_F(ChainTest, GoesOnAtOnceWhenTheFilterAskedForItBeforeItReturnedAStop) {
  ScriptedFilter& a = addFilter("a");
  a.headers = HeadersAction::StopAllAndWatermark;
  a.in_headers = [&] { a.handle().continueRequest(); };
  request(true);
  EXPECT_THAT(log, ElementsAre("a headers end", "-> headers end"));
}

TEST_F(ChainTest, AFilterThatStoppedItselfStillGetsTheBodyAndReleasesHeadersWithIt) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.headers = HeadersAction::StopIteration;
  a.body = BodyAction::StopAndBuffer;
  request(false);
  body("one", false);
  a.body = BodyAction::Continue;
  body("two", true);
  EXPECT_THAT(log, ElementsAre("a headers", "a body[one]", "a body[two] end", "b headers", "-> headers",
                               "b body[onetwo] end", "-> body[onetwo] end"));
}

TEST_F(ChainTest, AnswersWithPayloadTooLargeWhenABufferedBodyIsOverTheLimit) {
  ScriptedFilter& a = addFilter("a");
  a.body = BodyAction::StopAndBuffer;
  request(false);
  body(std::string(60, 'x'), false);
  body(std::string(60, 'x'), false);
  EXPECT_THAT(log, testing::IsSupersetOf({"a response 413", "<- 413", "<- body[Payload Too Large] end"}));
  EXPECT_EQ(info_.response_code_details, "request_payload_too_large");
}

TEST_F(ChainTest, PausesTheSenderWhenAWatermarkedBodyIsOverTheLimit) {
  ScriptedFilter& a = addFilter("a");
  a.body = BodyAction::StopAndWatermark;
  request(false);
  body(std::string(101, 'x'), false);
  EXPECT_EQ(log.back(), "pause request");
  a.handle().continueRequest();
  EXPECT_EQ(log[log.size() - 2], "resume request");
}

TEST_F(ChainTest, AFilterMaySetHowMuchIsKept) {
  ScriptedFilter& a = addFilter("a");
  ScriptedFilter& b = addFilter("b");
  a.in_headers = [&] { a.handle().setBufferLimit(130); };
  a.body = BodyAction::StopAndBuffer;
  request(false);
  EXPECT_EQ(b.handle().bufferLimit(), 130u);
  body(std::string(60, 'x'), false);
  body(std::string(60, 'x'), false);
  EXPECT_EQ(a.handle().requestBuffer()->size(), 120u);
  body(std::string(60, 'x'), false);
  EXPECT_EQ(info_.response_code_details, "request_payload_too_large");
}

TEST_F(ChainTest, AHigherLimitLetsTheSenderGoOn) {
  ScriptedFilter& a = addFilter("a");
  a.body = BodyAction::StopAndWatermark;
  request(false);
  body(std::string(150, 'x'), false);
  EXPECT_EQ(log.back(), "pause request");
  a.handle().setBufferLimit(140);
  EXPECT_EQ(log.back(), "pause request");
  a.handle().setBufferLimit(0);
  EXPECT_EQ(log.back(), "resume request");
}

TEST_F(ChainTest, TellsTheEndOfABodyThatTheFilterConsumedItself) {
  ScriptedFilter& a = addFilter("a");
  a.body = BodyAction::StopNoBuffer;
  a.in_body = [](base::BufferChain& bytes, bool) { bytes.clear(); };
  request(false);
  body("gone", true);
  a.handle().continueRequest();
  EXPECT_EQ(log.back(), "-> body[] end");
}

TEST_F(ChainTest, SendsALocalReplyThroughTheResponseFilters) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.headers = HeadersAction::StopAllAndWatermark;
  a.in_headers = [&] { a.handle().sendLocalReply({403, "no", "denied", {}, -1}); };
  request(false);
  EXPECT_THAT(log, ElementsAre("a headers", "abandon", "b response 403", "a response 403", "<- 403",
                               "b response body[no] end", "a response body[no] end", "<- body[no] end"));
  body("late", true);
  EXPECT_EQ(log.size(), 8u);
}

TEST_F(ChainTest, SendsTheFirstOfTwoLocalRepliesOfOneCallback) {
  ScriptedFilter& a = addFilter("a");
  a.in_headers = [&] {
    a.handle().sendLocalReply({403, "", "first", {}, -1});
    a.handle().sendLocalReply({404, "", "second", {}, -1});
  };
  request(true);
  EXPECT_EQ(log.back(), "<- 403 end");
}

TEST_F(ChainTest, SendsALocalReplyOfAResponseCallbackPastTheFilters) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.response_headers = HeadersAction::StopAllAndWatermark;
  a.in_response = [&] { a.handle().sendLocalReply({502, "", "bad", {}, -1}); };
  request(true);
  response(false);
  EXPECT_THAT(log, ElementsAre("a headers end", "b headers end", "-> headers end", "b response 200", "a response 200",
                               "abandon", "<- 502 end"));
}

TEST_F(ChainTest, ResetsTheStreamWhenALocalReplyComesAfterTheHeadersWereSent) {
  ScriptedFilter& a = addFilter("a");
  request(true);
  response(false);
  a.handle().sendLocalReply({500, "", "late", {}, -1});
  EXPECT_EQ(log.back(), "reset");
}

TEST_F(ChainTest, SendsTrailersThatAFilterAddedInTheLastBodyCallback) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.in_body = [&](base::BufferChain&, bool) { a.handle().addRequestTrailers().add("x", "1"); };
  request(false);
  body("all", true);
  EXPECT_THAT(log, ElementsAre("a headers", "b headers", "-> headers", "a body[all] end", "b body[all]", "-> body[all]",
                               "b trailers", "-> trailers"));
}

TEST_F(ChainTest, HoldsTrailersBackUntilTheFilterGoesOn) {
  ScriptedFilter& a = addFilter("a");
  a.headers = HeadersAction::StopAllAndBuffer;
  request(false);
  chain.requestTrailers(request_trailers);
  EXPECT_THAT(log, ElementsAre("a headers"));
  a.handle().continueRequest();
  EXPECT_THAT(log, ElementsAre("a headers", "-> headers", "a trailers", "-> trailers"));
}

TEST_F(ChainTest, LogsThenDestroysEveryFilterAtTheEnd) {
  addFilter("a");
  addFilter("b");
  chain.log();
  chain.destroy();
  EXPECT_THAT(log, ElementsAre("a log", "b log", "a destroy", "b destroy"));
}

// --- METADATA ---

TEST_F(ChainTest, MetadataGoesByABodyThatIsKept) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  request(false);
  a.body = BodyAction::StopAndBuffer;
  body("one", false);
  log.clear();
  metadata("m");
  EXPECT_THAT(log, ElementsAre("a metadata m", "b metadata m", "-> metadata m"));
}

TEST_F(ChainTest, MetadataWaitsBeforeAFilterThatStoppedAllAndComesBeforeTheBody) {
  ScriptedFilter& a = addFilter("a");
  a.headers = HeadersAction::StopAllAndWatermark;
  request(false);
  metadata("m");
  body("one", true);
  metadata("late");  // Behind the end: nobody's.
  EXPECT_THAT(log, ElementsAre("a headers"));
  a.handle().continueRequest();
  EXPECT_THAT(log, ElementsAre("a headers", "-> headers", "a metadata m", "-> metadata m", "a body[one] end",
                               "-> body[one] end"));
}

TEST_F(ChainTest, MetadataWaitsForTheHeadersThatAFilterBeforeHolds) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.headers = HeadersAction::StopIteration;
  request(false);
  metadata("m");
  EXPECT_THAT(log, ElementsAre("a headers", "a metadata m"));
  a.handle().continueRequest();
  EXPECT_THAT(log,
              ElementsAre("a headers", "a metadata m", "b headers", "b metadata m", "-> headers", "-> metadata m"));
}

TEST_F(ChainTest, AnAnswersMetadataMayReachTheClientBeforeItsHeaders) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  request(true);
  log.clear();
  responseMetadata("m");
  EXPECT_TRUE(log.empty());
  a.response_headers = HeadersAction::StopIteration;
  response(false);
  EXPECT_THAT(log, ElementsAre("b response 200", "b response metadata m", "a response 200", "a response metadata m",
                               "<- metadata m"));
  a.handle().continueResponse();
  EXPECT_EQ(log.back(), "<- 200");
}

TEST_F(ChainTest, WithoutFiltersAnAnswersMetadataGoesAtOnce) {
  request(true);
  responseMetadata("m");
  EXPECT_EQ(log.back(), "<- metadata m");
}

TEST_F(ChainTest, AFilterThatGoesOnInItsMetadataLetsTheHeadersGoFirst) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.headers = HeadersAction::StopIteration;
  a.in_metadata = [&] { a.handle().continueRequest(); };
  request(false);
  metadata("m");
  EXPECT_THAT(log,
              ElementsAre("a headers", "a metadata m", "b headers", "-> headers", "b metadata m", "-> metadata m"));
}

TEST_F(ChainTest, AReplyFromMetadataEndsTheRequest) {
  ScriptedFilter& a = addFilter("a");
  addFilter("b");
  a.in_metadata = [&] { a.handle().sendLocalReply({403, "", "no", {}, -1}); };
  request(false);
  log.clear();
  metadata("m");
  EXPECT_THAT(log, ElementsAre("a metadata m", "abandon", "b response 403 end", "a response 403 end", "<- 403 end"));
}

// Envoy crashes.
TEST_F(ChainTest, AReplyFromAnAnswersMetadataThatWaitedForTheHeadersTakesTheirPlace) {
  ScriptedFilter& a = addFilter("a");
  request(true);
  a.in_response_metadata = [&] { a.handle().sendLocalReply({403, "", "no", {}, -1}); };
  responseMetadata("m");
  log.clear();
  response(false);
  EXPECT_THAT(log, ElementsAre("a response 200", "a response metadata m", "abandon", "<- 403 end"));
  responseBody("x", true);
  EXPECT_EQ(log.back(), "<- 403 end");
}

TEST_F(ChainTest, AReplyFromAnAnswersMetadataBehindItsHeadersResetsTheStream) {
  ScriptedFilter& a = addFilter("a");
  request(true);
  response(false);
  a.in_response_metadata = [&] { a.handle().sendLocalReply({403, "", "no", {}, -1}); };
  responseMetadata("m");
  EXPECT_EQ(log.back(), "reset");
}

}  // namespace
}  // namespace weir::filter
