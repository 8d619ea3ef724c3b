#include "upstream/keepalive.h"

#include <gtest/gtest.h>

#include "upstream/test_upstream.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct KeepaliveTest : ::testing::Test {
  KeepaliveTest() {
    settings.interval = 10s;
    settings.timeout = 3s;
    settings.jitter_percent = 0;
  }
  void begin() {
    keepalive = std::make_unique<Keepalive>(
        loop, random, settings, [this] { ++pings; }, [this] { ++dead; });
  }
  void passes(base::Duration time) {
    clock.advance(time);
    loop.runReady();
    loop.runReady();
  }
  base::ManualClock clock;
  event::Loop loop{clock};
  FixedRandom random;
  http2::Keepalive settings;
  std::unique_ptr<Keepalive> keepalive;
  int pings = 0, dead = 0;
};

TEST_F(KeepaliveTest, TheNextPingIsDueAnIntervalAfterTheLastAnswer) {
  begin();
  passes(9s);
  EXPECT_EQ(pings, 0);
  passes(1s);
  EXPECT_EQ(pings, 1);
  passes(2s);
  keepalive->onAnswered();
  passes(9s);
  EXPECT_EQ(pings, 1);
  passes(1s);
  EXPECT_EQ(pings, 2);
  EXPECT_EQ(dead, 0);
}

TEST_F(KeepaliveTest, APeerThatDoesNotAnswerIsDeadOnce) {
  begin();
  passes(10s);
  passes(3s);
  EXPECT_EQ(dead, 1);
  passes(60s);
  EXPECT_EQ(dead, 1);
  EXPECT_EQ(pings, 1);
}

TEST_F(KeepaliveTest, WhateverComesGivesThePeerItsWholeTimeAgain) {
  begin();
  passes(10s);
  for (int i = 0; i < 5; ++i) {
    passes(2s);
    keepalive->onReceived();
  }
  EXPECT_EQ(dead, 0);
  passes(3s);
  EXPECT_EQ(dead, 1);
}

TEST_F(KeepaliveTest, TheIntervalVaries) {
  settings.jitter_percent = 15;
  random.value = uint64_t{1'400'000'000};  // Of 1.5 seconds.
  begin();
  passes(11s);
  EXPECT_EQ(pings, 0);
  passes(1s);
  EXPECT_EQ(pings, 1);
}

TEST_F(KeepaliveTest, WithoutAnIntervalAPingGoesAheadOfAStreamAfterSilence) {
  settings.interval = {};
  settings.idle_interval = 5s;
  begin();
  passes(60s);
  EXPECT_EQ(pings, 0);
  keepalive->onReceived();
  passes(5s);
  keepalive->onNewStream();
  EXPECT_EQ(pings, 0);
  passes(1s);
  keepalive->onNewStream();
  keepalive->onNewStream();
  EXPECT_EQ(pings, 1);
  passes(3s);
  EXPECT_EQ(dead, 1);
}

TEST_F(KeepaliveTest, EndsWithItsConnection) {
  begin();
  passes(10s);
  keepalive->end();
  passes(60s);
  EXPECT_EQ(dead, 0);
}

}  // namespace
}  // namespace weir::upstream
