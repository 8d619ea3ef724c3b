#include "exchange/timeouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::exchange {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Timeouts, AreTheRoutesOrFifteenSeconds) {
  const http::HeaderMap request;
  route::RouteAction action;
  EXPECT_EQ(chooseTimeouts(action, nullptr, request, false).whole, seconds(15));
  action.timeout = base::Duration::zero();
  EXPECT_EQ(chooseTimeouts(action, nullptr, request, false).whole, base::Duration::zero());
}

TEST(Timeouts, AreWhatTheRequestAsksFor) {
  http::HeaderMap request;
  request.add("x-envoy-upstream-rq-timeout-ms", "500");
  request.add("x-envoy-upstream-rq-per-try-timeout-ms", "100");
  const Timeouts chosen = chooseTimeouts({}, nullptr, request, false);
  EXPECT_EQ(chosen.whole, milliseconds(500));
  EXPECT_EQ(chosen.try_, milliseconds(100));
  request.set("x-envoy-upstream-rq-timeout-ms", "99999999999999999");
  EXPECT_GT(chooseTimeouts({}, nullptr, request, false).whole, seconds(1));
  request.set("x-envoy-upstream-rq-timeout-ms", "soon");
  EXPECT_EQ(chooseTimeouts({}, nullptr, request, false).whole, seconds(15));
}

TEST(Timeouts, DropATryThatIsNoShorterThanTheWhole) {
  route::RetryPolicy policy;
  policy.per_try_timeout = seconds(2);
  route::RouteAction action;
  action.timeout = seconds(2);
  EXPECT_EQ(chooseTimeouts(action, &policy, {}, false).try_, base::Duration::zero());
  action.timeout = base::Duration::zero();
  EXPECT_EQ(chooseTimeouts(action, &policy, {}, false).try_, seconds(2));
}

TEST(Timeouts, AreToldTheUpstreamAsWhatIsLeft) {
  EXPECT_EQ(timeLeft({seconds(10), {}, {}}, seconds(4)), seconds(6));
  EXPECT_EQ(timeLeft({seconds(10), seconds(3), {}}, seconds(4)), seconds(3));
  EXPECT_EQ(timeLeft({seconds(10), {}, {}}, seconds(11)), milliseconds(1));
  EXPECT_EQ(timeLeft({}, seconds(11)), std::nullopt);
}

TEST(GrpcTimeout, IsReadInEveryUnit) {
  const auto read = [](std::string_view text) {
    http::HeaderMap request;
    request.add(http::HeaderId::GrpcTimeout, text);
    return grpcTimeout(request);
  };
  EXPECT_EQ(read("1H"), std::chrono::hours(1));
  EXPECT_EQ(read("2M"), std::chrono::minutes(2));
  EXPECT_EQ(read("3S"), seconds(3));
  EXPECT_EQ(read("4m"), milliseconds(4));
  EXPECT_EQ(read("4001u"), milliseconds(5));
  EXPECT_EQ(read("1n"), milliseconds(1));
  EXPECT_EQ(read("99999999M"), std::chrono::minutes(99999999));
  EXPECT_GT(read("99999999H"), std::chrono::hours(24) * 365 * 100);  // More does not fit, and is not meant.
  for (const char* bad : {"", "H", "1", "1x", "-1S", "123456789S", "1.5S"}) EXPECT_EQ(read(bad), std::nullopt) << bad;
}

TEST(GrpcTimeout, IsWrittenInTheFinestUnitThatFits) {
  const auto written = [](base::Duration timeout) {
    http::HeaderMap request;
    setGrpcTimeout(timeout, request);
    return std::string(request.getOr(http::HeaderId::GrpcTimeout, ""));
  };
  EXPECT_EQ(written(milliseconds(1500)), "1500m");
  EXPECT_EQ(written(seconds(99'999'999)), "99999999S");
  EXPECT_EQ(written(std::chrono::minutes(2'000'000)), "2000000M");
}

}  // namespace
}  // namespace weir::exchange
