// typed_per_filter_config on all levels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::faults;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::loadParts;
using testing::notices;
using testing::Parts;

constexpr char kFilterConfig[] = "'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig";
constexpr char kWasm[] = "'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
constexpr char kCode[] = "vm_config: {code: {local: {inline_string: '(module)'}}}";

// The filter `wasm` with this on the only route.
Parts onRoute(const std::string& setting, const std::string& filter = "wasm") {
  Parts parts;
  parts.filters = testing::wasmFilter(kCode);
  parts.routes = fmt::format(
      "[{{match: {{prefix: /}}, route: {{cluster: web}}, typed_per_filter_config: {{{}: {{{}}}}}}}]", filter, setting);
  return parts;
}

route::FilterOverrides overrides(const std::string& setting) {
  const LoadOutcome outcome = loadParts(onRoute(setting));
  EXPECT_THAT(faults(outcome), IsEmpty());
  if (!outcome.bootstrap) return {};
  return outcome.bootstrap->listeners[0].filter_chains[0].http->routes.virtual_hosts[0].routes[0].filters;
}

const char* const kPath =
    "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0]."
    "typed_per_filter_config[\"wasm\"]";

TEST(FilterOverrides, MayDisableAFilter) {
  const auto read = overrides(std::string(kFilterConfig) + ", disabled: true");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].filter, "wasm");
  EXPECT_TRUE(read[0].disabled);
}

TEST(FilterOverrides, EnableAFilterByAnEmptyConfig) {
  const auto read = overrides(std::string(kFilterConfig) + ", config: {}");
  ASSERT_EQ(read.size(), 1U);
  EXPECT_FALSE(read[0].disabled);
  EXPECT_EQ(read[0].settings, nullptr);
}

TEST(FilterOverrides, MayBringAPluginOfTheirOwn) {
  for (const std::string& form :
       {fmt::format("{}, config: {{name: own, {}}}", kWasm, kCode),
        fmt::format("{}, config: {{{}, config: {{name: own, {}}}}}", kFilterConfig, kWasm, kCode)}) {
    const auto read = overrides(form);
    ASSERT_EQ(read.size(), 1U);
    const auto* settings = dynamic_cast<const exchange::PluginSettings*>(read[0].settings.get());
    ASSERT_NE(settings, nullptr);
    EXPECT_EQ(settings->plugin.name, "own");
  }
}

TEST(FilterOverrides, OfADisabledFilterHaveNoSettings) {
  const auto read =
      overrides(fmt::format("{}, disabled: true, config: {{{}, config: {{{}}}}}", kFilterConfig, kWasm, kCode));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].settings, nullptr);
}

TEST(FilterOverrides, ThatSayNothingAreRefusedByTheirPath) {
  EXPECT_THAT(
      faults(onRoute(kFilterConfig)),
      ElementsAre(std::string(kPath) + ".config: Empty route/virtual host per filter configuration for wasm filter"));
}

TEST(FilterOverrides, OfAnUnknownTypeAreRefusedByTheirPath) {
  EXPECT_THAT(faults(onRoute("'@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy")),
              Contains(HasSubstr(kPath)));
  EXPECT_THAT(faults(onRoute(std::string(kFilterConfig) + ", config: {'@type': type.googleapis.com/a.b.C}")),
              Contains(HasSubstr(std::string(kPath) + ".config: unknown type 'a.b.C'")));
  EXPECT_THAT(
      faults(onRoute(std::string(kFilterConfig) + ", config: {'@type': type.googleapis.com/google.protobuf.Empty}")),
      ElementsAre(std::string(kPath) + ".config: is no configuration of an HTTP filter"));
}

TEST(FilterOverrides, OfAnUnknownTypeThatIsOptionalEnableTheFilter) {
  for (const char* type : {"a.b.C", "google.protobuf.Empty"}) {
    const LoadOutcome outcome = loadParts(onRoute(
        fmt::format("{}, is_optional: true, config: {{'@type': type.googleapis.com/{}, x: 1}}", kFilterConfig, type)));
    EXPECT_THAT(faults(outcome), IsEmpty());
    EXPECT_THAT(notices(outcome), Contains(HasSubstr("it is optional and left out")));
  }
}

TEST(FilterOverrides, GiveTheRouterNothing) {
  EXPECT_THAT(faults(onRoute("'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                             "envoy.filters.http.router")),
              ElementsAre(HasSubstr("takes no settings of a virtual host or route")));
  EXPECT_THAT(faults(onRoute(std::string(kFilterConfig) + ", disabled: true", "envoy.filters.http.router")),
              ElementsAre(HasSubstr("without the router no request would be answered")));
}

TEST(FilterOverrides, OfAFilterThatIsNotThereAreANotice) {
  EXPECT_THAT(notices(loadParts(onRoute(std::string(kFilterConfig) + ", disabled: true", "other"))),
              Contains(HasSubstr("http_filters has no filter of the name 'other'")));
}

TEST(FilterOverrides, AreReadOnEachLevel) {
  const std::string off = fmt::format("typed_per_filter_config: {{wasm: {{{}, disabled: true}}}}", kFilterConfig);
  Parts parts;
  parts.filters = testing::wasmFilter(kCode);
  parts.routes = fmt::format(
      "[{{match: {{prefix: /}}, route: {{weighted_clusters: {{clusters: [{{name: web, weight: 1, {0}}}]}}}}}}]\n"
      "              {0}\n            {0}",
      off);
  const LoadOutcome outcome = loadParts(parts);
  ASSERT_THAT(faults(outcome), IsEmpty());
  const route::RouteConfig& routes = outcome.bootstrap->listeners[0].filter_chains[0].http->routes;
  EXPECT_EQ(routes.filters.size(), 1U);
  EXPECT_EQ(routes.virtual_hosts[0].filters.size(), 1U);
  EXPECT_EQ(routes.virtual_hosts[0].routes[0].forward->weighted[0].filters.size(), 1U);
}

}  // namespace
}  // namespace weir::config
