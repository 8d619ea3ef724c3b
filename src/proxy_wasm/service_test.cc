// Services and sinks of statistics: plugins without streams.
#include "proxy_wasm/service.h"

#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/stats_report.h"

namespace weir::proxy_wasm {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class ServiceTest : public PluginTest {
 protected:
  ~ServiceTest() override { service_.reset(); }
  void serve(const GuestText& guest) {
    auto plugin = load(spec(guest));
    ASSERT_TRUE(plugin.ok()) << plugin.error().detail;
    lines();
    service_ = worker_->createService(*std::move(plugin));
  }
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, RunsFromItsBeginningToItsEnd) {
  serve(GuestText().everything());
  EXPECT_THAT(lines(), ElementsAre("C 1 0 0", "V 1 0 0", "F 1 0 0"));
  service_.reset();
  EXPECT_THAT(lines(), ElementsAre("D 1 0 0", "X 1 0 0"));
}

TEST_F(ServiceTest, TicksWithoutAnyStream) {
  serve(GuestText().everything().onConfigure("(drop (call $tick (i32.const 100))) (i32.const 1)"));
  lines();
  for (int i = 0; i < 2; ++i) {
    clock_.advance(std::chrono::milliseconds(110));
    loop_.runReady();
  }
  EXPECT_THAT(lines(), ElementsAre("K 1 0 0", "K 1 0 0"));
}

TEST_F(ServiceTest, StartsAnewAfterATrap) {
  serve(GuestText()
            .everything()
            .onConfigure("(drop (call $tick (i32.const 100))) (i32.const 1)")
            .on("proxy_on_tick", "(param $id i32)", "(unreachable)"));
  lines();
  clock_.advance(std::chrono::milliseconds(110));
  loop_.runReady();
  loop_.runReady();
  EXPECT_THAT(lines(), Contains("C 1 0 0"));
}

TEST_F(ServiceTest, ShowsAReportOfStatisticsWhileItIsTold) {
  const std::string shows =
      "(call $status (call $get_buffer (i32.const 8) (i32.const 0) (i32.const 9999) (i32.const 8) (i32.const 12)))"
      "(call $status (i32.load (i32.const 12)))";
  serve(GuestText()
            .on("envoy_on_stats_update", "(param $id i32) (param $size i32)",
                "(call $event (i32.const 83) (local.get $id) (local.get $size) (i32.const 0))" + shows)
            .on("proxy_on_tick", "(param $id i32)", shows)
            .onConfigure("(drop (call $tick (i32.const 100))) (i32.const 1)"));
  lines();
  service_->tellStats(std::string(40, 'x'));
  EXPECT_THAT(lines(), ElementsAre("S 1 40 0", "= 0", "= 40"));
  clock_.advance(std::chrono::milliseconds(110));
  loop_.runReady();
  EXPECT_THAT(lines(), ElementsAre("= 0", "= 0"));  // Afterwards there is nothing.
}

TEST_F(ServiceTest, APluginThatDoesNotAskForStatisticsIsNotTold) {
  serve(GuestText().everything());
  lines();
  service_->tellStats("x");
  EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace weir::proxy_wasm
