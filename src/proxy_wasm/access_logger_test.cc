// Plugins as access loggers: what their root sees of an entry, and what it cannot do.
#include "proxy_wasm/access_logger.h"

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AccessLoggerTest : public PluginTest {
 protected:
  AccessLoggerTest() {
    info_.finished = std::chrono::milliseconds(5);
    info_.response_code = 404;
    request_.add(":path", "/a");
    response_.add(":status", "404");
  }
  ~AccessLoggerTest() override { sink_.reset(); }
  void open(const PluginSpec& plugin) {
    auto shared = LoggerLoader(host_.get()).load(AccessLoggerConfig(plugin));
    ASSERT_TRUE(shared.ok()) << shared.error().detail;
    lines();
    sink_ = LoggerOpener(*worker_).open(**shared);
  }
  void write() { sink_->write({.info = info_, .request = &request_, .response = &response_}); }
  // A guest that runs this in its log.
  static GuestText logging(const std::string& body) {
    GuestText guest;
    guest.data(100, ":path").data(120, std::string_view("response\0code", 13)).data(140, "x");
    return guest.on("proxy_on_log", "(param $id i32)", body);
  }

  filter::StreamInfo info_;
  http::HeaderMap request_, response_;
  std::shared_ptr<access_log::Sink> sink_;
};

TEST_F(AccessLoggerTest, TellsTheRootOfEachEntry) {
  open(spec(GuestText().everything()));
  EXPECT_THAT(lines(), ElementsAre("C 1 0 0", "V 1 0 0", "F 1 0 0"));
  write();
  write();
  EXPECT_THAT(lines(), ElementsAre("L 1 0 0", "L 1 0 0"));
}

TEST_F(AccessLoggerTest, ShowsHeadersAndPropertiesOfTheEntryWhileItIsTold) {
  open(spec(logging(
      "(call $status (call $get_header (i32.const 0) (i32.const 100) (i32.const 5) (i32.const 8) (i32.const 12)))"
      "(call $text)"
      "(call $status (call $get_property (i32.const 120) (i32.const 13) (i32.const 8) (i32.const 12)))"
      "(call $status (i32.load (i32.load (i32.const 8))))"
      "(call $status (call $set_header (i32.const 0) (i32.const 140) (i32.const 1) (i32.const 140) (i32.const 1)))"
      "(call $status (call $set_property (i32.const 140) (i32.const 1) (i32.const 140) (i32.const 1)))"
      "(call $status (call $get_header (i32.const 3) (i32.const 140) (i32.const 1) (i32.const 8) (i32.const 12)))")));
  write();
  EXPECT_THAT(lines(), ElementsAre("= 0", "/a", "= 0", "= 404", "= 2", "= 1", "= 1"));
}

TEST_F(AccessLoggerTest, HearsOnlyOfWhatHasFinished) {
  open(spec(GuestText().everything()));
  lines();
  info_.finished.reset();
  write();
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(AccessLoggerTest, IsTheSameRootAsAnEqualFilter) {
  const PluginSpec plugin = spec(GuestText().everything());
  start(plugin);
  open(plugin);
  EXPECT_THAT(lines(), IsEmpty());  // It runs already.
  write();
  EXPECT_THAT(lines(), ElementsAre("L 1 0 0"));
}

TEST_F(AccessLoggerTest, RunsAnewAfterATrap) {
  open(spec(logging("(call $event (i32.const 76) (local.get $id) (i32.const 0) (i32.const 0)) (unreachable)")));
  write();
  write();
  size_t told = 0;
  for (const std::string& line : lines()) told += line == "L 1 0 0" ? 1 : 0;
  EXPECT_EQ(told, 2u);
}

TEST_F(AccessLoggerTest, APluginThatCannotStartIsRefused) {
  const auto loaded =
      LoggerLoader(host_.get()).load(AccessLoggerConfig(spec(GuestText().onConfigure("(i32.const 0)"))));
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().detail, testing::HasSubstr("Unable to create Wasm plugin plugin"));
}

}  // namespace
}  // namespace weir::proxy_wasm
