#include "upstream/priorities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace weir::upstream {
namespace {

using testing::ElementsAre;

// "70", "20+10" (degraded), "100!" (panic).
std::vector<std::string> loads(const std::vector<PriorityHealth>& priorities, uint32_t panic = 50) {
  std::vector<std::string> out;
  for (const PriorityLoad& load : shareLoad(priorities, 140, panic)) {
    std::string text = std::to_string(load.healthy);
    if (load.degraded > 0) text += "+" + std::to_string(load.degraded);
    out.push_back(text + (load.panic ? "!" : ""));
  }
  return out;
}

TEST(Priorities, TheFirstTakesAllWhileSevenTenthsAreHealthy) {
  EXPECT_THAT(loads({{100, 100}, {100, 100}}), ElementsAre("100", "0"));
  EXPECT_THAT(loads({{100, 72}, {100, 100}}), ElementsAre("100", "0"));
  EXPECT_THAT(loads({{100, 71}, {100, 100}}), ElementsAre("99", "1"));
  EXPECT_THAT(loads({{100, 50}, {100, 100}}), ElementsAre("70", "30"));
  EXPECT_THAT(loads({{100, 0}, {100, 100}}), ElementsAre("0", "100"));
}

// The table of Envoy's documentation on priorities.
TEST(Priorities, SpillOverThreeOfThem) {
  EXPECT_THAT(loads({{100, 100}, {100, 100}, {100, 100}}), ElementsAre("100", "0", "0"));
  EXPECT_THAT(loads({{100, 25}, {100, 100}, {100, 100}}), ElementsAre("35", "65", "0"));
  EXPECT_THAT(loads({{100, 25}, {100, 25}, {100, 100}}), ElementsAre("35", "35", "30"));
}

TEST(Priorities, WhereAllTogetherAreTooFewTheSharesAreScaledAndMayPanic) {
  // 28 and 14 of 42.
  EXPECT_THAT(loads({{100, 20}, {100, 10}}, 0), ElementsAre("67", "33"));
  EXPECT_THAT(loads({{100, 20}, {100, 10}}), ElementsAre("50!", "50!"));
  EXPECT_THAT(loads({{100, 5}, {100, 60}}), ElementsAre("8!", "92"));
}

TEST(Priorities, NonePanicsWhileTheyCanTakeEverything) {
  EXPECT_THAT(loads({{100, 1}, {100, 100}}), ElementsAre("1", "99"));
  EXPECT_THAT(loads({{100, 71}}), ElementsAre("100"));
  EXPECT_THAT(loads({{4, 2}}), ElementsAre("100"));
  EXPECT_THAT(loads({{4, 1}}), ElementsAre("100!"));
}

TEST(Priorities, DegradedOnesTakeWhatTheHealthyLeave) {
  EXPECT_THAT(loads({{100, 50, 50}}), ElementsAre("70+30"));
  EXPECT_THAT(loads({{100, 0, 100}}), ElementsAre("0+100"));
  EXPECT_THAT(loads({{100, 0, 100}, {100, 100}}), ElementsAre("0", "100"));
}

TEST(Priorities, NobodyHealthyIsPanicByNumberOrNothing) {
  EXPECT_THAT(loads({{10, 0}, {30, 0}}), ElementsAre("25!", "75!"));
  EXPECT_THAT(loads({{0, 0}, {30, 0}}), ElementsAre("0!", "100!"));
  EXPECT_THAT(loads({{10, 0}}, 0), ElementsAre("0"));
  EXPECT_THAT(loads({{0, 0}}), ElementsAre("100!"));
}

TEST(Priorities, ChoicesFollowTheLoads) {
  const std::vector<PriorityLoad> shared = {{.healthy = 35, .degraded = 5}, {.healthy = 60}};
  std::map<std::pair<size_t, bool>, int> counts;
  for (uint64_t hash = 0; hash < 1000; ++hash) {
    const PriorityChoice choice = choosePriority(shared, hash);
    ++counts[{choice.priority, choice.degraded}];
  }
  EXPECT_EQ((counts[{0, false}]), 350);
  EXPECT_EQ((counts[{1, false}]), 600);
  EXPECT_EQ((counts[{0, true}]), 50);
}

}  // namespace
}  // namespace weir::upstream
