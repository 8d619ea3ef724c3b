// envoy.config.route.v3.RouteAction.HashPolicy.
#include "config/values.h"

namespace weir::config {

namespace {

using v3 = envoy::config::route::v3::RouteAction;

void convertCookie(const v3::HashPolicy::Cookie& cookie, const Place& place, route::HashPolicy& result) {
  result.name = cookie.name();
  if (cookie.has_ttl()) result.cookie_ttl = convertDuration(cookie.ttl(), place.field("ttl"));
  result.cookie_path = cookie.path();
  for (const auto& attribute : cookie.attributes()) {
    result.cookie_attributes.emplace_back(attribute.name(), attribute.value());
  }
}

}  // namespace

// nullopt: it asks for nothing (connection_properties without source_ip).
std::optional<route::HashPolicy> convertHashPolicy(const v3::HashPolicy& policy, const Place& place) {
  using Kind = route::HashPolicy::Kind;
  route::HashPolicy result;
  result.terminal = policy.terminal();
  switch (policy.policy_specifier_case()) {
    case v3::HashPolicy::kHeader:
      result.kind = Kind::Header;
      result.name = policy.header().header_name();
      if (policy.header().has_regex_rewrite()) {
        result.header_rewrite =
            convertRewrite(policy.header().regex_rewrite(), place.field("header").field("regex_rewrite"));
      }
      return result;
    case v3::HashPolicy::kCookie:
      result.kind = Kind::Cookie;
      convertCookie(policy.cookie(), place.field("cookie"), result);
      return result;
    case v3::HashPolicy::kConnectionProperties:
      result.kind = Kind::SourceIp;
      if (!policy.connection_properties().source_ip()) return std::nullopt;
      return result;
    case v3::HashPolicy::kQueryParameter:
      result.kind = Kind::QueryParameter;
      result.name = policy.query_parameter().name();
      return result;
    case v3::HashPolicy::kFilterState:
      result.kind = Kind::FilterState;
      result.name = policy.filter_state().key();
      return result;
    case v3::HashPolicy::POLICY_SPECIFIER_NOT_SET:
      place.fault(FaultKind::Rule,
                  "one of header, cookie, connection_properties, query_parameter, filter_state is required");
  }
  return std::nullopt;
}

}  // namespace weir::config
