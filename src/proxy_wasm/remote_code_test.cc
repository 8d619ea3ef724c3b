#include "proxy_wasm/remote_code.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/clock.h"
#include "event/loop.h"
#include "wasm/digest.h"

namespace weir::proxy_wasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RemoteSource sourceOf(const std::string& code) {
  RemoteSource source;
  source.uri = "http://code.example/p.wasm";
  source.cluster = "code";
  source.sha256 = wasm::hex(wasm::sha256(std::as_bytes(std::span(code.data(), code.size()))));
  return source;
}

// The other side answers when the test says so.
struct RemoteCodeTest : ::testing::Test {
  Fetch fetch() {
    return [this](FetchRequest request, std::function<void(FetchAnswer)> answered) {
      asked.push_back(std::move(request));
      answer = std::move(answered);
    };
  }
  RemoteCode::Told told() {
    return [this](const std::string* code) { heard.push_back(code == nullptr ? "nothing" : *code); };
  }
  void pass(base::Duration time) {
    clock.advance(time);
    for (int i = 0; i < 3; ++i) loop.runReady();
  }
  uint64_t count(const std::string& name) { return store.counter("wasm.remote_load_" + name).value(); }

  base::ManualClock clock;
  event::Loop loop{clock};
  stats::Store store;
  RemoteCode remote{loop, store, std::nullopt};
  std::shared_ptr<int> alive = std::make_shared<int>();
  std::vector<FetchRequest> asked;
  std::function<void(FetchAnswer)> answer;
  std::vector<std::string> heard;
};

TEST_F(RemoteCodeTest, WaitsUntilRequestsCanBeSent) {
  remote.want(sourceOf("code"), alive, told());
  pass(seconds(5));
  EXPECT_TRUE(asked.empty());
  remote.begin(fetch());
  pass(milliseconds(2));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].cluster, "code");
  EXPECT_EQ(asked[0].uri, "http://code.example/p.wasm");
}

TEST_F(RemoteCodeTest, GivesWhatWasFetchedAndHasItFromThenOn) {
  remote.begin(fetch());
  EXPECT_EQ(remote.find(sourceOf("code")), nullptr);
  remote.want(sourceOf("code"), alive, told());
  pass(milliseconds(2));
  answer({.status = 200, .body = "code"});
  EXPECT_EQ(heard, std::vector<std::string>{"code"});
  ASSERT_NE(remote.find(sourceOf("code")), nullptr);
  EXPECT_EQ(*remote.find(sourceOf("code")), "code");
  EXPECT_EQ(count("cache_misses"), 1U);
  EXPECT_EQ(count("cache_hits"), 2U);
  EXPECT_EQ(count("fetch_successes"), 1U);
}

TEST_F(RemoteCodeTest, BelievesNoAnswerOfAnotherDigest) {
  remote.begin(fetch());
  RemoteSource source = sourceOf("code");
  source.retries = 0;
  remote.want(source, alive, told());
  pass(milliseconds(2));
  answer({.status = 200, .body = "other"});
  EXPECT_EQ(heard, std::vector<std::string>{"nothing"});
  EXPECT_EQ(remote.find(source), nullptr);
  EXPECT_EQ(count("fetch_failures"), 1U);
  EXPECT_EQ(count("cache_negative_hits"), 1U);
}

TEST_F(RemoteCodeTest, TriesAsOftenAsThePolicySaysBeforeItTells) {
  remote.begin(fetch());
  RemoteSource source = sourceOf("code");
  source.retries = 2;
  source.base_interval = milliseconds(100);
  remote.want(source, alive, told());
  pass(milliseconds(2));
  for (size_t tries = 1; tries <= 3; ++tries) {
    EXPECT_EQ(asked.size(), tries);
    EXPECT_TRUE(heard.empty());
    answer({.status = 503});
    pass(milliseconds(401));
  }
  EXPECT_EQ(heard, std::vector<std::string>{"nothing"});
}

TEST_F(RemoteCodeTest, GoesOnTryingAndTellsWhenTheCodeIsThereAfterAll) {
  remote.begin(fetch());
  RemoteSource source = sourceOf("code");
  source.retries = 0;
  remote.want(source, alive, told());
  pass(milliseconds(2));
  answer({.status = 0, .reason = "nobody"});
  pass(RemoteCode::kLateRetry - milliseconds(10));
  EXPECT_EQ(asked.size(), 1U);
  pass(milliseconds(11));
  ASSERT_EQ(asked.size(), 2U);
  answer({.status = 200, .body = "code"});
  EXPECT_EQ(heard, (std::vector<std::string>{"nothing", "code"}));
}

TEST_F(RemoteCodeTest, WhoComesAfterAllTriesHaveFailedIsToldAtOnce) {
  remote.begin(fetch());
  RemoteSource source = sourceOf("code");
  source.retries = 0;
  remote.want(source, alive, [](const std::string*) {});
  pass(milliseconds(2));
  answer({.status = 500});
  remote.want(source, alive, told());
  pass(milliseconds(2));
  EXPECT_EQ(heard, std::vector<std::string>{"nothing"});
}

TEST_F(RemoteCodeTest, StopsWhenNobodyWantsItAnyMore) {
  remote.begin(fetch());
  RemoteSource source = sourceOf("code");
  source.retries = 0;
  remote.want(source, alive, told());
  pass(milliseconds(2));
  answer({.status = 500});
  alive.reset();
  pass(seconds(100));
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(RemoteCodeTest, FetchesOnceForAllWhoWantIt) {
  remote.begin(fetch());
  remote.want(sourceOf("code"), alive, told());
  pass(milliseconds(2));
  remote.want(sourceOf("code"), alive, told());
  pass(milliseconds(2));
  EXPECT_EQ(asked.size(), 1U);
  answer({.status = 200, .body = "code"});
  EXPECT_EQ(heard, (std::vector<std::string>{"code", "code"}));
}

TEST_F(RemoteCodeTest, FindsOnDiskWhatAnEarlierProcessFetched) {
  char directory[] = "/tmp/weir-remote-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const auto disk = [&] { return *wasm::ModuleCache::open(std::string(directory) + "/code", {}); };
  {
    RemoteCode first(loop, store, disk());
    first.begin(fetch());
    first.want(sourceOf("code"), alive, told());
    pass(milliseconds(2));
    answer({.status = 200, .body = "code"});
  }
  RemoteCode second(loop, store, disk());
  const auto found = second.find(sourceOf("code"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, "code");
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace weir::proxy_wasm
