// For the tests of this folder: configurations as short texts.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "config/load.h"

namespace weir::config::testing {

// A whole configuration around what a test is about: {manager} and {cluster} are members of the connection manager and
// of the only cluster, `rest` further top-level members. Lines are counted from the `static_resources:` line.
struct Parts {
  std::string routes = R"([{match: {prefix: "/"}, route: {cluster: web}}])";
  std::string manager;  // "server_name: x"
  std::string filters;  // HTTP filters before the router: "{name: ...},"
  std::string router =
      "{name: envoy.filters.http.router, typed_config: "
      "{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
  std::string listener;
  std::string cluster;
  std::string type = "STATIC";
  std::string endpoint = "{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}}";
  std::string rest;
};

inline std::string bootstrap(const Parts& parts) {
  return fmt::format(R"(static_resources:
  listeners:
  - name: main
    address: {{socket_address: {{address: 127.0.0.1, port_value: 10000}}}}
    {}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          {}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: {}
          http_filters: [{} {}]
  clusters:
  - name: web
    type: {}
    {}
    load_assignment: {{cluster_name: web, endpoints: [{{lb_endpoints: [{}]}}]}}
{}
)",
                     parts.listener, parts.manager, parts.routes, parts.filters, parts.router, parts.type,
                     parts.cluster, parts.endpoint, parts.rest);
}

// An HTTP filter that runs a plugin; `config` holds members of its PluginConfig.
inline std::string wasmFilter(const std::string& config) {
  return "{name: wasm, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, config: "
         "{" +
         config + "}}},";
}

inline LoadOutcome loadYaml(const std::string& yaml) {
  LoadOptions options;
  options.config_yaml = yaml;
  options.environment = [](const std::string& name) {
    return name == "SET" ? std::optional<std::string>("value") : std::nullopt;
  };
  return load(options);
}
inline LoadOutcome loadParts(const Parts& parts) { return loadYaml(bootstrap(parts)); }

// "path: message" of each fault.
inline std::vector<std::string> faults(const LoadOutcome& outcome) {
  std::vector<std::string> all;
  for (const Fault& fault : outcome.faults) all.push_back(fault.path + ": " + fault.message);
  return all;
}
inline std::vector<std::string> faults(const Parts& parts) { return faults(loadParts(parts)); }
inline std::vector<std::string> notices(const LoadOutcome& outcome) {
  std::vector<std::string> all;
  for (const Notice& notice : outcome.notices) all.push_back(notice.path + ": " + notice.message);
  return all;
}

inline constexpr char kManager[] = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config";
inline constexpr char kCluster[] = "static_resources.clusters[0]";

}  // namespace weir::config::testing
