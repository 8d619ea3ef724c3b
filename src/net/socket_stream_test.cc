#include "net/socket_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/listener.h"
#include "net/test_peers.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

// One end is the stream under test, the other a plain socket or a second stream.
struct SocketStreamTest : ::testing::Test {
  SocketStreamTest() {
    listener = Listener::bind(loop, loopback(), {}, accepting).value();
    EXPECT_TRUE(listener->start().ok());
  }
  void connect() {
    stream = SocketStream::connect(loop, listener->address(), 5s);
    stream->start(hearing);
    ASSERT_TRUE(turnUntil(loop, [&] { return hearing.heard("connected") && !accepting.sockets.empty(); }));
    peer = std::move(accepting.sockets.back());
    accepting.sockets.clear();
  }
  void peerSends(std::string_view text) {
    ASSERT_EQ(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // All that has come; "<end>" behind it after a FIN, "<reset>" after a reset.
  std::string peerReads() {
    std::string text;
    char room[65536];
    while (true) {
      const ssize_t got = ::recv(peer.get(), room, sizeof room, MSG_DONTWAIT);
      if (got > 0) text.append(room, static_cast<size_t>(got));
      if (got == 0) return text + "<end>";
      if (got < 0) return errno == ECONNRESET ? text + "<reset>" : text;
    }
  }
  bool peerReadsUntil(std::string_view ending) {
    return turnUntil(loop, [&] {
      peer_read += peerReads();
      return peer_read.ends_with(ending);
    });
  }
  void peerResets() {
    const linger at_once{1, 0};
    setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer.reset();
  }
  void write(std::string_view text) {
    base::BufferChain bytes(text);
    stream->write(bytes);
    EXPECT_TRUE(bytes.empty());
  }
  bool until(std::string_view event) {
    return turnUntil(loop, [&] { return hearing.heard(event); });
  }

  base::ManualClock clock;
  event::Loop loop{clock};
  Accepting accepting;
  std::unique_ptr<Listener> listener;
  Hearing hearing;
  std::unique_ptr<ByteStream> stream;
  Fd peer;
  std::string peer_read;
};

TEST_F(SocketStreamTest, ConnectsAndCarriesBytesBothWays) {
  connect();
  EXPECT_EQ(stream->peer(), listener->address());
  EXPECT_EQ(stream->local(), accepting.peers[0]);
  write("ping");
  EXPECT_TRUE(peerReadsUntil("ping"));
  peerSends("pong");
  EXPECT_TRUE(turnUntil(loop, [&] { return hearing.bytes == "pong"; }));
}

TEST_F(SocketStreamTest, WhatIsWrittenBeforeTheConnectionWaitsForIt) {
  stream = SocketStream::connect(loop, listener->address(), 5s);
  write("early ");
  stream->start(hearing);
  write("bird");
  ASSERT_TRUE(turnUntil(loop, [&] { return !accepting.sockets.empty(); }));
  peer = std::move(accepting.sockets.back());
  EXPECT_TRUE(peerReadsUntil("early bird"));
}

TEST_F(SocketStreamTest, ARefusedConnectionIsToldWithTheSystemsWords) {
  const Address nobody = listener->address();
  listener.reset();
  stream = SocketStream::connect(loop, nobody, 5s);
  stream->start(hearing);
  ASSERT_TRUE(until("closed:refused"));
  EXPECT_EQ(hearing.error.detail, "delayed connect error: Connection refused");
  EXPECT_EQ(hearing.error.side, base::Side::Upstream);
  EXPECT_EQ(hearing.error.retry, base::Retry::Yes);
}

TEST_F(SocketStreamTest, AConnectionThatFailsAtOnceIsToldFromTheLoop) {
  stream = SocketStream::connect(loop, Address::unixSocket("/nonexistent/x.sock").value(), 5s);
  stream->start(hearing);
  EXPECT_EQ(hearing.events, "");
  ASSERT_TRUE(until("closed:io"));
  EXPECT_EQ(hearing.error.detail, "immediate connect error: No such file or directory");
}

TEST_F(SocketStreamTest, AConnectionThatNobodyAnswersEndsByItsTimeout) {
  Fd full(::socket(AF_INET, SOCK_STREAM, 0));
  const Address any = loopback();
  ASSERT_EQ(::bind(full.get(), any.sockaddrPtr(), any.length()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  getsockname(full.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  const Address address = Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
  // Beyond its queue the kernel drops what asks for a connection.
  std::vector<Fd> queued;
  for (int i = 0; i < 4; ++i) {
    queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(queued.back().get(), address.sockaddrPtr(), address.length());
  }
  stream = SocketStream::connect(loop, address, 250ms);
  stream->start(hearing);
  for (int i = 0; i < 10; ++i) loop.runReady();
  EXPECT_EQ(hearing.events, "");
  clock.advance(250ms);
  loop.runReady();
  EXPECT_EQ(hearing.events, "closed:timeout");
}

TEST_F(SocketStreamTest, TheEndComesAfterTheBytesBeforeItAndWritingStillWorks) {
  connect();
  peerSends("last words");
  ::shutdown(peer.get(), SHUT_WR);
  ASSERT_TRUE(until("end"));
  EXPECT_EQ(hearing.bytes, "last words");
  write("answer");
  stream->finishWriting();
  EXPECT_TRUE(peerReadsUntil("answer<end>"));
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_EQ(hearing.events, "connected end");
}

TEST_F(SocketStreamTest, AResetComesAfterTheBytesBeforeIt) {
  connect();
  peerSends("last words");
  peerResets();
  ASSERT_TRUE(until("closed:reset"));
  EXPECT_EQ(hearing.bytes, "last words");
  EXPECT_EQ(hearing.error.detail, "Connection reset by peer");
}

TEST_F(SocketStreamTest, APausedStreamHearsNoBytesButAReset) {
  connect();
  stream->pauseReading();
  peerSends("not now");
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_EQ(hearing.bytes, "");
  peerResets();
  EXPECT_TRUE(until("closed:reset"));
  EXPECT_EQ(hearing.bytes, "");
}

TEST_F(SocketStreamTest, AfterAPauseEverythingComesInOrderAndThenTheEnd) {
  connect();
  stream->pauseReading();
  peerSends("one ");
  for (int i = 0; i < 3; ++i) loop.runReady();
  peerSends("two");
  ::shutdown(peer.get(), SHUT_WR);
  for (int i = 0; i < 3; ++i) loop.runReady();
  EXPECT_EQ(hearing.events, "connected");
  stream->resumeReading();
  ASSERT_TRUE(until("end"));
  EXPECT_EQ(hearing.bytes, "one two");
}

TEST_F(SocketStreamTest, WhatTheReceiverLeavesIsOfferedAgainWithWhatComesNextAndOnResume) {
  connect();
  hearing.leaves = true;
  peerSends("ab");
  ASSERT_TRUE(turnUntil(loop, [&] { return hearing.offered == "ab"; }));
  peerSends("cd");
  ASSERT_TRUE(turnUntil(loop, [&] { return hearing.offered == "abcd"; }));
  hearing.leaves = false;
  stream->resumeReading();
  EXPECT_EQ(hearing.bytes, "");  // Not within the call.
  loop.runReady();
  EXPECT_EQ(hearing.bytes, "abcd");
}

// Takes three bytes and hands the stream on.
struct FirstReceiver final : ByteStream::Receiver {
  void onBytes(base::BufferChain& received) override {
    received.drain(3);
    stream->start(*next);
  }
  void onEnd() override {}
  void onClosed(const base::Error&) override {}
  ByteStream* stream = nullptr;
  ByteStream::Receiver* next = nullptr;
};

TEST_F(SocketStreamTest, AnAcceptedStreamMayBeHandedOnWithWhatWasLeft) {
  connect();
  auto accepted = SocketStream::accepted(loop, std::move(peer), loopback());
  FirstReceiver first;
  Hearing second;
  first.stream = accepted.get();
  first.next = &second;
  accepted->start(first);
  write("abcdef");
  stream->finishWriting();
  ASSERT_TRUE(turnUntil(loop, [&] { return second.heard("end"); }));
  EXPECT_EQ(second.bytes, "def");
}

TEST_F(SocketStreamTest, AnAcceptedStreamMayBeHandedOnBetweenItsCallbacks) {
  connect();
  auto accepted = SocketStream::accepted(loop, std::move(peer), loopback());
  Hearing first, second;
  first.leaves = true;
  accepted->start(first);
  write("abc");
  ASSERT_TRUE(turnUntil(loop, [&] { return first.offered == "abc"; }));
  accepted->start(second);
  EXPECT_EQ(second.bytes, "");
  ASSERT_TRUE(turnUntil(loop, [&] { return second.bytes == "abc"; }));
  first.offered.clear();
  write("def");
  ASSERT_TRUE(turnUntil(loop, [&] { return second.bytes == "abcdef"; }));
  EXPECT_EQ(first.offered, "");
}

TEST_F(SocketStreamTest, AReceiverThatLeavesTooMuchIsNotGivenMore) {
  connect();
  stream->setHighWatermark(100'000);
  hearing.leaves = true;
  const std::string block(10'000, 'x');
  size_t sent = 0;
  while (true) {
    const ssize_t put = ::send(peer.get(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0) break;
    sent += static_cast<size_t>(put);
    loop.runReady();
  }
  EXPECT_GT(hearing.offered.size(), 100'000u);
  EXPECT_LE(hearing.offered.size(), 100'000u + SocketStream::kMostReadPerTurn);
  hearing.leaves = false;
  stream->resumeReading();
  EXPECT_TRUE(turnUntil(loop, [&] { return hearing.bytes.size() == sent; }));
}

// Read several slabs at a time, once the first is full.
TEST_F(SocketStreamTest, ALongBodyComesWholeAndInOrder) {
  connect();
  std::string body(700'001, ' ');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  size_t sent = 0;
  while (sent < body.size()) {
    const ssize_t put = ::send(peer.get(), body.data() + sent, body.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) sent += static_cast<size_t>(put);
    loop.runReady();
  }
  ASSERT_TRUE(turnUntil(loop, [&] { return hearing.bytes.size() == body.size(); }));
  EXPECT_EQ(hearing.bytes, body);
}

TEST_F(SocketStreamTest, ASlowReaderBlocksTheWriterAndLosesNothing) {
  connect();
  stream->setHighWatermark(256 * 1024);
  std::string all;
  for (int i = 0; !hearing.heard("blocked"); ++i) {
    ASSERT_LT(i, 10'000);
    const std::string part(10'000, static_cast<char>('a' + i % 26));
    all += part;
    write(part);
  }
  EXPECT_GT(stream->unsent(), 256u * 1024);
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_FALSE(hearing.heard("drained"));
  ASSERT_TRUE(turnUntil(loop, [&] {
    peer_read += peerReads();
    return peer_read.size() == all.size();
  }));
  EXPECT_EQ(peer_read, all);
  EXPECT_EQ(hearing.events, "connected blocked drained");
  EXPECT_EQ(stream->unsent(), 0u);
}

TEST_F(SocketStreamTest, AnAnswerThatWasSentBeforeAResetIsHeardAlthoughSendingFailed) {
  connect();
  write("a request that is never read");
  peerSends("too large");
  ASSERT_TRUE(turnUntil(loop, [&] { return hearing.bytes == "too large"; }));
  hearing.bytes.clear();
  peerSends("too large, really");
  peer.reset();  // With unread input: a reset follows the bytes.
  for (int i = 0; i < 3; ++i) write(std::string(1000, 'x'));
  ASSERT_TRUE(until("closed:reset"));
  EXPECT_EQ(hearing.bytes, "too large, really");
}

TEST_F(SocketStreamTest, CloseFlushSendsEverythingAndIsToldWhenThePeerHasEndedToo) {
  connect();
  const std::string all(3'000'000, 'x');
  write(all);
  stream->close(ByteStream::Close::Flush);
  ASSERT_TRUE(peerReadsUntil("<end>"));
  EXPECT_EQ(peer_read.size(), all.size() + 5);
  EXPECT_FALSE(hearing.heard("flushed"));
  ::shutdown(peer.get(), SHUT_WR);
  EXPECT_TRUE(until("flushed"));
}

TEST_F(SocketStreamTest, CloseFlushDiscardsWhatStillComesSoThatOurLastBytesSurvive) {
  connect();
  for (int i = 0; i < 20; ++i) peerSends(std::string(1000, 'i'));
  write("go away");
  stream->close(ByteStream::Close::Flush);
  for (int i = 0; i < 20; ++i) {
    peerSends(std::string(1000, 'i'));
    loop.runReady();
  }
  EXPECT_TRUE(peerReadsUntil("go away<end>"));
  EXPECT_EQ(hearing.bytes, "");
  clock.advance(999ms);
  loop.runReady();
  EXPECT_FALSE(hearing.heard("flushed"));
  clock.advance(1ms);
  loop.runReady();
  EXPECT_TRUE(hearing.heard("flushed"));
}

TEST_F(SocketStreamTest, CloseFlushGivesUpOnAPeerThatTakesNothing) {
  connect();
  write(std::string(20'000'000, 'x'));  // NOLINT(bugprone-string-constructor)
  stream->close(ByteStream::Close::Flush);
  clock.advance(ByteStream::kFlushLimit);
  loop.runReady();
  EXPECT_TRUE(hearing.heard("flushed"));
}

TEST_F(SocketStreamTest, CloseFlushOfADeadStreamIsToldToo) {
  connect();
  peerResets();
  ASSERT_TRUE(until("closed:reset"));
  stream->close(ByteStream::Close::Flush);
  EXPECT_FALSE(hearing.heard("flushed"));
  EXPECT_TRUE(until("flushed"));
}

TEST_F(SocketStreamTest, CloseNowAndResetAreWhatThePeerSees) {
  connect();
  write("x");
  stream->close(ByteStream::Close::Now);
  EXPECT_TRUE(peerReadsUntil("x<end>"));
  peer_read.clear();
  hearing.events.clear();
  connect();
  stream->close(ByteStream::Close::Reset);
  EXPECT_TRUE(peerReadsUntil("<reset>"));
  EXPECT_EQ(hearing.events, "connected");
}

TEST_F(SocketStreamTest, TheReceiverMayDestroyTheStreamInsideAnyCallback) {
  hearing.destroys = &stream;
  hearing.destroys_at = "connected";
  stream = SocketStream::connect(loop, listener->address(), 5s);
  stream->start(hearing);
  EXPECT_TRUE(turnUntil(loop, [&] { return stream == nullptr; }));

  hearing.destroys = nullptr;
  for (const std::string at : {"", "end", "closed", "blocked", "drained", "flushed"}) {
    accepting.sockets.clear();
    hearing.events.clear();
    peer_read.clear();
    connect();
    hearing.destroys = &stream;
    hearing.destroys_at = at;
    stream->setHighWatermark(1'000'000);
    if (at.empty()) peerSends("x");
    if (at == "end") ::shutdown(peer.get(), SHUT_WR);
    if (at == "closed") peerResets();
    for (int i = 0; at == "blocked" && stream != nullptr && i < 1000; ++i) {
      base::BufferChain bytes(std::string(100'000, 'x'));
      stream->write(bytes);
    }
    for (int i = 0; at == "drained" && !hearing.heard("blocked") && i < 1000; ++i) write(std::string(100'000, 'x'));
    if (at == "flushed") {
      stream->close(ByteStream::Close::Flush);
      peer.reset();
    }
    EXPECT_TRUE(turnUntil(loop, [&] {
      if (at == "drained") peerReads();
      return stream == nullptr;
    })) << at;
    hearing.destroys = nullptr;
  }
}

TEST_F(SocketStreamTest, WorksOverAnAbstractUnixSocket) {
  const std::string name = "@weir-test-" + std::to_string(getpid());
  listener = Listener::bind(loop, Address::unixSocket(name).value(), {}, accepting).value();
  ASSERT_TRUE(listener->start().ok());
  connect();
  write("ping");
  EXPECT_TRUE(peerReadsUntil("ping"));
  peerSends("pong");
  stream->pauseReading();
  peer.reset();  // Both directions at once, with bytes before.
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_EQ(hearing.events, "connected");
  stream->resumeReading();
  EXPECT_TRUE(until("end"));
  EXPECT_EQ(hearing.bytes, "pong");
  write("nobody hears this");
  EXPECT_TRUE(until("closed:reset"));
}

TEST_F(SocketStreamTest, AnAcceptedStreamBlamesTheClient) {
  connect();
  Hearing server;
  std::unique_ptr<SocketStream> accepted = SocketStream::accepted(loop, std::move(peer), accepting.peers[0]);
  accepted->start(server);
  write("hello");
  EXPECT_TRUE(turnUntil(loop, [&] { return server.bytes == "hello"; }));
  stream->close(ByteStream::Close::Reset);
  EXPECT_TRUE(turnUntil(loop, [&] { return server.events == "closed:reset"; }));
  EXPECT_EQ(server.error.side, base::Side::Client);
}

// Counts turns: each reads the clock once.
class CountingClock final : public base::Clock {
 public:
  base::MonotonicTime monotonic() const override {
    ++reads;
    return base::systemClock().monotonic();
  }
  base::WallTime wall() const override { return base::systemClock().wall(); }
  mutable int reads = 0;
};

TEST(SocketStreamIdleTest, NothingSpinsWhileAPeerThatEndedIsNotRead) {
  CountingClock clock;
  event::Loop loop(clock);
  for (const bool paused : {true, false}) {
    for (const bool we_finish : {true, false}) {
      for (const bool bytes_before : {true, false}) {
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        Fd peer(ends[1]);
        Hearing hearing;
        std::unique_ptr<SocketStream> stream = SocketStream::accepted(loop, Fd(ends[0]), Address());
        stream->start(hearing);
        if (paused) stream->pauseReading();
        if (we_finish) stream->finishWriting();
        EXPECT_EQ(::send(peer.get(), "x", bytes_before ? 1 : 0, 0), bytes_before ? 1 : 0);
        if (we_finish) peer.reset();
        if (!we_finish) ::shutdown(peer.get(), SHUT_WR);
        event::Timer end(loop, [&] { loop.stop(); });
        end.arm(10ms);
        clock.reads = 0;
        loop.run();
        EXPECT_LT(clock.reads, 10) << paused << we_finish << bytes_before;
        EXPECT_EQ(hearing.heard("end"), !paused);
      }
    }
  }
}

}  // namespace
}  // namespace weir::net
