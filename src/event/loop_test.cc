#include "event/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "event/lifeline.h"
#include "event/signals.h"
#include "event/timer.h"

namespace weir::event {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0); }
  ~Pair() {
    close(fd[0]);
    close(fd[1]);
  }
  void send(int side) { EXPECT_EQ(write(fd[side], "x", 1), 1); }
  int fd[2];
};

struct Hearer : IoHandler {
  void onIo(uint32_t events) override {
    heard.push_back(events);
    if (then) then();
  }
  std::vector<uint32_t> heard;
  std::function<void()> then;
};

struct LoopTest : ::testing::Test {
  base::ManualClock clock;
  Loop loop{clock};
};

TEST_F(LoopTest, TellsWhatIsReadyAndOnlyThat) {
  Pair pair;
  Hearer hearer;
  ASSERT_TRUE(loop.watch(pair.fd[0], kReadable | kPeerEnded, hearer).ok());
  loop.runReady();
  EXPECT_TRUE(hearer.heard.empty());
  pair.send(1);
  loop.runReady();
  loop.setInterest(pair.fd[0], kWritable, hearer);
  loop.runReady();
  loop.setInterest(pair.fd[0], 0, hearer);
  loop.runReady();
  EXPECT_THAT(hearer.heard, ElementsAre(kReadable, kWritable));
  loop.unwatch(pair.fd[0]);
}

TEST_F(LoopTest, TellsOfTheEndAndOfTheClosingOfThePeer) {
  Pair pair;
  Hearer hearer;
  ASSERT_TRUE(loop.watch(pair.fd[0], kReadable | kPeerEnded, hearer).ok());
  shutdown(pair.fd[1], SHUT_WR);
  loop.runReady();
  loop.setInterest(pair.fd[0], 0, hearer);
  shutdown(pair.fd[0], SHUT_WR);
  loop.runReady();
  EXPECT_THAT(hearer.heard, ElementsAre(kReadable | kPeerEnded, kClosed));
  loop.unwatch(pair.fd[0]);
}

TEST_F(LoopTest, UnwatchDropsWhatThisTurnHadStillToTell) {
  Pair a, b;
  Hearer first, second;
  int told = 0;
  // Whichever is told first ends the other.
  first.then = [&] {
    ++told;
    loop.unwatch(b.fd[0]);
  };
  second.then = [&] {
    ++told;
    loop.unwatch(a.fd[0]);
  };
  ASSERT_TRUE(loop.watch(a.fd[0], kReadable, first).ok());
  ASSERT_TRUE(loop.watch(b.fd[0], kReadable, second).ok());
  a.send(1);
  b.send(1);
  loop.runReady();
  EXPECT_EQ(told, 1);
  loop.unwatch(first.heard.empty() ? b.fd[0] : a.fd[0]);
}

TEST_F(LoopTest, AStaleEventDoesNotReachANewRegistrationOfTheSameDescriptor) {
  Pair a, b;
  Hearer first, second, fresh;
  auto replace = [&](int fd) {
    loop.unwatch(fd);
    ASSERT_TRUE(loop.watch(fd, kReadable, fresh).ok());
  };
  first.then = [&] { replace(b.fd[0]); };
  second.then = [&] { replace(a.fd[0]); };
  ASSERT_TRUE(loop.watch(a.fd[0], kReadable, first).ok());
  ASSERT_TRUE(loop.watch(b.fd[0], kReadable, second).ok());
  a.send(1);
  b.send(1);
  loop.runReady();
  EXPECT_TRUE(fresh.heard.empty());
  first.then = second.then = nullptr;
  loop.runReady();
  EXPECT_THAT(fresh.heard, ElementsAre(kReadable));
  loop.unwatch(a.fd[0]);
  loop.unwatch(b.fd[0]);
}

