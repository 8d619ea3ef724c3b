// Short forms for the tests of this folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "route/route_table.h"

// Specs are written here by naming what matters; the rest has its default.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace weir::route {

inline http::HeaderMap request(std::string_view host, std::string_view path,
                               std::initializer_list<std::pair<std::string_view, std::string_view>> more = {}) {
  http::HeaderMap headers;
  headers.add(http::HeaderId::Method, "GET");
  headers.add(http::HeaderId::Scheme, "http");
  headers.add(http::HeaderId::Authority, host);
  headers.add(http::HeaderId::Path, path);
  headers.add(http::HeaderId::ForwardedProto, "http");
  for (const auto& [name, value] : more) headers.add(name, value);
  return headers;
}

inline Route route(PathMatch::Kind kind, std::string text, std::string cluster = "up") {
  Route route;
  route.path = {kind, std::move(text), true};
  route.name = route.path.text;
  route.forward.emplace().cluster = std::move(cluster);
  return route;
}

inline Route prefix(std::string text) { return route(PathMatch::Kind::Prefix, std::move(text)); }

inline RouteConfig tableOf(std::vector<Route> routes) {
  RouteConfig config;
  config.virtual_hosts.push_back({.name = "all", .domains = {"*"}, .routes = std::move(routes)});
  return config;
}

inline std::shared_ptr<const RouteTable> build(RouteConfig config) {
  auto table = RouteTable::create(std::move(config));
  EXPECT_TRUE(table.ok()) << (table.ok() ? "" : table.error().detail);
  return table.ok() ? *table : nullptr;
}

// The name of the route (route() names it by its path text) that answers; "none" if none does.
inline std::string answer(const RouteTable& table, const http::HeaderMap& request, uint64_t random_value = 0) {
  const auto match = table.match(request, random_value);
  return match ? match->route->name : "none";
}

// All values of that name, in order.
inline std::vector<std::string> values(const http::HeaderMap& headers, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& entry : headers) {
    if (entry.name == name) found.emplace_back(entry.value);
  }
  return found;
}

}  // namespace weir::route
