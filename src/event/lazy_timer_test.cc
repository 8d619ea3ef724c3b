#include "event/lazy_timer.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir::event {
namespace {

using namespace std::chrono_literals;

struct LazyTimerTest : testing::Test {
  void pass(base::Duration time) {
    clock.advance(time);
    loop.runReady();
  }
  base::ManualClock clock;
  Loop loop{clock};
  int fired = 0;
  LazyTimer timer{loop, [this] { ++fired; }};
};

TEST_F(LazyTimerTest, FiresOnceAtItsTime) {
  timer.arm(10ms);
  pass(9ms);
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(timer.armed());
  pass(2ms);
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.armed());
  pass(100ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(LazyTimerTest, IsPutOffByArmingItForLater) {
  timer.arm(10ms);
  pass(6ms);
  timer.arm(10ms);
  pass(6ms);
  EXPECT_EQ(fired, 0);
  pass(5ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(LazyTimerTest, ComesSoonerWhereItIsArmedForLess) {
  timer.arm(1h);
  timer.arm(5ms);
  pass(6ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(LazyTimerTest, DoesNothingOnceItIsDisarmedAndServesAgain) {
  timer.arm(10ms);
  timer.disarm();
  EXPECT_FALSE(timer.armed());
  pass(20ms);
  EXPECT_EQ(fired, 0);
  timer.arm(10ms);
  pass(11ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(LazyTimerTest, DisarmedAndArmedBeforeTheWheelsTimeItFiresAtTheNewOne) {
  timer.arm(10ms);
  timer.disarm();
  pass(5ms);
  timer.arm(10ms);
  pass(6ms);
  EXPECT_EQ(fired, 0);
  pass(5ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(LazyTimerTest, TakesATimeThatIsLongerThanAnyClock) {
  timer.arm(base::Duration::max());
  pass(24h);
  EXPECT_EQ(fired, 0);
}

TEST_F(LazyTimerTest, MayBeDestroyedByWhatItDoes) {
  std::unique_ptr<LazyTimer> last;
  last = std::make_unique<LazyTimer>(loop, [this, &last] {
    ++fired;
    last.reset();
  });
  last->arm(1ms);
  pass(2ms);
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace weir::event
