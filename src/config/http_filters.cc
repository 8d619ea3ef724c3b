// The HTTP filters of a connection manager: plugins, what writes metadata, and the router at the end.
#include <envoy/extensions/filters/http/router/v3/router.pb.h>
#include <envoy/extensions/filters/http/set_metadata/v3/set_metadata.pb.h>
#include <envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.pb.h>
#include <envoy/extensions/filters/http/wasm/v3/wasm.pb.h>

#include "config/values.h"

namespace weir::config {
namespace {

using envoy::extensions::filters::http::router::v3::Router;
using envoy::extensions::filters::http::upstream_codec::v3::UpstreamCodec;
using envoy::extensions::filters::http::wasm::v3::Wasm;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;

using SetMetadata = envoy::extensions::filters::http::set_metadata::v3::Config;

constexpr std::string_view kCodec = "envoy.filters.http.upstream_codec";

// Where requests leave: it does nothing that could be configured.
void checkCodec(const HttpFilter& codec, bool last, const Place& place) {
  if (!last) return place.fault(FaultKind::Conflict, fmt::format("{} must be the last filter", kCodec));
  if (codec.disabled()) place.field("disabled").fault(FaultKind::Conflict, "the codec cannot be disabled");
}

bool isRouter(const exchange::HttpFilterSpec& filter) {
  return std::holds_alternative<exchange::RouterFilterSpec>(filter.filter);
}

// The deprecated pair of fields comes first, and may overwrite. As Envoy, what has no value says nothing.
filter::SetMetadataSpec convertSetMetadata(const SetMetadata& config) {
  filter::SetMetadataSpec spec;
  if (!config.metadata_namespace().empty() && config.has_value()) {
    spec.entries.push_back({config.metadata_namespace(), true, serialized(config.value())});
  }
  for (const auto& entry : config.metadata()) {
    if (!entry.has_value()) continue;
    spec.entries.push_back({entry.metadata_namespace(), entry.allow_overwrite(), serialized(entry.value())});
  }
  return spec;
}

// nullopt: reported, here or by the support tables.
std::optional<exchange::HttpFilterSpec> convertFilter(const HttpFilter& filter, const Place& place,
                                                      const Conversion& conversion) {
  exchange::HttpFilterSpec spec;
  spec.name = filter.name();
  spec.disabled = filter.disabled();
  spec.path = place.path();
  const Place here = place.field("typed_config");
  const google::protobuf::Any& any = filter.typed_config();
  if (filter.has_config_discovery()) return std::nullopt;
  if (any.type_url().empty()) {
    here.fault(FaultKind::Rule, fmt::format("the filter '{}' needs a typed_config with \"@type\"", filter.name()));
    return std::nullopt;
  }
  if (any.Is<Router>()) {
    const auto router = unpack<Router>(any, here, "the filter's configuration");
    if (!router) return std::nullopt;
    spec.filter = exchange::RouterFilterSpec{
        router->suppress_envoy_headers(),
        convertUpstreamFilters(router->upstream_http_filters(), "upstream_http_filters", here, conversion)};
    return spec;
  }
  if (any.Is<Wasm>()) {
    const auto wasm = unpack<Wasm>(any, here, "the filter's configuration");
    if (!wasm) return std::nullopt;
    if (!wasm->has_config()) here.field("config").fault(FaultKind::Rule, "is required");
    spec.filter = convertPlugin(wasm->config(), here.field("config"), conversion);
    return spec;
  }
  if (any.Is<SetMetadata>()) {
    const auto metadata = unpack<SetMetadata>(any, here, "the filter's configuration");
    if (!metadata) return std::nullopt;
    spec.filter = convertSetMetadata(*metadata);
    return spec;
  }
  const bool http = any.type_url().find("envoy.extensions.filters.http.") != std::string::npos;
  if (!http) here.fault(FaultKind::Type, "is no configuration of an HTTP filter");
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const upstream::HttpFilters> convertUpstreamFilters(const UpstreamHttpFilters& filters,
                                                                    std::string_view name, const Place& place,
                                                                    const Conversion& conversion) {
  if (filters.empty()) return nullptr;
  auto result = std::make_shared<exchange::UpstreamFilterSpecs>();
  for (int i = 0; i < filters.size(); i++) {
    const Place here = place.item(name, static_cast<size_t>(i));
    const bool last = i + 1 == filters.size();
    if (filters[i].typed_config().Is<UpstreamCodec>()) {
      checkCodec(filters[i], last, here);
      continue;
    }
    if (filters[i].typed_config().Is<Router>()) {
      here.fault(FaultKind::Conflict, "the router is no filter towards an upstream");
      continue;
    }
    if (filters[i].typed_config().Is<SetMetadata>()) {
      here.unsupported("this filter towards an upstream");
      continue;
    }
    auto filter = convertFilter(filters[i], here, conversion);
    if (last) here.fault(FaultKind::Conflict, fmt::format("the last filter towards an upstream must be {}", kCodec));
    if (filter) result->filters.push_back(std::move(*filter));
  }
  return result;
}

std::vector<exchange::HttpFilterSpec> convertHttpFilters(const HttpConnectionManager& manager, const Place& place,
                                                         Conversion& conversion) {
  std::vector<exchange::HttpFilterSpec> filters;
  const int size = manager.http_filters_size();
  bool complete = true;
  for (int i = 0; i < size; i++) {
    const Place here = place.item("http_filters", static_cast<size_t>(i));
    auto filter = convertFilter(manager.http_filters(i), here, conversion);
    if (!filter) {
      complete = false;
      continue;
    }
    const bool last = i + 1 == size;
    if (isRouter(*filter) && !last) here.fault(FaultKind::Conflict, "the router must be the last HTTP filter");
    if (isRouter(*filter) && filter->disabled) {
      here.field("disabled").fault(FaultKind::Conflict, "the router cannot be disabled");
    }
    if (last && !isRouter(*filter)) {
      here.fault(FaultKind::Conflict, "the last HTTP filter must be the router (envoy.filters.http.router)");
    }
    filters.push_back(std::move(*filter));
  }
  // Envoy takes this and then answers no request; here it is a fault.
  if (size == 0 && complete) {
    place.field("http_filters").fault(FaultKind::Rule, "is required; its last filter is envoy.filters.http.router");
  }
  return filters;
}

}  // namespace weir::config
