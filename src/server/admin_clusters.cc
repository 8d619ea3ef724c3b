// Listeners with the addresses that they really have, clusters with their endpoints.
#include <fmt/core.h>

#include "server/admin_json.h"
#include "server/admin_pages.h"

namespace weir::server {
namespace {

// Nothing routes by priority: the limits of the high one are Envoy's defaults.
constexpr uint32_t kHighPriorityLimit = 1024;
constexpr uint32_t kHighPriorityRetries = 3;

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

void appendLimits(std::string& out, const std::string& name, std::string_view priority, uint32_t connections,
                  uint32_t pending, uint32_t requests, uint32_t retries) {
  const std::string start = fmt::format("{}::{}_priority::max_", name, priority);
  out += fmt::format("{}connections::{}\n", start, connections);
  out += fmt::format("{}pending_requests::{}\n", start, pending);
  out += fmt::format("{}requests::{}\n", start, requests);
  out += fmt::format("{}retries::{}\n", start, retries);
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
  line("health_flags", endpoint.healthy ? "healthy" : "/failed_active_hc");
  line("weight", endpoint.weight);
  line("region", "");
  line("zone", "");
  line("sub_zone", "");
  line("canary", false);
  line("priority", 0);
  line("success_rate", -1);
  line("local_origin_success_rate", -1);
}

std::string clustersText(const std::vector<ClusterStatus>& clusters) {
  std::string out;
  for (const ClusterStatus& cluster : clusters) {
    out += fmt::format("{}::observability_name::{}\n", cluster.name, cluster.observability_name);
    appendLimits(out, cluster.name, "default", cluster.max_connections, cluster.max_pending_requests,
                 cluster.max_requests, cluster.max_retries);
    appendLimits(out, cluster.name, "high", kHighPriorityLimit, kHighPriorityLimit, kHighPriorityLimit,
                 kHighPriorityRetries);
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
  json.key("eds_health_status").text(endpoint.healthy ? "HEALTHY" : "UNHEALTHY").endObject();
  json.key("weight").number(endpoint.weight);
  if (!endpoint.hostname.empty()) json.key("hostname").text(endpoint.hostname);
  json.key("locality").beginObject().endObject().endObject();
}

void writeThreshold(JsonWriter& json, bool high, uint32_t connections, uint32_t pending, uint32_t requests,
                    uint32_t retries) {
  json.beginObject();
  if (high) json.key("priority").text("HIGH");
  json.key("max_connections").number(connections);
  json.key("max_pending_requests").number(pending);
  json.key("max_requests").number(requests);
  json.key("max_retries").number(retries).endObject();
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
    writeThreshold(json, false, cluster.max_connections, cluster.max_pending_requests, cluster.max_requests,
                   cluster.max_retries);
    writeThreshold(json, true, kHighPriorityLimit, kHighPriorityLimit, kHighPriorityLimit, kHighPriorityRetries);
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
