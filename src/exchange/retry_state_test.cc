#include "exchange/retry_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace weir::exchange {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = RetryState::Verdict;
using Failure = RetryState::Failure;

struct FixedRandom final : base::Random {
  uint64_t next() override { return value; }
  uint64_t value = ~uint64_t{0};
};

struct Room final : RetryLimit {
  bool takeRetry() override { return taken < room && ++taken > 0; }
  void giveRetryBack() override { --taken; }
  int room = 1;
  int taken = 0;
};

struct RetryStateTest : testing::Test {
  std::unique_ptr<RetryState> make(std::string on, uint32_t number = 1) {
    policy.retry_on = std::move(on);
    policy.num_retries = number;
    compiled = *route::CompiledRetryPolicy::create(policy);
    return RetryState::create(&compiled, request, room, random);
  }
  Verdict answered(RetryState& state, std::string_view status,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> more = {}) {
    http::HeaderMap response;
    response.add(http::HeaderId::Status, status);
    for (const auto& [name, value] : more) response.add(name, value);
    last = state.onResponse(response, request, base::WallTime(seconds(1000)));
    return last.verdict;
  }
  Verdict answered(std::string on, std::string_view status,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> more = {}) {
    return answered(*make(std::move(on)), status, more);
  }
  Verdict failed(std::string on, Failure failure, bool started = true) {
    return make(std::move(on))->onFailure(failure, started).verdict;
  }

  route::RetryPolicy policy;
  route::CompiledRetryPolicy compiled;
  http::HeaderMap request;
  Room room;
  FixedRandom random;
  RetryState::Decision last;
};

TEST_F(RetryStateTest, IsNotThereWithoutConditions) {
  EXPECT_EQ(RetryState::create(nullptr, request, room, random), nullptr);
  EXPECT_EQ(make("nonsense"), nullptr);
  EXPECT_NE(make("5xx,nonsense"), nullptr);
  request.add("x-envoy-retry-on", "5xx");
  EXPECT_NE(RetryState::create(nullptr, request, room, random), nullptr);
}

TEST_F(RetryStateTest, KnowsTheConditionsOfResponses) {
  EXPECT_EQ(answered("5xx", "500"), Verdict::Retry);
  EXPECT_EQ(answered("5xx", "404"), Verdict::No);
  EXPECT_EQ(answered("gateway-error", "503"), Verdict::Retry);
  EXPECT_EQ(answered("gateway-error", "500"), Verdict::No);
  EXPECT_EQ(answered("retriable-4xx", "409"), Verdict::Retry);
  EXPECT_EQ(answered("retriable-4xx", "404"), Verdict::No);
  EXPECT_EQ(answered("connect-failure", "503"), Verdict::No);
  policy.retriable_status_codes = {418};
  EXPECT_EQ(answered("retriable-status-codes", "418"), Verdict::Retry);
  EXPECT_EQ(answered("retriable-status-codes", "503"), Verdict::No);
  EXPECT_EQ(answered("5xx", "503", {{"x-envoy-ratelimited", ""}}), Verdict::No);
  EXPECT_EQ(answered("envoy-ratelimited", "429", {{"x-envoy-ratelimited", ""}}), Verdict::Retry);
  EXPECT_EQ(answered("unavailable", "200", {{"grpc-status", "14"}}), Verdict::Retry);
  EXPECT_EQ(answered("unavailable", "200", {{"grpc-status", "13"}}), Verdict::No);
}

TEST_F(RetryStateTest, KnowsTheConditionsOfFailures) {
  EXPECT_EQ(failed("5xx", Failure::Reset), Verdict::Retry);
  EXPECT_EQ(failed("gateway-error", Failure::Connect), Verdict::Retry);
  EXPECT_EQ(failed("connect-failure", Failure::Connect), Verdict::Retry);
  EXPECT_EQ(failed("connect-failure", Failure::Reset), Verdict::No);
  EXPECT_EQ(failed("refused-stream", Failure::RefusedStream), Verdict::Retry);
  EXPECT_EQ(failed("refused-stream", Failure::Reset), Verdict::No);
  EXPECT_EQ(failed("reset-before-request", Failure::Reset, false), Verdict::Retry);
  EXPECT_EQ(failed("reset-before-request", Failure::Reset, true), Verdict::No);
  EXPECT_EQ(failed("5xx,reset", Failure::Overflow), Verdict::No);
}

TEST_F(RetryStateTest, DoublesTheIntervalUpToItsMost) {
  const auto state = make("5xx", 6);
  std::vector<int64_t> delays;
  for (int i = 0; i < 6; ++i) {
    answered(*state, "503");
    delays.push_back(std::chrono::duration_cast<milliseconds>(last.delay).count());
  }
  const auto most = [](uint64_t interval) { return static_cast<int64_t>(~uint64_t{0} % interval); };
  EXPECT_EQ(delays, (std::vector<int64_t>{most(25), most(50), most(100), most(200), most(250), most(250)}));
}

TEST_F(RetryStateTest, WaitsAsLongAsTheResponseAsks) {
  policy.reset_headers = {{"retry-after", false}, {"x-reset", true}};
  random.value = 0;
  EXPECT_EQ(answered("5xx", "503", {{"retry-after", "3"}}), Verdict::Retry);
  EXPECT_EQ(last.delay, seconds(3));
  EXPECT_TRUE(last.rate_limited);
  answered("5xx", "503", {{"x-reset", "1004"}});
  EXPECT_EQ(last.delay, seconds(4));
  answered("5xx", "503", {{"retry-after", "301"}});
  EXPECT_FALSE(last.rate_limited);
  answered("5xx", "503", {{"x-reset", "999"}});
  EXPECT_FALSE(last.rate_limited);
}

TEST_F(RetryStateTest, TakesAPlaceForEachRetryAndGivesItBack) {
  const auto state = make("5xx", 3);
  EXPECT_EQ(answered(*state, "503"), Verdict::Retry);
  EXPECT_EQ(room.taken, 1);
  EXPECT_EQ(answered(*state, "503"), Verdict::Retry);
  EXPECT_EQ(room.taken, 1);
  EXPECT_EQ(answered(*state, "200"), Verdict::No);
  EXPECT_TRUE(state->retried());
  EXPECT_EQ(room.taken, 0);
  room.room = 0;
  EXPECT_EQ(answered(*state, "503"), Verdict::NoRoom);
  EXPECT_EQ(answered(*state, "503"), Verdict::LimitExceeded);
}

TEST_F(RetryStateTest, ReadsTheRequestsInstructions) {
  request.add("x-envoy-retry-on", "retriable-status-codes, retriable-headers");
  request.add("x-envoy-max-retries", "7");
  request.add("x-envoy-retriable-status-codes", "418, x,419");
  request.add("x-envoy-retriable-header-names", "X-Again");
  const auto state = RetryState::create(nullptr, request, room, random);
  EXPECT_EQ(answered(*state, "419"), Verdict::Retry);
  EXPECT_EQ(answered(*state, "200", {{"x-again", ""}}), Verdict::Retry);
  EXPECT_EQ(answered(*state, "503"), Verdict::No);
}

TEST_F(RetryStateTest, IsOffForRequestsThatMayNotBeRetried) {
  policy.retriable_request_headers.resize(1);
  policy.retriable_request_headers[0].name = "x-may";
  const auto off = make("5xx");
  EXPECT_FALSE(off->enabled());
  EXPECT_EQ(answered(*off, "503"), Verdict::No);
  request.add("x-may", "");
  EXPECT_EQ(answered("5xx", "503"), Verdict::Retry);
}

}  // namespace
}  // namespace weir::exchange
