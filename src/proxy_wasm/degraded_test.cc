// Plugins that cannot be loaded when the proxy starts.
#include <unistd.h>

#include <filesystem>

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Logs its version for each request.
GuestText version(int number) {
  return GuestText().onRequestHeaders(fmt::format("(call $status (i32.const {})) (i32.const 0)", number));
}

class DegradedTest : public PluginTest {
 protected:
  DegradedTest() {
    useHostThat(true);
    std::filesystem::remove(path_);
  }
  ~DegradedTest() override { std::filesystem::remove(path_); }

  void useHostThat(bool goes_on) {
    PluginHost::Settings settings;
    BudgetRules rules;
    rules.defaults.start = milliseconds(300);
    settings.budgets = BudgetTable(rules, {});
    settings.loop = &loop_;
    settings.on_arrival = [this] { worker_->startLate(); };
    settings.watch = [this](const std::string& path, std::function<void()> changed) -> std::shared_ptr<void> {
      changed_[path].push_back(std::move(changed));
      return std::make_shared<int>();
    };
    useHost(std::move(settings));
    host_->goOnWithoutFaulty(goes_on);
  }
  void put(const GuestText& guest) { std::ofstream(path_) << guest.text(); }
  PluginSpec ofFile(FailurePolicy policy = FailurePolicy::Closed) {
    PluginSpec file = spec(GuestText());
    file.vm.code = {CodeSource::Kind::File, path_, ""};
    file.failure_policy = policy;
    return file;
  }
  void pass(base::Duration time) {
    clock_.advance(time);
    for (int i = 0; i < 3; ++i) loop_.runReady();
  }
  std::vector<std::string> serve() {
    Stream s = stream();
    lines();
    EXPECT_EQ(s.requestHeaders(), filter::HeadersAction::Continue);
    s.finish();
    return lines();
  }
  uint64_t count(std::string_view what) { return stats_.counter(fmt::format("wasm.plugin.{}", what)).value(); }
  int64_t degraded() { return stats_.gauge("wasm.plugin.degraded").value(); }

  const std::string path_ = fmt::format("{}/weir_degraded.{}.wat", testing::TempDir(), getpid());
  std::map<std::string, std::vector<std::function<void()>>> changed_;
};

TEST_F(DegradedTest, AStartGoesOnWithoutWhatCannotBeAndTellsWhy) {
  start(ofFile());
  ASSERT_NE(factory_, nullptr);
  const std::string why =
      "Unable to create Wasm plugin plugin: " + path_ + ": Invalid path: " + path_ + ": No such file or directory";
  EXPECT_THAT(rawLines(), IsEmpty()) << "told at start, before";
  EXPECT_THAT(host_->degraded(), ElementsAre(AllOf(HasSubstr(why), HasSubstr("its streams are refused; tried 1 time, "
                                                                             "again in 1 s"))));
  EXPECT_EQ(degraded(), 1);
  EXPECT_EQ(count("load_attempts"), 1u);
  EXPECT_EQ(count("load_failures"), 1u);
}

TEST_F(DegradedTest, TheLogSaysWhatARefusalWouldHaveSaidWithItsPlace) {
  ASSERT_TRUE(host_->load(ofFile(), "http_filters[0]").ok());
  EXPECT_THAT(rawLines(),
              Contains(AllOf(HasSubstr("error "), HasSubstr("http_filters[0]: Unable to create Wasm plugin plugin: " +
                                                            path_ + ": Invalid path: "))));
}

TEST_F(DegradedTest, StreamsGetWhatTheFailurePolicySays) {
  start(ofFile());
  Stream closed = stream();
  EXPECT_EQ(closed.requestHeaders(), filter::HeadersAction::StopAllAndWatermark);
  ASSERT_THAT(closed.handle->replies, SizeIs(1));
  EXPECT_EQ(closed.handle->replies[0].status, 503);
  EXPECT_EQ(closed.handle->replies[0].details, "wasm_fail_stream{plugin}");
  start(ofFile(FailurePolicy::Open));
  EXPECT_EQ(stream().filter, nullptr);
  EXPECT_THAT(host_->degraded(), Contains(HasSubstr("its streams go on without it")));
  PluginSpec old_way = ofFile();
  old_way.legacy_fail_open = true;
  start(old_way);
  EXPECT_EQ(stream().filter, nullptr);
}

TEST_F(DegradedTest, IsTriedAgainWithGrowingPausesUntilItCanBeLoaded) {
  start(ofFile());
  base::Duration most = seconds(1);
  for (uint32_t tries = 1; tries < 9; ++tries) {
    pass(most / 2 - milliseconds(2));
    EXPECT_EQ(count("load_attempts"), tries) << "half of the back-off is the least";
    pass(most / 2 + milliseconds(4));
    EXPECT_EQ(count("load_attempts"), tries + 1);
    most = std::min<base::Duration>(2 * most, seconds(60));
  }
  put(version(1));
  lines();
  pass(seconds(61));
  EXPECT_THAT(rawLines(), Contains(HasSubstr("plugin plugin is degraded no more")));
  EXPECT_THAT(serve(), ElementsAre("= 1"));
  EXPECT_THAT(host_->degraded(), IsEmpty());
  EXPECT_EQ(degraded(), 0);
  const uint64_t tries = count("load_attempts");
  pass(seconds(1000));
  EXPECT_EQ(count("load_attempts"), tries);
  EXPECT_EQ(count("load_failures"), tries - 1);
}

