#include "upstream/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

namespace weir::upstream {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;
using namespace std::chrono_literals;

struct BalancerTest : ::testing::Test {
  std::unique_ptr<Balancer> make(BalancingSpec spec, const std::vector<double>& weights, uint64_t seed = 0) {
    active.assign(weights.size(), 0);
    std::vector<Target> targets;
    for (size_t i = 0; i < weights.size(); ++i) {
      targets.push_back(
          {.weight = weights[i], .active = &active[i], .key = "10.0.0.1:" + std::to_string(i), .since = since});
    }
    return createBalancer(spec, std::move(targets), seed);
  }
  std::vector<size_t> picks(Balancer& balancer, int count) {
    std::vector<size_t> out;
    for (int i = 0; i < count; ++i) out.push_back(pick(balancer));
    return out;
  }
  size_t pick(Balancer& balancer) { return balancer.pick({.random = random, .hash = random.next(), .now = now}); }
  std::map<size_t, int> shares(Balancer& balancer, int count) {
    std::map<size_t, int> out;
    for (int i = 0; i < count; ++i) ++out[pick(balancer)];
    return out;
  }
  static BalancingSpec policy(BalancingPolicy policy) {
    BalancingSpec spec;
    spec.policy = policy;
    return spec;
  }
  base::FastRandom random{7};
  std::vector<uint64_t> active;
  base::MonotonicTime since{}, now{};
};

TEST_F(BalancerTest, RoundRobinTakesEqualOnesInOrderFromTheSeed) {
  const auto balancer = make({}, {1, 1, 1}, 4);
  EXPECT_THAT(picks(*balancer, 5), ElementsAre(1, 2, 0, 1, 2));
}

TEST_F(BalancerTest, RoundRobinSpreadsDifferentWeightsEvenly) {
  const auto balancer = make({}, {1, 4});
  EXPECT_THAT(picks(*balancer, 10), ElementsAre(1, 1, 1, 0, 1, 1, 1, 1, 0, 1));
  const auto shared = shares(*balancer, 5000);
  EXPECT_EQ(shared.at(0), 1000);
  EXPECT_EQ(shared.at(1), 4000);
}

TEST_F(BalancerTest, TheSeedMovesTheStartOfWeightedRoundsToo) {
  const auto balancer = make({}, {1, 3}, 2 * 1000 + 1);
  EXPECT_THAT(picks(*balancer, 4), ElementsAre(1, 0, 1, 1));
}

TEST_F(BalancerTest, LeastRequestPrefersWhoIsIdle) {
  const auto balancer = make(policy(BalancingPolicy::LeastRequest), {1, 1, 1, 1});
  active = {5, 5, 0, 5};
  const auto shared = shares(*balancer, 10'000);
  EXPECT_NEAR(shared.at(2), 10'000 * 7 / 16, 200);  // Drawn at least once in two draws of four.
}

TEST_F(BalancerTest, LeastRequestWithManyChoicesNearlyAlwaysFindsTheIdle) {
  BalancingSpec spec = policy(BalancingPolicy::LeastRequest);
  spec.choice_count = 30;
  const auto balancer = make(spec, {1, 1, 1, 1});
  active = {5, 5, 0, 5};
  EXPECT_GT(shares(*balancer, 1000).at(2), 990);
}

TEST_F(BalancerTest, LeastRequestWithDifferentWeightsLessensThemByRequests) {
  const auto balancer = make(policy(BalancingPolicy::LeastRequest), {1, 3});
  EXPECT_EQ(shares(*balancer, 4000).at(0), 1000);
  active = {0, 2};  // Three by three is one.
  const auto shared = shares(*balancer, 4000);
  EXPECT_NEAR(shared.at(0), 2000, 3);
  BalancingSpec unbiased = policy(BalancingPolicy::LeastRequest);
  unbiased.active_request_bias = 0;
  const auto other = make(unbiased, {1, 3});
  active = {0, 2};
  EXPECT_EQ(shares(*other, 4000).at(0), 1000);
}

TEST_F(BalancerTest, RandomIsUniform) {
  const auto balancer = make(policy(BalancingPolicy::Random), {1, 9, 1});
  const auto shared = shares(*balancer, 30'000);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(shared.at(i), 10'000, 400) << i;
}

TEST_F(BalancerTest, SlowStartGivesNewcomersLessUntilTheWindowIsOver) {
  BalancingSpec spec;
  spec.slow_start = SlowStartSpec{.window = 10s, .aggression = 1, .min_weight_percent = 10};
  EXPECT_DOUBLE_EQ(slowStartFactor(*spec.slow_start, 5s), 0.5);
  EXPECT_DOUBLE_EQ(slowStartFactor(*spec.slow_start, 0s), 0.1);
  EXPECT_DOUBLE_EQ(slowStartFactor(*spec.slow_start, 10s), 1);
  now += 1000s;
  active.assign(2, 0);
  std::vector<Target> targets(2);
  for (size_t i = 0; i < 2; ++i) targets[i].active = &active[i];
  targets[1].since = now - 2500ms;
  const auto balancer = createBalancer(spec, targets, 0);
  EXPECT_NEAR(shares(*balancer, 1000).at(1), 200, 2);  // A quarter beside one.
  now += 10s;
  EXPECT_EQ(shares(*balancer, 1000).at(1), 500);
}

TEST(DeadlineQueueTest, AmongEqualsWhoWaitsLonger) {
  DeadlineQueue queue;
  for (size_t i = 0; i < 3; ++i) queue.add(i, 2);
  std::vector<size_t> taken;
  for (int i = 0; i < 6; ++i) {
    taken.push_back(queue.take());
    queue.add(taken.back(), 2);
  }
  EXPECT_THAT(taken, ElementsAre(0, 1, 2, 0, 1, 2));
}

}  // namespace
}  // namespace weir::upstream
