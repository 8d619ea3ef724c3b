#include "proxy_wasm/remote_code.h"

#include <fmt/format.h>
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
    return [this](const std::string* code, std::string_view) { heard.push_back(code == nullptr ? "nothing" : *code); };
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
  remote.want(source, alive, [](const std::string*, std::string_view) {});
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

// --- Images ---

const std::string kImageCode = std::string("\0asm", 4) + "...";

// The first request of each pull is answered by the test; the layer comes by itself.
struct ImageCodeTest : RemoteCodeTest {
  ~ImageCodeTest() override { std::filesystem::remove_all(directory); }
  void SetUp() override { ASSERT_NE(mkdtemp(directory), nullptr); }

  std::unique_ptr<RemoteCode> process(std::optional<PullPolicy> policy = std::nullopt, bool disk = true) {
    std::optional<wasm::ModuleCache> kept;
    if (disk) kept = *wasm::ModuleCache::open(std::string(directory) + "/code", {});
    auto made = std::make_unique<RemoteCode>(loop, store, std::move(kept), RegistrySettings{.policy = policy});
    made->begin(fetch());
    return made;
  }
  RemoteSource imageOf(const std::string& name) {
    RemoteSource source;
    source.uri = "oci://r/" + name;
    source.image = *oci::parseImageName(source.uri);
    source.cluster = "c";
    source.retries = 0;
    return source;
  }
  static std::string manifest(const std::string& code) {
    return fmt::format(R"({{"schemaVersion":2,"layers":[{{"mediaType":"x","digest":"sha256:{}","size":{}}}]}})",
                       sha256Of(code), code.size());
  }
  // What was told when the registry had that code.
  std::string pull(RemoteCode& remote, const RemoteSource& source, const std::string& code) {
    remote.want(source, alive, told());
    pass(milliseconds(2));
    std::exchange(answer, nullptr)({.status = 200, .body = manifest(code)});
    if (asked.back().uri.find("/blobs/") != std::string::npos) answer({.status = 200, .body = code});
    return heard.empty() ? "" : heard.back();
  }
  uint64_t images(const std::string& name) { return store.counter("wasm.oci_" + name).value(); }

  char directory[32] = "/tmp/weir-image-XXXXXX";
};

TEST_F(ImageCodeTest, IsKeptForTheNextStartUnderItsName) {
  EXPECT_EQ(pull(*process(), imageOf("p:1"), kImageCode), kImageCode);
  const auto next = process();
  const auto found = next->find(imageOf("p:1"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, kImageCode);
  EXPECT_EQ(next->find(imageOf("p:2")), nullptr);
  RemoteSource elsewhere = imageOf("p:1");
  elsewhere.cluster = "d";
  EXPECT_EQ(next->find(elsewhere), nullptr);
}

TEST_F(ImageCodeTest, IsKeptInMemoryWhereThereIsNoDisk) {
  const auto remote = process(std::nullopt, false);
  pull(*remote, imageOf("p:1"), kImageCode);
  ASSERT_NE(remote->find(imageOf("p:1")), nullptr);
  EXPECT_EQ(*remote->find(imageOf("p:1")), kImageCode);
}

TEST_F(ImageCodeTest, IsAskedForFirstByThePolicyOrItsTag) {
  const auto by_tag = process(), always = process(PullPolicy::Always), never = process(PullPolicy::IfNotPresent);
  EXPECT_FALSE(by_tag->asksFirst(imageOf("p:1")));
  EXPECT_TRUE(by_tag->asksFirst(imageOf("p")));
  EXPECT_TRUE(always->asksFirst(imageOf("p:1")));
  EXPECT_FALSE(never->asksFirst(imageOf("p")));
  EXPECT_FALSE(always->asksFirst(imageOf("p@sha256:" + std::string(64, 'a'))));
  RemoteSource pinned = imageOf("p");
  pinned.sha256 = std::string(64, 'a');
  EXPECT_FALSE(always->asksFirst(pinned));
  EXPECT_FALSE(always->asksFirst(sourceOf("code")));
}

TEST_F(ImageCodeTest, IsNotPulledAgainWhereItsNameMeansTheSame) {
  pull(*process(), imageOf("p"), kImageCode);
  const auto next = process();
  EXPECT_EQ(next->find(imageOf("p")), nullptr);
  asked.clear();
  EXPECT_EQ(pull(*next, imageOf("p"), kImageCode), kImageCode);
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(images("unchanged"), 1U);
  const std::string moved = kImageCode + "moved";
  EXPECT_EQ(pull(*next, imageOf("p"), moved), moved);
  EXPECT_EQ(images("pulled"), 2U);
}

TEST_F(ImageCodeTest, IsTheLastGoodOneWhereTheRegistryIsDown) {
  pull(*process(), imageOf("p"), kImageCode);
  const auto next = process();
  next->want(imageOf("p"), alive, told());
  pass(milliseconds(2));
  answer({.status = 503});
  EXPECT_EQ(heard.back(), kImageCode);
  EXPECT_EQ(images("last_good_used"), 1U);
  EXPECT_EQ(count("fetch_failures"), 1U);
}

TEST_F(ImageCodeTest, IsTriedOnceWhereTryingAgainCannotHelp) {
  const auto remote = process();
  RemoteSource source = imageOf("p:1");
  source.retries = 5;
  remote->want(source, alive, told());
  pass(milliseconds(2));
  answer({.status = 404});
  EXPECT_EQ(heard, std::vector<std::string>{"nothing"});
  pass(RemoteCode::kLateRetry + milliseconds(2));
  EXPECT_EQ(asked.size(), 2U);  // Somebody may have pushed it.
  answer({.status = 404});
  EXPECT_EQ(heard.size(), 1U);
  EXPECT_EQ(count("fetch_failures"), 1U);
}

TEST_F(ImageCodeTest, OfAnotherModuleThanPinnedIsNotTaken) {
  const auto remote = process();
  RemoteSource pinned = imageOf("p:1");
  pinned.sha256 = sha256Of("other");
  EXPECT_EQ(pull(*remote, pinned, kImageCode), "nothing");
  EXPECT_EQ(remote->find(pinned), nullptr);
}

TEST_F(ImageCodeTest, ThatMustBeAtHandIsTheCopyAndIsAskedForMeanwhile) {
  pull(*process(), imageOf("p"), kImageCode);
  const auto next = process();
  RemoteSource source = imageOf("p");
  source.nack_on_miss = true;
  asked.clear();
  ASSERT_NE(next->find(source), nullptr);
  pass(milliseconds(2));
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(ImageCodeTest, CountsWhatIsOverALimit) {
  const auto remote = process();
  remote->want(imageOf("p"), alive, told());
  pass(milliseconds(2));
  answer({.reason = "too much", .too_large = true});
  EXPECT_EQ(images("over_limit"), 1U);
}

}  // namespace
}  // namespace weir::proxy_wasm
