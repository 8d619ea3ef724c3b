// Facts about following a file, with a watch that the test sets off and texts that it gives.
#include "xds/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace weir::xds {
namespace {

using testing::HasSubstr;

struct FakeWatcher final : Watcher {
  struct FakeWatch final : Watch {
    FakeWatch(FakeWatcher& watcher, std::string path) : watcher(watcher), path(std::move(path)) {}
    ~FakeWatch() override { watcher.watched.erase(path); }
    FakeWatcher& watcher;
    std::string path;
  };
  base::Result<std::unique_ptr<Watch>> watch(const std::string& path, std::function<void()> on_change) override {
    if (broken) return base::Error{base::Code::Io, base::Side::Operator, base::Retry::No, "no watches left"};
    watched[path] = std::move(on_change);
    return std::unique_ptr<Watch>(std::make_unique<FakeWatch>(*this, path));
  }
  std::map<std::string, std::function<void()>> watched;
  bool broken = false;
};

struct SubscriptionTest : ::testing::Test {
  std::unique_ptr<Subscription> make(base::FileSource source = {"/etc/cds.yaml", ""}) {
    const Subscription::Environment environment{loop, store, watcher,
                                                [this](const std::string&, config::ResourceKind) { return next; }};
    return std::make_unique<Subscription>(environment, config::ResourceKind::Cluster, std::move(source), "cds", "cds.",
                                          [this](config::Discovered& resources) {
                                            if (refusal.empty()) taken.push_back(resources.version);
                                            return refusal;
                                          });
  }
  void holds(const std::string& version) {
    next = {};
    next.version = version;
    next.resources.emplace().version = version;
  }
  uint64_t count(const std::string& name) { return store.counter("cds." + name).value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  stats::Store store;
  FakeWatcher watcher;
  config::DiscoverOutcome next;
  std::vector<std::string> refusal;
  std::vector<std::string> taken;
};

TEST_F(SubscriptionTest, TakesTheFileWhenItStartsAndWheneverItChanges) {
  const auto subscription = make();
  holds("1");
  EXPECT_TRUE(subscription->start());
  holds("2");
  watcher.watched.at("/etc/cds.yaml")();
  EXPECT_THAT(taken, testing::ElementsAre("1", "2"));
  EXPECT_EQ(subscription->version(), "2");
  EXPECT_EQ(count("update_attempt"), 2u);
  EXPECT_EQ(count("update_success"), 2u);
}

TEST_F(SubscriptionTest, ShowsTheVersionsHashAsEnvoyDoes) {
  const auto subscription = make();
  holds("c1");
  subscription->start();
  EXPECT_EQ(static_cast<uint64_t>(store.gauge("cds.version").value()), 814672407442807801u);
}

TEST_F(SubscriptionTest, AFileThatCannotBeReadIsAFailureAndLeavesWhatWasInForce) {
  const auto subscription = make();
  holds("1");
  subscription->start();
  next = {};
  next.readable = false;
  next.faults.push_back({config::FaultKind::Syntax, "", "cds.yaml", 2, 1, "no YAML"});
  watcher.watched.at("/etc/cds.yaml")();
  EXPECT_EQ(count("update_failure"), 1u);
  EXPECT_EQ(count("update_rejected"), 0u);
  EXPECT_EQ(subscription->version(), "1");
  EXPECT_THAT(subscription->error(), HasSubstr("no YAML"));
}

TEST_F(SubscriptionTest, FaultsAndWhoeverTakesItRejectIt) {
  const auto subscription = make();
  next.faults.push_back({config::FaultKind::Rule, "resources[0].name", "cds.yaml", 2, 1, "is required"});
  EXPECT_FALSE(subscription->start());
  holds("2");
  refusal = {"cannot bind"};
  watcher.watched.at("/etc/cds.yaml")();
  EXPECT_EQ(count("update_rejected"), 2u);
  EXPECT_EQ(subscription->errorVersion(), "2");
  EXPECT_EQ(subscription->error(), "cannot bind");
  EXPECT_TRUE(taken.empty());
}

TEST_F(SubscriptionTest, ASuccessAfterARejectionForgetsTheError) {
  const auto subscription = make();
  refusal = {"no"};
  holds("1");
  subscription->start();
  refusal.clear();
  watcher.watched.at("/etc/cds.yaml")();
  EXPECT_EQ(subscription->error(), "");
  EXPECT_EQ(subscription->version(), "1");
}

TEST_F(SubscriptionTest, WatchesTheDirectoryThatIsNamedInThePlaceOfTheFile) {
  const auto subscription = make({"/etc/cds.yaml", "/etc/mounted"});
  holds("1");
  subscription->start();
  EXPECT_EQ(watcher.watched.count("/etc/mounted"), 1u);
  EXPECT_EQ(watcher.watched.count("/etc/cds.yaml"), 0u);
}

TEST_F(SubscriptionTest, TakesWhatIsThereEvenIfNothingCanBeWatched) {
  watcher.broken = true;
  const auto subscription = make();
  holds("1");
  EXPECT_TRUE(subscription->start());
}

TEST_F(SubscriptionTest, EndsItsWatchWithItself) {
  auto subscription = make();
  holds("1");
  subscription->start();
  subscription.reset();
  EXPECT_TRUE(watcher.watched.empty());
}

}  // namespace
}  // namespace weir::xds
