#include "proxy_wasm/shared_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::proxy_wasm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using If = SharedData::Write::If;

struct SharedDataTest : ::testing::Test {
  AbiStatus set(std::string_view key, std::string_view value, SharedData::Write how = {}) {
    return space->set(key, value, how, clock, &cas);
  }
  AbiStatus within(size_t most, std::string_view key, std::string_view value) {
    return set(key, value, {.most_bytes = most});
  }
  // The value; "-" if there is none.
  std::string get(std::string_view key) {
    std::string value;
    return space->get(key, clock, value, cas) == AbiStatus::Ok ? value : "-";
  }
  std::vector<std::string> keys(std::string_view prefix = "", std::string_view after = "", size_t most = 1000) {
    std::vector<std::string> out;
    const SharedData::List list = space->list(prefix, after, most, clock);
    for (const auto& each : list.entries) out.push_back(each.key);
    if (list.more) out.emplace_back("...");
    return out;
  }
  void bound(SharedData::Bounds bounds) {
    space->bound([&](SharedData::Bounds& now) { now = bounds; });
  }

  base::ManualClock clock;
  SharedData data;
  std::shared_ptr<SharedData::Space> space = data.space("vm");
  uint32_t cas = 0;
  const std::string half = std::string(400, 'x');
};

TEST_F(SharedDataTest, IsRefusedAboveItsBudgetAndKeepsWhatIsThere) {
  EXPECT_EQ(within(1000, "a", half), AbiStatus::Ok);
  EXPECT_EQ(within(1000, "b", half), AbiStatus::InternalFailure);
  EXPECT_EQ(get("b"), "-");
  EXPECT_EQ(get("a"), half);
}

TEST_F(SharedDataTest, WhatIsReplacedCountsNoMore) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(within(1000, "a", std::string(500, 'x')), AbiStatus::Ok);
  EXPECT_EQ(within(1000, "a", std::string(2000, 'x')), AbiStatus::InternalFailure);
  EXPECT_EQ(within(1000, "a", ""), AbiStatus::Ok);
  EXPECT_EQ(within(1000, "b", std::string(500, 'x')), AbiStatus::Ok);
}

TEST_F(SharedDataTest, ManySmallKeysCountToo) {
  int taken = 0;
  while (taken < 1000 && within(2000, "k" + std::to_string(taken), "") == AbiStatus::Ok) ++taken;
  EXPECT_LT(taken, 20);
}

TEST_F(SharedDataTest, AKeyWhoseLifeIsOverIsNotThere) {
  set("a", "1", {.life = 10s});
  set("b", "1", {.life = 20s});
  set("c", "1");
  clock.advance(10s - 1ms);
  EXPECT_EQ(get("a"), "1");
  clock.advance(1ms);
  EXPECT_EQ(get("a"), "-");
  EXPECT_THAT(keys(), ElementsAre("b", "c"));
  EXPECT_EQ(space->list("b", "", 1, clock).entries.at(0).left, 10s);
  EXPECT_EQ(space->list("c", "", 1, clock).entries.at(0).left, 0s);
  EXPECT_EQ(space->use(clock).expired, 1u);
}

TEST_F(SharedDataTest, AWriteWithoutALifeTimeEndsTheOneBefore) {
  set("a", "1", {.life = 10s});
  set("a", "2");
  clock.advance(1h);
  EXPECT_EQ(get("a"), "2");
}

TEST_F(SharedDataTest, WhatIsOverMakesRoom) {
  SharedData::Write brief{.life = 1s, .most_bytes = 1000};
  EXPECT_EQ(set("a", half, brief), AbiStatus::Ok);
  EXPECT_EQ(set("b", half, brief), AbiStatus::InternalFailure);
  clock.advance(1s);
  EXPECT_EQ(set("b", half, brief), AbiStatus::Ok);
  EXPECT_EQ(space->use(clock).entries, 1u);
}

TEST_F(SharedDataTest, ALockIsHeldByOneUntilItsLifeIsOver) {
  const SharedData::Write lock{.condition = If::New, .life = 5s};
  EXPECT_EQ(set("lock", "me", lock), AbiStatus::Ok);
  EXPECT_EQ(set("lock", "you", lock), AbiStatus::CasMismatch);
  clock.advance(5s);
  EXPECT_EQ(set("lock", "you", lock), AbiStatus::Ok);
  EXPECT_EQ(get("lock"), "you");
}

