// envoy.config.route.v3: route configuration, virtual hosts, routes.
#include <algorithm>
#include <map>

#include "config/access_log.h"
#include "config/filter_overrides.h"
#include "config/header_mutations.h"
#include "config/names.h"
#include "config/support.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::route::v3;

route::DirectResponse convertDirect(const v3::DirectResponseAction& action, const Place& place, size_t max_body,
                                    const Conversion& conversion) {
  route::DirectResponse result;
  result.status = static_cast<int>(action.status());
  if (action.has_body_format()) {
    result.body_format = convertFormat(action.body_format(), place.field("body_format"), conversion);
  }
  if (!action.has_body()) return result;
  result.body = readDataSource(action.body(), place.field("body"), conversion.options);
  if (result.body.size() > max_body) {
    place.field("body").fault(
        FaultKind::Rule,
        fmt::format("is {} bytes long; max_direct_response_body_size_bytes allows {}", result.body.size(), max_body));
  }
  return result;
}

route::Route convertRoute(const v3::Route& route, const Place& place, size_t max_body, Conversion& conversion) {
  route::Route result;
  result.name = route.name();
  convertMatch(route.match(), place.field("match"), result);
  if (route.has_route()) result.forward = convertRouteAction(route.route(), place.field("route"), conversion);
  if (route.has_redirect()) result.redirect = convertRedirect(route.redirect(), place.field("redirect"));
  if (route.has_direct_response()) {
    result.direct = convertDirect(route.direct_response(), place.field("direct_response"), max_body, conversion);
  }
  result.header_mutations = convertMutations(route, place);
  result.metadata = serialized(route.metadata());
  if (route.has_request_body_buffer_limit()) {
    result.request_body_buffer_limit = route.request_body_buffer_limit().value();
  }
  result.filters =
      convertFilterOverrides(route.typed_per_filter_config(), place.field("typed_per_filter_config"), conversion);
  return result;
}

route::VirtualHost convertHost(const v3::VirtualHost& host, const Place& place, size_t max_body,
                               Conversion& conversion) {
  route::VirtualHost result;
  result.name = host.name();
  result.domains.assign(host.domains().begin(), host.domains().end());
  for (int i = 0; i < host.routes_size(); i++) {
    result.routes.push_back(
        convertRoute(host.routes(i), place.item("routes", static_cast<size_t>(i)), max_body, conversion));
  }
  result.require_tls_all = host.require_tls() == v3::VirtualHost::ALL;
  if (host.require_tls() == v3::VirtualHost::EXTERNAL_ONLY) {
    place.field("require_tls").unsupported("require_tls EXTERNAL_ONLY");
  }
  result.header_mutations = convertMutations(host, place);
  result.metadata = serialized(host.metadata());
  if (host.has_retry_policy()) {
    result.retry_policy = convertRetryPolicy(host.retry_policy(), place.field("retry_policy"));
  }
  if (host.has_request_body_buffer_limit()) {
    result.request_body_buffer_limit = host.request_body_buffer_limit().value();
  }
  result.filters =
      convertFilterOverrides(host.typed_per_filter_config(), place.field("typed_per_filter_config"), conversion);
  result.include_request_attempt_count = host.include_request_attempt_count();
  result.include_attempt_count_in_response = host.include_attempt_count_in_response();
  result.include_is_timeout_retry_header = host.include_is_timeout_retry_header();
  return result;
}

void checkDomains(const v3::RouteConfiguration& config, const Place& place) {
  std::map<std::string, std::string> owners;
  for (int i = 0; i < config.virtual_hosts_size(); i++) {
    const v3::VirtualHost& host = config.virtual_hosts(i);
    const Place here = place.item("virtual_hosts", static_cast<size_t>(i));
    for (int j = 0; j < host.domains_size(); j++) {
      const Place domain = here.item("domains", static_cast<size_t>(j));
      if (host.domains(j).empty()) domain.fault(FaultKind::Rule, "is required and must not be empty");
      const auto [owner, first] = owners.emplace(lowerCase(host.domains(j)), host.name());
      if (first) continue;
      domain.fault(FaultKind::Conflict, fmt::format("the domain '{}' is already that of the virtual host '{}'",
                                                    host.domains(j), owner->second));
    }
  }
}

}  // namespace

