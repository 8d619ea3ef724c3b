#include "proxy_wasm/breaker.h"

#include <gtest/gtest.h>

namespace weir::proxy_wasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = Breaker::State;

constexpr base::Duration kPause = milliseconds(1200);

struct BreakerTest : ::testing::Test {
  void die(bool of_use = false) { breaker.onDeath(of_use, {}, now, kPause); }
  void dieAtDeadline(base::Duration after) { breaker.onDeath(false, after, now, kPause); }
  void dieUntilOpen() {
    for (uint32_t i = 0; i <= Breaker::kUselessLives; ++i) die();
    EXPECT_EQ(breaker.state(), State::Open);
  }
  base::Duration pause() const { return breaker.until() - now; }

  base::MonotonicTime now{seconds(1000)};
  Breaker breaker;
};

TEST_F(BreakerTest, OpensAfterMoreUselessLivesInARowThanAreAllowed) {
  for (uint32_t i = 0; i < Breaker::kUselessLives; ++i) {
    die();
    EXPECT_EQ(breaker.state(), State::Closed);
    EXPECT_TRUE(breaker.admits(now));
  }
  die();
  EXPECT_EQ(breaker.state(), State::Open);
  EXPECT_EQ(breaker.useless(), 201u);
  EXPECT_FALSE(breaker.admits(now));
  EXPECT_EQ(pause(), kPause);
}

TEST_F(BreakerTest, ALifeThatWasOfUseBeginsTheCountAnew) {
  for (uint32_t i = 0; i < 2 * Breaker::kUselessLives; ++i) {
    die();
    die();
    die(true);
  }
  EXPECT_EQ(breaker.state(), State::Closed);
  EXPECT_EQ(breaker.useless(), 0u);
}

TEST_F(BreakerTest, OpensSoonerWhereLivesBurnTime) {
  for (int i = 0; i < 9; ++i) dieAtDeadline(milliseconds(200));
  EXPECT_EQ(breaker.state(), State::Closed);
  die();
  EXPECT_EQ(breaker.state(), State::Closed);
  dieAtDeadline(milliseconds(200));
  EXPECT_EQ(breaker.state(), State::Open);
  EXPECT_EQ(pause(), kPause);
}

TEST_F(BreakerTest, ThatTheyWereOfUseBetweenDoesNotGiveTheTimeBack) {
  for (int i = 0; i < 9; ++i) breaker.onDeath(true, milliseconds(200), now, kPause);
  EXPECT_EQ(breaker.state(), State::Closed);
  breaker.onDeath(true, milliseconds(200), now, kPause);
  EXPECT_EQ(breaker.state(), State::Open);
  now = breaker.until();
  breaker.onStarted();
  breaker.close();
  breaker.onDeath(true, milliseconds(200), now, kPause);
  EXPECT_EQ(breaker.state(), State::Open) << "next to nothing was forgiven meanwhile";
}

TEST_F(BreakerTest, ATenthOfTheTimeThatPassesIsForgiven) {
  for (int i = 0; i < 100; ++i, now += seconds(2)) dieAtDeadline(milliseconds(200));
  EXPECT_EQ(breaker.state(), State::Closed);
  EXPECT_EQ(breaker.burnt(), milliseconds(200));
  for (int i = 0; i < 30 && breaker.state() == State::Closed; ++i, now += seconds(1)) dieAtDeadline(milliseconds(200));
  EXPECT_EQ(breaker.state(), State::Open);
}

TEST_F(BreakerTest, InstancesOfStreamsOnlyBurn) {
  for (uint32_t i = 0; i < 2 * Breaker::kUselessLives; ++i) breaker.onBurnt({}, now, kPause);
  EXPECT_EQ(breaker.state(), State::Closed);
  for (int i = 0; i < 10; ++i) breaker.onBurnt(milliseconds(200), now, kPause);
  EXPECT_EQ(breaker.state(), State::Open);
  EXPECT_EQ(pause(), kPause);
}

TEST_F(BreakerTest, IsHalfOpenAfterThePauseAndOpensAgainForLongerEachTime) {
  dieUntilOpen();
  for (const int times : {2, 4, 8, 16, 32}) {
    now = breaker.until();
    ASSERT_TRUE(breaker.admits(now));
    breaker.onStarted();
    EXPECT_EQ(breaker.state(), State::HalfOpen);
    die();
    EXPECT_EQ(breaker.state(), State::Open);
    EXPECT_EQ(pause(), times * kPause);
  }
  now = breaker.until();
  breaker.onStarted();
  die();
  EXPECT_EQ(pause(), Breaker::kLongestPause);
}

TEST_F(BreakerTest, ClosesWhenTheNextOneIsOfUse) {
  dieUntilOpen();
  now = breaker.until();
  breaker.onStarted();
  breaker.close();
  EXPECT_EQ(breaker.state(), State::Closed);
  dieUntilOpen();
  EXPECT_EQ(pause(), kPause) << "as the first time";
}

TEST_F(BreakerTest, AStartThatFailsOpensItAtOnce) {
  breaker.onFailedStart(now, kPause);
  EXPECT_EQ(breaker.state(), State::Open);
  EXPECT_EQ(pause(), kPause);
}

TEST_F(BreakerTest, APauseThatIsConfiguredLongerThanTheLongestStaysSo) {
  breaker.onFailedStart(now, seconds(300));
  EXPECT_EQ(pause(), seconds(300));
  for (int i = 0; i < 100; ++i) breaker.onFailedStart(now, seconds(300));
  EXPECT_EQ(pause(), seconds(300));
}

}  // namespace
}  // namespace weir::proxy_wasm
