#include "upstream/load_balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace weir::upstream {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

struct LoadBalancerTest : ::testing::Test {
  Endpoint& add(uint32_t flags = 0, uint32_t priority = 0, uint32_t weight = 1) {
    Endpoint& endpoint = *endpoints.emplace_back(std::make_unique<Endpoint>());
    endpoint.address = net::Address::parseIp("10.0.0.1", static_cast<uint16_t>(endpoints.size())).value();
    endpoint.priority = priority;
    endpoint.weight = weight;
    candidates.push_back({.endpoint = &endpoint, .flags = flags});
    return endpoint;
  }
  void inLocality(const std::string& zone, uint32_t weight) {
    endpoints.back()->locality.zone = zone;
    candidates.back().locality_weight = weight;
  }
  void build() { balancer.rebuild({.balancing = spec, .exclude_unchecked = exclude_unchecked}, candidates); }
  std::optional<size_t> pick(const Wish& wish = {}) { return balancer.pick(wish, 0, {}); }
  std::map<size_t, int> shares(int count, const Wish& wish = {}) {
    std::map<size_t, int> out;
    for (int i = 0; i < count; ++i) ++out[pick(wish).value_or(9999)];
    return out;
  }
  base::FastRandom random{11};
  stats::Counter panics;
  BalancingSpec spec;
  bool exclude_unchecked = false;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::vector<Candidate> candidates;
  LoadBalancer balancer{random, panics};
};

TEST_F(LoadBalancerTest, NobodyIsNobody) {
  EXPECT_FALSE(pick());
  build();
  EXPECT_FALSE(pick());
}

TEST_F(LoadBalancerTest, TheUnhealthyGetNothingUntilTooManyAre) {
  for (int i = 0; i < 3; ++i) add();
  add(kFailedActiveCheck);
  build();
  EXPECT_THAT(shares(300), UnorderedElementsAre(Pair(0, 100), Pair(1, 100), Pair(2, 100)));
  EXPECT_EQ(panics.value(), 0u);
  candidates[1].flags = kFailedOutlierCheck;
  candidates[2].flags = kFailedByAssignment;
  build();
  EXPECT_EQ(shares(400).size(), 4u);
  EXPECT_EQ(panics.value(), 400u);
  EXPECT_EQ(balancer.totals().healthy, 1);
}

TEST_F(LoadBalancerTest, WithoutPanicNobodyHealthyIsNobody) {
  spec.panic_threshold = 0;
  add(kFailedActiveCheck);
  build();
  EXPECT_FALSE(pick());
}

TEST_F(LoadBalancerTest, TakesTheEndpointThatAWishNamesIfItCanServe) {
  add();
  add(kDegradedByAssignment, 1);
  add(kFailedActiveCheck);
  build();
  EXPECT_THAT(shares(10, {.override_host = "10.0.0.1:2"}), ElementsAre(Pair(1, 10)));
  EXPECT_THAT(shares(10, {.override_host = "10.0.0.1:1"}), ElementsAre(Pair(0, 10)));
  for (const char* other : {"10.0.0.1:3", "10.0.0.9:1", "nonsense"}) {
    EXPECT_EQ(shares(100, {.override_host = other}).count(2), 0u) << other;
  }
  candidates[2].flags = 0;
  build();
  EXPECT_THAT(shares(10, {.override_host = "10.0.0.1:3"}), ElementsAre(Pair(2, 10)));
}

