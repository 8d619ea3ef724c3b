// How endpoints of a cluster are chosen, checked and judged: what is read, and what is refused.
#include <gmock/gmock.h>

#include "config/testing.h"

namespace weir::config {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using upstream::BalancingPolicy;

upstream::ClusterSpec clusterOf(const std::string& members) {
  Parts parts;
  parts.cluster = members;
  const LoadOutcome outcome = loadParts(parts);
  EXPECT_THAT(faults(outcome), IsEmpty());
  return outcome.bootstrap ? outcome.bootstrap->clusters.at(0) : upstream::ClusterSpec{};
}
std::vector<std::string> clusterFaults(const std::string& members) {
  Parts parts;
  parts.cluster = members;
  return faults(parts);
}
upstream::BalancingSpec policyOf(const std::string& name, const std::string& fields) {
  return clusterOf(
             "load_balancing_policy: {policies: [{typed_extension_config: {name: outer, typed_config: {'@type': "
             "type.googleapis.com/envoy.extensions.load_balancing_policies." +
             name + fields + "}}}]}")
      .balancing;
}

TEST(Balancing, PoliciesByName) {
  EXPECT_EQ(clusterOf("alt_stat_name: a").balancing.policy, BalancingPolicy::RoundRobin);
  const auto least =
      clusterOf(
          "lb_policy: LEAST_REQUEST\n    least_request_lb_config: {choice_count: 5, active_request_bias: "
          "{default_value: 2, runtime_key: x}, slow_start_config: {slow_start_window: 3s, aggression: {default_value: "
          "2, "
          "runtime_key: k}}}")
          .balancing;
  EXPECT_EQ(least.policy, BalancingPolicy::LeastRequest);
  EXPECT_EQ(least.choice_count, 5u);
  EXPECT_EQ(least.active_request_bias, 2);
  EXPECT_EQ(least.slow_start->window, 3s);
  EXPECT_EQ(least.slow_start->aggression, 2);
  EXPECT_EQ(clusterOf("lb_policy: RANDOM").balancing.policy, BalancingPolicy::Random);
  const auto ring = clusterOf(
                        "lb_policy: RING_HASH\n    ring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 20, "
                        "hash_function: MURMUR_HASH_2}")
                        .balancing;
  EXPECT_EQ(ring.policy, BalancingPolicy::RingHash);
  EXPECT_EQ(ring.minimum_ring_size, 10u);
  EXPECT_EQ(ring.maximum_ring_size, 20u);
  EXPECT_EQ(ring.hash_function, upstream::HashFunction::MurmurHash2);
  const auto maglev = clusterOf("lb_policy: MAGLEV\n    maglev_lb_config: {table_size: 101}").balancing;
  EXPECT_EQ(maglev.policy, BalancingPolicy::Maglev);
  EXPECT_EQ(maglev.table_size, 101u);
}

TEST(Balancing, PoliciesByExtension) {
  const auto least = policyOf("least_request.v3.LeastRequest",
                              ", choice_count: 4, slow_start_config: {slow_start_window: 10s, min_weight_percent: "
                              "{value: 20}}, locality_lb_config: {locality_weighted_lb_config: {}}");
  EXPECT_EQ(least.policy, BalancingPolicy::LeastRequest);
  EXPECT_EQ(least.choice_count, 4u);
  EXPECT_EQ(least.slow_start->min_weight_percent, 20);
  EXPECT_TRUE(least.locality_weighted);
  EXPECT_EQ(policyOf("round_robin.v3.RoundRobin", "").policy, BalancingPolicy::RoundRobin);
  EXPECT_EQ(policyOf("random.v3.Random", "").policy, BalancingPolicy::Random);
  const auto ring = policyOf("ring_hash.v3.RingHash",
                             ", minimum_ring_size: 7, consistent_hashing_lb_config: {use_hostname_for_hashing: true, "
                             "hash_balance_factor: 150}");
  EXPECT_EQ(ring.minimum_ring_size, 7u);
  EXPECT_TRUE(ring.use_hostname_for_hashing);
  EXPECT_EQ(ring.hash_balance_factor, 150u);
  EXPECT_EQ(policyOf("maglev.v3.Maglev", ", table_size: 7").table_size, 7u);
  const auto wrr =
      policyOf("wrr_locality.v3.WrrLocality",
               ", endpoint_picking_policy: {policies: [{typed_extension_config: {name: inner, typed_config: {'@type': "
               "type.googleapis.com/envoy.extensions.load_balancing_policies.random.v3.Random}}}]}");
  EXPECT_EQ(wrr.policy, BalancingPolicy::Random);
  EXPECT_TRUE(wrr.locality_weighted);
}

TEST(Balancing, WhatIsCommonToAll) {
  const auto spec = clusterOf(
      "common_lb_config: {healthy_panic_threshold: {value: 20.6}, locality_weighted_lb_config: {}, "
      "ignore_new_hosts_until_first_hc: true, close_connections_on_host_set_change: true}");
  EXPECT_EQ(spec.balancing.panic_threshold, 21u);
  EXPECT_TRUE(spec.balancing.locality_weighted);
  EXPECT_TRUE(spec.ignore_new_until_checked);
  EXPECT_TRUE(spec.close_connections_on_change);
}

TEST(Balancing, WhatCannotBe) {
  EXPECT_THAT(clusterFaults("lb_policy: MAGLEV\n    maglev_lb_config: {table_size: 100}"),
              ElementsAre(HasSubstr("maglev_lb_config.table_size: must be a prime, 100 is none")));
  EXPECT_THAT(
      clusterFaults("lb_policy: RING_HASH\n    ring_hash_lb_config: {minimum_ring_size: 30, maximum_ring_size: 20}"),
      ElementsAre(HasSubstr("minimum_ring_size 30 is above maximum_ring_size 20")));
  EXPECT_THAT(clusterFaults("common_lb_config: {zone_aware_lb_config: {}}"),
              ElementsAre(HasSubstr("zone_aware_lb_config: not implemented in weir")));
  EXPECT_THAT(clusterFaults("lb_subset_config: {}"), ElementsAre(HasSubstr("subsets of endpoints are not built")));
}

TEST(Endpoints, PrioritiesLocalitiesAndHealth) {
  const LoadOutcome outcome = loadYaml(R"(
static_resources:
  clusters:
  - name: web
    load_assignment:
      cluster_name: web
      policy: {overprovisioning_factor: 120, weighted_priority_health: true}
      endpoints:
      - locality: {region: r, zone: z, sub_zone: s}
        load_balancing_weight: 9
        lb_endpoints:
        - health_status: DRAINING
          endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}, health_check_config: {port_value: 7, hostname: h, disable_active_health_check: true}}
      - priority: 1
        lb_endpoints: [{health_status: DEGRADED, endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 2}}}}]
)");
  ASSERT_THAT(outcome.faults, IsEmpty());
  const upstream::Assignment& assignment = outcome.bootstrap->clusters[0].assignment;
  EXPECT_EQ(assignment.overprovisioning_percent, 120u);
  EXPECT_TRUE(assignment.weighted_priority_health);
  const upstream::EndpointSpec& first = assignment.endpoints.at(0);
  EXPECT_EQ(first.locality, (upstream::Locality{"r", "z", "s"}));
  EXPECT_EQ(first.locality_weight, 9u);
  EXPECT_EQ(first.health, upstream::AssignedHealth::Draining);
  EXPECT_EQ(first.check_port, 7);
  EXPECT_EQ(first.check_host, "h");
  EXPECT_TRUE(first.check_disabled);
  EXPECT_EQ(assignment.endpoints.at(1).priority, 1u);
  EXPECT_EQ(assignment.endpoints.at(1).health, upstream::AssignedHealth::Degraded);
}

