#include "upstream/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::upstream {
namespace {

using ::testing::ElementsAre;

std::vector<size_t> picks(RoundRobin& balancer, int count) {
  std::vector<size_t> picked;
  for (int i = 0; i < count; ++i) picked.push_back(balancer.pick());
  return picked;
}

TEST(RoundRobinTest, EqualWeightsComeInOrderFromTheSeed) {
  RoundRobin balancer(1);
  balancer.setWeights({5, 5, 5});
  EXPECT_THAT(picks(balancer, 4), ElementsAre(1, 2, 0, 1));
}

TEST(RoundRobinTest, WeightsAreSpreadEvenly) {
  RoundRobin balancer(0);
  balancer.setWeights({3, 1});
  std::vector<int> counts(2);
  for (int round = 0; round < 10; ++round) {
    for (const size_t index : picks(balancer, 4)) ++counts[index];
    EXPECT_EQ(counts[1], round + 1);  // Once in every four, and never bunched.
  }
  EXPECT_EQ(counts[0], 30);
}

TEST(RoundRobinTest, AWeightOfZeroCountsAsOne) {
  RoundRobin balancer(0);
  balancer.setWeights({0, 2});
  std::vector<int> counts(2);
  for (const size_t index : picks(balancer, 30)) ++counts[index];
  EXPECT_THAT(counts, ElementsAre(10, 20));
}

TEST(RoundRobinTest, TheSeedMovesTheBeginningOfAWeightedSchedule) {
  RoundRobin one(0), other(1);
  one.setWeights({2, 1, 1});
  other.setWeights({2, 1, 1});
  one.pick();
  EXPECT_EQ(picks(one, 8), picks(other, 8));
}

TEST(RoundRobinTest, NewWeightsMayBeFewer) {
  RoundRobin balancer(7);
  balancer.setWeights({1, 1, 1});
  picks(balancer, 5);
  balancer.setWeights({1});
  EXPECT_THAT(picks(balancer, 2), ElementsAre(0, 0));
}

}  // namespace
}  // namespace weir::upstream
