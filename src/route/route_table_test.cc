// Which virtual host and route answer. What is said of Envoy was seen on Envoy 1.40.
#include "route/route_table.h"

#include "route/test_support.h"

namespace weir::route {
namespace {

using testing::HasSubstr;
using Kind = PathMatch::Kind;

RouteConfig hosts(std::vector<std::string> domains) {
  RouteConfig config;
  for (auto& domain : domains) {
    config.virtual_hosts.push_back({.name = domain, .domains = {domain}, .routes = {prefix("/")}});
  }
  return config;
}

std::string hostFor(const RouteTable& table, std::string_view host) {
  const auto match = table.match(request(host, "/"), 0);
  return match ? match->virtual_host->name : "none";
}

TEST(VirtualHosts, ExactBeatsSuffixBeatsPrefixBeatsAny) {
  const auto table = build(hosts({"*", "foo.*", "*.foo.com", "*-bar.foo.com", "foo.com", "UPPER.com"}));
  EXPECT_EQ(hostFor(*table, "foo.com"), "foo.com");
  EXPECT_EQ(hostFor(*table, "FOO.Com"), "foo.com");
  EXPECT_EQ(hostFor(*table, "upper.COM"), "UPPER.com");
  EXPECT_EQ(hostFor(*table, "a.foo.com"), "*.foo.com");
  EXPECT_EQ(hostFor(*table, "a-bar.foo.com"), "*-bar.foo.com");
  EXPECT_EQ(hostFor(*table, "foo.org"), "foo.*");
  EXPECT_EQ(hostFor(*table, "foo.com."), "foo.*");
  EXPECT_EQ(hostFor(*table, "else.org"), "*");
}

TEST(VirtualHosts, AStarStandsForAtLeastOneByte) {
  const auto table = build(hosts({"*", "foo.*", "*.foo.com"}));
  EXPECT_EQ(hostFor(*table, ".foo.com"), "*");
  EXPECT_EQ(hostFor(*table, "foo."), "*");
}

TEST(VirtualHosts, ThePortCountsUnlessItIsToBeIgnored) {
  RouteConfig config = hosts({"foo.com", "bar.com:81", "[::1]"});
  EXPECT_EQ(hostFor(*build(config), "foo.com:80"), "none");
  EXPECT_EQ(hostFor(*build(config), "bar.com:81"), "bar.com:81");
  config.ignore_port_in_host = true;
  EXPECT_EQ(hostFor(*build(config), "foo.com:80"), "foo.com");
  EXPECT_EQ(hostFor(*build(config), "foo.com:"), "foo.com");
  EXPECT_EQ(hostFor(*build(config), "[::1]:90"), "[::1]");
  EXPECT_EQ(hostFor(*build(config), "[::1]"), "[::1]");
  EXPECT_EQ(hostFor(*build(config), "bar.com:81"), "none");
}

TEST(VirtualHosts, AHostLongerThanAnyNameIsStillCompared) {
  const std::string long_label(300, 'a');
  const auto table = build(hosts({"*.foo.com"}));
  EXPECT_EQ(hostFor(*table, long_label + ".FOO.com"), "*.foo.com");
  EXPECT_EQ(hostFor(*table, long_label), "none");
}

TEST(VirtualHosts, ADomainGivenTwiceIsRefused) {
  const auto table = RouteTable::create(hosts({"a.com", "A.com"}));
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().side, base::Side::Operator);
  EXPECT_THAT(table.error().detail, HasSubstr("virtual_hosts[1] (A.com): domain 'A.com' is given twice"));
  EXPECT_FALSE(RouteTable::create(hosts({"*", "*"})).ok());
  EXPECT_FALSE(RouteTable::create(hosts({""})).ok());
}

TEST(VirtualHosts, WithTlsRequiredAPlainRequestIsRedirectedWithItsPort) {
  RouteConfig config = hosts({"*"});
  config.virtual_hosts[0].require_tls_all = true;
  const auto table = build(config);
  const auto plain = request("foo.com:80", "/x?y");
  const auto match = table->match(plain, 0);
  ASSERT_TRUE(match && match->tls_redirect && match->route->redirect);
  EXPECT_EQ(match->route->redirect->status, 301);
  EXPECT_EQ(table->redirectLocation(*match, plain), "https://foo.com:80/x?y");
  auto secure = request("foo.com", "/");
  secure.set(http::HeaderId::ForwardedProto, "https");
  EXPECT_FALSE(table->match(secure, 0)->tls_redirect);
}

TEST(Paths, TheFirstRouteThatMatchesWins) {
  const auto table = build(tableOf({prefix("/a"), route(Kind::Path, "/a/b"), prefix("/")}));
  EXPECT_EQ(answer(*table, request("h", "/a/b")), "/a");
  EXPECT_EQ(answer(*table, request("h", "/")), "/");
}

TEST(Paths, EachKindSeesThePathWithoutItsQuery) {
  const auto table = build(tableOf({route(Kind::Path, "/p"), route(Kind::Regex, "/re/[0-9]+"),
                                    route(Kind::PathSeparatedPrefix, "/sep"), prefix("/q?x"), prefix("/pre")}));
  EXPECT_EQ(answer(*table, request("h", "/p?x")), "/p");
  EXPECT_EQ(answer(*table, request("h", "/p/")), "none");
  EXPECT_EQ(answer(*table, request("h", "/re/12?a")), "/re/[0-9]+");
  EXPECT_EQ(answer(*table, request("h", "/re/12/")), "none");
  EXPECT_EQ(answer(*table, request("h", "/sep")), "/sep");
  EXPECT_EQ(answer(*table, request("h", "/sep?x")), "/sep");
  EXPECT_EQ(answer(*table, request("h", "/sep/a")), "/sep");
  EXPECT_EQ(answer(*table, request("h", "/separate")), "none");
  EXPECT_EQ(answer(*table, request("h", "/q?x")), "none");
  EXPECT_EQ(answer(*table, request("h", "/prefix")), "/pre");
}

TEST(Paths, CaseMattersUnlessToldOtherwise) {
  Route any = prefix("/ABC");
  any.path.case_sensitive = false;
  const auto table = build(tableOf({any, prefix("/Def")}));
  EXPECT_EQ(answer(*table, request("h", "/abcd")), "/ABC");
  EXPECT_EQ(answer(*table, request("h", "/def")), "none");
}

TEST(Paths, ARequestWithoutPathMatchesOnlyConnect) {
  const auto table = build(tableOf({prefix(""), route(Kind::Connect, "")}));
  http::HeaderMap connect;
  connect.add(http::HeaderId::Method, "CONNECT");
  connect.add(http::HeaderId::Authority, "h:80");
  EXPECT_EQ(table->match(connect, 0)->route, &table->config().virtual_hosts[0].routes[1]);
}

TEST(Paths, ABadExpressionIsRefusedWithItsPlace) {
  const auto table = RouteTable::create(tableOf({prefix("/"), route(Kind::Regex, "/(a")}));
  ASSERT_FALSE(table.ok());
  EXPECT_THAT(table.error().detail, HasSubstr("virtual_hosts[0] (all): routes[1]: regular expression '/(a'"));
}

TEST(Fractions, TheSameRandomValueGivesTheSameAnswer) {
  Route tenth = prefix("/");
  tenth.name = "tenth";
  tenth.runtime_fraction = 0.1;
  const auto table = build(tableOf({tenth, prefix("/")}));
  EXPECT_EQ(answer(*table, request("h", "/"), 99'999), "tenth");
  EXPECT_EQ(answer(*table, request("h", "/"), 100'000), "/");
  EXPECT_EQ(answer(*table, request("h", "/"), 1'000'001), "tenth");
}

TEST(Fractions, NoneAndAllAreExact) {
  Route none = prefix("/");
  none.name = "never";
  none.runtime_fraction = 0;
  Route all = prefix("/");
  all.runtime_fraction = 1;
  const auto table = build(tableOf({none, all}));
  for (uint64_t value : {uint64_t{0}, uint64_t{999'999}, UINT64_MAX}) {
    EXPECT_EQ(answer(*table, request("h", "/"), value), "/");
  }
}

TEST(Grpc, OnlyItsContentTypesMatch) {
  Route grpc = prefix("/");
  grpc.grpc_only = true;
  const auto table = build(tableOf({grpc}));
  EXPECT_EQ(answer(*table, request("h", "/", {{"content-type", "application/grpc"}})), "/");
  EXPECT_EQ(answer(*table, request("h", "/", {{"content-type", "application/grpc+proto"}})), "/");
  EXPECT_EQ(answer(*table, request("h", "/", {{"content-type", "application/grpc;x"}})), "none");
  EXPECT_EQ(answer(*table, request("h", "/", {{"content-type", "application/grpc-web"}})), "none");
  EXPECT_EQ(answer(*table, request("h", "/")), "none");
}

TEST(Clusters, WeightsShareTheRandomValueAmongThem) {
  Route weighted = prefix("/");
  weighted.forward->cluster.clear();
  weighted.forward->weighted.push_back({.cluster = "none", .weight = 0});
  weighted.forward->weighted.push_back({.cluster = "a", .weight = 1});
  weighted.forward->weighted.push_back({.cluster = "b", .weight = 3});
  const auto table = build(tableOf({weighted}));
  std::string drawn;
  for (uint64_t value = 0; value < 8; ++value) drawn += table->match(request("h", "/"), value)->cluster;
  EXPECT_EQ(drawn, "abbbabbb");
}

TEST(Clusters, WeightsThatSumToNothingAreRefused) {
  Route weighted = prefix("/");
  weighted.forward->weighted.push_back({.cluster = "a", .weight = 0});
  EXPECT_FALSE(RouteTable::create(tableOf({weighted})).ok());
}

TEST(Clusters, AHeaderMayNameTheCluster) {
  Route named = prefix("/");
  named.forward->cluster.clear();
  named.forward->cluster_header = "X-Cluster";
  const auto table = build(tableOf({named}));
  const auto with = request("h", "/", {{"x-cluster", "up2"}});
  EXPECT_EQ(table->match(with, 0)->cluster, "up2");
  const auto without = request("h", "/");
  EXPECT_EQ(table->match(without, 0)->cluster, "");
}

}  // namespace
}  // namespace weir::route
