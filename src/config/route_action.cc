// envoy.config.route.v3.RouteAction and RedirectAction: what a route does with a request.
#include "config/filter_overrides.h"
#include "config/header_mutations.h"
#include "config/names.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::route::v3;

template <typename T>
route::WeightedCluster convertWeighted(const T& cluster, const Place& place, const Conversion& conversion) {
  route::WeightedCluster result;
  result.cluster = cluster.name();
  result.weight = cluster.weight().value();
  result.host_rewrite = cluster.host_rewrite_literal();
  result.headers = convertMutations(cluster, place);
  result.filters =
      convertFilterOverrides(cluster.typed_per_filter_config(), place.field("typed_per_filter_config"), conversion);
  return result;
}

void convertWeights(const v3::WeightedCluster& weighted, const Place& place, Conversion& conversion,
                    route::RouteAction& action) {
  uint64_t total = 0;
  for (int i = 0; i < weighted.clusters_size(); i++) {
    const Place here = place.item("clusters", static_cast<size_t>(i));
    action.weighted.push_back(convertWeighted(weighted.clusters(i), here, conversion));
    total += action.weighted.back().weight;
    if (weighted.clusters(i).name().empty())
      here.field("name").fault(FaultKind::Rule, "is required and must not be empty");
    conversion.cluster_references.push_back({weighted.clusters(i).name(), here.field("name")});
  }
  if (weighted.clusters_size() > 0 && total == 0) {
    place.fault(FaultKind::Rule, "Sum of weights in the weighted_cluster must be greater than 0.");  // Envoy's words.
  }
  if (total > UINT32_MAX)
    place.fault(FaultKind::Rule, fmt::format("the sum of weights must be at most {}", UINT32_MAX));
}

int notFoundStatus(v3::RouteAction::ClusterNotFoundResponseCode code) {
  switch (code) {
    case v3::RouteAction::NOT_FOUND: return 404;
    case v3::RouteAction::INTERNAL_SERVER_ERROR: return 500;
    default: return 503;
  }
}

std::vector<route::Upgrade> convertUpgrades(const v3::RouteAction& action, const Place& place) {
  std::vector<route::Upgrade> result;
  for (const auto& upgrade : action.upgrade_configs()) {
    const Place at = place.item("upgrade_configs", result.size());
    if (upgrade.has_connect_config() && lowerCase(upgrade.upgrade_type()) != "connect") {
      at.field("connect_config").fault(FaultKind::Conflict, "is for the upgrade_type CONNECT");
    }
    result.push_back({.type = upgrade.upgrade_type(),
                      .enabled = !upgrade.has_enabled() || upgrade.enabled().value(),
                      .ends_here = upgrade.has_connect_config(),
                      .allow_post = upgrade.connect_config().allow_post()});
  }
  for (size_t i = 0; i < result.size(); i++) {
    for (size_t j = 0; j < i; j++) {
      if (lowerCase(result[i].type) != lowerCase(result[j].type)) continue;
      place.item("upgrade_configs", i).field("upgrade_type").fault(FaultKind::Conflict, "is there already");
    }
  }
  return result;
}

route::MaxStreamDuration convertMaxDuration(const v3::RouteAction::MaxStreamDuration& duration, const Place& place) {
  route::MaxStreamDuration result;
  if (duration.has_max_stream_duration()) {
    result.max = convertDuration(duration.max_stream_duration(), place.field("max_stream_duration"));
  }
  if (duration.has_grpc_timeout_header_max()) {
    result.grpc_header_max =
        convertDuration(duration.grpc_timeout_header_max(), place.field("grpc_timeout_header_max"));
  }
  if (duration.has_grpc_timeout_header_offset()) {
    result.grpc_header_offset =
        convertDuration(duration.grpc_timeout_header_offset(), place.field("grpc_timeout_header_offset"));
  }
  return result;
}

