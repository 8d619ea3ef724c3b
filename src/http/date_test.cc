#include "http/date.h"

#include <gtest/gtest.h>

#include "http/status.h"

namespace weir::http {
namespace {

TEST(ImfDate, HasTheFormOfRfc9110) {
  const auto at = [](int64_t second) { return base::WallTime(std::chrono::seconds(second)); };
  EXPECT_EQ(imfDate(at(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(imfDate(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(imfDate(at(1709210096)), "Thu, 29 Feb 2024 12:34:56 GMT");
  EXPECT_EQ(imfDate(at(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(ImfDate, ChangesWithTheSecondOnly) {
  const base::WallTime second(std::chrono::seconds(1'700'000'000));
  EXPECT_EQ(imfDate(second), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(imfDate(second + std::chrono::milliseconds(999)), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(imfDate(second + std::chrono::milliseconds(1000)), "Tue, 14 Nov 2023 22:13:21 GMT");
}

TEST(ParseStatus, TakesThreeDigitsFrom100To599) {
  EXPECT_EQ(parseStatus("200"), 200);
  EXPECT_EQ(parseStatus("599"), 599);
  for (const char* bad : {"", "20", "2000", "099", "600", "2x0", "+20", " 20"})
    EXPECT_EQ(parseStatus(bad), std::nullopt);
}

TEST(ReasonPhrase, IsKnownForUsualCodesAndSomethingForOthers) {
  EXPECT_EQ(reasonPhrase(404), "Not Found");
  EXPECT_EQ(reasonPhrase(299), "Unknown");
}

}  // namespace
}  // namespace weir::http
