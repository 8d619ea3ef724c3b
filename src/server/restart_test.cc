// Facts about the two sides of a hot restart, talking over real Unix sockets.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "server/restart_child.h"
#include "server/restart_parent.h"

namespace weir::server {
namespace {

using testing::HasSubstr;

struct FakeOwner final : RestartParent::Owner {
  std::vector<Listening> listening() const override { return all; }
  Listening admin() const override { return admin_socket; }
  void onSuccessorServes() override { ++serves; }
  void onSuccessorLost() override { ++lost; }
  void onSuccessorWantsEnd() override { ++ends; }
  std::vector<Listening> all;
  Listening admin_socket;
  int serves = 0, lost = 0, ends = 0;
};

// The parent runs on its own thread, as it does: the child's calls block.
struct RestartTest : ::testing::Test {
  RestartTest() : name(restartSocketName("@weir_test", static_cast<uint32_t>(getpid()), 0)) {
    auto socket = listenForRestart(name, 0600);
    EXPECT_TRUE(socket.ok());
    parent = *RestartParent::open(loop, *std::move(socket), owner, stats, 3);
  }
  ~RestartTest() override { stop(); }
  void run() {
    thread = std::thread([this] { loop.run(); });
  }
  void stop() {
    loop.stop();
    if (thread.joinable()) thread.join();
  }
  // Runs what the parent still has to notice.
  void settle() {
    stop();
    for (int i = 0; i < 10; ++i) loop.runReady();
  }

  const std::string name;
  event::Loop loop{base::systemClock()};
  stats::Store stats;
  FakeOwner owner;
  std::unique_ptr<RestartParent> parent;
  std::thread thread;
};

TEST_F(RestartTest, SocketsGoOverByTheirAddress) {
  const net::Fd first(open("/dev/null", O_RDONLY));
  const net::Fd second(open("/dev/null", O_RDONLY));
  owner.all = {{"127.0.0.1:80", {first.get(), second.get()}}, {"127.0.0.1:81", {first.get()}}};
  owner.admin_socket = {"127.0.0.1:99", {second.get()}};
  run();
  auto child = RestartChild::connect(name);
  ASSERT_TRUE(child.ok());
  EXPECT_TRUE((*child)->take("127.0.0.1:82", 2).empty());
  const auto sockets = (*child)->take("127.0.0.1:80", 2);
  ASSERT_EQ(sockets.size(), 2u);
  EXPECT_TRUE(sockets[0].open());
  EXPECT_TRUE((*child)->take("127.0.0.1:80", 2).empty());
  EXPECT_TRUE((*child)->takeAdmin(*net::Address::parseIp("127.0.0.1", 99)).open());
}

TEST_F(RestartTest, NoMoreSocketsAreTakenThanThereAreWorkers) {
  const net::Fd one(open("/dev/null", O_RDONLY));
  owner.all = {{"127.0.0.1:80", {one.get(), one.get(), one.get()}}};
  run();
  auto child = RestartChild::connect(name);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ((*child)->take("127.0.0.1:80", 1).size(), 1u);
}

TEST_F(RestartTest, CountersAreToldOnceAndThenWhatCameSince) {
  stats.counter("a.b").add(5);
  run();
  auto child = RestartChild::connect(name);
  ASSERT_TRUE(child.ok());
  stats::Store mine;
  EXPECT_TRUE((*child)->takeCounters(mine));
  stats.counter("a.b").add(2);
  EXPECT_TRUE((*child)->takeCounters(mine));
  EXPECT_TRUE((*child)->takeCounters(mine));
  EXPECT_EQ(mine.counter("a.b").value(), 7u);
}

TEST_F(RestartTest, MoreCountersThanAMessageHoldsComeInSeveral) {
  for (int i = 0; i < 3000; ++i) stats.counter("a.long.name.of.a.counter.number." + std::to_string(i)).add(1);
  run();
  auto child = RestartChild::connect(name);
  ASSERT_TRUE(child.ok());
  stats::Store mine;
  EXPECT_TRUE((*child)->takeCounters(mine));
  EXPECT_EQ(mine.counter("a.long.name.of.a.counter.number.2999").value(), 1u);
  EXPECT_EQ(mine.counter("a.long.name.of.a.counter.number.0").value(), 1u);
}

TEST_F(RestartTest, AChildThatGoesBeforeItServesChangesNothing) {
  run();
  { auto child = RestartChild::connect(name); }
  settle();
  EXPECT_EQ(owner.serves + owner.lost + owner.ends, 0);
}

TEST_F(RestartTest, AChildThatGoesAfterItServedGivesTheListenersBack) {
  run();
  {
    auto child = RestartChild::connect(name);
    ASSERT_TRUE(child.ok());
    (*child)->drainParent();
  }
  settle();
  EXPECT_EQ(owner.serves, 1);
  EXPECT_EQ(owner.lost, 1);
}

TEST_F(RestartTest, AParentThatIsToldToEndDoesNotTakeTheListenersBack) {
  run();
  {
    auto child = RestartChild::connect(name);
    ASSERT_TRUE(child.ok());
    (*child)->drainParent();
    (*child)->endParent();
  }
  settle();
  EXPECT_EQ(owner.ends, 1);
  EXPECT_EQ(owner.lost, 0);
}

TEST_F(RestartTest, AnotherProtocolIsRefused) {
  run();
  auto socket = connectForRestart(name, std::chrono::seconds(5));
  ASSERT_TRUE(socket.ok());
  ASSERT_TRUE(sendMessage(*socket, "hello 99").ok());
  EXPECT_THAT(receiveMessage(*socket)->text, HasSubstr("refused"));
  EXPECT_FALSE(receiveMessage(*socket).ok());
}

TEST_F(RestartTest, OneSuccessorAtATime) {
  run();
  auto first = RestartChild::connect(name);
  ASSERT_TRUE(first.ok());
  auto second = RestartChild::connect(name);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().detail, HasSubstr("another process"));
}

TEST_F(RestartTest, ANameThatIsTakenCannotBeListenedOn) { EXPECT_FALSE(listenForRestart(name, 0600).ok()); }

TEST_F(RestartTest, NobodyThereIsAnError) { EXPECT_FALSE(RestartChild::connect(name + "_none").ok()); }

}  // namespace
}  // namespace weir::server
