// What is in force, and where it came from: /config_dump and /init_dump, and the way out: /drain_listeners.
#include <fmt/chrono.h>
#include <re2/re2.h>

#include "server/admin_json.h"
#include "server/admin_pages.h"

namespace weir::server {
namespace {

// RFC 3339, to the millisecond.
std::string timestamp(base::WallTime time) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(millis / 1000)),
                     millis % 1000);
}

void writeMembers(JsonWriter& json, std::string_view what, const ResourceStatus& resource) {
  if (resource.dynamic) json.key("version_info").text(resource.version);
  json.key(what).raw(resource.dump);
  json.key("last_updated").text(timestamp(resource.updated));
}

void writeCluster(JsonWriter& json, const ResourceStatus& cluster) { writeMembers(json, "cluster", cluster); }
void writeRoutes(JsonWriter& json, const ResourceStatus& routes) { writeMembers(json, "route_config", routes); }
void writeStaticListener(JsonWriter& json, const ResourceStatus& listener) { writeMembers(json, "listener", listener); }

void writeEndpoints(JsonWriter& json, const ResourceStatus& endpoints) {
  json.key("endpoint_config").raw(endpoints.dump);
}

void writeDynamicListener(JsonWriter& json, const ResourceStatus& listener) {
  json.key("name").text(listener.name);
  json.key(listener.draining ? "draining_state" : "active_state").beginObject();
  writeMembers(json, "listener", listener);
  json.endObject();
}

// One list of one dump: what stands in it, and how.
struct List {
  std::string_view name;
  std::string_view type;  // Of its members, for ?resource=.
  std::vector<const ResourceStatus*> resources;
  void (*write)(JsonWriter&, const ResourceStatus&);
};

struct Dump {
  std::string_view type;
  std::string version;
  std::vector<List> lists;
};

List listOf(std::string_view name, std::string_view type, const std::vector<ResourceStatus>& resources, bool dynamic,
            void (*write)(JsonWriter&, const ResourceStatus&), const re2::RE2* wanted) {
  List list{name, type, {}, write};
  for (const ResourceStatus& resource : resources) {
    if (resource.dynamic != dynamic) continue;
    if (wanted == nullptr || re2::RE2::PartialMatch(resource.name, *wanted)) list.resources.push_back(&resource);
  }
  return list;
}

std::vector<Dump> dumpsOf(const DiscoveryStatus& status, bool endpoints, const re2::RE2* wanted) {
  std::vector<Dump> dumps;
  dumps.push_back(
      {"ClustersConfigDump",
       status.clusters_version,
       {listOf("static_clusters", "ClustersConfigDump.StaticCluster", status.clusters, false, writeCluster, wanted),
        listOf("dynamic_active_clusters", "ClustersConfigDump.DynamicCluster", status.clusters, true, writeCluster,
               wanted)}});
  if (endpoints) {
    dumps.push_back({"EndpointsConfigDump",
                     "",
                     {listOf("dynamic_endpoint_configs", "EndpointsConfigDump.DynamicEndpointConfig", status.endpoints,
                             true, writeEndpoints, wanted)}});
  }
  dumps.push_back({"ListenersConfigDump",
                   status.listeners_version,
                   {listOf("static_listeners", "ListenersConfigDump.StaticListener", status.listeners, false,
                           writeStaticListener, wanted),
                    listOf("dynamic_listeners", "ListenersConfigDump.DynamicListener", status.listeners, true,
                           writeDynamicListener, wanted)}});
  dumps.push_back({"ScopedRoutesConfigDump", "", {}});
  dumps.push_back({"RoutesConfigDump",
                   "",
                   {listOf("dynamic_route_configs", "RoutesConfigDump.DynamicRouteConfig", status.routes, true,
                           writeRoutes, wanted)}});
  dumps.push_back({"SecretsConfigDump", "", {}});
  return dumps;
}