TEST_F(LoadBalancerTest, PrioritiesSpillOver) {
  add();
  add(kFailedActiveCheck);
  add(0, 1);
  build();
  const auto shared = shares(10'000);
  EXPECT_NEAR(shared.at(0), 7000, 200);
  EXPECT_NEAR(shared.at(2), 3000, 200);
  EXPECT_EQ(shared.size(), 2u);
}

TEST_F(LoadBalancerTest, DegradedOnesServeWhenTheOthersCannot) {
  add();
  add(kDegradedActiveCheck);
  build();
  EXPECT_NEAR(shares(10'000).at(0), 7000, 200);
  candidates[0].flags = kFailedActiveCheck;
  build();
  EXPECT_NEAR(shares(1000).at(1), 1000, 0);
  EXPECT_EQ(balancer.totals().degraded, 1);
}

TEST_F(LoadBalancerTest, UncheckedOnesAreLeftOutOfTheCountWhereAskedFor) {
  exclude_unchecked = true;
  add();
  for (int i = 0; i < 9; ++i) add(kFailedActiveCheck | kPendingActiveCheck);
  build();
  EXPECT_THAT(shares(10), ElementsAre(Pair(0, 10)));
  EXPECT_EQ(balancer.totals().excluded, 9);
  exclude_unchecked = false;
  build();
  EXPECT_EQ(shares(1000).size(), 10u);  // Panic.
}

TEST_F(LoadBalancerTest, WhoWasTriedIsAvoidedWhileThereIsAnother) {
  for (int i = 0; i < 3; ++i) add();
  for (const BalancingPolicy policy : {BalancingPolicy::RoundRobin, BalancingPolicy::LeastRequest,
                                       BalancingPolicy::Random, BalancingPolicy::RingHash, BalancingPolicy::Maglev}) {
    spec.policy = policy;
    build();
    const Endpoint* tried[] = {endpoints[0].get(), endpoints[2].get()};
    EXPECT_THAT(shares(100, {.hash = 5, .avoid = tried}), ElementsAre(Pair(1, 100)));
    const Endpoint* all[] = {endpoints[0].get(), endpoints[1].get(), endpoints[2].get()};
    EXPECT_TRUE(pick({.hash = 5, .avoid = all}));
  }
}

TEST_F(LoadBalancerTest, DrainingOnesGetNothingAndAreNoSignOfTrouble) {
  add();
  for (int i = 0; i < 3; ++i) add(kDrainingByAssignment);
  build();
  EXPECT_THAT(shares(10), ElementsAre(Pair(0, 10)));
  EXPECT_EQ(panics.value(), 0u);
  EXPECT_EQ(balancer.totals().excluded, 3);
}

TEST_F(LoadBalancerTest, EqualHashesGoToOneEndpointWhateverElseIsThere) {
  for (int i = 0; i < 5; ++i) add();
  for (const BalancingPolicy policy : {BalancingPolicy::RingHash, BalancingPolicy::Maglev}) {
    spec.policy = policy;
    build();
    for (uint64_t hash = 0; hash < 20; ++hash) EXPECT_EQ(shares(10, {.hash = hash * 0x9e3779b97f4a7c15}).size(), 1u);
    EXPECT_EQ(shares(200).size(), 5u);  // Without a hash it is chance.
  }
}

TEST_F(LoadBalancerTest, LocalitiesShareByTheirWeights) {
  spec.locality_weighted = true;
  add();
  inLocality("a", 1);
  add();
  inLocality("b", 3);
  add();
  inLocality("b", 3);
  add();
  inLocality("c", 0);
  build();
  const auto shared = shares(4000);
  EXPECT_EQ(shared.at(0), 1000);
  EXPECT_EQ(shared.at(1), 1500);
  EXPECT_EQ(shared.at(2), 1500);
  EXPECT_EQ(shared.count(3), 0u);
  // One of two: 70 percent of its weight.
  candidates[2].flags = kFailedActiveCheck;
  build();
  EXPECT_NEAR(shares(3100).at(1), 2100, 2);
}

TEST_F(LoadBalancerTest, LocalityWeightsCountForHashesToo) {
  spec.locality_weighted = true;
  spec.policy = BalancingPolicy::Maglev;
  add();
  inLocality("a", 1);
  add();
  inLocality("b", 4);
  build();
  std::map<size_t, int> shared;
  for (int i = 0; i < 10'000; ++i) ++shared[*pick({.hash = random.next()})];
  EXPECT_NEAR(shared.at(1), 8000, 200);
}

TEST_F(LoadBalancerTest, AHashBalancerTakesHostNamesWhereAskedFor) {
  spec.policy = BalancingPolicy::RingHash;
  for (int i = 0; i < 4; ++i) add().hostname = "h" + std::to_string(i);
  spec.use_hostname_for_hashing = true;
  build();
  std::vector<size_t> by_name;
  for (uint64_t hash = 1; hash < 40; ++hash) by_name.push_back(*pick({.hash = hash << 57}));
  for (const auto& endpoint : endpoints) endpoint->address = net::Address::parseIp("10.1.1.1", 99).value();
  build();
  std::vector<size_t> again;
  for (uint64_t hash = 1; hash < 40; ++hash) again.push_back(*pick({.hash = hash << 57}));
  EXPECT_EQ(by_name, again);
}

}  // namespace
}  // namespace weir::upstream
