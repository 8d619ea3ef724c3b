#include "net/memory_stream.h"

#include <gtest/gtest.h>

#include "net/test_peers.h"

namespace weir::net {
namespace {

struct MemoryStreamTest : ::testing::Test {
  MemoryStreamTest() {
    auto [first, second] = MemoryStream::pair(loop);
    a = std::move(first);
    b = std::move(second);
    a->start(at_a);
    b->start(at_b);
  }
  void write(MemoryStream& from, std::string_view text) {
    base::BufferChain bytes(text);
    from.write(bytes);
  }
  void turns(int count = 3) {
    for (int i = 0; i < count; ++i) loop.runReady();
  }
  base::ManualClock clock;
  event::Loop loop{clock};
  Hearing at_a, at_b;
  std::unique_ptr<MemoryStream> a, b;
};

TEST_F(MemoryStreamTest, CarriesBytesThenTheEnd) {
  write(*a, "hello");
  a->finishWriting();
  EXPECT_EQ(at_b.bytes, "");
  turns();
  EXPECT_EQ(at_b.bytes, "hello");
  EXPECT_EQ(at_b.events, "end");
  write(*b, "back");
  turns();
  EXPECT_EQ(at_a.bytes, "back");
}

TEST_F(MemoryStreamTest, TakesOnlyWhatItMayAndTellsTheWriter) {
  a->setHighWatermark(10);
  a->takeAtMost(5);
  write(*a, std::string(30, 'x'));
  EXPECT_EQ(at_a.events, "blocked");
  EXPECT_EQ(a->unsent(), 25u);
  turns();
  EXPECT_EQ(at_b.bytes.size(), 5u);
  a->takeAll();
  turns();
  EXPECT_EQ(at_b.bytes.size(), 30u);
  EXPECT_EQ(at_a.events, "blocked drained");
}

TEST_F(MemoryStreamTest, PausingHoldsBackAndAResetIsHeardAllTheSame) {
  b->pauseReading();
  write(*a, "x");
  turns();
  EXPECT_EQ(at_b.bytes, "");
  a->close(ByteStream::Close::Reset);
  turns();
  EXPECT_EQ(at_b.events, "closed:reset");
  EXPECT_EQ(a->closedHow(), ByteStream::Close::Reset);
}

TEST_F(MemoryStreamTest, FlushIsToldWhenEverythingWent) {
  a->takeAtMost(1);
  write(*a, "xyz");
  a->close(ByteStream::Close::Flush);
  turns();
  EXPECT_EQ(at_a.events, "");
  a->takeAll();
  turns();
  EXPECT_EQ(at_a.events, "flushed");
  EXPECT_EQ(at_b.bytes, "xyz");
  EXPECT_EQ(at_b.events, "end");
}

TEST_F(MemoryStreamTest, WritingToAPeerThatIsGoneIsAReset) {
  b.reset();
  turns();
  EXPECT_EQ(at_a.events, "end");
  write(*a, "x");
  turns();
  EXPECT_EQ(at_a.events, "end closed:reset");
}

TEST(MemoryStreamConnect, SucceedsOrFailsWhenTheTestSaysSo) {
  base::ManualClock clock;
  event::Loop loop(clock);
  for (const bool succeeds : {true, false}) {
    auto [a, b] = MemoryStream::pair(loop);
    Hearing at_a, at_b;
    a->beginConnecting();
    a->start(at_a);
    b->start(at_b);
    base::BufferChain bytes("early");
    a->write(bytes);
    loop.runReady();
    EXPECT_EQ(at_a.events + at_b.bytes, "");
    if (succeeds) a->connectSucceeds();
    if (!succeeds) a->connectFails({base::Code::Refused, base::Side::Upstream, base::Retry::Yes, "no"});
    for (int i = 0; i < 3; ++i) loop.runReady();
    EXPECT_EQ(at_a.events, succeeds ? "connected" : "closed:refused");
    EXPECT_EQ(at_b.bytes, succeeds ? "early" : "");
  }
}

}  // namespace
}  // namespace weir::net