std::string typeUrl(std::string_view type) { return fmt::format("type.googleapis.com/envoy.admin.v3.{}", type); }

// weir refuses a response as a whole: the reason stands beside the listeners, once.
void writeError(JsonWriter& json, const ResourceError& error) {
  json.beginObject().key("name").text("").key("error_state").beginObject();
  json.key("last_update_attempt").text(timestamp(error.attempt));
  json.key("details").text(error.details);
  json.key("version_info").text(error.version).endObject().endObject();
}

void writeDump(JsonWriter& json, const Dump& dump, const ResourceError* error) {
  json.beginObject().key("@type").text(typeUrl(dump.type));
  if (!dump.version.empty()) json.key("version_info").text(dump.version);
  for (const List& list : dump.lists) {
    const bool errs = error != nullptr && list.name == "dynamic_listeners";
    if (list.resources.empty() && !errs) continue;
    json.key(list.name).beginArray();
    for (const ResourceStatus* resource : list.resources) {
      json.beginObject();
      list.write(json, *resource);
      json.endObject();
    }
    if (errs) writeError(json, *error);
    json.endArray();
  }
  json.endObject();
}

// The members of one list, each as a configuration of its own. False: there is no such list.
bool writeResource(JsonWriter& json, const std::vector<Dump>& dumps, std::string_view name) {
  bool known = false;
  for (const Dump& dump : dumps) {
    for (const List& list : dump.lists) {
      if (list.name != name) continue;
      known = true;
      for (const ResourceStatus* resource : list.resources) {
        json.beginObject().key("@type").text(typeUrl(list.type));
        list.write(json, *resource);
        json.endObject();
      }
    }
  }
  return known;
}

}  // namespace

AdminAnswer adminConfigDump(const AdminContext& context, const AdminQuery& query) {
  if (query.has("mask")) return {.status = 400, .body = "config_dump: 'mask' is not supported\n"};
  const re2::RE2 regex(std::string(query.get("name_regex").value_or("")), re2::RE2::Quiet);
  if (!regex.ok()) return {.status = 400, .body = "Error while parsing name_regex from " + regex.error() + "\n"};
  const bool named = query.has("name_regex");
  const DiscoveryStatus status = context.source.discovery();
  const std::vector<Dump> dumps = dumpsOf(status, query.has("include_eds"), named ? &regex : nullptr);
  const ServerFacts& facts = context.source.facts();
  JsonWriter json;
  json.beginObject().key("configs").beginArray();
  if (const auto resource = query.get("resource")) {
    if (!writeResource(json, dumps, *resource)) {
      return {.status = 404, .body = std::string(*resource) + " not found in config dump"};
    }
    json.endArray().endObject();
    return {.content_type = kJson, .body = json.take()};
  }
  if (!named) {
    json.beginObject().key("@type").text(typeUrl("BootstrapConfigDump"));
    json.key("bootstrap").raw(facts.bootstrap);
    json.key("last_updated").text(timestamp(facts.started)).endObject();
  }
  for (const Dump& dump : dumps) {
    writeDump(json, dump, status.listeners_error && !named ? &*status.listeners_error : nullptr);
  }
  json.endArray().endObject();
  return {.content_type = kJson, .body = json.take()};
}

// Everything that Envoy waits for at start has been read when weir answers here.
AdminAnswer adminInitDump(const AdminContext&, const AdminQuery&) { return {.content_type = kJson, .body = "{}\n"}; }

AdminAnswer adminDrainListeners(const AdminContext& context, const AdminQuery& query) {
  DrainRequest request;
  request.graceful = query.has("graceful");
  request.skip_exit = query.has("skip_exit");
  request.inbound_only = query.has("inboundonly");
  if (request.skip_exit && !request.graceful) return {.status = 400, .body = "skip_exit requires graceful\n"};
  context.source.drainListeners(request);
  return {.body = "OK\n"};
}

}  // namespace weir::server