route::RouteConfig convertRouteConfig(const v3::RouteConfiguration& config, const Place& place,
                                      Conversion& conversion) {
  route::RouteConfig result;
  result.name = config.name();
  static constexpr size_t kDefaultMaxBody = 4096;  // Envoy's.
  const size_t max_body = config.has_max_direct_response_body_size_bytes()
                              ? config.max_direct_response_body_size_bytes().value()
                              : kDefaultMaxBody;
  const size_t references = conversion.cluster_references.size();
  for (int i = 0; i < config.virtual_hosts_size(); i++) {
    result.virtual_hosts.push_back(convertHost(
        config.virtual_hosts(i), place.item("virtual_hosts", static_cast<size_t>(i)), max_body, conversion));
  }
  checkDomains(config, place);
  result.header_mutations = convertMutations(config, place);
  result.filters =
      convertFilterOverrides(config.typed_per_filter_config(), place.field("typed_per_filter_config"), conversion);
  result.most_specific_mutations_win = config.most_specific_header_mutations_wins();
  result.ignore_port_in_host = config.ignore_port_in_host_matching();
  const bool validate = !config.has_validate_clusters() || config.validate_clusters().value();
  if (!validate) {
    const auto kept = conversion.cluster_references.begin() + static_cast<std::ptrdiff_t>(references);
    conversion.cluster_references.erase(kept, conversion.cluster_references.end());
  }
  return result;
}

