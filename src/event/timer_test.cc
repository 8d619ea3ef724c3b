#include "event/timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "event/loop.h"
#include "event/timer_wheel.h"

namespace weir::event {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct TimerTest : ::testing::Test {
  void passes(base::Duration time) {
    clock.advance(time);
    loop.runReady();
  }
  base::ManualClock clock;
  Loop loop{clock};
};

TEST_F(TimerTest, FiresOnceAtItsTimeAndNotBefore) {
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm(10ms);
  passes(9999us);
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(timer.armed());
  passes(1us);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.armed());
  passes(1h);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerTest, ATimeWithinATickIsRoundedUp) {
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  passes(300us);
  timer.arm(500us);
  passes(499us);
  EXPECT_EQ(fired, 0);
  passes(201us);  // The tick at 1 ms.
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerTest, NothingToWaitMeansTheNextTurn) {
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  passes(300us);
  timer.arm(0ms);
  loop.runReady();
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerTest, ReArmingWithNothingToWaitFiresOncePerTurn) {
  int fired = 0;
  Timer timer(loop, [&] {
    ++fired;
    timer.arm(0ms);
  });
  timer.arm(0ms);
  loop.runReady();
  EXPECT_EQ(fired, 1);
  loop.runReady();
  EXPECT_EQ(fired, 2);
}

TEST_F(TimerTest, ArmingMovesAndDisarmingStops) {
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm(10ms);
  timer.arm(20ms);
  passes(10ms);
  EXPECT_EQ(fired, 0);
  timer.disarm();
  EXPECT_FALSE(timer.armed());
  passes(10ms);
  EXPECT_EQ(fired, 0);
}

TEST_F(TimerTest, OneJumpOfTimeFiresEverythingInTheOrderOfTimes) {
  std::vector<std::string> order;
  auto make = [&](std::string name) {
    return std::make_unique<Timer>(loop, [&order, name] { order.push_back(name); });
  };
  auto day = make("day"), second = make("second"), hour = make("hour"), first = make("first"), also = make("also");
  day->arm(24h);
  second->arm(1s);
  hour->arm(1h);
  first->arm(1ms);
  also->arm(1s);
  passes(48h);
  EXPECT_THAT(order, ElementsAre("first", "second", "also", "hour", "day"));
}

TEST_F(TimerTest, ACallbackMayDestroyItsOwnTimer) {
  std::string seen;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&, text = std::string("a string too long for the small buffer")] {
    timer.reset();
    seen = text;  // What it captured must still be there.
  });
  timer->arm(1ms);
  passes(1ms);
  EXPECT_EQ(seen, "a string too long for the small buffer");
}

TEST_F(TimerTest, ACallbackMayDestroyAnotherTimerThatIsDueInTheSameTurn) {
  int fired = 0;
  std::unique_ptr<Timer> other;
  Timer timer(loop, [&] { other.reset(); });
  other = std::make_unique<Timer>(loop, [&] { ++fired; });
  timer.arm(1ms);
  other->arm(2ms);
  passes(5ms);
  EXPECT_EQ(fired, 0);
}

TEST_F(TimerTest, TheLongestDurationDoesNotOverflow) {
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm(base::Duration::max());
  passes(24h * 365);
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(timer.armed());
}

TEST_F(TimerTest, EveryTimerFiresWithinATickOfItsTimeHoweverTimeMoves) {
  std::mt19937 random(42);
  struct Sample {
    base::MonotonicTime due;
    bool fired = false;
    std::unique_ptr<Timer> timer;
  };
  std::vector<Sample> samples(2000);
  const base::Duration step = 777us;
  for (Sample& sample : samples) {
    const base::Duration in = std::chrono::microseconds(1 + random() % (1u << (random() % 26)));
    sample.due = loop.now() + in;
    sample.timer = std::make_unique<Timer>(loop, [&] {
      sample.fired = true;
      EXPECT_GE(loop.now(), sample.due);
      EXPECT_LT(loop.now(), sample.due + 1ms + step);
    });
    sample.timer->arm(in);
    if (random() % 8 == 0) passes(step);
  }
  for (int i = 0; i < 50'000; ++i) passes(step);
  for (const Sample& sample : samples) EXPECT_EQ(sample.fired, sample.due <= loop.now() - 1ms);
}

TEST_F(TimerTest, TheWheelNeverSleepsPastATimer) {
  Timer timer(loop, [] {});
  for (const base::Duration in :
       {base::Duration(1ms), base::Duration(64ms), base::Duration(70s), base::Duration(25h)}) {
    timer.arm(in);
    base::Duration slept{};
    while (timer.armed()) {
      const base::Duration wait = loop.timers().untilNext(loop.now()).value();
      slept += wait;
      ASSERT_LE(slept, in + 1ms);
      passes(wait);
    }
  }
}

}  // namespace
}  // namespace weir::event
