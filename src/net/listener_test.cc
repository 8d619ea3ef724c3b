#include "net/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "net/test_peers.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

struct ListenerTest : ::testing::Test {
  std::unique_ptr<Listener> open(const Address& address, Accepting& acceptor, ListenOptions options = {}) {
    auto listener = Listener::bind(loop, address, options, acceptor);
    EXPECT_TRUE(listener.ok()) << listener.error().detail;
    EXPECT_TRUE((*listener)->start().ok());
    return std::move(*listener);
  }
  Fd connectTo(const Address& address) {
    Fd socket(::socket(address.family(), SOCK_STREAM, 0));
    EXPECT_EQ(::connect(socket.get(), address.sockaddrPtr(), address.length()), 0);
    return socket;
  }
  base::ManualClock clock;
  event::Loop loop{clock};
  Accepting accepting;
};

TEST_F(ListenerTest, PortZeroGivesAFreePortThatCanBeReadBack) {
  auto listener = open(loopback(), accepting);
  EXPECT_NE(listener->address().port(), 0);
  const Fd client = connectTo(listener->address());
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == 1; }));
  EXPECT_EQ(accepting.peers[0].ip(), "127.0.0.1");
}

TEST_F(ListenerTest, WorkersShareAPort) {
  Accepting other;
  auto first = open(loopback(), accepting);
  auto second = open(first->address(), other);
  std::vector<Fd> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(connectTo(first->address()));
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() + other.sockets.size() == 64; }));
  EXPECT_FALSE(accepting.sockets.empty());
  EXPECT_FALSE(other.sockets.empty());
}

TEST_F(ListenerTest, AnAddressInUseIsAnErrorWithTheAddressInIt) {
  auto first = open(loopback(), accepting, {.reuse_port = false});
  const auto second = Listener::bind(loop, first->address(), {.reuse_port = false}, accepting);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().detail, "cannot bind " + first->address().toString() + ": Address already in use");
}

TEST_F(ListenerTest, AcceptsABoundedNumberPerTurn) {
  auto listener = open(loopback(), accepting);
  std::vector<Fd> clients;
  for (int i = 0; i < Listener::kMostAcceptedPerTurn + 10; ++i) clients.push_back(connectTo(listener->address()));
  loop.runReady();
  EXPECT_EQ(accepting.sockets.size(), static_cast<size_t>(Listener::kMostAcceptedPerTurn));
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == clients.size(); }));
}

TEST_F(ListenerTest, WhilePausedConnectionsWait) {
  auto listener = open(loopback(), accepting);
  listener->pause();
  const Fd client = connectTo(listener->address());
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_TRUE(accepting.sockets.empty());
  listener->resume();
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == 1; }));
}

TEST_F(ListenerTest, CloseAcceptsWhatWaitsInTheKernelAndThenRefuses) {
  auto listener = open(loopback(), accepting);
  const Address address = listener->address();
  const Fd first = connectTo(address), second = connectTo(address);
  listener->close();
  EXPECT_EQ(accepting.sockets.size(), 2u);
  Fd late(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_NE(::connect(late.get(), address.sockaddrPtr(), address.length()), 0);
}

TEST_F(ListenerTest, TheAcceptorMayCloseOrDestroyTheListener) {
  for (const bool destroy : {true, false}) {
    auto listener = open(loopback(), accepting);
    accepting.sockets.clear();
    accepting.then = [&] { destroy ? listener.reset() : listener->close(); };
    const Fd first = connectTo(listener->address()), second = connectTo(listener->address());
    loop.runReady();
    EXPECT_EQ(accepting.sockets.size(), destroy ? 1u : 2u);
    accepting.then = nullptr;
  }
}

TEST_F(ListenerTest, OutOfDescriptorsItRestsAndThenGoesOn) {
  auto listener = open(loopback(), accepting);
  const Fd client = connectTo(listener->address());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int highest = ::dup(client.get());
  ::close(highest);
  std::vector<Fd> fillers;
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(highest);  // The next descriptor would be this one.
  setrlimit(RLIMIT_NOFILE, &low);

  loop.runReady();
  EXPECT_EQ(accepting.failures, 1);
  for (int i = 0; i < 5; ++i) loop.runReady();
  EXPECT_EQ(accepting.failures, 1);  // No spinning.
  clock.advance(Listener::kRestAfterExhaustion);
  loop.runReady();
  loop.runReady();
  EXPECT_EQ(accepting.failures, 2);

  setrlimit(RLIMIT_NOFILE, &before);
  clock.advance(Listener::kRestAfterExhaustion);
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == 1; }));
}

TEST_F(ListenerTest, AStaleSocketFileIsReplacedAndAnotherFileIsNot) {
  char directory[] = "/tmp/weir-listener-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/x.sock";
  { auto dead = open(Address::unixSocket(path).value(), accepting); }
  auto listener = open(Address::unixSocket(path).value(), accepting, {.unix_mode = 0600});
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const Fd client = connectTo(listener->address());
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == 1; }));
  unlink(path.c_str());

  std::ofstream(path) << "precious";
  EXPECT_FALSE(Listener::bind(loop, Address::unixSocket(path).value(), {}, accepting).ok());
  EXPECT_EQ(stat(path.c_str(), &info), 0);
  unlink(path.c_str());
  rmdir(directory);
}

TEST_F(ListenerTest, AnInheritedSocketIsTakenOverWithItsQueue) {
  auto old = open(loopback(), accepting);
  old->pause();
  const Fd client = connectTo(old->address());
  Accepting heir;
  auto adopted = Listener::adopt(loop, Fd(::dup(old->fd())), {}, heir);
  ASSERT_TRUE(adopted.ok());
  EXPECT_EQ((*adopted)->address(), old->address());
  ASSERT_TRUE((*adopted)->start().ok());
  EXPECT_TRUE(turnUntil(loop, [&] { return heir.sockets.size() == 1; }));
}

TEST_F(ListenerTest, WhoConnectsToASocketThatListensWaitsForWhoeverAdoptsIt) {
  auto socket = Listener::bindSocket(loopback(), {});
  ASSERT_TRUE(socket.ok());
  ASSERT_TRUE(Listener::listen(*socket, {}).ok());
  const Fd client = connectTo(Listener::addressOf(*socket));
  auto adopted = Listener::adopt(loop, *std::move(socket), {}, accepting);
  ASSERT_TRUE(adopted.ok());
  ASSERT_TRUE((*adopted)->start().ok());
  EXPECT_TRUE(turnUntil(loop, [&] { return accepting.sockets.size() == 1; }));
}

}  // namespace
}  // namespace weir::net
