#include "config/filter_overrides.h"

#include <envoy/config/route/v3/route_components.pb.h>
#include <envoy/extensions/filters/http/router/v3/router.pb.h>
#include <envoy/extensions/filters/http/set_metadata/v3/set_metadata.pb.h>
#include <envoy/extensions/filters/http/wasm/v3/wasm.pb.h>

#include <algorithm>
#include <set>

#include "config/message_reader.h"
#include "config/values.h"

namespace weir::config {
namespace {

using envoy::config::route::v3::FilterConfig;
using envoy::extensions::filters::http::router::v3::Router;
using envoy::extensions::filters::http::wasm::v3::Wasm;
using SetMetadata = envoy::extensions::filters::http::set_metadata::v3::Config;

// nullptr: there are none (is_optional), or they were reported.
std::shared_ptr<const route::FilterSettings> convertSettings(const google::protobuf::Any& any,
                                                             const std::string& filter, bool optional,
                                                             const Place& place, const Conversion& conversion) {
  if (!any.Is<Wasm>()) {
    const std::string text = fmt::format("the filter {} takes no settings of a virtual host or route", filter);
    if (optional) {
      place.notice(text + "; they are optional and left out");
    } else if (any.Is<Router>() || any.Is<SetMetadata>()) {
      place.fault(FaultKind::Rule, text);
    } else {
      place.fault(FaultKind::Type, "is no configuration of an HTTP filter");
    }
    return nullptr;
  }
  const auto wasm = unpack<Wasm>(any, place, "the filter's configuration");
  if (!wasm) return nullptr;
  if (!wasm->has_config()) place.field("config").fault(FaultKind::Rule, "is required");
  auto settings = std::make_shared<exchange::PluginSettings>();
  settings->plugin = convertPlugin(wasm->config(), place.field("config"), conversion);
  settings->path = place.path();
  return settings;
}

route::FilterOverride convertOverride(const std::string& filter, const google::protobuf::Any& any, const Place& place,
                                      const Conversion& conversion) {
  route::FilterOverride result{filter, false, nullptr};
  if (!any.Is<FilterConfig>()) {
    result.settings = convertSettings(any, filter, false, place, conversion);
    return result;
  }
  const auto config = unpack<FilterConfig>(any, place, "the filter's configuration");
  if (!config) return result;
  result.disabled = config->disabled();
  if (result.disabled) return result;  // As Envoy: config does not count.
  if (!config->has_config()) {
    place.field("config").fault(FaultKind::Rule,
                                fmt::format("Empty route/virtual host per filter configuration for {} filter", filter));
  } else if (!config->config().type_url().empty()) {
    result.settings =
        convertSettings(config->config(), filter, config->is_optional(), place.field("config"), conversion);
  }
  return result;
}

// Of a TypedStruct, the type inside.
std::string_view filterType(const Node& any) {
  const auto text = [&](std::string_view key) -> std::string_view {
    const Node* found = any.find(key);
    return found != nullptr && found->kind == Node::Kind::String ? typeName(found->text) : std::string_view();
  };
  const std::string_view type = text("@type");
  if (!type.ends_with(".TypedStruct")) return type;
  return any.find("type_url") != nullptr ? text("type_url") : text("typeUrl");
}

template <typename Visit>
void eachOverride(const route::RouteConfig& config, const Place& place, Visit visit) {
  const auto all = [&](const route::FilterOverrides& overrides, const Place& here) {
    for (const auto& each : overrides) visit(each, here.field("typed_per_filter_config").key(each.filter));
  };
  all(config.filters, place);
  for (size_t i = 0; i < config.virtual_hosts.size(); i++) {
    const route::VirtualHost& host = config.virtual_hosts[i];
    const Place at_host = place.item("virtual_hosts", i);
    all(host.filters, at_host);
    for (size_t j = 0; j < host.routes.size(); j++) {
      const Place at_route = at_host.item("routes", j);
      all(host.routes[j].filters, at_route);
      if (!host.routes[j].forward) continue;
      const auto& weighted = host.routes[j].forward->weighted;
      const Place at_action = at_route.field("route").field("weighted_clusters");
      for (size_t k = 0; k < weighted.size(); k++) all(weighted[k].filters, at_action.item("clusters", k));
    }
  }
}

}  // namespace

route::FilterOverrides convertFilterOverrides(const google::protobuf::Map<std::string, google::protobuf::Any>& filters,
                                              const Place& place, const Conversion& conversion) {
  route::FilterOverrides result;
  for (const auto& [name, any] : filters) {
    if (any.type_url().empty()) {
      place.key(name).fault(FaultKind::Rule, "needs an \"@type\"");
      continue;
    }
    result.push_back(convertOverride(name, any, place.key(name), conversion));
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.filter < b.filter; });
  return result;
}

bool isFilterType(std::string_view message) {
  return message == Wasm::descriptor()->full_name() || message == Router::descriptor()->full_name() ||
         message == SetMetadata::descriptor()->full_name();
}

std::optional<Node> withoutOptionalFilter(std::string_view message, const Node& node, const Place& place) {
  if (message != "envoy.config.route.v3.FilterConfig" || node.kind != Node::Kind::Map) return std::nullopt;
  const Node* optional = node.find("is_optional") != nullptr ? node.find("is_optional") : node.find("isOptional");
  const Node* config = node.find("config");
  if (optional == nullptr || optional->text != "true" || config == nullptr) return std::nullopt;
  const std::string_view type = filterType(*config);
  if (type.empty() || isFilterType(type)) return std::nullopt;
  place.field("config").notice(fmt::format("there is no filter of the type {}; it is optional and left out", type));
  Node bare = node;
  for (Node::Member& member : bare.members) {
    if (member.key == "config") member.value.members.clear();
  }
  return bare;
}

void checkFilterOverrides(const exchange::HttpManagerSpec& manager, const Place& routes) {
  eachOverride(manager.routes, routes, [&](const route::FilterOverride& each, const Place& place) {
    const auto filter = std::find_if(manager.filters.begin(), manager.filters.end(),
                                     [&](const auto& candidate) { return candidate.name == each.filter; });
    if (filter == manager.filters.end()) {
      return place.notice(fmt::format(
          "http_filters has no filter of the name '{}': it counts for one on the upstream's side alone", each.filter));
    }
    if (std::holds_alternative<filter::SetMetadataSpec>(filter->filter) && each.settings != nullptr) {
      return place.fault(FaultKind::Conflict, "that filter is no Wasm filter");
    }
    if (!std::holds_alternative<exchange::RouterFilterSpec>(filter->filter)) return;
    if (each.disabled) place.fault(FaultKind::Conflict, "without the router no request would be answered");
    if (each.settings != nullptr) place.fault(FaultKind::Conflict, "the router is no Wasm filter");
  });
}

}  // namespace weir::config
