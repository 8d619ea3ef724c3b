// Facts about the hash: values that other implementations give.
#include "base/hash64.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Hash64, GivesTheValuesThatEnvoyShowsForVersions) {
  EXPECT_EQ(hash64("c1"), 814672407442807801u);
  EXPECT_EQ(hash64("1"), 13237225503670494420u);
  EXPECT_EQ(hash64("e1"), 375412022058588663u);
}

TEST(Hash64, GivesTheSpecificationsValueForNothing) { EXPECT_EQ(hash64(""), 0xEF46DB3751D8E999u); }

TEST(Hash64, EveryLengthIsHashedByItsOwnBytes) {
  const std::string text(100, 'a');
  for (size_t i = 1; i < text.size(); ++i) EXPECT_NE(hash64(text.substr(0, i)), hash64(text.substr(0, i - 1)));
}

}  // namespace
}  // namespace weir::base
