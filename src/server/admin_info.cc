// What the process is: its state, version, configuration and memory.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "server/admin_json.h"
#include "server/admin_pages.h"

namespace weir::server {
namespace {

std::string_view nameOf(ServerState state) {
  switch (state) {
    case ServerState::Live: return "LIVE";
    case ServerState::Draining: return "DRAINING";
    case ServerState::PreInitializing: return "PRE_INITIALIZING";
    case ServerState::Initializing: return "INITIALIZING";
  }
  return "";
}

// Options are kept as text; numbers and truth values are shown as such.
bool isBareJson(std::string_view name, std::string_view value) {
  if (value == "true" || value == "false") return true;
  const bool numeric = name == "concurrency" || name == "restart_epoch";
  return numeric && !value.empty() && value.find_first_not_of("0123456789") == value.npos;
}

uint64_t residentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long size = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

// The first line and the status are for machines, and Envoy's: a degraded plugin takes no proxy out of service.
AdminAnswer adminReady(const AdminContext& context, const AdminQuery& query) {
  const ServerState state = context.source.state();
  AdminAnswer answer{.status = state == ServerState::Live ? 200 : 503, .body = std::string(nameOf(state)) + "\n"};
  if (!query.has("verbose")) return answer;
  for (const std::string& line : context.source.degraded()) answer.body += line + "\n";
  return answer;
}

AdminAnswer adminServerInfo(const AdminContext& context, const AdminQuery&) {
  const ServerFacts& facts = context.source.facts();
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(context.now - facts.started).count();
  const std::string uptime = std::to_string(std::max<int64_t>(up, 0)) + "s";
  JsonWriter json;
  json.beginObject();
  json.key("version").text(facts.version);
  json.key("state").text(nameOf(context.source.state()));
  json.key("uptime_current_epoch").text(uptime);
  json.key("uptime_all_epochs").text(uptime);
  json.key("hot_restart_version").text(facts.hot_restart_version);
  json.key("command_line_options").beginObject();
  for (const auto& [name, value] : facts.command_line) {
    json.key(name);
    isBareJson(name, value) ? json.raw(value) : json.text(value);
  }
  json.endObject();
  const std::string_view node = memberOf(facts.bootstrap, "node");
  json.key("node").raw(node.empty() ? "{}" : node);
  return {.content_type = kJson, .body = json.endObject().take()};
}

AdminAnswer adminRuntime(const AdminContext& context, const AdminQuery&) {
  const config::RuntimeDump& runtime = context.source.facts().runtime;
  JsonWriter json;
  json.beginObject().key("layers").beginArray();
  for (const std::string& layer : runtime.layers) json.text(layer);
  json.endArray().key("entries").beginObject();
  for (const auto& [key, values] : runtime.values) {
    json.key(key).beginObject().key("layer_values").beginArray();
    std::string_view last;
    for (const std::string& value : values) {
      json.text(value);
      if (!value.empty()) last = value;
    }
    json.endArray().key("final_value").text(last).endObject();
  }
  return {.content_type = kJson, .body = json.endObject().endObject().take()};
}

AdminAnswer adminMemory(const AdminContext&, const AdminQuery&) {
  const auto info = mallinfo2();
  JsonWriter json;
  json.beginObject();
  json.key("allocated").longNumber(info.uordblks + info.hblkhd);
  json.key("heap_size").longNumber(info.arena + info.hblkhd);
  json.key("pageheap_unmapped").longNumber(0);
  json.key("pageheap_free").longNumber(info.fordblks);
  json.key("total_thread_cache").longNumber(0);
  json.key("total_physical_bytes").longNumber(residentBytes());
  return {.content_type = kJson, .body = json.endObject().take()};
}

}  // namespace weir::server
