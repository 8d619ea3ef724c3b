// What finding a route costs, by how many there are: it should not matter.
#include <benchmark/benchmark.h>

#include <string>

#include "route/route_table.h"

namespace weir::route {
namespace {

Route to(PathMatch::Kind kind, std::string text) {
  Route route;
  route.path = {kind, std::move(text), true};
  route.forward.emplace().cluster = "up";
  return route;
}

VirtualHost host(std::string domain) {
  VirtualHost host;
  host.name = domain;
  host.domains = {std::move(domain)};
  host.routes = {to(PathMatch::Kind::Prefix, "/")};
  return host;
}

http::HeaderMap request(std::string_view authority, std::string_view path) {
  http::HeaderMap headers;
  headers.add(http::HeaderId::Method, "GET");
  headers.add(http::HeaderId::Scheme, "http");
  headers.add(http::HeaderId::Authority, authority);
  headers.add(http::HeaderId::Path, path);
  return headers;
}

void match(benchmark::State& state, RouteConfig config, const http::HeaderMap& request) {
  const auto table = RouteTable::create(std::move(config));
  if (!table.ok()) return state.SkipWithError(table.error().detail.c_str());
  if (!(*table)->match(request, 0)) return state.SkipWithError("no route");
  for (auto _ : state) benchmark::DoNotOptimize((*table)->match(request, 0));
}

// hosts: of so many domains the one before the last.
void hosts(benchmark::State& state, const std::string& prefix, std::string_view asked) {
  const int64_t count = state.range(0);
  RouteConfig config;
  for (int64_t i = 0; i < count; ++i) {
    config.virtual_hosts.push_back(host(prefix + "service-" + std::to_string(i) + ".example.com"));
  }
  const std::string authority =
      std::string(asked) + "service-" + std::to_string(std::max<int64_t>(count - 2, 0)) + ".example.com";
  match(state, std::move(config), request(authority, "/api/v1/items?id=42"));
}
BENCHMARK_CAPTURE(hosts, exact, "", "")->Arg(1)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK_CAPTURE(hosts, suffix, "*.", "www.")->Arg(1)->Arg(10)->Arg(1000)->Arg(10000);

// routes: of so many in one virtual host the one before the last.
void routes(benchmark::State& state, PathMatch::Kind kind, std::string_view more) {
  const int64_t count = state.range(0);
  RouteConfig config;
  config.virtual_hosts.push_back(host("*"));
  std::vector<Route>& all = config.virtual_hosts.front().routes;
  all.clear();
  for (int64_t i = 0; i < count; ++i) all.push_back(to(kind, "/service-" + std::to_string(i) + "/items"));
  const std::string path = "/service-" + std::to_string(std::max<int64_t>(count - 2, 0)) + "/items" + std::string(more);
  match(state, std::move(config), request("example.com", path));
}
BENCHMARK_CAPTURE(routes, prefix, PathMatch::Kind::Prefix, "/42?sort=asc")->Arg(1)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK_CAPTURE(routes, path, PathMatch::Kind::Path, "?sort=asc")->Arg(1)->Arg(10)->Arg(1000)->Arg(10000);

// A regular expression in front of them is tried for every request.
void regexAndPrefixes(benchmark::State& state) {
  RouteConfig config;
  config.virtual_hosts.push_back(host("*"));
  std::vector<Route>& all = config.virtual_hosts.front().routes;
  all = {to(PathMatch::Kind::Regex, "/user/[0-9]+/profile")};
  for (int i = 0; i < 100; ++i) all.push_back(to(PathMatch::Kind::Prefix, "/service-" + std::to_string(i)));
  match(state, std::move(config), request("example.com", "/service-98/items?sort=asc"));
}
BENCHMARK(regexAndPrefixes);

}  // namespace
}  // namespace weir::route

BENCHMARK_MAIN();
