#include "upstream/hashing.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/hash.h"

namespace weir::upstream {
namespace {

std::vector<Target> targets(size_t count, const std::vector<double>& weights = {}) {
  std::vector<Target> out(count);
  for (size_t i = 0; i < count; ++i) {
    out[i].key = "10.0.0." + std::to_string(i) + ":80";
    if (!weights.empty()) out[i].weight = weights[i];
  }
  return out;
}

BalancingSpec ring(uint64_t minimum = 1024) {
  BalancingSpec spec;
  spec.policy = BalancingPolicy::RingHash;
  spec.minimum_ring_size = minimum;
  return spec;
}

template <typename Table>
std::vector<double> shares(const Table& table, size_t count, int draws = 100'000) {
  base::FastRandom random(3);
  std::vector<double> out(count);
  for (int i = 0; i < draws; ++i) out[table.find(random.next(), 0)] += 1.0 / draws;
  return out;
}

TEST(Ring, IsAsBigAsItsLightestEndpointNeeds) {
  EXPECT_EQ(HashRing(ring(1024), targets(4)).size(), 1024u);
  EXPECT_EQ(HashRing(ring(3), targets(2)).size(), 4u);
  EXPECT_EQ(HashRing(ring(2), targets(3, {1, 2, 3})).size(), 6u);
  BalancingSpec small = ring(1024);
  small.maximum_ring_size = 10;
  EXPECT_EQ(HashRing(small, targets(4)).size(), 10u);
}

TEST(Ring, AHashBelongsToTheNextPointAndTheLastWrapsAround) {
  // As documented: the points are the hashes of "<key>_<number>".
  const HashRing two(ring(2), targets(2));
  std::map<uint64_t, size_t> points = {{base::xxHash64("10.0.0.0:80_0"), 0}, {base::xxHash64("10.0.0.1:80_0"), 1}};
  const auto [first_hash, first] = *points.begin();
  const auto [last_hash, last] = *points.rbegin();
  EXPECT_EQ(two.find(first_hash, 0), first);
  EXPECT_EQ(two.find(first_hash + 1, 0), last);
  EXPECT_EQ(two.find(last_hash, 0), last);
  EXPECT_EQ(two.find(last_hash + 1, 0), first);
  EXPECT_EQ(two.find(0, 0), first);
  EXPECT_EQ(two.find(0, 1), last);  // Another attempt.
}

TEST(Ring, GivesEachNearlyWhatItsWeightSays) {
  const auto shared = shares(HashRing(ring(20'000), targets(3, {1, 2, 1})), 3);
  EXPECT_NEAR(shared[0], 0.25, 0.03);
  EXPECT_NEAR(shared[1], 0.5, 0.03);
}

TEST(Ring, ANewEndpointTakesFromTheOthersAndMovesNothingBetweenThem) {
  const HashRing before(ring(4000), targets(4)), after(ring(5000), targets(5));
  base::FastRandom random(5);
  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = random.next();
    if (before.find(hash, 0) == after.find(hash, 0)) continue;
    ++moved;
    EXPECT_EQ(after.find(hash, 0), 4u);
  }
  EXPECT_NEAR(moved, 2000, 300);
}

TEST(Ring, MurmurMakesAnother) {
  BalancingSpec spec = ring();
  spec.hash_function = HashFunction::MurmurHash2;
  const HashRing one(ring(), targets(8)), other(spec, targets(8));
  base::FastRandom random(5);
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const uint64_t hash = random.next();
    different += one.find(hash, 0) != other.find(hash, 0);
  }
  EXPECT_GT(different, 50);
}

TEST(Maglev, FillsItsTableByWeight) {
  const auto equal = shares(MaglevTable(65537, targets(5)), 5);
  for (const double share : equal) EXPECT_NEAR(share, 0.2, 0.005);
  const auto weighted = shares(MaglevTable(65537, targets(3, {1, 2, 5})), 3);
  EXPECT_NEAR(weighted[0], 0.125, 0.005);
  EXPECT_NEAR(weighted[2], 0.625, 0.005);
}

TEST(Maglev, MovesLittleWhenOneGoes) {
  const MaglevTable before(65537, targets(10)), after(65537, targets(9));
  int moved = 0;
  for (uint64_t hash = 0; hash < 65537; ++hash) {
    const size_t had = before.find(hash, 0);
    if (had != 9 && after.find(hash, 0) != had) ++moved;
  }
  EXPECT_LT(moved, 65537 / 10);
}

TEST(Maglev, AnotherAttemptFindsAnother) {
  const MaglevTable table(65537, targets(10));
  std::set<size_t> found;
  for (uint32_t attempt = 0; attempt < 20; ++attempt) found.insert(table.find(12345, attempt));
  EXPECT_GT(found.size(), 4u);
}

TEST(Maglev, MoreEndpointsThanPlaces) {
  const MaglevTable table(7, targets(20));
  for (uint64_t hash = 0; hash < 7; ++hash) EXPECT_LT(table.find(hash, 0), 20u);
}

TEST(BoundedLoad, PassesOverWhoHasMoreThanItsShare) {
  BalancingSpec spec = ring();
  spec.hash_balance_factor = 150;
  std::vector<uint64_t> active(4, 0);
  std::vector<Target> all = targets(4);
  for (size_t i = 0; i < 4; ++i) all[i].active = &active[i];
  const auto balancer = createHashing(spec, all);
  base::FastRandom random(1);
  const auto pick = [&] {
    const uint64_t sum = active[0] + active[1] + active[2] + active[3];
    return balancer->pick({.random = random, .hash = 42, .total_active = sum});
  };
  const size_t home = pick();
  for (int i = 0; i < 100; ++i) ++active[pick()];
  EXPECT_LE(active[home], 39u);  // A half more than a quarter of a hundred, rounded up.
  EXPECT_GE(active[home], 35u);
  active.assign(4, 0);
  EXPECT_EQ(pick(), home);
}

}  // namespace
}  // namespace weir::upstream
