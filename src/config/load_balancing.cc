// How a cluster's endpoints are chosen: envoy.config.cluster.v3.Cluster's own fields, and the extensions under
// load_balancing_policy that say the same.
#include <envoy/extensions/load_balancing_policies/cluster_provided/v3/cluster_provided.pb.h>
#include <envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h>
#include <envoy/extensions/load_balancing_policies/maglev/v3/maglev.pb.h>
#include <envoy/extensions/load_balancing_policies/random/v3/random.pb.h>
#include <envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h>
#include <envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h>
#include <envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.pb.h>

#include <cmath>

#include "config/cluster_parts.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::cluster::v3;
namespace policies = envoy::extensions::load_balancing_policies;
using upstream::BalancingPolicy;
using upstream::BalancingSpec;

// --- Parts that both forms have ---

template <typename SlowStart>
void convertSlowStart(const SlowStart& slow, const Place& place, BalancingSpec& spec) {
  upstream::SlowStartSpec& result = spec.slow_start.emplace();
  result.window = convertDuration(slow.slow_start_window(), place.field("slow_start_window"));
  if (slow.has_aggression()) result.aggression = slow.aggression().default_value();
  if (slow.has_min_weight_percent()) result.min_weight_percent = slow.min_weight_percent().value();
  if (result.aggression <= 0) place.field("aggression").fault(FaultKind::Rule, "must be greater than 0");
  if (result.window == base::Duration::zero()) spec.slow_start.reset();
}

template <typename LeastRequest>
void convertLeastRequest(const LeastRequest& config, const Place& place, BalancingSpec& spec) {
  spec.policy = BalancingPolicy::LeastRequest;
  if (config.has_choice_count()) spec.choice_count = config.choice_count().value();
  if (config.has_active_request_bias()) spec.active_request_bias = config.active_request_bias().default_value();
  if (spec.active_request_bias < 0) place.field("active_request_bias").fault(FaultKind::Rule, "must be at least 0");
  if (config.has_slow_start_config()) {
    convertSlowStart(config.slow_start_config(), place.field("slow_start_config"), spec);
  }
}

template <typename RingHash>
void convertRing(const RingHash& config, const Place& place, BalancingSpec& spec) {
  spec.policy = BalancingPolicy::RingHash;
  if (config.has_minimum_ring_size()) spec.minimum_ring_size = config.minimum_ring_size().value();
  if (config.has_maximum_ring_size()) spec.maximum_ring_size = config.maximum_ring_size().value();
  if (config.hash_function() == RingHash::MURMUR_HASH_2) spec.hash_function = upstream::HashFunction::MurmurHash2;
  if (spec.minimum_ring_size > spec.maximum_ring_size) {
    place.fault(FaultKind::Conflict, fmt::format("minimum_ring_size {} is above maximum_ring_size {}",
                                                 spec.minimum_ring_size, spec.maximum_ring_size));
  }
}

