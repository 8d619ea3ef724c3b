#include "wasm/ticker.h"

#include <gtest/gtest.h>

#include <atomic>

namespace weir::wasm {
namespace {

constexpr base::Duration kTick = std::chrono::microseconds(100);

TEST(Ticker, SleepsUntilTicksAreNeeded) {
  std::atomic<uint64_t> seen{0};
  Ticker ticker(kTick, [&] { ++seen; });
  ticker.waitUntilIdle();
  EXPECT_EQ(ticker.ticks(), 0u);
  EXPECT_EQ(seen, 0u);
}

TEST(Ticker, GivesAtLeastWhatIsNeededAndThenSleepsAgain) {
  std::atomic<uint64_t> seen{0};
  Ticker ticker(kTick, [&] { ++seen; });
  for (uint64_t round = 1; round <= 3; ++round) {
    const uint64_t before = ticker.ticks();
    ticker.need(5);
    ticker.waitUntilIdle();
    EXPECT_GE(ticker.ticks(), before + 5);
    EXPECT_LE(ticker.ticks(), before + 5 + Ticker::kSlack);
    EXPECT_EQ(seen, ticker.ticks());
  }
}

TEST(Ticker, EveryNeedIsMetWhenThreadsAskAtOnce) {
  Ticker ticker(kTick, [] {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        const uint64_t wanted = ticker.ticks() + 2;
        ticker.need(2);
        while (ticker.ticks() < wanted) std::this_thread::yield();  // Would hang if a promise were lost.
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ticker.waitUntilIdle();
}

TEST(Ticker, EndsWhileTicksArePromised) {
  Ticker ticker(std::chrono::hours(1), [] {});
  ticker.need(1000);
}

}  // namespace
}  // namespace weir::wasm
