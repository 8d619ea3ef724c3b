// Listeners with the addresses that they really have, clusters with their endpoints.
#include <fmt/core.h>

#include "server/admin_json.h"
#include "server/admin_pages.h"

namespace weir::server {
namespace {

void writeAddress(JsonWriter& json, const net::Address& address) {
  json.beginObject();
  if (address.isIp()) {
    json.key("socket_address").beginObject();
    json.key("address").text(address.ip());
    json.key("port_value").number(address.port());
  } else {
    json.key("pipe").beginObject();
    json.key("path").text(address.toString());
  }
  json.endObject().endObject();
}

void appendLimits(std::string& out, const std::string& name, std::string_view priority,
                  const upstream::BreakerSpec& limits) {
  const std::string start = fmt::format("{}::{}_priority::max_", name, priority);
  out += fmt::format("{}connections::{}\n", start, limits.max_connections);
  out += fmt::format("{}pending_requests::{}\n", start, limits.max_pending_requests);
  out += fmt::format("{}requests::{}\n", start, limits.max_requests);
  out += fmt::format("{}retries::{}\n", start, limits.max_retries);
}

// Envoy's words, in its order.
std::string healthFlags(uint32_t flags) {
  static constexpr std::pair<upstream::HealthFlag, std::string_view> kNames[] = {
      {upstream::kFailedActiveCheck, "/failed_active_hc"},
      {upstream::kFailedOutlierCheck, "/failed_outlier_check"},
      {upstream::kFailedByAssignment, "/failed_eds_health"},
      {upstream::kDegradedActiveCheck, "/degraded_active_hc"},
      {upstream::kDegradedByAssignment, "/degraded_eds_health"},
      {upstream::kPendingRemoval, "/pending_dynamic_removal"},
      {upstream::kPendingActiveCheck, "/pending_active_hc"},
      {upstream::kActiveCheckTimeout, "/active_hc_timeout"},
      {upstream::kDrainingByAssignment, "/eds_status_draining"},
  };
  std::string out;
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) != 0) out += name;
  }
  return out.empty() ? "healthy" : out;
}

void appendEndpoint(std::string& out, const std::string& cluster, const EndpointStatus& endpoint) {
  const std::string start = fmt::format("{}::{}::", cluster, endpoint.address.toString());
  const auto line = [&](std::string_view name, auto value) { out += fmt::format("{}{}::{}\n", start, name, value); };
  line("cx_active", endpoint.cx_active);
  line("cx_connect_fail", endpoint.cx_connect_fail);
  line("cx_total", endpoint.cx_total);
  line("rq_active", endpoint.rq_active);
  line("rq_error", endpoint.rq_error);
  line("rq_pending_active", endpoint.rq_pending_active);
  line("rq_success", endpoint.rq_success);
  line("rq_timeout", endpoint.rq_timeout);
  line("rq_total", endpoint.rq_total);
  line("hostname", endpoint.hostname);
  line("health_flags", healthFlags(endpoint.flags));
  line("weight", endpoint.weight);
  line("region", endpoint.locality.region);
  line("zone", endpoint.locality.zone);
  line("sub_zone", endpoint.locality.sub_zone);
  line("canary", false);
  line("priority", endpoint.priority);
  line("success_rate", endpoint.success_rate);
  line("local_origin_success_rate", endpoint.local_success_rate);
}

std::string clustersText(const std::vector<ClusterStatus>& clusters) {
  std::string out;
  for (const ClusterStatus& cluster : clusters) {
    out += fmt::format("{}::observability_name::{}\n", cluster.name, cluster.observability_name);
    appendLimits(out, cluster.name, "default", cluster.breakers);
    appendLimits(out, cluster.name, "high", cluster.high_breakers);
    out += fmt::format("{}::added_via_api::false\n", cluster.name);
    for (const EndpointStatus& endpoint : cluster.endpoints) appendEndpoint(out, cluster.name, endpoint);
  }
  return out;
}

void writeStat(JsonWriter& json, std::string_view name, uint64_t value, bool gauge) {
  json.beginObject();
  if (gauge) json.key("type").text("GAUGE");
  if (value != 0) json.key("value").longNumber(value);  // Protobuf's JSON leaves zeros out.
  json.key("name").text(name).endObject();
}

