#include "config/legacy.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace weir::config {
namespace {

constexpr std::string_view kManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
constexpr std::string_view kHttpWasm = "envoy.extensions.filters.http.wasm.v3.Wasm";
constexpr std::string_view kNetworkWasm = "envoy.extensions.filters.network.wasm.v3.Wasm";
constexpr std::string_view kTcpProxy = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
constexpr std::string_view kRouter = "envoy.extensions.filters.http.router.v3.Router";

using Renamed = std::pair<std::string_view, std::string_view>;

// What an untyped `config` was, by the filter's name.
constexpr std::array kNetworkFilters{
    Renamed{"envoy.http_connection_manager", kManager},
    Renamed{"envoy.filters.network.http_connection_manager", kManager},
    Renamed{"envoy.tcp_proxy", kTcpProxy},
    Renamed{"envoy.filters.network.tcp_proxy", kTcpProxy},
    Renamed{"envoy.filters.network.wasm", kNetworkWasm},
};
constexpr std::array kHttpFilters{
    Renamed{"envoy.router", kRouter},
    Renamed{"envoy.filters.http.router", kRouter},
    Renamed{"envoy.wasm", kHttpWasm},
    Renamed{"envoy.filters.http.wasm", kHttpWasm},
};
constexpr std::array kTypes{
    Renamed{"envoy.config.filter.http.wasm.v2.Wasm", kHttpWasm},
    Renamed{"envoy.config.filter.network.wasm.v2.Wasm", kNetworkWasm},
    Renamed{"envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager", kManager},
    Renamed{"envoy.config.filter.http.router.v2.Router", kRouter},
    Renamed{"envoy.config.filter.network.tcp_proxy.v2.TcpProxy", kTcpProxy},
};

template <size_t N>
std::string_view lookUp(const std::array<Renamed, N>& table, std::string_view name) {
  for (const Renamed& entry : table) {
    if (entry.first == name) return entry.second;
  }
  return {};
}

Node text(std::string value, Position position) {
  Node node;
  node.kind = Node::Kind::String;
  node.text = std::move(value);
  node.position = position;
  return node;
}

Node mapping(Position position) {
  Node node;
  node.kind = Node::Kind::Map;
  node.position = position;
  return node;
}

void put(Node& map, std::string_view key, Node value) {
  const Position position = value.position;
  map.members.push_back({std::string(key), position, std::move(value)});
}

// What stands at the position is about to be read under the path.
void note(const Place& place, Position position, std::string text) {
  place.report().place(place.path(), position);
  place.notice(std::move(text));
}

const Node* typedConfig(const Node& node) {
  const Node* typed = node.find("typed_config");
  return typed != nullptr ? typed : node.find("typedConfig");
}

void drop(Node& map, std::string_view key) {
  std::erase_if(map.members, [&](const Node::Member& member) { return member.key == key; });
}

// {name, config: {...}} to {name, typed_config: {"@type": ..., ...}}.
template <size_t N>
std::optional<Node> typedFilter(const std::array<Renamed, N>& table, const Node& node, const Place& place) {
  const Node* config = node.find("config");
  const Node* name = node.find("name");
  if (config == nullptr || name == nullptr || typedConfig(node) != nullptr) return std::nullopt;
  if (config->kind != Node::Kind::Map && config->kind != Node::Kind::Null) return std::nullopt;
  const std::string_view type = lookUp(table, name->text);
  if (type.empty()) return std::nullopt;

  Node typed = *config;
  typed.kind = Node::Kind::Map;
  drop(typed, "@type");
  put(typed, "@type", text("type.googleapis.com/" + std::string(type), config->position));
  Node modern = node;
  drop(modern, "config");
  put(modern, "typed_config", std::move(typed));
  note(place.field("typed_config"), config->position,
       fmt::format("legacy form: 'config' without a type, read as {}; write typed_config with \"@type\"", type));
  return modern;
}

std::optional<Node> routerWithoutType(const Node& node, const Place& place) {
  const Node* name = node.find("name");
  if (name == nullptr || lookUp(kHttpFilters, name->text) != kRouter) return std::nullopt;
  if (node.find("config") != nullptr) return std::nullopt;
  // `typed_config: {}` is as common as none at all.
  if (const Node* typed = typedConfig(node); typed != nullptr && !(typed->members.empty() && typed->items.empty())) {
    return std::nullopt;
  }
  for (const std::string_view other : {"config_discovery", "configDiscovery"}) {
    if (node.find(other) != nullptr) return std::nullopt;
  }
  Node typed = mapping(node.position);
  put(typed, "@type", text("type.googleapis.com/" + std::string(kRouter), node.position));
  Node modern = node;
  drop(modern, "typed_config");
  drop(modern, "typedConfig");
  put(modern, "typed_config", std::move(typed));
  place.notice(
      fmt::format("legacy form: a router without typed_config; write typed_config: {{\"@type\": "
                  "type.googleapis.com/{}}}",
                  kRouter));
  return modern;
}

// v2: hosts: [{socket_address: ...}], or one mapping, to load_assignment.
std::optional<Node> clusterWithHosts(const Node& node, const Place& place) {
  const Node* hosts = node.find("hosts");
  if (hosts == nullptr || node.find("load_assignment") != nullptr || node.find("loadAssignment") != nullptr) {
    return std::nullopt;
  }
  const std::vector<Node> list = hosts->kind == Node::Kind::List ? hosts->items : std::vector<Node>{*hosts};
  Node endpoints = mapping(hosts->position);
  Node lb_endpoints;
  lb_endpoints.kind = Node::Kind::List;
  lb_endpoints.position = hosts->position;
  for (const Node& host : list) {
    Node endpoint = mapping(host.position);
    put(endpoint, "address", host);
    Node lb_endpoint = mapping(host.position);
    put(lb_endpoint, "endpoint", std::move(endpoint));
    lb_endpoints.items.push_back(std::move(lb_endpoint));
  }
  put(endpoints, "lb_endpoints", std::move(lb_endpoints));

  const Node* name = node.find("name");
  Node assignment = mapping(hosts->position);
  put(assignment, "cluster_name", text(name == nullptr ? "" : name->text, hosts->position));
  put(assignment, "endpoints", std::move(endpoints));
  Node modern = node;
  drop(modern, "hosts");
  put(modern, "load_assignment", std::move(assignment));
  note(place.field("load_assignment"), hosts->position,
       "legacy form: v2 'hosts', read as load_assignment; write load_assignment");
  return modern;
}

}  // namespace

