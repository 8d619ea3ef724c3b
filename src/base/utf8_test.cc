#include "base/utf8.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Utf8, IsWrittenInOneToFourBytes) {
  std::string out;
  for (const uint32_t code : {0x41u, 0xe9u, 0x20acu, 0x1f600u}) EXPECT_TRUE(appendUtf8(code, out));
  EXPECT_EQ(out, "A\u00e9\u20ac\U0001f600");
  EXPECT_EQ(codePoints(out), 4u);
  EXPECT_TRUE(isUtf8(out));
  EXPECT_TRUE(isUtf8("\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, HasNoSurrogatesAndAnEnd) {
  std::string out;
  EXPECT_FALSE(appendUtf8(0xd800, out));
  EXPECT_FALSE(appendUtf8(0x110000, out));
  EXPECT_TRUE(out.empty());
}

TEST(Utf8, IsRefusedWhenCutOverlongOrBeyondTheEnd) {
  for (const std::string_view bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3z"}) {
    EXPECT_FALSE(isUtf8(bad));
  }
}

}  // namespace
}  // namespace weir::base
