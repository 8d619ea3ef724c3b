#include "http1/head_writer.h"

#include <gtest/gtest.h>

namespace weir::http1 {
namespace {

// A header may have nothing for its value, and a view of nothing may point nowhere.
TEST(HeadWriter, TakesAViewThatPointsNowhere) {
  base::BufferChain out;
  {
    HeadWriter writer(out, 64);
    writer.put({});
    writer.putField("x", {});
  }
  EXPECT_EQ(out.toString(), "x: \r\n");
}

}  // namespace
}  // namespace weir::http1