void writeHealth(JsonWriter& json, uint32_t flags) {
  const auto set = [&json, flags](upstream::HealthFlag flag, std::string_view name) {
    if ((flags & flag) != 0) json.key(name).raw("true");
  };
  set(upstream::kFailedActiveCheck, "failed_active_health_check");
  set(upstream::kFailedOutlierCheck, "failed_outlier_check");
  set(upstream::kDegradedActiveCheck, "failed_active_degraded_check");
  set(upstream::kPendingRemoval, "pending_dynamic_removal");
  set(upstream::kPendingActiveCheck, "pending_active_hc");
  set(upstream::kActiveCheckTimeout, "active_hc_timeout");
  const bool failed = (flags & upstream::kFailedByAssignment) != 0;
  const bool degraded = (flags & upstream::kDegradedByAssignment) != 0;
  const bool draining = (flags & upstream::kDrainingByAssignment) != 0;
  json.key("eds_health_status").text(draining ? "DRAINING" : failed ? "UNHEALTHY" : degraded ? "DEGRADED" : "HEALTHY");
}

void writeEndpoint(JsonWriter& json, const EndpointStatus& endpoint) {
  json.beginObject().key("address");
  writeAddress(json, endpoint.address);
  json.key("stats").beginArray();
  writeStat(json, "cx_connect_fail", endpoint.cx_connect_fail, false);
  writeStat(json, "cx_total", endpoint.cx_total, false);
  writeStat(json, "rq_error", endpoint.rq_error, false);
  writeStat(json, "rq_success", endpoint.rq_success, false);
  writeStat(json, "rq_timeout", endpoint.rq_timeout, false);
  writeStat(json, "rq_total", endpoint.rq_total, false);
  writeStat(json, "cx_active", endpoint.cx_active, true);
  writeStat(json, "rq_active", endpoint.rq_active, true);
  writeStat(json, "rq_pending_active", endpoint.rq_pending_active, true);
  json.endArray();
  json.key("health_status").beginObject();
  writeHealth(json, endpoint.flags);
  json.endObject();
  json.key("weight").number(endpoint.weight);
  if (!endpoint.hostname.empty()) json.key("hostname").text(endpoint.hostname);
  json.key("locality").beginObject();
  const auto part = [&json](std::string_view name, const std::string& value) {
    if (!value.empty()) json.key(name).text(value);
  };
  part("region", endpoint.locality.region);
  part("zone", endpoint.locality.zone);
  part("sub_zone", endpoint.locality.sub_zone);
  json.endObject();
  if (endpoint.priority != 0) json.key("priority").number(endpoint.priority);
  json.endObject();
}

void writeThreshold(JsonWriter& json, bool high, const upstream::BreakerSpec& limits) {
  json.beginObject();
  if (high) json.key("priority").text("HIGH");
  json.key("max_connections").number(limits.max_connections);
  json.key("max_pending_requests").number(limits.max_pending_requests);
  json.key("max_requests").number(limits.max_requests);
  json.key("max_retries").number(limits.max_retries).endObject();
}

std::string clustersJson(const std::vector<ClusterStatus>& clusters) {
  JsonWriter json;
  json.beginObject().key("cluster_statuses").beginArray();
  for (const ClusterStatus& cluster : clusters) {
    json.beginObject().key("name").text(cluster.name);
    if (!cluster.endpoints.empty()) {
      json.key("host_statuses").beginArray();
      for (const EndpointStatus& endpoint : cluster.endpoints) writeEndpoint(json, endpoint);
      json.endArray();
    }
    json.key("circuit_breakers").beginObject().key("thresholds").beginArray();
    writeThreshold(json, false, cluster.breakers);
    writeThreshold(json, true, cluster.high_breakers);
    json.endArray().endObject();
    json.key("observability_name").text(cluster.observability_name).endObject();
  }
  return json.endArray().endObject().take();
}

}  // namespace

AdminAnswer adminListeners(const AdminContext& context, const AdminQuery& query) {
  const std::vector<ListenerStatus> listeners = context.source.listeners();
  if (query.get("format") != "json") {
    std::string out;
    for (const ListenerStatus& listener : listeners) out += listener.name + "::" + listener.address.toString() + "\n";
    return {.body = std::move(out)};
  }
  JsonWriter json;
  json.beginObject().key("listener_statuses").beginArray();
  for (const ListenerStatus& listener : listeners) {
    json.beginObject().key("name").text(listener.name).key("local_address");
    writeAddress(json, listener.address);
    json.endObject();
  }
  return {.content_type = kJson, .body = json.endArray().endObject().take()};
}

AdminAnswer adminClusters(const AdminContext& context, const AdminQuery& query) {
  const std::vector<ClusterStatus> clusters = context.source.clusters();
  if (query.get("format") == "json") return {.content_type = kJson, .body = clustersJson(clusters)};
  return {.body = clustersText(clusters)};
}

}  // namespace weir::server