const SupportTables& routeSupport() {
  static constexpr std::string_view kNoTracing = "there is no tracing to describe";
  static const SupportTables kTables{
      {"envoy.config.route.v3.RouteConfiguration",
       {{"name"},
        {"virtual_hosts"},
        {"request_headers_to_add"},
        {"request_headers_to_remove"},
        {"response_headers_to_add"},
        {"response_headers_to_remove"},
        {"most_specific_header_mutations_wins"},
        {"validate_clusters"},
        {"max_direct_response_body_size_bytes"},
        {"ignore_port_in_host_matching"},
        refused("vhds", "xDS comes later"),
        {"typed_per_filter_config"}}},
      {"envoy.config.route.v3.VirtualHost",
       {{"name"},
        {"domains"},
        {"routes"},
        {"require_tls"},
        {"request_headers_to_add"},
        {"request_headers_to_remove"},
        {"response_headers_to_add"},
        {"response_headers_to_remove"},
        {"metadata"},
        {"include_request_attempt_count"},
        {"include_attempt_count_in_response"},
        {"include_is_timeout_retry_header"},
        {"request_body_buffer_limit"},
        {"retry_policy"},
        {"typed_per_filter_config"},
        refused("cors", "CORS comes later")}},
      {"envoy.config.route.v3.Route",
       {{"name"},
        {"match"},
        {"route"},
        {"redirect"},
        {"direct_response"},
        {"non_forwarding_action"},
        {"metadata"},
        {"request_body_buffer_limit"},
        {"request_headers_to_add"},
        {"request_headers_to_remove"},
        {"response_headers_to_add"},
        {"response_headers_to_remove"},
        noEffect("decorator", kNoTracing),
        noEffect("tracing", kNoTracing),
        {"typed_per_filter_config"}}},
      {"envoy.config.route.v3.NonForwardingAction", {}},
      {"envoy.config.route.v3.FilterConfig", {{"config"}, {"is_optional"}, {"disabled"}}},
      {"envoy.config.route.v3.RouteMatch",
       {{"prefix"},
        {"path"},
        {"safe_regex"},
        {"connect_matcher"},
        {"path_separated_prefix"},
        {"case_sensitive"},
        {"runtime_fraction"},
        {"headers"},
        {"query_parameters"},
        {"grpc"}}},
      {"envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions", {}},
      {"envoy.config.route.v3.RouteMatch.ConnectMatcher", {}},
      {"envoy.config.route.v3.HeaderMatcher",
       {{"name"},
        {"exact_match"},
        {"safe_regex_match"},
        {"range_match"},
        {"present_match"},
        {"prefix_match"},
        {"suffix_match"},
        {"contains_match"},
        {"string_match"},
        {"invert_match"},
        {"treat_missing_header_as_empty"}}},
      {"envoy.config.route.v3.QueryParameterMatcher", {{"name"}, {"string_match"}, {"present_match"}}},
      {"envoy.config.route.v3.RouteAction",
       {{"cluster"},
        {"cluster_header"},
        {"weighted_clusters"},
        {"cluster_not_found_response_code"},
        {"prefix_rewrite"},
        {"regex_rewrite"},
        {"host_rewrite_literal"},
        {"auto_host_rewrite"},
        {"host_rewrite_header"},
        {"host_rewrite_path_regex"},
        {"append_x_forwarded_host"},
        {"timeout"},
        {"idle_timeout"},
        {"retry_policy"},
        {"upgrade_configs"},
        {"max_stream_duration"},
        {"max_grpc_timeout"},
        {"grpc_timeout_offset"},
        {"priority"},
        {"hash_policy"},
        refused("request_mirror_policies", "mirroring comes later")}},
      {"envoy.config.route.v3.RouteAction.UpgradeConfig", {{"upgrade_type"}, {"enabled"}, {"connect_config"}}},
      {"envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig",
       {{"allow_post"}, refused("proxy_protocol_config", "a tunnel's connection begins without a PROXY header")}},
      {"envoy.config.route.v3.RouteAction.HashPolicy",
       {{"header"}, {"cookie"}, {"connection_properties"}, {"query_parameter"}, {"filter_state"}, {"terminal"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.Header", {{"header_name"}, {"regex_rewrite"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.Cookie", {{"name"}, {"ttl"}, {"path"}, {"attributes"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute", {{"name"}, {"value"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties", {{"source_ip"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter", {{"name"}}},
      {"envoy.config.route.v3.RouteAction.HashPolicy.FilterState", {{"key"}}},
      {"envoy.config.route.v3.RouteAction.MaxStreamDuration",
       {{"max_stream_duration"}, {"grpc_timeout_header_max"}, {"grpc_timeout_header_offset"}}},
      {"envoy.config.route.v3.WeightedCluster",
       {{"clusters"}, noEffect("total_weight", "the sum of the weights counts"), {"runtime_key_prefix"}}},
      {"envoy.config.route.v3.WeightedCluster.ClusterWeight",
       {{"name"},
        {"weight"},
        {"request_headers_to_add"},
        {"request_headers_to_remove"},
        {"response_headers_to_add"},
        {"response_headers_to_remove"},
        {"host_rewrite_literal"},
        {"typed_per_filter_config"}}},
      {"envoy.config.route.v3.RedirectAction",
       {{"https_redirect"},
        {"scheme_redirect"},
        {"host_redirect"},
        {"port_redirect"},
        {"path_redirect"},
        {"prefix_rewrite"},
        {"regex_rewrite"},
        {"response_code"},
        {"strip_query"}}},
      {"envoy.config.route.v3.DirectResponseAction", {{"status"}, {"body"}, {"body_format"}}},
      {"envoy.config.core.v3.HeaderValueOption", {{"header"}, {"append"}, {"append_action"}, {"keep_empty_value"}}},
      {"envoy.config.core.v3.HeaderValue", {{"key"}, {"value"}}},
  };
  return kTables;
}

}  // namespace weir::config