TEST(DnsCluster, SaysWhatTheTypesOfOldSay) {
  const std::string kind =
      "{name: envoy.clusters.dns, typed_config: {'@type': "
      "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster";
  const auto load = [&kind](const std::string& fields) {
    const LoadOutcome outcome = loadYaml(
        "static_resources: {clusters: [{name: web, load_assignment: {cluster_name: web, endpoints: [{lb_endpoints: "
        "[{endpoint: {address: {socket_address: {address: a.test, port_value: 1}}}}]}]}, cluster_type: " +
        kind + fields + "}}}]}");
    EXPECT_THAT(faults(outcome), IsEmpty());
    return outcome.bootstrap->clusters.at(0);
  };
  const auto strict = load(
      ", dns_refresh_rate: 7s, dns_lookup_family: V4_ONLY, respect_dns_ttl: true, dns_jitter: 1s, "
      "dns_failure_refresh_rate: {base_interval: 2s}");
  EXPECT_EQ(strict.discovery, upstream::Discovery::StrictDns);
  EXPECT_EQ(strict.dns_refresh, 7s);
  EXPECT_EQ(strict.dns_family, upstream::DnsFamily::V4Only);
  EXPECT_TRUE(strict.respect_dns_ttl);
  EXPECT_EQ(strict.dns_jitter, 1s);
  EXPECT_EQ(strict.dns_failure_refresh->second, 20s);
  EXPECT_EQ(load(", all_addresses_in_single_endpoint: true").discovery, upstream::Discovery::LogicalDns);
}