TEST_F(DegradedTest, IsTriedAtOnceWhenItsFileChanges) {
  start(ofFile());
  ASSERT_THAT(changed_[path_], SizeIs(1));
  std::ofstream(path_) << "(module half of";
  changed_[path_][0]();
  EXPECT_EQ(count("load_failures"), 2u);
  put(version(2));
  changed_[path_][0]();
  EXPECT_THAT(serve(), ElementsAre("= 2"));
  EXPECT_THAT(host_->degraded(), IsEmpty());
  // From here on it is watched as any other.
  put(version(3));
  changed_[path_].back()();
  EXPECT_THAT(serve(), ElementsAre("= 3"));
}

TEST_F(DegradedTest, EveryFaultOfAPluginIsOne) {
  const GuestText bad[] = {
      GuestText().marker("proxy_abi_version_0_3_0"),
      GuestText().allocator(""),
      GuestText().onConfigure("(i32.const 0)"),
      GuestText().onConfigure("unreachable"),
      GuestText().onConfigure("(loop $again (br $again)) (i32.const 1)"),
  };
  for (const GuestText& guest : bad) {
    put(guest);
    start(ofFile());
    Stream s = stream();
    EXPECT_EQ(s.requestHeaders(), filter::HeadersAction::StopAllAndWatermark);
    EXPECT_THAT(host_->degraded(), SizeIs(1));
    factory_.reset();
    EXPECT_THAT(host_->degraded(), IsEmpty()) << "nobody uses it any more";
    EXPECT_EQ(degraded(), 0);
  }
  start(spec(bad[0]));
  EXPECT_THAT(host_->degraded(), ElementsAre(HasSubstr("plugin plugin: inline code: ")));
}

TEST_F(DegradedTest, AFileThatIsTooLargeIsNotRead) {
  std::ofstream(path_).close();
  std::filesystem::resize_file(path_, (uint64_t{64} << 20) + 1);  // Nothing but a hole.
  start(ofFile());
  EXPECT_THAT(host_->degraded(), ElementsAre(HasSubstr("67108865 bytes are above the limit of 67108864 bytes")));
}

TEST_F(DegradedTest, ATryThatTakesLongIsFollowedByALongRest) {
  int tries = 0;
  DegradedPlugins degraded({&loop_, clock_, stats_,
                            [&](const auto&, const auto&) -> base::Result<std::shared_ptr<const LoadedPlugin>> {
                              ++tries;
                              clock_.advance(seconds(10));
                              return base::Error{base::Code::Deadline, base::Side::Plugin, base::Retry::No, "slow"};
                            },
                            nullptr, nullptr});
  const auto late = std::make_shared<LatePlugin>(stats_, "x");
  degraded.put(late, ofFile(), {base::Code::Deadline, base::Side::Plugin, base::Retry::No, "slow\nand more"},
               DegradedPlugins::Again::ByTimer);
  pass(seconds(1) + milliseconds(2));
  EXPECT_EQ(tries, 1);
  EXPECT_THAT(degraded.lines(), ElementsAre(HasSubstr("plugin plugin: slow; its streams are refused; tried 2 times, "
                                                      "again in 200 s")));
  pass(seconds(199));
  EXPECT_EQ(tries, 1);
  pass(seconds(2));
  EXPECT_EQ(tries, 2);
}

TEST_F(DegradedTest, EqualPluginsAreTriedAsOne) {
  start(ofFile());
  const auto first = std::move(factory_);
  start(ofFile());
  EXPECT_THAT(host_->degraded(), SizeIs(1));
  put(version(4));
  pass(seconds(2));
  EXPECT_THAT(serve(), ElementsAre("= 4"));
  Stream s = stream(*first);
  EXPECT_EQ(s.requestHeaders(), filter::HeadersAction::Continue);
  s.finish();
}

TEST_F(DegradedTest, AnUpdateIsRefusedUnlessThePluginIsDegradedAlready) {
  useHostThat(false);
  auto refused = host_->load(ofFile(), "there");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().detail, HasSubstr("there: Unable to create Wasm plugin plugin: " + path_));
  host_->goOnWithoutFaulty(true);
  start(ofFile());
  host_->goOnWithoutFaulty(false);
  EXPECT_TRUE(host_->load(ofFile()).ok()) << "no worse than it was";
  EXPECT_FALSE(host_->load(ofFile(FailurePolicy::Open)).ok()) << "another plugin";
  put(version(5));
  pass(seconds(2));
  std::filesystem::remove(path_);
  EXPECT_FALSE(host_->load(ofFile()).ok()) << "it is degraded no more";
}

TEST_F(DegradedTest, AServiceAndALoggerBeginWhenTheyCan) {
  auto plugin = host_->load(ofFile());
  ASSERT_TRUE(plugin.ok());
  const auto service = worker_->createService(*plugin);
  const auto logger = worker_->createLogger(*plugin);
  filter::StreamInfo info;
  info.finished = base::Duration::zero();
  logger->write({.info = info});
  lines();
  put(GuestText()
          .on("proxy_on_log", "(param $id i32)", "(call $status (i32.const 7))")
          .onConfigure("(call $status (i32.const 6)) (i32.const 1)"));
  pass(seconds(2));
  EXPECT_THAT(lines(), Contains("= 6"));
  logger->write({.info = info});
  EXPECT_THAT(lines(), ElementsAre("= 7"));
}

}  // namespace
}  // namespace weir::proxy_wasm
