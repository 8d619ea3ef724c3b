#include "upstream/circuit_breaker.h"

#include <gtest/gtest.h>

namespace weir::upstream {
namespace {

struct BreakersTest : ::testing::Test {
  static BreakerSpec limits(uint32_t BreakerSpec::*limit, uint32_t value) {
    BreakerSpec spec;
    spec.*limit = value;
    return spec;
  }
  Breakers& make(const BreakerSpec& spec) { return breakers.emplace(spec, store, "b."); }
  int64_t gauge(const std::string& name) { return store.gauge("b." + name).value(); }
  stats::Store store;
  std::optional<Breakers> breakers;
};

TEST_F(BreakersTest, ALimitIsOpenWhileNothingMoreFits) {
  Breakers& b = make(limits(&BreakerSpec::max_connections, 2));
  EXPECT_TRUE(b.connections.hasRoom());
  b.connections.take();
  EXPECT_EQ(gauge("cx_open"), 0);
  b.connections.take();
  EXPECT_FALSE(b.connections.hasRoom());
  EXPECT_EQ(gauge("cx_open"), 1);
  b.connections.take();  // Over the limit: each endpoint may have one.
  EXPECT_EQ(gauge("cx_open"), 1);
  b.connections.giveBack();
  EXPECT_EQ(gauge("cx_open"), 1);
  b.connections.giveBack();
  EXPECT_EQ(gauge("cx_open"), 0);
}

TEST_F(BreakersTest, ALimitOfZeroHasNoRoomAndShowsWhenItWasTaken) {
  Breakers& b = make(limits(&BreakerSpec::max_requests, 0));
  EXPECT_FALSE(b.requests.hasRoom());
  EXPECT_EQ(gauge("rq_open"), 0);
  b.requests.take();
  b.requests.giveBack();
  EXPECT_EQ(gauge("rq_open"), 1);
}

TEST_F(BreakersTest, WhatRemainsIsKeptOnlyWhereAskedFor) {
  Breakers& b = make({.max_pending_requests = 5, .track_remaining = true});
  b.pending.take();
  EXPECT_EQ(gauge("remaining_pending"), 4);
  EXPECT_EQ(gauge("remaining_retries"), 3);
  EXPECT_EQ(gauge("remaining_cx"), 1024);
  b.pending.giveBack();
  EXPECT_EQ(gauge("remaining_pending"), 5);
}

TEST_F(BreakersTest, ARetryCountsUntilItsPlaceIsGivenUp) {
  Breakers& b = make(limits(&BreakerSpec::max_retries, 1));
  {
    const RetryPlace place(b);
    EXPECT_FALSE(b.retryHasRoom());
    EXPECT_EQ(gauge("rq_retry_open"), 1);
  }
  EXPECT_TRUE(b.retryHasRoom());
  EXPECT_EQ(gauge("rq_retry_open"), 0);
  std::optional<RetryPlace> kept;
  kept.emplace(b);
  kept = RetryPlace(b);  // The next retry of the same request replaces it.
  EXPECT_FALSE(b.retryHasRoom());
  kept.reset();
  EXPECT_TRUE(b.retryHasRoom());
}

TEST_F(BreakersTest, ABudgetGrowsWithWhatIsUnderWay) {
  Breakers& b = make({.max_retries = 0, .retry_budget = RetryBudget{.percent = 50, .min_concurrency = 1}});
  EXPECT_TRUE(b.retryHasRoom());  // max_retries does not count.
  const RetryPlace first(b);
  EXPECT_FALSE(b.retryHasRoom());
  EXPECT_EQ(gauge("rq_retry_open"), 1);
  for (int i = 0; i < 3; ++i) b.requests.take();
  b.pending.take();
  EXPECT_TRUE(b.retryHasRoom());  // Half of four.
  const RetryPlace second(b);
  EXPECT_FALSE(b.retryHasRoom());
}

}  // namespace
}  // namespace weir::upstream
