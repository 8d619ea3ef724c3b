// envoy.config.core.v3.HealthCheck.
#include <envoy/config/core/v3/health_check.pb.h>

#include "config/cluster_parts.h"
#include "config/header_mutations.h"
#include "config/values.h"

namespace weir::config {
namespace {

using envoy::config::core::v3::HealthCheck;
using upstream::HealthCheckSpec;
using upstream::ServiceNameMatch;

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Text payloads are hexadecimal.
std::string convertPayload(const HealthCheck::Payload& payload, const Place& place) {
  if (payload.has_binary()) return payload.binary();
  std::string bytes;
  const std::string& text = payload.text();
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = hexDigit(text[i]), low = hexDigit(text[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  if (bytes.size() * 2 != text.size())
    place.field("text").fault(FaultKind::Rule, "must be pairs of hexadecimal digits");
  return bytes;
}

template <typename Payloads>
std::vector<std::string> convertPayloads(const Payloads& payloads, const Place& place) {
  std::vector<std::string> out;
  for (int i = 0; i < payloads.size(); i++) {
    out.push_back(convertPayload(payloads.Get(i), place.item("receive", static_cast<size_t>(i))));
  }
  return out;
}

template <typename Ranges>
std::vector<HealthCheckSpec::StatusRange> convertRanges(const Ranges& ranges, const Place& place) {
  std::vector<HealthCheckSpec::StatusRange> out;
  for (int i = 0; i < ranges.size(); i++) {
    const auto& range = ranges.Get(i);
    if (range.start() >= range.end() || range.start() < 100 || range.end() > 600) {
      place.item(static_cast<size_t>(i))
          .fault(FaultKind::Rule, fmt::format("[{}, {}) is no range of status codes", range.start(), range.end()));
    }
    out.push_back({static_cast<int>(range.start()), static_cast<int>(range.end())});
  }
  return out;
}

void convertName(const envoy::type::matcher::v3::StringMatcher& matcher, const Place& place, HealthCheckSpec& spec) {
  using How = ServiceNameMatch::How;
  ServiceNameMatch& match = spec.service_name.emplace();
  match.ignore_case = matcher.ignore_case();
  if (matcher.has_exact()) match = {How::Exact, matcher.exact(), matcher.ignore_case()};
  if (matcher.has_prefix()) match = {How::Prefix, matcher.prefix(), matcher.ignore_case()};
  if (matcher.has_suffix()) match = {How::Suffix, matcher.suffix(), matcher.ignore_case()};
  if (matcher.has_contains()) match = {How::Contains, matcher.contains(), matcher.ignore_case()};
  if (matcher.has_safe_regex()) place.field("safe_regex").unsupported("a regular expression for a service's name");
}

// The rules are those of routes; a check has no request that operators could tell of.
std::vector<HealthCheckSpec::AddedHeader> convertAdded(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::HeaderValueOption>& options, const Place& place) {
  using From = route::HeaderValueOption::Action;
  using How = HealthCheckSpec::AddedHeader::How;
  std::vector<HealthCheckSpec::AddedHeader> out;
  size_t number = 0;
  for (route::HeaderValueOption& option : convertOptions(options, place)) {
    const Place at = place.item(number++);
    if (option.value.find('%') != std::string::npos) at.unsupported("an operator in a check's header");
    if (option.value.empty() && !option.keep_empty_value) continue;
    How how = How::Append;
    if (option.action == From::AddIfAbsent) how = How::IfAbsent;
    if (option.action == From::OverwriteIfExistsOrAdd) how = How::Set;
    if (option.action == From::OverwriteIfExists) how = How::SetIfPresent;
    out.push_back({std::move(option.name), std::move(option.value), how});
  }
  return out;
}

void convertHttp(const HealthCheck::HttpHealthCheck& http, const Place& place, HealthCheckSpec& spec) {
  spec.kind = HealthCheckSpec::Kind::Http;
  spec.host = http.host();
  spec.path = http.path();
  if (http.method() != envoy::config::core::v3::METHOD_UNSPECIFIED) {
    spec.method = envoy::config::core::v3::RequestMethod_Name(http.method());
    if (http.method() == envoy::config::core::v3::CONNECT) place.field("method").fault(FaultKind::Rule, "not CONNECT");
  }
  if (http.has_send()) spec.send = convertPayload(http.send(), place.field("send"));
  spec.receive = convertPayloads(http.receive(), place);
  if (http.expected_statuses_size() > 0) {
    spec.expected = convertRanges(http.expected_statuses(), place.field("expected_statuses"));
  }
  spec.retriable = convertRanges(http.retriable_statuses(), place.field("retriable_statuses"));
  spec.headers_to_add = convertAdded(http.request_headers_to_add(), place.field("request_headers_to_add"));
  for (const std::string& name : http.request_headers_to_remove()) spec.headers_to_remove.push_back(name);
  spec.http2 = http.codec_client_type() == envoy::type::v3::HTTP2;
  if (http.codec_client_type() == envoy::type::v3::HTTP3) {
    place.field("codec_client_type").unsupported("health checks over HTTP/3");
  }
  if (http.has_service_name_matcher()) {
    convertName(http.service_name_matcher(), place.field("service_name_matcher"), spec);
  }
}

void convertTcp(const HealthCheck::TcpHealthCheck& tcp, const Place& place, HealthCheckSpec& spec) {
  spec.kind = HealthCheckSpec::Kind::Tcp;
  if (tcp.has_send()) spec.send = convertPayload(tcp.send(), place.field("send"));
  spec.receive = convertPayloads(tcp.receive(), place);
}

void convertGrpc(const HealthCheck::GrpcHealthCheck& grpc, const Place& place, HealthCheckSpec& spec) {
  spec.kind = HealthCheckSpec::Kind::Grpc;
  spec.grpc_service = grpc.service_name();
  spec.grpc_authority = grpc.authority();
  spec.headers_to_add = convertAdded(grpc.initial_metadata(), place.field("initial_metadata"));
}

// Each interval that is not given is the one that it refines.
void convertIntervals(const HealthCheck& check, const Place& place, HealthCheckSpec& spec) {
  const auto duration = [&place](const google::protobuf::Duration& value, std::string_view name) {
    return convertDuration(value, place.field(name));
  };
  spec.timeout = duration(check.timeout(), "timeout");
  spec.interval = duration(check.interval(), "interval");
  spec.initial_jitter = duration(check.initial_jitter(), "initial_jitter");
  spec.interval_jitter = duration(check.interval_jitter(), "interval_jitter");
  spec.interval_jitter_percent = check.interval_jitter_percent();
  if (check.has_no_traffic_interval())
    spec.no_traffic_interval = duration(check.no_traffic_interval(), "no_traffic_interval");
  spec.no_traffic_healthy_interval = spec.no_traffic_interval;
  if (check.has_no_traffic_healthy_interval()) {
    spec.no_traffic_healthy_interval = duration(check.no_traffic_healthy_interval(), "no_traffic_healthy_interval");
  }
  spec.unhealthy_interval =
      check.has_unhealthy_interval() ? duration(check.unhealthy_interval(), "unhealthy_interval") : spec.interval;
  spec.unhealthy_edge_interval = check.has_unhealthy_edge_interval()
                                     ? duration(check.unhealthy_edge_interval(), "unhealthy_edge_interval")
                                     : spec.unhealthy_interval;
  spec.healthy_edge_interval = check.has_healthy_edge_interval()
                                   ? duration(check.healthy_edge_interval(), "healthy_edge_interval")
                                   : spec.interval;
}

HealthCheckSpec convertHealthCheck(const HealthCheck& check, const Place& place) {
  HealthCheckSpec spec;
  convertIntervals(check, place, spec);
  spec.unhealthy_threshold = check.unhealthy_threshold().value();
  spec.healthy_threshold = check.healthy_threshold().value();
  if (check.has_reuse_connection()) spec.reuse_connection = check.reuse_connection().value();
  if (check.has_http_health_check()) {
    convertHttp(check.http_health_check(), place.field("http_health_check"), spec);
  } else if (check.has_tcp_health_check()) {
    convertTcp(check.tcp_health_check(), place.field("tcp_health_check"), spec);
  } else if (check.has_grpc_health_check()) {
    convertGrpc(check.grpc_health_check(), place.field("grpc_health_check"), spec);
  }
  return spec;
}

}  // namespace

void convertHealthChecks(const envoy::config::cluster::v3::Cluster& cluster, const Place& place,
                         upstream::ClusterSpec& spec) {
  if (cluster.health_checks_size() > 1) {
    place.field("health_checks").fault(FaultKind::Conflict, "a cluster has one health check at most, as in Envoy");
  }
  for (int i = 0; i < cluster.health_checks_size(); i++) {
    const Place at = place.item("health_checks", static_cast<size_t>(i));
    spec.health_checks.push_back(convertHealthCheck(cluster.health_checks(i), at));
    if (cluster.health_checks(i).has_grpc_health_check() && spec.protocol == upstream::HttpProtocol::Http1) {
      at.field("grpc_health_check")
          .fault(FaultKind::Conflict, spec.name + " cluster must support HTTP/2 for gRPC healthchecking");
    }
  }
  spec.ignore_health_on_removal = cluster.ignore_health_on_host_removal();
  spec.close_connections_on_unhealthy = cluster.close_connections_on_host_health_failure();
}

SupportTables healthCheckSupport() {
  static constexpr std::string_view kEvents =
      "health check events are not logged; see the cluster's stats and /clusters";
  static constexpr std::string_view kSockets = "checks use the cluster's transport socket";
  return {
      {"envoy.config.core.v3.HealthCheck",
       {{"timeout"},
        {"interval"},
        {"initial_jitter"},
        {"interval_jitter"},
        {"interval_jitter_percent"},
        {"unhealthy_threshold"},
        {"healthy_threshold"},
        {"reuse_connection"},
        {"http_health_check"},
        {"tcp_health_check"},
        {"grpc_health_check"},
        {"no_traffic_interval"},
        {"no_traffic_healthy_interval"},
        {"unhealthy_interval"},
        {"unhealthy_edge_interval"},
        {"healthy_edge_interval"},
        noEffect("always_log_health_check_failures", kEvents),
        noEffect("always_log_health_check_success", kEvents),
        refused("alt_port", "give the endpoint a health_check_config.port_value"),
        refused("custom_health_check", "there is no checker of that kind"),
        refused("event_log_path", kEvents),
        refused("event_logger", kEvents),
        refused("event_service", kEvents),
        refused("tls_options", kSockets),
        refused("transport_socket_match_criteria", kSockets)}},
      {"envoy.config.core.v3.HealthCheck.Payload", {{"text"}, {"binary"}}},
      {"envoy.config.core.v3.HealthCheck.HttpHealthCheck",
       {{"host"},
        {"path"},
        {"send"},
        {"receive"},
        {"method"},
        {"expected_statuses"},
        {"retriable_statuses"},
        {"request_headers_to_add"},
        {"request_headers_to_remove"},
        {"codec_client_type"},
        {"service_name_matcher"},
        noEffect("response_buffer_size", "at most 64 KiB of a body are looked at")}},
      {"envoy.config.core.v3.HealthCheck.TcpHealthCheck",
       {{"send"}, {"receive"}, refused("proxy_protocol_config", "checks have no PROXY header")}},
      {"envoy.config.core.v3.HealthCheck.GrpcHealthCheck", {{"service_name"}, {"authority"}, {"initial_metadata"}}},
  };
}

}  // namespace weir::config