std::optional<Node> modernForm(std::string_view message, const Node& node, const Place& place) {
  if (node.kind != Node::Kind::Map) return std::nullopt;
  if (message == "envoy.config.cluster.v3.Cluster") return clusterWithHosts(node, place);
  if (message == "envoy.config.listener.v3.Filter") return typedFilter(kNetworkFilters, node, place);
  if (message != "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter") return std::nullopt;
  if (std::optional<Node> modern = typedFilter(kHttpFilters, node, place)) return modern;
  return routerWithoutType(node, place);
}

std::optional<Node> modernAny(std::string_view field, const Node& node, const Place& place) {
  const bool configuration = field == "envoy.extensions.wasm.v3.PluginConfig.configuration" ||
                             field == "envoy.extensions.wasm.v3.VmConfig.configuration";
  if (!configuration || node.kind != Node::Kind::String) return std::nullopt;
  Node typed = mapping(node.position);
  put(typed, "@type", text("type.googleapis.com/google.protobuf.StringValue", node.position));
  put(typed, "value", node);
  place.notice(
      "legacy form: a bare string as configuration; write {\"@type\": type.googleapis.com/google.protobuf.StringValue, "
      "value: ...}");
  return typed;
}

std::string modernType(std::string_view type, const Place& place) {
  const std::string_view modern = lookUp(kTypes, type);
  if (modern.empty()) return std::string(type);
  place.notice(fmt::format("legacy form: the v2 type {}, read as {}", type, modern));
  return std::string(modern);
}

}  // namespace weir::config
