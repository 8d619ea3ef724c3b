// Facts about BufferChain.
#include "base/buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::base {
namespace {

std::string pattern(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

TEST(BufferChain, GivesBackWhatWasAppendedAcrossSlabs) {
  const std::string bytes = pattern(3 * BufferChain::kSlabBytes + 17);
  BufferChain buffer(bytes);
  EXPECT_EQ(buffer.size(), bytes.size());
  EXPECT_EQ(buffer.toString(), bytes);
}

TEST(BufferChain, DrainsAcrossSlabs) {
  const std::string bytes = pattern(2 * BufferChain::kSlabBytes + 5);
  BufferChain buffer(bytes);
  buffer.drain(BufferChain::kSlabBytes + 1);
  EXPECT_EQ(buffer.toString(), bytes.substr(BufferChain::kSlabBytes + 1));
  buffer.drain(buffer.size());
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.front(), "");
}

TEST(BufferChain, PrependsMoreThanASlab) {
  const std::string head = pattern(BufferChain::kSlabBytes + 100);
  BufferChain buffer("tail");
  buffer.prepend(head);
  buffer.prepend("x");
  EXPECT_EQ(buffer.toString(), "x" + head + "tail");
}

TEST(BufferChain, MovesAllOfAnotherAndLeavesItEmpty) {
  const std::string big = pattern(BufferChain::kSlabBytes * 2);
  BufferChain to("small"), from(big);
  to.append(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(to.toString(), "small" + big);
  from.append("again");
  EXPECT_EQ(from.toString(), "again");
}

TEST(BufferChain, TakesThePartOfAnotherThatWasAskedFor) {
  const std::string big = pattern(BufferChain::kSlabBytes * 2);
  BufferChain to, from(big);
  to.appendFrom(from, BufferChain::kSlabBytes + 3);
  EXPECT_EQ(to.toString(), big.substr(0, BufferChain::kSlabBytes + 3));
  EXPECT_EQ(from.toString(), big.substr(BufferChain::kSlabBytes + 3));
  to.appendFrom(from, from.size() + 1000);
  EXPECT_EQ(to.toString(), big);
}

TEST(BufferChain, GathersTheFirstBytesIntoOnePiece) {
  const std::string bytes = pattern(BufferChain::kSlabBytes + 100);
  BufferChain buffer(bytes);
  buffer.drain(BufferChain::kSlabBytes - 10);
  EXPECT_EQ(buffer.linearize(50), bytes.substr(BufferChain::kSlabBytes - 10, 50));
  EXPECT_EQ(buffer.toString(), bytes.substr(BufferChain::kSlabBytes - 10));
}

int pieces(const BufferChain& buffer) {
  iovec found[64];
  return buffer.gather(found, 64);
}

TEST(BufferChain, FramesOfFullSlabsLieInTheirTails) {
  BufferChain out("4000\r\n");
  std::string expected = "4000\r\n";
  for (int i = 0; i < 8; ++i) {
    BufferChain slab(pattern(BufferChain::kSlabBytes));
    out.append(slab);
    out.append("\r\n4000\r\n");
    expected += pattern(BufferChain::kSlabBytes) + "\r\n4000\r\n";
  }
  EXPECT_EQ(out.toString(), expected);
  EXPECT_EQ(pieces(out), 9);  // One of them is the first frame's.
}

TEST(BufferChain, TheSmallerPartIsCopiedBehindTheLarger) {
  BufferChain to(pattern(10000));
  BufferChain from(pattern(6000));
  to.append(from);
  EXPECT_EQ(to.toString(), pattern(10000) + pattern(6000));
  EXPECT_EQ(pieces(to), 1);
}

TEST(BufferChain, TheSmallerPartIsCopiedBeforeTheLargerWhereItCameFromThere) {
  BufferChain from(pattern(BufferChain::kSlabBytes));
  BufferChain to(pattern(BufferChain::kSlabBytes));
  to.appendFrom(from, 2000);
  from.drain(8);
  to.append(from);
  EXPECT_EQ(to.toString(),
            pattern(BufferChain::kSlabBytes) + pattern(2000) + pattern(BufferChain::kSlabBytes).substr(2008));
  EXPECT_EQ(pieces(to), 2);
  EXPECT_EQ(to.size(), 2 * BufferChain::kSlabBytes - 8);
  to.append("more");
  EXPECT_EQ(pieces(to), 2);
}

TEST(BufferChain, MuchIsNotCopiedToJoinALittle) {
  BufferChain to("head");
  BufferChain from(pattern(15000));
  const char* before = from.front().data();
  to.append(from);
  EXPECT_EQ(pieces(to), 2);
  to.drain(4);
  EXPECT_EQ(to.front().data(), before);
}

TEST(BufferChain, CommitsOnlyWhatWasWritten) {
  BufferChain buffer;
  const std::span<char> room = buffer.reserve(100);
  ASSERT_GE(room.size(), 100u);
  std::copy_n("abc", 3, room.data());
  buffer.commit(3);
  EXPECT_EQ(buffer.toString(), "abc");
  buffer.reserve(10);
  buffer.commit(0);
  EXPECT_EQ(buffer.size(), 3u);
}

TEST(BufferChain, CopiesFromTheMiddle) {
  const std::string bytes = pattern(BufferChain::kSlabBytes + 100);
  const BufferChain buffer(bytes);
  std::string out(60, '\0');
  buffer.copyTo(out, BufferChain::kSlabBytes - 30);
  EXPECT_EQ(out, bytes.substr(BufferChain::kSlabBytes - 30, 60));
}

}  // namespace
}  // namespace weir::base
