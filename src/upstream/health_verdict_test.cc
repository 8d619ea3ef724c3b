#include "upstream/health_verdict.h"

#include <gtest/gtest.h>

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;
using Kind = CheckResult::Kind;
using Transition = HealthVerdict::Transition;

struct HealthVerdictTest : ::testing::Test {
  HealthVerdictTest() {
    spec.healthy_threshold = 2;
    spec.unhealthy_threshold = 3;
    spec.interval = 10s;
    spec.unhealthy_interval = 20s;
    spec.unhealthy_edge_interval = 3s;
    spec.healthy_edge_interval = 4s;
    state.set(kFailedActiveCheck);
  }
  Transition judge(Kind kind, bool degraded = false) {
    result = {.kind = kind, .degraded = degraded};
    return transition = verdict.judge(state, result);
  }
  base::Duration next(bool idle = false) { return verdict.nextCheck(result, transition, idle, random); }

  HealthCheckSpec spec;
  EndpointState state;
  HealthVerdict verdict{spec};
  base::FastRandom random{1};
  CheckResult result;
  Transition transition{};
};

TEST_F(HealthVerdictTest, TheFirstSuccessSettlesItAtOnce) {
  EXPECT_EQ(judge(Kind::Success), Transition::Changed);
  EXPECT_EQ(state.flags(), 0u);
  EXPECT_EQ(next(), 10s);
}

TEST_F(HealthVerdictTest, AfterAFirstFailureTheThresholdCounts) {
  EXPECT_EQ(judge(Kind::NetworkFailure), Transition::Unchanged);
  EXPECT_EQ(next(), 20s);
  EXPECT_EQ(judge(Kind::Success), Transition::Pending);
  EXPECT_EQ(next(), 4s);
  EXPECT_EQ(judge(Kind::NetworkFailure), Transition::Unchanged);
  EXPECT_EQ(judge(Kind::Success), Transition::Pending);
  EXPECT_EQ(judge(Kind::Success), Transition::Changed);
}

TEST_F(HealthVerdictTest, NetworkFailuresAndRetriableAnswersCountToTheThreshold) {
  judge(Kind::Success);
  EXPECT_EQ(judge(Kind::NetworkFailure), Transition::Pending);
  EXPECT_EQ(next(), 3s);
  EXPECT_EQ(judge(Kind::RetriableFailure), Transition::Pending);
  EXPECT_EQ(judge(Kind::Success), Transition::Unchanged);
  EXPECT_EQ(judge(Kind::Timeout), Transition::Pending);
  EXPECT_EQ(judge(Kind::Timeout), Transition::Pending);
  EXPECT_EQ(judge(Kind::Timeout), Transition::Changed);
  EXPECT_TRUE(state.has(kActiveCheckTimeout));
  judge(Kind::Success);
  judge(Kind::Success);
  EXPECT_EQ(state.flags(), 0u);
}

TEST_F(HealthVerdictTest, AWrongAnswerIsEnough) {
  judge(Kind::Success);
  EXPECT_EQ(judge(Kind::Failure), Transition::Changed);
  EXPECT_TRUE(state.has(kFailedActiveCheck));
}

TEST_F(HealthVerdictTest, DegradedComesAndGoes) {
  EXPECT_EQ(judge(Kind::Success, true), Transition::Changed);
  EXPECT_EQ(healthOf(state.flags()), Health::Degraded);
  EXPECT_EQ(judge(Kind::Success, true), Transition::Unchanged);
  EXPECT_EQ(judge(Kind::Success), Transition::Changed);
  EXPECT_EQ(healthOf(state.flags()), Health::Healthy);
}

TEST_F(HealthVerdictTest, AnyResultEndsPending) {
  state.set(kPendingActiveCheck);
  EXPECT_EQ(judge(Kind::NetworkFailure), Transition::Changed);
  EXPECT_EQ(state.flags(), uint32_t{kFailedActiveCheck});
}

TEST_F(HealthVerdictTest, AnIdleClusterIsCheckedSeldom) {
  spec.no_traffic_healthy_interval = 5s;
  judge(Kind::Success);
  EXPECT_EQ(next(true), 5s);
  judge(Kind::Failure);
  EXPECT_EQ(next(true), 60s);
}

TEST_F(HealthVerdictTest, JitterAddsUpToItsBounds) {
  spec.interval_jitter = 1s;
  spec.interval_jitter_percent = 20;
  judge(Kind::Success);
  base::Duration least = 1h, most{};
  for (int i = 0; i < 1000; ++i) {
    const base::Duration in = next();
    least = std::min(least, in);
    most = std::max(most, in);
  }
  EXPECT_GE(least, 10s);
  EXPECT_LT(least, 10500ms);
  EXPECT_LT(most, 13s);
  EXPECT_GT(most, 12s);
}

}  // namespace
}  // namespace weir::upstream
