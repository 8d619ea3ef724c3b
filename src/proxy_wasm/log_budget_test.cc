#include "proxy_wasm/log_budget.h"

#include <gtest/gtest.h>

namespace weir::proxy_wasm {
namespace {

using namespace std::chrono_literals;

TEST(LogBudget, WhatComesAtOnceIsASecondsWorth) {
  LogBudget budget(1000);
  base::ManualClock clock;
  int taken = 0;
  while (budget.take(36, clock.monotonic())) ++taken;
  EXPECT_EQ(taken, 10);
}

TEST(LogBudget, FillsWithTimeAndTellsWhatWasDropped) {
  LogBudget budget(1000);
  base::ManualClock clock;
  while (budget.take(936, clock.monotonic())) {
  }
  EXPECT_FALSE(budget.take(936, clock.monotonic()));
  clock.advance(2s);
  EXPECT_EQ(budget.take(36, clock.monotonic()), 2);
  EXPECT_EQ(budget.take(36, clock.monotonic()), 0);
}

TEST(LogBudget, AddsUpSmallTimes) {
  LogBudget budget(100'000);
  base::ManualClock clock;
  EXPECT_EQ(budget.take(99'936, clock.monotonic()), 0);
  for (int i = 0; i < 100; ++i) {
    clock.advance(1ms);
    EXPECT_EQ(budget.take(36, clock.monotonic()), 0) << i;
  }
}

TEST(LogBudget, ALineThatIsLongerThanAllOfItIsDropped) {
  LogBudget budget(1000);
  EXPECT_FALSE(budget.take(2000, base::ManualClock().monotonic()));
}

TEST(LogBudget, NothingIsNoLimit) {
  LogBudget budget(0);
  EXPECT_EQ(budget.take(size_t{1} << 40, base::ManualClock().monotonic()), 0);
}

}  // namespace
}  // namespace weir::proxy_wasm
