#include "proxy_wasm/pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::Pair;
using namespace std::string_view_literals;

constexpr std::string_view kTwo =
    "\2\0\0\0"
    "\7\0\0\0\3\0\0\0"
    "\1\0\0\0\0\0\0\0"
    ":method\0GET\0"
    "x\0\0"sv;

TEST(Pairs, AreCountThenSizesThenBytesWithNuls) { EXPECT_EQ(toPairs({{":method", "GET"}, {"x", ""}}), kTwo); }

TEST(Pairs, OfAHeaderMapAreWrittenInItsOrderIntoTheSizeAskedFor) {
  http::HeaderMap map;
  map.add(":method", "GET");
  map.add("X", "");
  std::string out(pairsSize(map), '?');
  writePairs(map, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(out, kTwo);
}

TEST(Pairs, OfNothingAreNoBytes) {
  EXPECT_EQ(pairsSize(http::HeaderMap()), 0u);
  EXPECT_EQ(toPairs({}), "");
}

TEST(Pairs, AreReadBackAsViews) {
  const auto pairs = parsePairs(kTwo);
  ASSERT_TRUE(pairs);
  EXPECT_THAT(*pairs, ElementsAre(Pair(":method", "GET"), Pair("x", "")));
}

TEST(Pairs, MayBeNoBytesOrACountOfZero) {
  ASSERT_TRUE(parsePairs(""));
  EXPECT_TRUE(parsePairs("")->empty());
  ASSERT_TRUE(parsePairs("\0\0\0\0"sv));
  EXPECT_TRUE(parsePairs("\0\0\0\0"sv)->empty());
}

TEST(Pairs, AreRefusedWhenAnyByteIsMissing) {
  for (size_t size = 1; size < kTwo.size(); ++size) EXPECT_FALSE(parsePairs(kTwo.substr(0, size))) << size;
}

TEST(Pairs, AreRefusedWhenBytesAreLeftOver) { EXPECT_FALSE(parsePairs(std::string(kTwo) + "x")); }

TEST(Pairs, AreRefusedWithoutTheNulAfterAValue) {
  std::string bytes(kTwo);
  bytes.back() = 'x';
  EXPECT_FALSE(parsePairs(bytes));
}

TEST(Pairs, AreRefusedWhenALengthWrapsAround) {
  EXPECT_FALSE(
      parsePairs("\1\0\0\0"
                 "\xff\xff\xff\xff\xff\xff\xff\xff"
                 "a\0b\0"sv));
}

TEST(Pairs, AreRefusedOverTheLimits) {
  PairViews many(kMaxPairs + 1, {"a", "b"});
  EXPECT_FALSE(parsePairs(toPairs(many)));
  many.pop_back();
  EXPECT_TRUE(parsePairs(toPairs(many)));
  const std::string large(kMaxPairsBytes, 'x');
  EXPECT_FALSE(parsePairs(toPairs({{"a", large}})));
}

}  // namespace
}  // namespace weir::proxy_wasm
