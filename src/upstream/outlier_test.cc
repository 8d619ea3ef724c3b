#include "upstream/outlier.h"

#include <gtest/gtest.h>

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

struct OutlierTest : ::testing::Test, OutlierDetector::Owner {
  OutlierTest() { spec.max_ejection_percent = 100; }
  void make(int endpoints) {
    states.clear();
    for (int i = 0; i < endpoints; ++i) states.push_back(std::make_shared<EndpointState>());
    detector.reset();
    detector = std::make_unique<OutlierDetector>(spec, loop, random, store, "cluster.c.", *this);
    detector->setMembers(states);
  }
  void onEjectionsChanged() override { ++changes; }
  void answer(size_t endpoint, int status, int times = 1) { note(endpoint, Outcome::Answered, status, times); }
  void note(size_t endpoint, Outcome outcome, int status = 0, int times = 1) {
    for (int i = 0; i < times; ++i) {
      if (const auto cause = noteOutcome(spec, *states[endpoint], outcome, status)) {
        detector->onSuspect(states[endpoint], *cause);
      }
    }
  }
  bool ejected(size_t endpoint) { return states[endpoint]->has(kFailedOutlierCheck); }
  void passes(base::Duration time) {
    for (; time > 0s; time -= 1s) {
      clock.advance(1s);
      loop.runReady();
    }
  }
  uint64_t count(const std::string& name) {
    return store.counter("cluster.c.outlier_detection.ejections_" + name).value();
  }
  int64_t active() { return store.gauge("cluster.c.outlier_detection.ejections_active").value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  base::FastRandom random{5};
  stats::Store store;
  OutlierSpec spec;
  std::vector<std::shared_ptr<EndpointState>> states;
  std::unique_ptr<OutlierDetector> detector;
  int changes = 0;
};

TEST_F(OutlierTest, FiveHundredsInARowEject) {
  make(3);
  answer(0, 500, 4);
  answer(0, 404);  // Not a failure: the row begins anew.
  answer(0, 500, 4);
  EXPECT_FALSE(ejected(0));
  answer(0, 500);
  EXPECT_TRUE(ejected(0));
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(active(), 1);
  EXPECT_EQ(count("enforced_total"), 1u);
  EXPECT_EQ(count("enforced_consecutive_5xx"), 1u);
  EXPECT_EQ(count("detected_consecutive_5xx"), 1u);
  answer(0, 500, 5);  // It is out already.
  EXPECT_EQ(count("detected_consecutive_5xx"), 1u);
}

TEST_F(OutlierTest, EjectionGrowsLongerEachTimeAndGoodTimesForgive) {
  make(1);
  answer(0, 500, 5);
  passes(29s);
  EXPECT_TRUE(ejected(0));
  passes(1s);
  EXPECT_FALSE(ejected(0));
  EXPECT_EQ(active(), 0);
  answer(0, 500, 5);
  passes(50s);
  EXPECT_TRUE(ejected(0));
  passes(10s);
  EXPECT_FALSE(ejected(0));
  passes(60s);  // Six good intervals.
  answer(0, 500, 5);
  passes(30s);
  EXPECT_FALSE(ejected(0));
}

TEST_F(OutlierTest, EjectionTimeHasALimit) {
  spec.max_ejection_time = 40s;
  make(1);
  for (int i = 0; i < 5; ++i) {
    answer(0, 500, 5);
    passes(40s);
    EXPECT_FALSE(ejected(0)) << i;
  }
}

TEST_F(OutlierTest, NoMoreThanAShareIsEjected) {
  spec.max_ejection_percent = 50;
  make(4);
  for (size_t i = 0; i < 4; ++i) answer(i, 500, 5);
  EXPECT_EQ(active(), 2);
  EXPECT_EQ(count("overflow"), 2u);
}

TEST_F(OutlierTest, AShareThatIsLessThanOneIsNobodyUnlessOneAlwaysGoes) {
  spec.max_ejection_percent = 10;
  make(9);
  answer(0, 500, 5);
  EXPECT_EQ(count("overflow"), 1u);
  make(10);
  answer(0, 500, 5);
  EXPECT_TRUE(ejected(0));
  spec.always_eject_one = true;
  make(1);
  answer(0, 500, 5);
  EXPECT_TRUE(ejected(0));
}

TEST_F(OutlierTest, GatewayFailuresAreTheirOwnRow) {
  spec.consecutive_gateway_failure = 2;
  spec.enforcing_consecutive_gateway_failure = 100;
  make(2);
  answer(0, 502);
  answer(0, 500);
  answer(0, 503);
  EXPECT_FALSE(ejected(0));
  answer(0, 504);
  EXPECT_TRUE(ejected(0));
  EXPECT_EQ(count("enforced_consecutive_gateway_failure"), 1u);
}

TEST_F(OutlierTest, WhatIsNotEnforcedIsOnlyDetected) {
  spec.consecutive_gateway_failure = 2;  // Enforced by zero percent.
  make(1);
  answer(0, 503, 2);
  EXPECT_FALSE(ejected(0));
  EXPECT_EQ(count("detected_consecutive_gateway_failure"), 1u);
  EXPECT_EQ(count("enforced_total"), 0u);
}

TEST_F(OutlierTest, LocalFailuresCountAsAnswersUnlessTheyAreSplit) {
  make(1);
  note(0, Outcome::ConnectFailed, 0, 3);
  note(0, Outcome::Connected);  // Says nothing yet.
  note(0, Outcome::Timeout, 0, 2);
  EXPECT_TRUE(ejected(0));
  spec.split_local_origin = true;
  make(1);
  note(0, Outcome::ConnectFailed, 0, 4);
  note(0, Outcome::Connected);
  note(0, Outcome::ConnectFailed, 0, 4);
  answer(0, 500, 4);
  EXPECT_FALSE(ejected(0));
  note(0, Outcome::Timeout);
  EXPECT_TRUE(ejected(0));
  EXPECT_EQ(count("enforced_consecutive_local_origin_failure"), 1u);
}

TEST_F(OutlierTest, ASuccessRateFarBelowTheOthersEjects) {
  spec.consecutive_5xx = 1000;
  spec.max_ejection_percent = 100;
  make(6);
  for (size_t i = 0; i < 6; ++i) {
    for (int n = 0; n < 100; ++n) answer(i, n < (i == 5 ? 40 : 1) ? 500 : 200);
  }
  passes(10s);
  EXPECT_TRUE(ejected(5));
  EXPECT_EQ(active(), 1);
  EXPECT_EQ(count("enforced_success_rate"), 1u);
  EXPECT_DOUBLE_EQ(states[0]->success_rate, 99);
  EXPECT_DOUBLE_EQ(states[5]->success_rate, 60);
  passes(10s);
  EXPECT_DOUBLE_EQ(states[0]->success_rate, -1);  // No requests.
}

TEST_F(OutlierTest, TooFewEndpointsOrRequestsHaveNoSuccessRateToCompare) {
  spec.consecutive_5xx = 1000;
  make(4);
  for (size_t i = 0; i < 4; ++i) answer(i, i == 3 ? 500 : 200, 100);
  passes(10s);
  EXPECT_EQ(active(), 0);
  make(6);
  for (size_t i = 0; i < 6; ++i) answer(i, i == 3 ? 500 : 200, 99);
  passes(10s);
  EXPECT_EQ(active(), 0);
}

TEST_F(OutlierTest, AFailurePercentageEjectsWhereItIsEnforced) {
  spec.consecutive_5xx = 1000;
  spec.enforcing_success_rate = 0;
  spec.enforcing_failure_percentage = 100;
  spec.failure_percentage_minimum_hosts = 1;
  spec.failure_percentage_request_volume = 10;
  make(1);
  for (int n = 0; n < 20; ++n) answer(0, n % 10 < 2 ? 200 : 500);
  passes(10s);
  EXPECT_FALSE(ejected(0));  // 80 of 100.
  for (int n = 0; n < 20; ++n) answer(0, n % 10 < 1 ? 200 : 500);
  passes(10s);
  EXPECT_TRUE(ejected(0));
}

TEST_F(OutlierTest, AnActiveCheckTakesBack) {
  make(1);
  answer(0, 500, 5);
  detector->onCheckSucceeded(*states[0]);
  EXPECT_FALSE(ejected(0));
  EXPECT_EQ(changes, 2);
  spec.active_check_unejects = false;
  make(1);
  answer(0, 500, 5);
  detector->onCheckSucceeded(*states[0]);
  EXPECT_TRUE(ejected(0));
}

TEST_F(OutlierTest, WhoLeavesCountsAsEjectedNoMore) {
  make(2);
  answer(0, 500, 5);
  detector->setMembers({states[1]});
  EXPECT_EQ(active(), 0);
  answer(1, 500, 5);
  EXPECT_EQ(active(), 1);
  detector.reset();
  EXPECT_EQ(active(), 0);
}

}  // namespace
}  // namespace weir::upstream
