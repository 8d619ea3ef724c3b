// A plugin whose file changes while it serves.
#include <unistd.h>

#include <filesystem>

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Logs its version for each request and for the end of each stream.
GuestText version(int number) {
  const std::string told = fmt::format("(call $status (i32.const {}))", number);
  return GuestText()
      .onRequestHeaders(told + "(i32.const 0)")
      .on("proxy_on_log", "(param $id i32)", fmt::format("(call $status (i32.const {}))", 10 * number));
}

class FileReloadTest : public PluginTest {
 protected:
  FileReloadTest() {
    use(BudgetRules());
    put(version(1));
  }
  ~FileReloadTest() override { std::filesystem::remove(path_); }

  void use(const BudgetRules& budgets) {
    PluginHost::Settings settings;
    settings.budgets = BudgetTable(BudgetRules(), budgets);
    settings.on_arrival = [this] { worker_->startLate(); };
    settings.watch = [this](const std::string&, std::function<void()> changed) -> std::shared_ptr<void> {
      changed_ = std::move(changed);
      ++watches_;
      return {&watches_, [](int* count) { --*count; }};
    };
    useHost(std::move(settings));
  }
  void put(const std::string& text) { std::ofstream(path_) << text; }
  void put(const GuestText& guest) { put(guest.text()); }
  void change(const GuestText& guest) {
    put(guest);
    changed_();
  }
  PluginSpec ofFile() {
    PluginSpec file = spec(GuestText());
    file.vm.code = {CodeSource::Kind::File, path_, ""};
    return file;
  }
  std::vector<std::string> serve() {
    Stream s = stream();
    lines();
    s.requestHeaders();
    s.finish();
    return lines();
  }
  uint64_t count(std::string_view what) { return stats_.counter(fmt::format("wasm.plugin.{}", what)).value(); }

  const std::string path_ = fmt::format("{}/weir_file_reload.{}.wat", testing::TempDir(), getpid());
  std::function<void()> changed_;
  int watches_ = 0;
};

TEST_F(FileReloadTest, ServesTheNewVersionToNewStreamsAndTheOldOneToThoseUnderWay) {
  start(ofFile());
  EXPECT_THAT(serve(), ElementsAre("= 1", "= 10"));
  Stream old = stream();
  old.requestHeaders();
  change(version(2));
  EXPECT_THAT(serve(), ElementsAre("= 2", "= 20"));
  old.finish();
  EXPECT_THAT(lines(), ElementsAre("= 10"));
  change(version(3));
  EXPECT_THAT(serve(), ElementsAre("= 3", "= 30"));
  EXPECT_EQ(count("file_reload_success"), 2u);
  EXPECT_EQ(count("file_reload_failure"), 0u);
}

TEST_F(FileReloadTest, StaysWithTheOldVersionWhereTheNewOneCannotBeUsed) {
  start(ofFile());
  change(version(2).onConfigure("(i32.const 0)"));
  EXPECT_THAT(rawLines(), Contains(HasSubstr("plugin plugin stays as it is, the new " + path_ + " cannot be used: ")));
  EXPECT_THAT(serve(), ElementsAre("= 1", "= 10"));
  put("(module half of");
  changed_();
  std::filesystem::remove(path_);
  changed_();
  EXPECT_THAT(serve(), ElementsAre("= 1", "= 10"));
  EXPECT_EQ(count("file_reload_failure"), 3u);
  change(version(3));
  EXPECT_THAT(serve(), ElementsAre("= 3", "= 30"));
}

TEST_F(FileReloadTest, GoesBackToAVersionThatWasThereBefore) {
  start(ofFile());
  change(version(2));
  change(version(1));
  EXPECT_THAT(serve(), ElementsAre("= 1", "= 10"));
}

TEST_F(FileReloadTest, DoesNothingWhereTheFileIsTheSame) {
  start(ofFile());
  rawLines();
  changed_();
  EXPECT_THAT(rawLines(), testing::Not(Contains(HasSubstr("has changed"))));
  EXPECT_EQ(count("file_reload_success"), 0u);
}

TEST_F(FileReloadTest, AConfigurationThatComesLaterGetsTheNewVersionAndSharesItsRoot) {
  start(ofFile());
  change(version(2));
  const auto first = std::move(factory_);
  start(ofFile());
  EXPECT_THAT(lines(), IsEmpty());  // No second root was started.
  EXPECT_THAT(serve(), ElementsAre("= 2", "= 20"));
  change(version(3));
  EXPECT_THAT(serve(), ElementsAre("= 3", "= 30"));
}

TEST_F(FileReloadTest, AFailedPluginIsReplacedByItsNewVersion) {
  put(version(1).onRequestHeaders("unreachable"));
  start(ofFile());
  serve();
  change(version(2));
  EXPECT_THAT(serve(), ElementsAre("= 2", "= 20"));
}

// With 200 ms for each call, ten loops make the two seconds that a breaker allows.
TEST_F(FileReloadTest, ANewVersionBeginsWithABreakerThatIsClosedWhereEachStreamHasAnInstance) {
  put(version(1).onRequestHeaders("(loop (br 0)) unreachable"));
  BudgetRules rules;
  rules.defaults.instance_per_stream = true;
  use(rules);
  start(ofFile());
  for (int i = 0; i < 12; ++i) serve();
  EXPECT_EQ(stats_.gauge("wasm.plugin.breaker_open").value(), 1);
  EXPECT_THAT(serve(), IsEmpty());
  change(version(2));
  EXPECT_EQ(stats_.gauge("wasm.plugin.breaker_open").value(), 0);
  EXPECT_THAT(serve(), ElementsAre("= 2", "= 20"));
}

TEST_F(FileReloadTest, WatchesNoFileThatNobodyUses) {
  start(ofFile());
  change(version(2));
  EXPECT_EQ(watches_, 1);
  factory_.reset();
  loop_.runReady();
  EXPECT_TRUE(load(spec(GuestText(), "other")).ok());  // What is over is looked for then.
  EXPECT_EQ(watches_, 0);
}

}  // namespace
}  // namespace weir::proxy_wasm
