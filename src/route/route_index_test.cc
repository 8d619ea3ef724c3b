// The index changes what a match costs, never what it answers.
#include "route/route_index.h"

#include <random>

#include "route/matchers.h"
#include "route/test_support.h"

namespace weir::route {
namespace {

using Kind = PathMatch::Kind;

std::string randomPath(std::mt19937& random) {
  std::string path = "/";
  for (unsigned length = random() % 6; length > 0; --length) path += "ab/"[random() % 3];
  return path;
}

std::vector<Route> randomRoutes(std::mt19937& random) {
  std::vector<Route> routes;
  for (int i = 0; i < 60; ++i) {
    Route made =
        route(std::array{Kind::Prefix, Kind::Path, Kind::PathSeparatedPrefix}[random() % 3], randomPath(random));
    made.path.case_sensitive = random() % 8 != 0;
    made.name = std::to_string(i);
    routes.push_back(std::move(made));
  }
  return routes;
}

TEST(RouteIndex, AnswersAsTestingRouteAfterRouteDoes) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    const std::vector<Route> routes = randomRoutes(random);
    const RouteIndex index(routes);
    std::vector<PathMatcher> matchers;
    for (const Route& one : routes) matchers.push_back(*PathMatcher::create(one.path));
    for (int i = 0; i < 100; ++i) {
      const std::string path = randomPath(random);
      size_t expected = 0;
      while (expected < routes.size() && !matchers[expected].matches(path, "GET")) ++expected;
      if (expected == routes.size()) expected = RouteIndex::kNone;
      EXPECT_EQ(index.first(path, [&](size_t n) { return matchers[n].matches(path, "GET"); }), expected) << path;
    }
  }
}

TEST(RouteIndex, TestsOnlyCandidatesOfThePath) {
  std::vector<Route> routes;
  for (int i = 0; i < 5000; ++i)
    routes.push_back(route(i % 2 != 0 ? Kind::Path : Kind::Prefix, "/r" + std::to_string(i)));
  const RouteIndex index(routes);
  int tested = 0;
  index.first("/r4999", [&](size_t) { return ++tested, false; });
  EXPECT_EQ(tested, 2);  // The prefix /r4 (the odd ones are exact) and the path itself.
}

TEST(RouteIndex, PrefixesOfMoreLengthsThanItHashesAreStillFound) {
  std::vector<Route> routes;
  for (int i = 100; i > 0; --i) routes.push_back(prefix("/" + std::string(i, 'x')));
  const auto table = build(tableOf(routes));
  EXPECT_EQ(answer(*table, request("h", "/xxx")), "/xxx");
  EXPECT_EQ(answer(*table, request("h", "/" + std::string(200, 'x'))), "/" + std::string(100, 'x'));
}

TEST(RouteIndex, ALongTableKeepsItsOrder) {
  std::vector<Route> routes;
  for (int i = 0; i < 1000; ++i) routes.push_back(route(Kind::Path, "/p" + std::to_string(i)));
  routes.insert(routes.begin() + 500, route(Kind::Regex, "/p[0-9]+"));
  routes.push_back(prefix("/"));
  const auto table = build(tableOf(routes));
  EXPECT_EQ(answer(*table, request("h", "/p499")), "/p499");
  EXPECT_EQ(answer(*table, request("h", "/p500")), "/p[0-9]+");
  EXPECT_EQ(answer(*table, request("h", "/q")), "/");
}

}  // namespace
}  // namespace weir::route