void convertTimes(const v3::RouteAction& action, const Place& place, route::RouteAction& result) {
  if (action.has_timeout()) result.timeout = convertDuration(action.timeout(), place.field("timeout"));
  if (action.has_idle_timeout()) {
    result.idle_timeout = convertDuration(action.idle_timeout(), place.field("idle_timeout"));
  }
  if (action.has_max_stream_duration()) {
    result.max_stream_duration = convertMaxDuration(action.max_stream_duration(), place.field("max_stream_duration"));
  }
  if (action.has_max_grpc_timeout()) {
    result.max_grpc_timeout = convertDuration(action.max_grpc_timeout(), place.field("max_grpc_timeout"));
  }
  if (action.has_grpc_timeout_offset()) {
    result.grpc_timeout_offset = convertDuration(action.grpc_timeout_offset(), place.field("grpc_timeout_offset"));
  }
}

}  // namespace

route::RouteAction convertRouteAction(const v3::RouteAction& action, const Place& place, Conversion& conversion) {
  route::RouteAction result;
  result.cluster = action.cluster();
  result.cluster_header = action.cluster_header();
  if (!action.cluster().empty()) {
    conversion.cluster_references.push_back({action.cluster(), place.field("cluster")});
  }
  if (action.has_weighted_clusters()) {
    convertWeights(action.weighted_clusters(), place.field("weighted_clusters"), conversion, result);
  }
  result.cluster_not_found_status = notFoundStatus(action.cluster_not_found_response_code());
  result.prefix_rewrite = action.prefix_rewrite();
  if (action.has_regex_rewrite()) {
    result.regex_rewrite = convertRewrite(action.regex_rewrite(), place.field("regex_rewrite"));
    if (!result.prefix_rewrite.empty()) {
      place.field("regex_rewrite")
          .fault(FaultKind::Conflict, "only one of prefix_rewrite and regex_rewrite may be set");
    }
  }
  result.host_rewrite = action.host_rewrite_literal();
  result.auto_host_rewrite = action.auto_host_rewrite().value();
  result.host_rewrite_header = action.host_rewrite_header();
  if (action.has_host_rewrite_path_regex()) {
    result.host_rewrite_path_regex =
        convertRewrite(action.host_rewrite_path_regex(), place.field("host_rewrite_path_regex"));
  }
  result.append_x_forwarded_host = action.append_x_forwarded_host();
  convertTimes(action, place, result);
  result.upgrades = convertUpgrades(action, place);
  for (int i = 0; i < action.hash_policy_size(); i++) {
    const auto policy = convertHashPolicy(action.hash_policy(i), place.item("hash_policy", static_cast<size_t>(i)));
    if (policy) result.hash_policies.push_back(*policy);
  }
  result.high_priority = action.priority() == envoy::config::core::v3::HIGH;
  if (action.has_retry_policy()) {
    result.retry_policy = convertRetryPolicy(action.retry_policy(), place.field("retry_policy"));
  }
  return result;
}

route::RedirectAction convertRedirect(const v3::RedirectAction& action, const Place& place) {
  route::RedirectAction result;
  result.https = action.https_redirect();
  result.scheme = action.scheme_redirect();
  result.host = action.host_redirect();
  result.port = action.port_redirect();
  result.path = action.path_redirect();
  result.prefix_rewrite = action.prefix_rewrite();
  if (action.has_regex_rewrite()) {
    result.regex_rewrite = convertRewrite(action.regex_rewrite(), place.field("regex_rewrite"));
  }
  static constexpr int kStatus[] = {301, 302, 303, 307, 308};  // By v3::RedirectAction::RedirectResponseCode.
  const auto code = static_cast<size_t>(action.response_code());
  if (code < std::size(kStatus)) result.status = kStatus[code];
  result.strip_query = action.strip_query();
  if (result.port > 65535) place.field("port_redirect").fault(FaultKind::Rule, "must be at most 65535");
  return result;
}

}  // namespace weir::config
