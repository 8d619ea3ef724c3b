// typed_per_filter_config: what a route configuration, a virtual host, a route or a weighted cluster says of HTTP
// filters.
#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/map.h>

#include <optional>
#include <string>
#include <string_view>

#include "config/convert.h"
#include "config/document.h"

namespace weir::config {

// In the order of the names.
route::FilterOverrides convertFilterOverrides(const google::protobuf::Map<std::string, google::protobuf::Any>& filters,
                                              const Place& place, const Conversion& conversion);

// Whether a filter here has settings of that type (or could have: then it is refused elsewhere, and not as unknown).
bool isFilterType(std::string_view message);

// A FilterConfig whose filter is unknown here, but is_optional: the same without its config, which is a notice. As
// Envoy: the filter of that name, if there is one, counts as enabled. nullopt: it is to be read as it is.
std::optional<Node> withoutOptionalFilter(std::string_view message, const Node& node, const Place& place);

// What is said of filters that the manager has not, and of the router: notices and faults. Only for routes that are
// written in the manager, because those of files may serve several.
void checkFilterOverrides(const exchange::HttpManagerSpec& manager, const Place& routes);

}  // namespace weir::config
