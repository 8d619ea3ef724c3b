// The bootstrap extension weir.plugins.v1.PluginLimits.
#include <fmt/core.h>
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

LoadOutcome loadLimits(std::string_view limits, std::string_view more = "") {
  Parts parts;
  parts.rest = fmt::format(
      "bootstrap_extensions: [{{name: limits, typed_config: {{'@type': "
      "type.googleapis.com/weir.plugins.v1.PluginLimits, "
      "{}}}}}{}]",
      limits, more);
  return loadParts(parts);
}

TEST(PluginLimits, AreReadForAllAndByName) {
  const LoadOutcome outcome = loadLimits(
      "defaults: {call_time: 0.05s, memory_bytes: 1048576, metrics: 7, log_bytes_per_second: 0}, by_plugin: {slow: "
      "{start_time: 20s, pause_time: 0s, sharedDataBytes: '5', queue_bytes: 6, body_bytes: 4, pending_calls: 8, "
      "pending_grpc: 9, "
      "other_plugins: "
      "true, instance_per_stream: true, instances: 12}}");
  EXPECT_THAT(faults(outcome), IsEmpty());
  ASSERT_TRUE(outcome.bootstrap);
  const proxy_wasm::BudgetRules& rules = outcome.bootstrap->plugin_limits;
  EXPECT_EQ(rules.defaults.stream_callback, std::chrono::milliseconds(50));
  EXPECT_EQ(rules.defaults.memory_bytes, 1048576u);
  EXPECT_EQ(rules.defaults.metrics, 7u);
  EXPECT_EQ(rules.defaults.log_bytes_per_second, 0u);
  EXPECT_FALSE(rules.defaults.start || rules.defaults.queue_bytes || rules.defaults.pending_calls);
  const proxy_wasm::BudgetChange& slow = rules.by_plugin.at("slow");
  EXPECT_EQ(slow.start, std::chrono::seconds(20));
  EXPECT_EQ(slow.pause, base::Duration::zero());
  EXPECT_EQ(slow.shared_data_bytes, 5u);
  EXPECT_EQ(slow.queue_bytes, 6u);
  EXPECT_EQ(slow.body_bytes, 4u);
  EXPECT_EQ(slow.pending_calls, 8u);
  EXPECT_EQ(slow.pending_grpc, 9u);
  EXPECT_EQ(slow.other_plugins, true);
  EXPECT_EQ(slow.instance_per_stream, true);
  EXPECT_EQ(slow.instances, 12u);
  EXPECT_FALSE(slow.stream_callback || slow.memory_bytes || slow.metrics);
}

TEST(PluginLimits, ANameThatNoPluginHasIsTold) {
  EXPECT_THAT(
      notices(loadLimits("by_plugin: {nobody: {metrics: 1}}")),
      Contains(HasSubstr("bootstrap_extensions[0].typed_config.by_plugin[\"nobody\"]: accepted, without effect: no "
                         "plugin has this name")));
}

TEST(PluginLimits, OfNoTimeOrMemoryAreFaultsAsAreUnknownFields) {
  const std::string at = "bootstrap_extensions[0].typed_config.";
  EXPECT_THAT(faults(loadLimits("defaults: {call_time: 0s, memory_bytes: 0}, by_plugin: {p: {start_time: -1s}}")),
              IsSupersetOf({at + "defaults.call_time: must be at least 0.001s",
                            at + "defaults.memory_bytes: must be greater than 0"}));
  EXPECT_THAT(faults(loadLimits("by_plugin: {p: {start_time: -1s}}")),
              Contains(HasSubstr("by_plugin[\"p\"].start_time")));
  EXPECT_THAT(faults(loadLimits("defaults: {cpu: 1}")), Contains(HasSubstr(at + "defaults.cpu")));
}

TEST(PluginLimits, StandInTheBootstrapOnce) {
  EXPECT_THAT(faults(loadLimits("defaults: {metrics: 1}",
                                ", {name: again, typed_config: {'@type': "
                                "type.googleapis.com/weir.plugins.v1.PluginLimits}}")),
              ElementsAre("bootstrap_extensions[1].typed_config: there is one of it already"));
}

}  // namespace
}  // namespace weir::config
