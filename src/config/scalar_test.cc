#include "config/scalar.h"

#include <gtest/gtest.h>

#include "config/names.h"

namespace weir::config {
namespace {

TEST(Duration, IsSecondsWithUpToNineDecimals) {
  EXPECT_EQ(parseDuration("0.25s")->nanos, 250'000'000);
  EXPECT_EQ(parseDuration("5000s")->seconds, 5000);
  EXPECT_EQ(parseDuration("1.000000001s")->nanos, 1);
  EXPECT_EQ(parseDuration("-1.5s")->seconds, -1);
  EXPECT_EQ(parseDuration("-1.5s")->nanos, -500'000'000);
  for (const char* text : {"", "s", "1", "1m", "250ms", "1.s", ".5s", "1.0000000001s", "1e3s", "+1s", "--1s", "1 s",
                           "315576000001s", "99999999999999999999s"}) {
    EXPECT_FALSE(parseDuration(text)) << text;
  }
}

TEST(Base64, TakesBothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(decodeBase64("aGVsbG8="), "hello");
  EXPECT_EQ(decodeBase64("aGVsbG8"), "hello");
  EXPECT_EQ(decodeBase64("+/8="), decodeBase64("-_8"));
  EXPECT_EQ(decodeBase64(""), "");
  EXPECT_FALSE(decodeBase64("a"));
  EXPECT_FALSE(decodeBase64("aGV sbG8="));
}

TEST(DidYouMean, FindsANearNameAndNoFarOne) {
  EXPECT_EQ(didYouMean("adress", {"address", "name"}), "; did you mean address?");
  EXPECT_EQ(didYouMean("portValue", {"port_value", "name"}), "; did you mean port_value?");
  EXPECT_EQ(didYouMean("whatever", {"address", "name"}), "");
  EXPECT_EQ(didYouMean(std::string(1000, 'a'), {"address"}), "");
}

}  // namespace
}  // namespace weir::config