TEST_F(LoopTest, PostedTasksRunInOrderAndThoseTheyPostInTheNextTurn) {
  std::vector<int> order;
  loop.post([&] {
    order.push_back(1);
    loop.post([&] { order.push_back(3); });
  });
  loop.post([&] { order.push_back(2); });
  loop.runReady();
  EXPECT_THAT(order, ElementsAre(1, 2));
  loop.runReady();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(LoopTest, TheTurnEndsWithItsTasksAndThenTheDeferredObjectsInOrder) {
  std::vector<std::string> order;
  struct Last : Deferred {
    Last(std::vector<std::string>& order, std::string name) : order(order), name(std::move(name)) {}
    ~Last() override { order.push_back(name); }
    std::vector<std::string>& order;
    std::string name;
  };
  loop.post([&] {
    loop.destroyLater(std::make_unique<Last>(order, "first object"));
    loop.destroyLater(std::make_unique<Last>(order, "second object"));
    loop.atTurnEnd([&] { order.push_back("task"); });
    order.push_back("posted");
  });
  loop.runReady();
  EXPECT_THAT(order, ElementsAre("posted", "task", "first object", "second object"));
}

TEST_F(LoopTest, AnOwnedTaskRunsOnceAtTheEndOfTheTurnUnlessItsOwnerIsGone) {
  int ran = 0;
  TurnEnd task(loop, [&] { ++ran; });
  auto dropped = std::make_unique<TurnEnd>(loop, [&] { FAIL(); });
  TurnEnd drops(loop, [&] { dropped.reset(); });
  loop.post([&] {
    task.schedule();
    task.schedule();
    drops.schedule();
    dropped->schedule();
    EXPECT_EQ(ran, 0);
  });
  loop.runReady();
  EXPECT_EQ(ran, 1);
  loop.runReady();
  EXPECT_EQ(ran, 1);
}

TEST_F(LoopTest, TimeStandsStillWithinATurn) {
  base::MonotonicTime before, after;
  loop.post([&] {
    before = loop.now();
    clock.advance(1s);
    after = loop.now();
  });
  loop.runReady();
  EXPECT_EQ(before, after);
  EXPECT_EQ(loop.now(), before + 1s);
}

TEST_F(LoopTest, TasksThatNeverRanAreDestroyedWithTheLoop) {
  auto held = std::make_shared<int>(1);
  {
    Loop short_lived(clock);
    short_lived.post([held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(RealLoop, AnotherThreadCanPostAndStop) {
  Loop loop(base::systemClock());
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&] {
        EXPECT_TRUE(loop.onThisThread());
        ++ran;
      });
    }
    EXPECT_FALSE(loop.onThisThread());
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, 1000);
}

TEST(RealLoop, StopBeforeRunEndsItAfterOneTurn) {
  Loop loop(base::systemClock());
  loop.stop();
  loop.run();
}

TEST(RealLoop, ATimerWakesIt) {
  Loop loop(base::systemClock());
  const base::MonotonicTime start = base::systemClock().monotonic();
  Timer timer(loop, [&] { loop.stop(); });
  timer.arm(3ms);
  loop.run();
  EXPECT_GE(base::systemClock().monotonic() - start, 3ms);
}

TEST(SignalsTest, ABlockedSignalArrivesAsAnEvent) {
  blockSignals();
  Loop loop(base::systemClock());
  std::vector<int> heard;
  base::Result<std::unique_ptr<Signals>> signals = Signals::open(loop, [&](int signal) { heard.push_back(signal); });
  ASSERT_TRUE(signals.ok());
  raise(SIGUSR1);
  loop.runReady();
  raise(SIGTERM);
  loop.runReady();
  EXPECT_THAT(heard, ElementsAre(SIGUSR1, SIGTERM));
}

TEST(LifelineTest, SightsSeeTheEndAlsoWhenNested) {
  auto object = std::make_unique<Lifeline>();
  Lifeline::Sight outer(*object);
  {
    Lifeline::Sight inner(*object);
    EXPECT_TRUE(inner.alive());
  }
  EXPECT_TRUE(outer.alive());
  Lifeline::Sight inner(*object);
  object.reset();
  EXPECT_FALSE(inner.alive());
  EXPECT_FALSE(outer.alive());
}

}  // namespace
}  // namespace weir::event
