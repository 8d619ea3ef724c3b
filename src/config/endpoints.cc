// envoy.config.endpoint.v3: who the members of a cluster are.
#include "config/cluster_parts.h"
#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::endpoint::v3;
using upstream::Assignment;

// A host name is for the DNS types only; an address written as one is right everywhere.
void checkHost(const upstream::EndpointSpec& endpoint, upstream::Discovery discovery, const Place& place) {
  if (discovery != upstream::Discovery::Static || endpoint.host.empty()) return;
  if (net::Address::parseIp(endpoint.host, endpoint.port).ok()) return;
  place.fault(FaultKind::Conflict,
              fmt::format("a STATIC cluster needs an IP address, got '{}'; for a name set type: STRICT_DNS or "
                          "LOGICAL_DNS",
                          endpoint.host));
}

upstream::AssignedHealth convertHealth(envoy::config::core::v3::HealthStatus status) {
  switch (status) {
    case envoy::config::core::v3::HEALTHY: return upstream::AssignedHealth::Healthy;
    case envoy::config::core::v3::UNHEALTHY: return upstream::AssignedHealth::Unhealthy;
    case envoy::config::core::v3::DRAINING: return upstream::AssignedHealth::Draining;
    case envoy::config::core::v3::TIMEOUT: return upstream::AssignedHealth::Timeout;
    case envoy::config::core::v3::DEGRADED: return upstream::AssignedHealth::Degraded;
    default: return upstream::AssignedHealth::Unknown;
  }
}

void convertCheck(const v3::Endpoint::HealthCheckConfig& check, const Place& place, upstream::EndpointSpec& endpoint) {
  endpoint.check_port = static_cast<uint16_t>(check.port_value());
  endpoint.check_host = check.hostname();
  endpoint.check_disabled = check.disable_active_health_check();
  if (!check.has_address()) return;
  const auto address = convertAddress(check.address(), place.field("address"));
  if (!address) return;
  endpoint.check_ip = address->ip();
  endpoint.check_port = address->port();
}

void convertEndpoint(const v3::LbEndpoint& lb, const v3::LocalityLbEndpoints& locality, const Place& place,
                     upstream::Discovery discovery, Assignment& assignment) {
  if (!lb.has_endpoint()) return place.field("endpoint").fault(FaultKind::Rule, "is required");
  const auto& endpoint = lb.endpoint();
  const Place address = place.field("endpoint").field("address");
  if (!endpoint.has_address()) return address.fault(FaultKind::Rule, "is required");

  upstream::EndpointSpec result;
  if (endpoint.address().has_pipe()) {
    result.unix_path = endpoint.address().pipe().path();
  } else {
    const auto& socket = endpoint.address().socket_address();
    result.host = socket.address();
    result.port = static_cast<uint16_t>(socket.port_value());
    checkHost(result, discovery, address.field("socket_address").field("address"));
  }
  result.hostname = endpoint.hostname();
  result.weight = lb.has_load_balancing_weight() ? lb.load_balancing_weight().value() : 1;
  result.metadata = serialized(lb.metadata());
  result.announced_tlvs = convertAnnouncedTlvs(lb.metadata(), place.field("metadata"));
  result.health = convertHealth(lb.health_status());
  convertCheck(endpoint.health_check_config(), place.field("endpoint").field("health_check_config"), result);
  result.priority = locality.priority();
  result.locality = {locality.locality().region(), locality.locality().zone(), locality.locality().sub_zone()};
  result.locality_metadata = serialized(locality.metadata());
  result.locality_weight = locality.load_balancing_weight().value();
  assignment.endpoints.push_back(std::move(result));
}

}  // namespace

upstream::Assignment convertAssignment(const envoy::config::endpoint::v3::ClusterLoadAssignment& assignment,
                                       upstream::Discovery discovery, const Place& place) {
  Assignment result;
  for (int i = 0; i < assignment.endpoints_size(); i++) {
    const auto& locality = assignment.endpoints(i);
    const Place here = place.item("endpoints", static_cast<size_t>(i));
    for (int j = 0; j < locality.lb_endpoints_size(); j++) {
      convertEndpoint(locality.lb_endpoints(j), locality, here.item("lb_endpoints", static_cast<size_t>(j)), discovery,
                      result);
    }
  }
  if (assignment.policy().has_overprovisioning_factor()) {
    result.overprovisioning_percent = assignment.policy().overprovisioning_factor().value();
  }
  result.weighted_priority_health = assignment.policy().weighted_priority_health();
  if (discovery == upstream::Discovery::LogicalDns && result.endpoints.size() != 1) {
    place.fault(FaultKind::Conflict,
                fmt::format("a LOGICAL_DNS cluster needs exactly one endpoint, got {}", result.endpoints.size()));
  }
  return result;
}

SupportTables endpointSupport() {
  return {
      {"envoy.config.endpoint.v3.ClusterLoadAssignment", {{"cluster_name"}, {"endpoints"}, {"policy"}}},
      {"envoy.config.endpoint.v3.ClusterLoadAssignment.Policy",
       {{"overprovisioning_factor"}, {"weighted_priority_health"}}},
      {"envoy.config.endpoint.v3.LocalityLbEndpoints",
       {{"lb_endpoints"},
        {"priority"},
        {"locality"},
        {"metadata"},
        {"load_balancing_weight"},
        noEffect("proximity", "Envoy does not read it either")}},
      {"envoy.config.core.v3.Locality", {{"region"}, {"zone"}, {"sub_zone"}}},
      {"envoy.config.endpoint.v3.LbEndpoint",
       {{"endpoint"}, {"health_status"}, {"metadata"}, {"load_balancing_weight"}}},
      {"envoy.config.endpoint.v3.Endpoint", {{"address"}, {"hostname"}, {"health_check_config"}}},
      {"envoy.config.endpoint.v3.Endpoint.HealthCheckConfig",
       {{"port_value"}, {"hostname"}, {"address"}, {"disable_active_health_check"}}},
  };
}

}  // namespace weir::config