bool isPrime(uint64_t number) {
  if (number < 2) return false;
  for (uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

template <typename Maglev>
void convertMaglev(const Maglev& config, const Place& place, BalancingSpec& spec) {
  spec.policy = BalancingPolicy::Maglev;
  if (!config.has_table_size()) return;
  spec.table_size = config.table_size().value();
  if (isPrime(spec.table_size)) return;
  place.field("table_size").fault(FaultKind::Rule, fmt::format("must be a prime, {} is none", spec.table_size));
}

template <typename Hashing>
void convertConsistent(const Hashing& config, BalancingSpec& spec) {
  spec.use_hostname_for_hashing = config.use_hostname_for_hashing();
  if (config.has_hash_balance_factor()) spec.hash_balance_factor = config.hash_balance_factor().value();
}

// --- lb_policy ---

void convertPolicy(const v3::Cluster& cluster, const Place& place, BalancingSpec& spec) {
  switch (cluster.lb_policy()) {
    case v3::Cluster::ROUND_ROBIN:
      if (cluster.round_robin_lb_config().has_slow_start_config()) {
        convertSlowStart(cluster.round_robin_lb_config().slow_start_config(),
                         place.field("round_robin_lb_config").field("slow_start_config"), spec);
      }
      return;
    case v3::Cluster::LEAST_REQUEST:
      return convertLeastRequest(cluster.least_request_lb_config(), place.field("least_request_lb_config"), spec);
    case v3::Cluster::RANDOM: spec.policy = BalancingPolicy::Random; return;
    case v3::Cluster::RING_HASH:
      return convertRing(cluster.ring_hash_lb_config(), place.field("ring_hash_lb_config"), spec);
    case v3::Cluster::MAGLEV: return convertMaglev(cluster.maglev_lb_config(), place.field("maglev_lb_config"), spec);
    default:
      place.field("lb_policy")
          .unsupported(fmt::format("lb_policy {}", v3::Cluster::LbPolicy_Name(cluster.lb_policy())));
  }
}

void convertCommon(const v3::Cluster::CommonLbConfig& common, upstream::ClusterSpec& spec) {
  // As Envoy: whole percents.
  if (common.has_healthy_panic_threshold()) {
    spec.balancing.panic_threshold = static_cast<uint32_t>(std::lround(common.healthy_panic_threshold().value()));
  }
  spec.balancing.locality_weighted = common.has_locality_weighted_lb_config();
  spec.ignore_new_until_checked = common.ignore_new_hosts_until_first_hc();
  spec.close_connections_on_change = common.close_connections_on_host_set_change();
  if (common.has_consistent_hashing_lb_config()) {
    convertConsistent(common.consistent_hashing_lb_config(), spec.balancing);
  }
}

// --- load_balancing_policy ---

void convertPolicies(const v3::LoadBalancingPolicy& policy, const Place& place, upstream::ClusterSpec& spec);

template <typename Config>
void convertLocality(const Config& config, BalancingSpec& spec) {
  if (config.has_locality_lb_config()) {
    spec.locality_weighted = config.locality_lb_config().has_locality_weighted_lb_config();
  }
}

// False if it is of a type that is not known here.
bool convertExtension(const google::protobuf::Any& any, const Place& place, upstream::ClusterSpec& spec) {
  BalancingSpec& balancing = spec.balancing;
  if (policies::round_robin::v3::RoundRobin config; any.UnpackTo(&config)) {
    balancing.policy = BalancingPolicy::RoundRobin;
    convertLocality(config, balancing);
    if (config.has_slow_start_config()) {
      convertSlowStart(config.slow_start_config(), place.field("slow_start_config"), balancing);
    }
  } else if (policies::least_request::v3::LeastRequest config; any.UnpackTo(&config)) {
    convertLocality(config, balancing);
    convertLeastRequest(config, place, balancing);
  } else if (policies::random::v3::Random config; any.UnpackTo(&config)) {
    balancing.policy = BalancingPolicy::Random;
    convertLocality(config, balancing);
  } else if (policies::ring_hash::v3::RingHash config; any.UnpackTo(&config)) {
    convertRing(config, place, balancing);
    balancing.locality_weighted = balancing.locality_weighted || config.has_locality_weighted_lb_config();
    if (config.has_consistent_hashing_lb_config()) convertConsistent(config.consistent_hashing_lb_config(), balancing);
  } else if (policies::maglev::v3::Maglev config; any.UnpackTo(&config)) {
    convertMaglev(config, place, balancing);
    balancing.locality_weighted = balancing.locality_weighted || config.has_locality_weighted_lb_config();
    if (config.has_consistent_hashing_lb_config()) convertConsistent(config.consistent_hashing_lb_config(), balancing);
  } else if (policies::wrr_locality::v3::WrrLocality config; any.UnpackTo(&config)) {
    convertPolicies(config.endpoint_picking_policy(), place.field("endpoint_picking_policy"), spec);
    balancing.locality_weighted = true;
  } else {
    return false;
  }
  return true;
}

// The first that is known counts, as in Envoy.
void convertPolicies(const v3::LoadBalancingPolicy& policy, const Place& place, upstream::ClusterSpec& spec) {
  for (int i = 0; i < policy.policies_size(); i++) {
    const Place here = place.item("policies", static_cast<size_t>(i)).field("typed_extension_config");
    const auto& extension = policy.policies(i).typed_extension_config();
    if (convertExtension(extension.typed_config(), here.field("typed_config"), spec)) return;
  }
  place.unsupported("none of these policies");
}

}  // namespace

void convertBalancing(const v3::Cluster& cluster, const Place& place, upstream::ClusterSpec& spec) {
  if (cluster.has_common_lb_config()) convertCommon(cluster.common_lb_config(), spec);
  if (cluster.has_load_balancing_policy()) {
    // What the policy takes over is not read from the cluster then.
    spec.balancing.locality_weighted = false;
    return convertPolicies(cluster.load_balancing_policy(), place.field("load_balancing_policy"), spec);
  }
  convertPolicy(cluster, place, spec.balancing);
}

SupportTables balancingSupport() {
  static constexpr std::string_view kZones = "zone-aware balancing needs a local cluster, which is not built";
  static constexpr std::string_view kHashPolicy = "the route's hash policy counts";
  static constexpr std::string_view kFullScan = "least request draws among its endpoints";
  return {
      {"envoy.config.cluster.v3.Cluster.CommonLbConfig",
       {{"healthy_panic_threshold"},
        {"locality_weighted_lb_config"},
        {"ignore_new_hosts_until_first_hc"},
        {"close_connections_on_host_set_change"},
        {"consistent_hashing_lb_config"},
        noEffect("update_merge_window", "changes are never held back: they are cheap"),
        refused("zone_aware_lb_config", kZones),
        refused("override_host_status", "there is no way to choose an endpoint by header")}},
      {"envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig", {}},
      {"envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig",
       {{"use_hostname_for_hashing"}, {"hash_balance_factor"}}},
      {"envoy.config.cluster.v3.Cluster.RoundRobinLbConfig", {{"slow_start_config"}}},
      {"envoy.config.cluster.v3.Cluster.LeastRequestLbConfig",
       {{"choice_count"}, {"active_request_bias"}, {"slow_start_config"}}},
      {"envoy.config.cluster.v3.Cluster.SlowStartConfig",
       {{"slow_start_window"}, {"aggression"}, {"min_weight_percent"}}},
      {"envoy.config.cluster.v3.Cluster.RingHashLbConfig",
       {{"minimum_ring_size"}, {"maximum_ring_size"}, {"hash_function"}}},
      {"envoy.config.cluster.v3.Cluster.MaglevLbConfig", {{"table_size"}}},
      {"envoy.config.core.v3.RuntimeDouble", {{"default_value"}, {"runtime_key"}}},
      {"envoy.type.v3.Percent", {{"value"}}},
      {"envoy.config.cluster.v3.LoadBalancingPolicy", {{"policies"}}},
      {"envoy.config.cluster.v3.LoadBalancingPolicy.Policy", {{"typed_extension_config"}}},
      {"envoy.config.core.v3.TypedExtensionConfig", {{"name"}, {"typed_config"}}},
      {"envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
       {{"locality_lb_config"}, {"slow_start_config"}}},
      {"envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
       {{"choice_count"},
        {"active_request_bias"},
        {"slow_start_config"},
        {"locality_lb_config"},
        refused("enable_full_scan", kFullScan),
        refused("selection_method", kFullScan)}},
      {"envoy.extensions.load_balancing_policies.random.v3.Random", {{"locality_lb_config"}}},
      {"envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
       {{"hash_function"},
        {"minimum_ring_size"},
        {"maximum_ring_size"},
        {"consistent_hashing_lb_config"},
        {"locality_weighted_lb_config"},
        refused("use_hostname_for_hashing", "deprecated: write it in consistent_hashing_lb_config"),
        refused("hash_balance_factor", "deprecated: write it in consistent_hashing_lb_config")}},
      {"envoy.extensions.load_balancing_policies.maglev.v3.Maglev",
       {{"table_size"}, {"consistent_hashing_lb_config"}, {"locality_weighted_lb_config"}}},
      {"envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality", {{"endpoint_picking_policy"}}},
      {"envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig",
       {{"locality_weighted_lb_config"}, refused("zone_aware_lb_config", kZones)}},
      {"envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig", {}},
      {"envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig",
       {{"slow_start_window"}, {"aggression"}, {"min_weight_percent"}}},
      {"envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig",
       {{"use_hostname_for_hashing"}, {"hash_balance_factor"}, refused("hash_policy", kHashPolicy)}},
  };
}

}  // namespace weir::config
