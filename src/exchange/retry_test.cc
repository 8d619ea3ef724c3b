// Facts about requests that are tried again, from the client's bytes to the upstreams'.
#include "exchange/test_exchange.h"

namespace weir::exchange {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

struct Retry : ExchangeTest {
  route::RetryPolicy& policy(std::string on, uint32_t number = 1) {
    auto& policy = route.forward->retry_policy.emplace();
    policy.retry_on = std::move(on);
    policy.num_retries = number;
    return policy;
  }
};

TEST_F(Retry, GivesTheClientTheSecondAnswerAndNothingOfTheFirst) {
  policy("5xx");
  begin();
  get();
  answer(0, "503", "", "no");
  passes(milliseconds(25));
  ASSERT_EQ(peers(), 2u);
  EXPECT_TRUE(peer(0).ended);
  answer(1, "200");
  EXPECT_EQ(status(), "200");
  EXPECT_THAT(client.bytes, Not(HasSubstr("503")));
  EXPECT_EQ(count("upstream_rq_retry"), 1u);
  EXPECT_EQ(count("upstream_rq_retry_success"), 1u);
  EXPECT_EQ(count("retry.upstream_rq_503"), 1u);
  EXPECT_EQ(count("upstream_rq_503"), 0u);
}

TEST_F(Retry, GivesTheLastAnswerWhenThereWereEnough) {
  policy("5xx", 2);
  begin();
  get();
  for (size_t i = 0; i < 3; ++i) {
    answer(i, "503", "", "no");
    passes(milliseconds(250));
  }
  EXPECT_EQ(peers(), 3u);
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(count("upstream_rq_retry_limit_exceeded"), 1u);
}

TEST_F(Retry, WaitsForTheBackOff) {
  policy("5xx");
  random.value = 24;
  begin();
  get();
  answer(0, "503");
  passes(milliseconds(20));
  EXPECT_EQ(peers(), 1u);
  passes(milliseconds(5));
  EXPECT_EQ(peers(), 2u);
}

TEST_F(Retry, RepeatsTheBodyThatItKept) {
  policy("5xx");
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello");
  answer(0, "503");
  passes(milliseconds(25));
  ASSERT_EQ(peers(), 2u);
  EXPECT_TRUE(peer(1).bytes.ends_with("\r\n\r\nhello"));
}

TEST_F(Retry, GivesUpWhenTheBodyIsTooLongToBeKept) {
  policy("5xx");
  route.request_body_buffer_limit = 4;
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello");
  answer(0, "503", "", "no");
  passes(seconds(1));
  EXPECT_EQ(peers(), 1u);
  EXPECT_EQ(status(), "503");
  EXPECT_EQ(count("retry_or_shadow_abandoned"), 1u);
}

TEST_F(Retry, AnswersWhatGrowsTooLongBetweenTwoTries) {
  policy("5xx");
  random.value = 24;
  route.request_body_buffer_limit = 4;
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 8\r\n\r\nhel");
  answer(0, "503", "", "no");
  say("lo");
  EXPECT_EQ(status(), "507");
  EXPECT_EQ(peers(), 1u);
}

TEST_F(Retry, GoesOnWithABodyThatStillComes) {
  policy("5xx");
  begin();
  say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhe");
  answer(0, "503");
  passes(milliseconds(25));
  say("llo");
  ASSERT_EQ(peers(), 2u);
  EXPECT_TRUE(peer(1).bytes.ends_with("\r\n\r\nhello"));
  answer(1, "200");
  EXPECT_EQ(status(), "200");
}

TEST_F(Retry, TriesAgainWhenAConnectionFails) {
  policy("connect-failure");
  connector.at_once = false;
  begin();
  get();
  peer(0).client->connectFails(base::Error{base::Code::Unavailable, base::Side::Upstream, base::Retry::Yes, "refused"});
  turns();
  passes(milliseconds(25));
  ASSERT_EQ(peers(), 2u);
  peer(1).client->connectSucceeds();
  turns();
  answer(1, "200");
  EXPECT_EQ(status(), "200");
}

TEST_F(Retry, EndsWithTheClient) {
  policy("5xx");
  random.value = 24;
  begin();
  get();
  answer(0, "503");
  client_stream->close(net::ByteStream::Close::Now);
  passes(seconds(1));
  EXPECT_EQ(peers(), 1u);
  EXPECT_TRUE(closed);
}

TEST_F(Retry, EndsWithTheRoutesTimeout) {
  policy("5xx").base_interval = seconds(10);
  route.forward->timeout = seconds(1);
  random.value = 9999;
  begin();
  get();
  answer(0, "503");
  passes(milliseconds(1001));
  EXPECT_EQ(status(), "504");
  passes(seconds(20));
  EXPECT_EQ(peers(), 1u);
}

TEST_F(Retry, TimesEachTry) {
  policy("5xx").per_try_timeout = seconds(1);
  begin();
  get();
  passes(milliseconds(1001));
  passes(milliseconds(25));
  ASSERT_EQ(peers(), 2u);
  EXPECT_TRUE(peer(0).ended);
  passes(milliseconds(1001));
  EXPECT_EQ(status(), "504");
  EXPECT_THAT(client.bytes, HasSubstr("upstream request timeout"));
  EXPECT_EQ(count("upstream_rq_per_try_timeout"), 2u);
}

TEST_F(Retry, TimesTheSilenceOfATry) {
  policy("5xx").per_try_idle_timeout = seconds(1);
  begin();
  get();
  passes(milliseconds(600));
  peer(0).say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
  turns();
  passes(milliseconds(600));
  peer(0).say("ab");
  turns();
  passes(milliseconds(600));
  EXPECT_FALSE(client.ended);
  passes(milliseconds(600));
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(count("upstream_rq_per_try_idle_timeout"), 1u);
}

TEST_F(Retry, CountsTheTriesWhereAsked) {
  policy("5xx");
  host.include_request_attempt_count = host.include_attempt_count_in_response = true;
  begin();
  get();
  EXPECT_THAT(peer(0).bytes, HasSubstr("x-envoy-attempt-count: 1\r\n"));
  answer(0, "503");
  passes(milliseconds(25));
  EXPECT_THAT(peer(1).bytes, HasSubstr("x-envoy-attempt-count: 2\r\n"));
  answer(1, "200");
  EXPECT_THAT(client.bytes, HasSubstr("x-envoy-attempt-count: 2\r\n"));
}

TEST_F(Retry, RepeatsOnADeadKeptConnectionWithoutAPolicy) {
  begin();
  get();
  answer(0, "200");
  get();
  peer(0).stream->close(net::ByteStream::Close::Now);
  turns();
  ASSERT_EQ(peers(), 2u);
  answer(1, "200");
  EXPECT_EQ(count("upstream_rq_200"), 2u);
}

TEST_F(Retry, DoesNotReadTheInstructionsOfClients) {
  begin();
  get("x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 9\r\n");
  answer(0, "503");
  passes(seconds(1));
  EXPECT_EQ(peers(), 1u);
  EXPECT_EQ(status(), "503");
}

}  // namespace
}  // namespace weir::exchange
