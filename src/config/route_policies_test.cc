// Facts about what a route says of retries, times, upgrades and hashing, from configuration to plain data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace testing;  // NOLINT: the short texts of testing.h.
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Parts with(const std::string& action) {
  Parts parts;
  parts.routes = "[{match: {prefix: /}, route: {cluster: web, " + action + "}}]";
  return parts;
}

route::RouteAction actionOf(const std::string& action) {
  const LoadOutcome outcome = loadParts(with(action));
  EXPECT_THAT(faults(outcome), ElementsAre());
  if (!outcome.bootstrap) return {};
  const auto& manager = *outcome.bootstrap->listeners.at(0).filter_chains.at(0).http;
  return *manager.routes.virtual_hosts.at(0).routes.at(0).forward;
}

TEST(RetryPolicy, HasEnvoysDefaults) {
  const auto policy = *actionOf("retry_policy: {retry_on: 5xx}").retry_policy;
  EXPECT_EQ(policy.retry_on, "5xx");
  EXPECT_EQ(policy.num_retries, 1u);
  EXPECT_EQ(policy.base_interval, milliseconds(25));
  EXPECT_FALSE(policy.max_interval || policy.per_try_timeout || policy.per_try_idle_timeout);
}

TEST(RetryPolicy, SaysWhatItSays) {
  const auto policy = *actionOf(R"(retry_policy: {retry_on: 'reset,retriable-status-codes', num_retries: 3,
    per_try_timeout: 2s, per_try_idle_timeout: 1s, retriable_status_codes: [418],
    retry_back_off: {base_interval: 0.1s, max_interval: 1s},
    rate_limited_retry_back_off: {reset_headers: [{name: retry-after, format: SECONDS}, {name: x-r, format: UNIX_TIMESTAMP}]},
    retriable_headers: [{name: x-again}], retriable_request_headers: [{name: x-may}],
    retry_host_predicate: [{name: p, typed_config: {'@type':
      type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}]})")
                           .retry_policy;
  EXPECT_EQ(policy.num_retries, 3u);
  EXPECT_EQ(policy.per_try_timeout, seconds(2));
  EXPECT_EQ(policy.per_try_idle_timeout, seconds(1));
  EXPECT_THAT(policy.retriable_status_codes, ElementsAre(418u));
  EXPECT_EQ(policy.max_interval, seconds(1));
  ASSERT_EQ(policy.reset_headers.size(), 2u);
  EXPECT_TRUE(policy.reset_headers[1].unix_timestamp);
  EXPECT_EQ(policy.reset_max_interval, seconds(300));
  EXPECT_EQ(policy.retriable_headers.at(0).name, "x-again");
  EXPECT_EQ(policy.retriable_request_headers.at(0).name, "x-may");
  EXPECT_TRUE(policy.avoid_previous_hosts);
}

TEST(RetryPolicy, IsRefusedWhereItIsNotUnderstood) {
  const std::string place = std::string(kManager) + ".route_config.virtual_hosts[0].routes[0].route.retry_policy";
  EXPECT_THAT(faults(with("retry_policy: {retry_back_off: {base_interval: 1s, max_interval: 0.5s}}")),
              Contains(place + ".retry_back_off.max_interval: must be greater than or equal to the base_interval"));
  EXPECT_THAT(faults(with("retry_policy: {retry_priority: {name: x}}")),
              Contains(HasSubstr(place + ".retry_priority")));
  EXPECT_THAT(
      faults(with("retry_policy: {retry_host_predicate: [{name: envoy.retry_host_predicates.omit_canary_hosts}]}")),
      Contains(HasSubstr("omit_canary_hosts")));
}

TEST(RouteTimes, AreTheRoutesOwn) {
  const auto action = actionOf(
      "max_stream_duration: {max_stream_duration: 3s, grpc_timeout_header_max: 2s, grpc_timeout_header_offset: 1s}");
  EXPECT_EQ(action.max_stream_duration->max, seconds(3));
  EXPECT_EQ(action.max_stream_duration->grpc_header_max, seconds(2));
  EXPECT_EQ(action.max_stream_duration->grpc_header_offset, seconds(1));
  EXPECT_FALSE(actionOf("timeout: 1s").max_stream_duration);
}

TEST(RouteUpgrades, AreOnUnlessSwitchedOff) {
  const auto action = actionOf("upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: CONNECT, enabled: false}]");
  ASSERT_EQ(action.upgrades.size(), 2u);
  EXPECT_TRUE(action.upgrades[0].enabled);
  EXPECT_FALSE(action.upgrades[1].enabled);
  EXPECT_THAT(faults(with("upgrade_configs: [{upgrade_type: a}, {upgrade_type: A}]")),
              Contains(HasSubstr("is there already")));
  EXPECT_THAT(faults(with("upgrade_configs: [{upgrade_type: websocket, connect_config: {}}]")),
              Contains(HasSubstr("connect_config: is for the upgrade_type CONNECT")));
  EXPECT_THAT(
      faults(
          with("upgrade_configs: [{upgrade_type: CONNECT, connect_config: {proxy_protocol_config: {version: V1}}}]")),
      Contains(HasSubstr("proxy_protocol_config: not implemented in weir")));
}

TEST(RouteUpgrades, MayEndAConnectHere) {
  const auto action = actionOf("upgrade_configs: [{upgrade_type: CONNECT, connect_config: {allow_post: true}}]");
  EXPECT_TRUE(action.upgrades[0].ends_here);
  EXPECT_TRUE(action.upgrades[0].allow_post);
  EXPECT_FALSE(actionOf("upgrade_configs: [{upgrade_type: CONNECT}]").upgrades[0].ends_here);
}

TEST(HashPolicies, AreOfEveryKind) {
  const auto action = actionOf(R"(hash_policy: [{header: {header_name: x-k}, terminal: true},
    {cookie: {name: k, ttl: 60s, path: /p, attributes: [{name: Secure}]}}, {connection_properties: {source_ip: true}},
    {connection_properties: {}}, {query_parameter: {name: q}}, {filter_state: {key: wasm.k}}], priority: HIGH)");
  using Kind = route::HashPolicy::Kind;
  ASSERT_EQ(action.hash_policies.size(), 5u);
  EXPECT_TRUE(action.hash_policies[0].terminal);
  EXPECT_EQ(action.hash_policies[1].cookie_ttl, seconds(60));
  EXPECT_EQ(action.hash_policies[1].cookie_attributes.at(0).first, "Secure");
  EXPECT_EQ(action.hash_policies[2].kind, Kind::SourceIp);
  EXPECT_EQ(action.hash_policies[3].kind, Kind::QueryParameter);
  EXPECT_EQ(action.hash_policies[4].name, "wasm.k");
  EXPECT_TRUE(action.high_priority);
}

}  // namespace
}  // namespace weir::config
