#include "filter/stream_info.h"

#include <gtest/gtest.h>

namespace weir::filter {
namespace {

TEST(FilterState, KeepsWhatFitsAndRefusesTheRest) {
  StreamInfo info;
  const std::string half(StreamInfo::kMaxFilterState / 2, 'x');
  EXPECT_TRUE(info.keepFilterState("a", half));
  EXPECT_FALSE(info.keepFilterState("b", half));
  EXPECT_FALSE(info.filter_state.contains("b"));
  EXPECT_TRUE(info.keepFilterState("a", half));  // Its own place.
  EXPECT_TRUE(info.keepFilterState("a", ""));
  EXPECT_TRUE(info.keepFilterState("b", half));
}

TEST(FilterState, ManySmallOnesCountToo) {
  StreamInfo info;
  size_t kept = 0;
  while (kept < 100'000 && info.keepFilterState("k" + std::to_string(kept), "")) ++kept;
  EXPECT_LT(kept, 10'000);
}

}  // namespace
}  // namespace weir::filter