TEST(HealthChecks, OverHttp) {
  const auto spec = clusterOf(
      "health_checks: [{timeout: 1s, interval: 10s, unhealthy_threshold: 3, healthy_threshold: 2, reuse_connection: "
      "false, unhealthy_interval: 5s, interval_jitter: 2s, initial_jitter: 3s, no_traffic_interval: 7s, "
      "http_health_check: {host: h, path: /p, method: HEAD, expected_statuses: [{start: 200, end: 300}], "
      "retriable_statuses: [{start: 500, end: 501}], request_headers_to_add: [{header: {key: a, value: b}}], "
      "service_name_matcher: {prefix: web}}}]\n    ignore_health_on_host_removal: true");
  ASSERT_EQ(spec.health_checks.size(), 1u);
  const upstream::HealthCheckSpec& check = spec.health_checks[0];
  EXPECT_EQ(check.kind, upstream::HealthCheckSpec::Kind::Http);
  EXPECT_EQ(check.timeout, 1s);
  EXPECT_EQ(check.interval, 10s);
  EXPECT_EQ(check.unhealthy_interval, 5s);
  EXPECT_EQ(check.unhealthy_edge_interval, 5s);
  EXPECT_EQ(check.healthy_edge_interval, 10s);
  EXPECT_EQ(check.no_traffic_healthy_interval, 7s);
  EXPECT_EQ(check.initial_jitter, 3s);
  EXPECT_FALSE(check.reuse_connection);
  EXPECT_EQ(check.unhealthy_threshold, 3u);
  EXPECT_EQ(check.method, "HEAD");
  EXPECT_EQ(check.expected[0].end, 300);
  EXPECT_EQ(check.retriable[0].first, 500);
  EXPECT_EQ(check.headers_to_add[0].value, "b");
  EXPECT_EQ(check.service_name->text, "web");
  EXPECT_TRUE(spec.ignore_health_on_removal);
}

TEST(HealthChecks, OverTcpInHexadecimal) {
  const auto spec = clusterOf(
      "health_checks: [{timeout: 1s, interval: 10s, unhealthy_threshold: 3, healthy_threshold: 2, "
      "tcp_health_check: {send: {text: '50494E47'}, receive: [{text: 504f}, {text: '4e47'}]}}]");
  EXPECT_EQ(spec.health_checks.at(0).send, "PING");
  EXPECT_THAT(spec.health_checks[0].receive, ElementsAre("PO", "NG"));
}

TEST(HealthChecks, OverHttp2AndGrpc) {
  const std::string start =
      "health_checks: [{timeout: 1s, interval: 10s, unhealthy_threshold: 3, healthy_threshold: 2, ";
  EXPECT_TRUE(clusterOf(start + "http_health_check: {path: /, codec_client_type: HTTP2}}]").health_checks.at(0).http2);
  const auto spec = clusterOf(start +
                              "grpc_health_check: {service_name: a.B, authority: h, initial_metadata: [{header: {key: "
                              "a, value: b}, append_action: ADD_IF_ABSENT}, {header: {key: c}}]}}]\n    "
                              "http2_protocol_options: {}");
  const upstream::HealthCheckSpec& check = spec.health_checks.at(0);
  EXPECT_EQ(check.kind, upstream::HealthCheckSpec::Kind::Grpc);
  EXPECT_EQ(check.grpc_service, "a.B");
  EXPECT_EQ(check.grpc_authority, "h");
  ASSERT_EQ(check.headers_to_add.size(), 1u);
  EXPECT_EQ(check.headers_to_add[0].how, upstream::HealthCheckSpec::AddedHeader::How::IfAbsent);
}

TEST(HealthChecks, WhatCannotBe) {
  const std::string start =
      "health_checks: [{timeout: 1s, interval: 10s, unhealthy_threshold: 3, healthy_threshold: 2, ";
  EXPECT_THAT(clusterFaults(start + "grpc_health_check: {}}]"),
              ElementsAre(HasSubstr("cluster must support HTTP/2 for gRPC healthchecking")));
  EXPECT_THAT(clusterFaults(start + "grpc_health_check: {initial_metadata: [{header: {key: a, value: '%b%'}}]}}]\n    "
                                    "http2_protocol_options: {}"),
              Contains(HasSubstr("an operator in a check's header")));
  EXPECT_THAT(clusterFaults(start + "tcp_health_check: {send: {text: 'xy'}}}]"),
              ElementsAre(HasSubstr("send.text: must be pairs of hexadecimal digits")));
  EXPECT_THAT(clusterFaults(start + "http_health_check: {path: /, expected_statuses: [{start: 300, end: 200}]}}]"),
              ElementsAre(HasSubstr("[300, 200) is no range of status codes")));
  EXPECT_THAT(clusterFaults(start + "http_health_check: {path: /, codec_client_type: HTTP3}}]"),
              ElementsAre(HasSubstr("codec_client_type")));
}