TEST_F(SharedDataTest, ACasIsOfWhatIsThereOrTheWriteFails) {
  set("a", "1");
  const uint32_t first = cas;
  EXPECT_EQ(set("a", "2", {If::Cas, first}), AbiStatus::Ok);
  EXPECT_EQ(set("a", "3", {If::Cas, first}), AbiStatus::CasMismatch);
  EXPECT_EQ(set("new", "1", {If::Cas, first}), AbiStatus::CasMismatch);
  EXPECT_EQ(set("new", "1", {If::CasOrNew, first}), AbiStatus::Ok) << "as Envoy's";
}

TEST_F(SharedDataTest, DeletesWhatHasThatCas) {
  EXPECT_EQ(space->erase("a", 0, clock), AbiStatus::NotFound);
  set("a", half);
  EXPECT_EQ(space->erase("a", cas + 1, clock), AbiStatus::CasMismatch);
  EXPECT_EQ(space->erase("a", cas, clock), AbiStatus::Ok);
  EXPECT_EQ(get("a"), "-");
  EXPECT_EQ(space->use(clock).bytes, 0u);
}

TEST_F(SharedDataTest, ListsByPrefixAndInPages) {
  for (const char* key : {"a/1", "a/2", "a/3", "b", ""}) set(key, "");
  EXPECT_THAT(keys(), ElementsAre("", "a/1", "a/2", "a/3", "b"));
  EXPECT_THAT(keys("a/"), ElementsAre("a/1", "a/2", "a/3"));
  EXPECT_THAT(keys("a/", "", 2), ElementsAre("a/1", "a/2", "..."));
  EXPECT_THAT(keys("a/", "a/2", 2), ElementsAre("a/3"));
  EXPECT_THAT(keys("c"), IsEmpty());
  EXPECT_THAT(keys("", "", 0), ElementsAre("..."));
}

TEST_F(SharedDataTest, AListEndsWhereItsKeysAreTooLong) {
  for (const char letter : {'a', 'b', 'c'}) set(std::string(SharedData::Space::kMostListedBytes, letter), "");
  EXPECT_EQ(keys().size(), 2u);
  EXPECT_EQ(keys("", keys().front()).size(), 2u);
}

TEST_F(SharedDataTest, ACacheLosesWhatWasNotUsedForTheLongest) {
  bound({.entries = 3, .evict = true});
  for (const char* key : {"a", "b", "c"}) set(key, "1");
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(set("d", "1"), AbiStatus::Ok);
  EXPECT_THAT(keys(), ElementsAre("a", "c", "d"));
  set("c", "2");
  set("e", "1");
  EXPECT_THAT(keys(), ElementsAre("c", "d", "e"));
  EXPECT_EQ(space->use(clock).evicted, 2u);
}

TEST_F(SharedDataTest, ACacheMakesRoomForBytesButNotForWhatNeverFits) {
  bound({.bytes = 1200, .evict = true});
  set("a", half);
  set("b", half);
  EXPECT_EQ(set("c", half), AbiStatus::Ok);
  EXPECT_THAT(keys(), ElementsAre("b", "c"));
  EXPECT_EQ(set("d", std::string(2000, 'x')), AbiStatus::InternalFailure);
  EXPECT_THAT(keys(), ElementsAre("b", "c"));
  EXPECT_EQ(set("b", std::string(900, 'x')), AbiStatus::Ok) << "what is written is not what goes";
  EXPECT_THAT(keys(), ElementsAre("b"));
}

TEST_F(SharedDataTest, WithoutEvictionABoundRefuses) {
  bound({.entries = 1});
  EXPECT_EQ(set("a", "1"), AbiStatus::Ok);
  EXPECT_EQ(set("b", "1"), AbiStatus::InternalFailure);
  EXPECT_EQ(set("a", "2"), AbiStatus::Ok);
}

TEST_F(SharedDataTest, NoWriteDropsMoreThanItsShare) {
  const size_t many = SharedData::Space::kMostDropped + 10;
  for (size_t i = 0; i < many; ++i) set("k" + std::to_string(i), "", {.life = 1s});
  clock.advance(1s);
  set("a", "");
  EXPECT_EQ(space->use(clock).expired, many) << "the call that asks drops the rest";
  for (size_t i = 0; i < many; ++i) set("k" + std::to_string(i), "");
  bound({.entries = 5, .evict = true});
  EXPECT_EQ(set("b", ""), AbiStatus::InternalFailure);
  EXPECT_EQ(set("b", ""), AbiStatus::Ok);
}

}  // namespace
}  // namespace weir::proxy_wasm
