#include "base/base64.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Base64, IsPaddedToFourLetters) {
  EXPECT_EQ(toBase64(""), "");
  EXPECT_EQ(toBase64("f"), "Zg==");
  EXPECT_EQ(toBase64("fo"), "Zm8=");
  EXPECT_EQ(toBase64("foo"), "Zm9v");
  EXPECT_EQ(toBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(toBase64({"\0\xff\xfe", 3}), "AP/+");
}

}  // namespace
}  // namespace weir::base
