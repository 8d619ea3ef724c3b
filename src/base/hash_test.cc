#include "base/hash.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace weir::base {
namespace {

// The published values of XXH64.
TEST(XxHash, KnownValues) {
  EXPECT_EQ(xxHash64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxHash64("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(xxHash64("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(xxHash64("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
  EXPECT_EQ(xxHash64("xxhash", 20141025), 0xb559b98d844e0635u);
}

TEST(XxHash, GivesTheValuesThatEnvoyShowsForVersions) {
  EXPECT_EQ(xxHash64("c1"), 814672407442807801u);
  EXPECT_EQ(xxHash64("1"), 13237225503670494420u);
  EXPECT_EQ(xxHash64("e1"), 375412022058588663u);
}

TEST(XxHash, EveryLengthIsHashedByItsOwnBytes) {
  const std::string text(100, 'a');
  for (size_t i = 1; i < text.size(); ++i) EXPECT_NE(xxHash64(text.substr(0, i)), xxHash64(text.substr(0, i - 1)));
}

#ifdef __GLIBCXX__
TEST(MurmurHash, IsWhatTheStandardLibraryHas) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(murmurHash2(text), std::hash<std::string>()(text)) << i;
    text.push_back(static_cast<char>(i * 37 + 200));
  }
}
#endif

}  // namespace
}  // namespace weir::base