TEST(Outliers, NumbersAndTimes) {
  const auto spec = clusterOf(
      "outlier_detection: {consecutive_5xx: 3, interval: 1s, base_ejection_time: 400s, max_ejection_percent: 50, "
      "split_external_local_origin_errors: true, always_eject_one_host: true, "
      "successful_active_health_check_uneject_host: false}");
  ASSERT_TRUE(spec.outlier);
  EXPECT_EQ(spec.outlier->consecutive_5xx, 3u);
  EXPECT_EQ(spec.outlier->interval, 1s);
  EXPECT_EQ(spec.outlier->max_ejection_time, 400s);
  EXPECT_EQ(spec.outlier->max_ejection_percent, 50u);
  EXPECT_TRUE(spec.outlier->split_local_origin);
  EXPECT_TRUE(spec.outlier->always_eject_one);
  EXPECT_FALSE(spec.outlier->active_check_unejects);
  EXPECT_EQ(spec.outlier->enforcing_consecutive_5xx, 100u);
  EXPECT_FALSE(clusterOf("alt_stat_name: a").outlier);
}

TEST(Breakers, OfBothPrioritiesWithBudgets) {
  const auto spec = clusterOf(
      "circuit_breakers: {thresholds: [{max_retries: 7, track_remaining: true}, {priority: HIGH, max_connections: 9, "
      "retry_budget: {budget_percent: {value: 30}, min_retry_concurrency: 1}}], per_host_thresholds: "
      "[{max_connections: 2}]}");
  EXPECT_EQ(spec.breakers.max_retries, 7u);
  EXPECT_TRUE(spec.breakers.track_remaining);
  EXPECT_EQ(spec.high_breakers.max_connections, 9u);
  EXPECT_EQ(spec.high_breakers.retry_budget->percent, 30);
  EXPECT_EQ(spec.high_breakers.retry_budget->min_concurrency, 1u);
  EXPECT_EQ(spec.max_connections_per_endpoint, 2u);
}

constexpr char kAnnouncing[] =
    "transport_socket: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.transport_sockets."
    "proxy_protocol.v3.ProxyProtocolUpstreamTransport, ";
constexpr char kAroundPlain[] =
    "transport_socket: {name: r, typed_config: {'@type': "
    "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}}";

TEST(Announcement, IsReadAroundATransport) {
  const auto plain = clusterOf(std::string(kAnnouncing) + kAroundPlain + "}}");
  EXPECT_EQ(plain.announcement->version, 1);
  EXPECT_FALSE(plain.tls || plain.announcement->pass_all_tlvs);
  const auto spec = clusterOf(std::string(kAnnouncing) +
                              "config: {version: V2, pass_through_tlvs: {match_type: INCLUDE, tlv_type: [2]}, "
                              "added_tlvs: [{type: 240, value: YQ==}]}, tlv_as_pool_key: true, "
                              "transport_socket: {name: t, typed_config: {'@type': "
                              "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}}}");
  EXPECT_TRUE(spec.tls && spec.announcement->pools_by_tlvs);
  EXPECT_EQ(spec.announcement->version, 2);
  EXPECT_THAT(spec.announcement->pass_tlvs, ElementsAre(2));
  EXPECT_THAT(spec.announcement->add_tlvs, ElementsAre(net::ProxyTlv{240, "a"}));
}

TEST(Announcement, IsRefusedWhereItCannotBeMade) {
  const std::string around = std::string("}, ") + kAroundPlain + "}}";
  EXPECT_THAT(clusterFaults(std::string(kAnnouncing) + "config: {added_tlvs: [{type: 1}]" + around),
              ElementsAre(HasSubstr("one of value and format_string is required")));
  EXPECT_THAT(clusterFaults(
                  std::string(kAnnouncing) +
                  "config: {added_tlvs: [{type: 1, format_string: {text_format_source: {inline_string: x}}}]" + around),
              Contains(HasSubstr("values of TLVs are fixed")));
  EXPECT_THAT(clusterFaults(std::string(kAnnouncing) + "config: {}}}"), ElementsAre(HasSubstr("transport_socket")));
  EXPECT_THAT(clusterFaults(std::string(kAnnouncing) + kAnnouncing + kAroundPlain + "}}}}"),
              ElementsAre(HasSubstr("before another one")));
  EXPECT_THAT(clusterFaults("transport_socket: {name: t, typed_config: {'@type': "
                            "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, "
                            "common_tls_context: {}}}"),
              ElementsAre(HasSubstr("is none for upstreams")));
}

}  // namespace
}  // namespace weir::config
