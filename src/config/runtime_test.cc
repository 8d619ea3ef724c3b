#include "config/runtime.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::notices;
using testing::Parts;

LoadOutcome loaded(const std::string& layers, Parts parts = {}) {
  parts.rest = "layered_runtime: {layers: [" + layers + "]}";
  LoadOptions options;
  options.config_yaml = testing::bootstrap(parts);
  return load(options);
}

std::vector<std::string> faultsOf(const std::string& layers) {
  std::vector<std::string> out;
  for (const Fault& fault : loaded(layers).faults) out.push_back(fault.path + ": " + fault.message);
  return out;
}

Parts fraction() {
  Parts parts;
  parts.routes =
      "[{match: {prefix: /, runtime_fraction: {default_value: {numerator: 5}, runtime_key: a.b}}, route: {cluster: "
      "web}}]";
  return parts;
}

double shareWith(const std::string& layers) {
  const LoadOutcome outcome = loaded(layers, fraction());
  if (!outcome.bootstrap) return -1;
  const exchange::HttpManagerSpec& manager = *outcome.bootstrap->listeners[0].filter_chains[0].http;
  return manager.routes.virtual_hosts[0].routes[0].runtime_fraction.value_or(-1);
}

TEST(Runtime, AKeyStandsInPlaceOfADefault) {
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: 30}}"), 0.3);
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a: {b: 30}}}"), 0.3);
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: \"30\"}}"), 0.3);
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: {numerator: 7, denominator: MILLION}}}"), 7e-6);
}

TEST(Runtime, TheLastLayerThatHasAKeyCounts) {
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: 1}}, {name: two, static_layer: {a.b: 2}}, {name: three, "
                             "static_layer: {c: 3}}"),
                   0.02);
}

TEST(Runtime, WhatIsNoNumberLeavesTheDefault) {
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: some}}"), 0.05);
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.b: -3}}"), 0.05);
  EXPECT_DOUBLE_EQ(shareWith("{name: one, static_layer: {a.c: 3}}"), 0.05);
}

TEST(Runtime, KeysThatNothingReadsAreTold) {
  EXPECT_THAT(notices(loaded("{name: one, static_layer: {a.b: 3, re2.max_program_size: 100}}", fraction())),
              ElementsAre("layered_runtime.layers[0].static_layer[\"re2.max_program_size\"]: accepted, without effect: "
                          "nothing in this configuration reads this key"));
}

TEST(Runtime, LimitsOfConnections) {
  const LoadOutcome all = loaded("{name: one, static_layer: {overload: {global_downstream_max_connections: 500}}}");
  EXPECT_EQ(all.bootstrap->max_connections, 500);
  const LoadOutcome one =
      loaded("{name: one, static_layer: {envoy: {resource_limits: {listener: {main: {connection_limit: 7}}}}}}");
  EXPECT_EQ(one.bootstrap->listeners[0].max_connections, 7);
  for (const char* none : {"-1", "2.5", "1e300", "many"}) {
    SCOPED_TRACE(none);
    EXPECT_FALSE(
        loaded(fmt::format("{{name: one, static_layer: {{overload.global_downstream_max_connections: {}}}}}", none))
            .bootstrap->max_connections);
  }
}

TEST(Runtime, BrokenLayersAreFaults) {
  EXPECT_THAT(faultsOf("{name: one, static_layer: {}}, {name: one, static_layer: {}}"),
              ElementsAre("layered_runtime.layers[1].name: Duplicate layer name: one"));
  EXPECT_THAT(faultsOf("{name: one, static_layer: {k: [1]}}"),
              Contains(HasSubstr("static_layer[\"k\"]: Invalid runtime entry value for k")));
  EXPECT_THAT(faultsOf("{name: one, disk_layer: {symlink_root: /x}}"),
              Contains(HasSubstr("layers[0].disk_layer: not implemented in weir: keys are not read from a tree")));
}

TEST(Runtime, AConfigurationIsShownAsItWasWritten) {
  const LoadOutcome outcome = loaded("{name: one, static_layer: {a.b: 30}}", fraction());
  EXPECT_THAT(outcome.bootstrap->listener_dumps[0], HasSubstr("\"numerator\":5"));
  EXPECT_THAT(outcome.bootstrap->runtime.values.at("a.b"), ElementsAre("30"));
}

}  // namespace
}  // namespace weir::config
