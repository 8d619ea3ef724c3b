// What happens to headers, paths and hosts on the way up, and where redirects lead; as seen on Envoy 1.40.
#include "route/rewrite.h"

#include "route/test_support.h"

namespace weir::route {
namespace {

const filter::StreamInfo kNothing;

using Action = HeaderValueOption::Action;
using testing::ElementsAre;
using Kind = PathMatch::Kind;

http::HeaderMap finalized(RouteConfig config, http::HeaderMap headers, bool note_originals = true) {
  const auto table = build(std::move(config));
  const auto match = table->match(headers, 0);
  EXPECT_TRUE(match.has_value());
  table->finalizeRequest(*match, headers, {.info = kNothing}, note_originals);
  return headers;
}

std::string pathAfter(const Route& route, std::string_view path) {
  return std::string(*finalized(tableOf({route}), request("h", path)).get(http::HeaderId::Path));
}

std::string redirected(Kind kind, std::string match, RedirectAction action, http::HeaderMap headers) {
  Route made = route(kind, std::move(match));
  made.forward.reset();
  made.redirect = std::move(action);
  const auto table = build(tableOf({made}));
  const auto found = table->match(headers, 0);
  EXPECT_TRUE(found.has_value());
  return table->redirectLocation(*found, headers);
}

TEST(PathRewrite, APrefixRewriteReplacesWhatMatched) {
  Route separated = route(Kind::PathSeparatedPrefix, "/psp");
  separated.forward->prefix_rewrite = "/zz";
  EXPECT_EQ(pathAfter(separated, "/psp"), "/zz");
  EXPECT_EQ(pathAfter(separated, "/psp/a?x"), "/zz/a?x");
  Route any_case = prefix("/CI");
  any_case.path.case_sensitive = false;
  any_case.forward->prefix_rewrite = "/zz";
  EXPECT_EQ(pathAfter(any_case, "/ci/a?x"), "/zz/a?x");
  Route regex = route(Kind::Regex, "/re/.*");
  regex.forward->prefix_rewrite = "/zz";
  EXPECT_EQ(pathAfter(regex, "/re/a?q"), "/zz?q");
}

TEST(PathRewrite, ARegexRewriteReplacesEveryMatchAndLeavesTheQuery) {
  Route made = prefix("/");
  made.forward->regex_rewrite = RegexRewrite{"a(.)", "<\\1\\0>"};
  EXPECT_EQ(pathAfter(made, "/ab/ac?ad"), "/<bab>/<cac>?ad");
}

TEST(PathRewrite, TheOriginalPathIsNotedOverWhateverTheClientClaimed) {
  Route made = prefix("/a");
  made.forward->prefix_rewrite = "/b";
  const auto claimed = [] { return request("h", "/a?q", {{"x-envoy-original-path", "/spoof"}}); };
  EXPECT_THAT(values(finalized(tableOf({made}), claimed()), "x-envoy-original-path"), ElementsAre("/a?q"));
  EXPECT_THAT(values(finalized(tableOf({made}), claimed(), false), "x-envoy-original-path"), ElementsAre("/spoof"));
}

TEST(PathRewrite, ASubstitutionThatNamesAMissingGroupIsRefused) {
  Route made = prefix("/");
  made.forward->regex_rewrite = RegexRewrite{"a", "\\1"};
  EXPECT_FALSE(RouteTable::create(tableOf({made})).ok());
}

TEST(HostRewrite, LiteralHeaderOrPath) {
  Route literal = prefix("/");
  literal.forward->host_rewrite = "lit.com";
  auto after = finalized(tableOf({literal}), request("old:81", "/"));
  EXPECT_EQ(after.get(http::HeaderId::Authority), "lit.com");
  EXPECT_EQ(after.get("x-envoy-original-host"), "old:81");
  EXPECT_EQ(after.get(http::HeaderId::ForwardedHost), std::nullopt);

  Route header = prefix("/");
  header.forward->host_rewrite_header = "h";
  EXPECT_EQ(finalized(tableOf({header}), request("old", "/", {{"h", "one"}, {"h", "two"}})).get(":authority"), "one");
  EXPECT_EQ(finalized(tableOf({header}), request("old", "/", {{"h", ""}})).get(":authority"), "old");
  EXPECT_EQ(finalized(tableOf({header}), request("old", "/")).get("x-envoy-original-host"), std::nullopt);

  Route path = prefix("/h/re/");
  path.forward->host_rewrite_path_regex = RegexRewrite{"^/h/re/(.+)$", "\\1.com"};
  path.forward->prefix_rewrite = "/";
  after = finalized(tableOf({path}), request("old", "/h/re/foo?q=1"));
  EXPECT_EQ(after.get(":authority"), "foo.com");
  EXPECT_EQ(after.get(":path"), "/foo?q=1");
}

TEST(HostRewrite, TheOldHostIsAppendedToForwardedHostUnlessItStandsThereLast) {
  Route made = prefix("/");
  made.forward->host_rewrite = "lit.com";
  made.forward->append_x_forwarded_host = true;
  const auto told = [&](http::HeaderMap headers) {
    return values(finalized(tableOf({made}), std::move(headers)), "x-forwarded-host");
  };
  EXPECT_THAT(told(request("old", "/")), ElementsAre("old"));
  EXPECT_THAT(told(request("old", "/", {{"x-forwarded-host", "a"}})), ElementsAre("a,old"));
  EXPECT_THAT(told(request("old", "/", {{"x-forwarded-host", "a,old"}})), ElementsAre("a,old"));
  EXPECT_THAT(told(request("old", "/", {{"x-forwarded-host", "a, old"}})), ElementsAre("a, old,old"));
}

TEST(HostRewrite, AWeightedClustersHostIsSetFirstAndLeavesNoNote) {
  Route made = prefix("/");
  made.forward->weighted.push_back({.cluster = "up", .weight = 1, .host_rewrite = "wc"});
  auto after = finalized(tableOf({made}), request("old", "/"));
  EXPECT_EQ(after.get(":authority"), "wc");
  EXPECT_EQ(after.get("x-envoy-original-host"), std::nullopt);
  made.forward->host_rewrite = "routes";
  after = finalized(tableOf({made}), request("old", "/"));
  EXPECT_EQ(after.get(":authority"), "routes");
  EXPECT_EQ(after.get("x-envoy-original-host"), "wc");
}

TEST(Mutations, RemoveThenOverwriteThenAdd) {
  Route made = prefix("/");
  made.header_mutations.request_remove = {"x-rm"};
  made.header_mutations.request_add = {
      {.name = "x-add", .value = "n"},
      {.name = "x-ow", .value = "1", .action = Action::OverwriteIfExistsOrAdd},
      {.name = "x-ow", .value = "2"},
      {.name = "x-ow2", .value = "1", .action = Action::OverwriteIfExistsOrAdd},
      {.name = "x-ow2", .value = "2", .action = Action::OverwriteIfExistsOrAdd},
      {.name = "x-abs", .value = "1", .action = Action::AddIfAbsent},
      {.name = "x-abs2", .value = "1", .action = Action::AddIfAbsent},
      {.name = "x-abs2", .value = "2", .action = Action::AddIfAbsent},
      {.name = "x-if", .value = "1", .action = Action::OverwriteIfExists},
      {.name = "x-if2", .value = "1", .action = Action::OverwriteIfExists},
      {.name = "x-empty"},
      {.name = "x-keep", .keep_empty_value = true},
      {.name = "X-Up", .value = "100%% a"},
  };
  const auto after = finalized(tableOf({made}), request("h", "/",
                                                        {{"x-rm", "1"},
                                                         {"x-add", "o"},
                                                         {"x-ow", "o1"},
                                                         {"x-ow", "o2"},
                                                         {"x-abs", "o"},
                                                         {"x-if", "a"},
                                                         {"x-if", "b"}}));
  EXPECT_THAT(values(after, "x-rm"), ElementsAre());
  EXPECT_THAT(values(after, "x-add"), ElementsAre("o", "n"));
  EXPECT_THAT(values(after, "x-ow"), ElementsAre("1", "2"));
  EXPECT_THAT(values(after, "x-ow2"), ElementsAre("2"));
  EXPECT_THAT(values(after, "x-abs"), ElementsAre("o"));
  EXPECT_THAT(values(after, "x-abs2"), ElementsAre("1", "2"));
  EXPECT_THAT(values(after, "x-if"), ElementsAre("1"));
  EXPECT_THAT(values(after, "x-if2"), ElementsAre());
  EXPECT_THAT(values(after, "x-empty"), ElementsAre());
  EXPECT_THAT(values(after, "x-keep"), ElementsAre(""));
  EXPECT_THAT(values(after, "x-up"), ElementsAre("100% a"));
}

RouteConfig mutatedOnEveryLevel() {
  const auto adding = [](std::string value) {
    HeaderMutations mutations;
    mutations.request_add.push_back({.name = "x-order", .value = value});
    mutations.response_add.push_back({.name = "x-order", .value = value});
    return mutations;
  };
  Route made = prefix("/");
  made.header_mutations = adding("route");
  made.forward->weighted.push_back({.cluster = "up", .weight = 1, .headers = adding("cluster")});
  RouteConfig config = tableOf({made});
  config.header_mutations = adding("config");
  config.virtual_hosts[0].header_mutations = adding("host");
  return config;
}

TEST(Mutations, OperatorsAreAboutTheRequestAndAbsentOnesAreEmpty) {
  Route made;
  made.path.text = "/";
  made.direct.emplace();
  made.header_mutations.response_add = {
      {.name = "x-path", .value = "<%REQ(:path)%>"},
      {.name = "x-none", .value = "%REQ(none)%"},
      {.name = "x-kept", .value = "%REQ(none)%", .keep_empty_value = true},
  };
  auto table = RouteTable::create(tableOf({made}));
  ASSERT_TRUE(table.ok());
  const http::HeaderMap asked = request("h", "/a");
  http::HeaderMap response;
  (*table)->finalizeResponse(*(*table)->match(asked, 0), response, {.info = kNothing, .request = &asked});
  EXPECT_EQ(response.get("x-path"), "</a>");
  EXPECT_FALSE(response.get("x-none").has_value());
  EXPECT_EQ(response.get("x-kept"), "");
}

TEST(RouteTable, FormatsTheBodyOfADirectResponse) {
  Route made;
  made.path.text = "/";
  made.direct.emplace();
  made.direct->body = "given";
  made.direct->body_format.emplace().text = "<%LOCAL_REPLY_BODY%> %REQ(:path)%";
  auto table = RouteTable::create(tableOf({made}));
  ASSERT_TRUE(table.ok());
  const http::HeaderMap asked = request("h", "/a");
  std::string type;
  EXPECT_EQ((*table)->directBody(*(*table)->match(asked, 0), {.info = kNothing, .request = &asked}, type),
            "<given> /a");
  EXPECT_EQ(type, "text/plain");
}

TEST(Mutations, TheMostGeneralComesLastUnlessTheFlagTurnsThemRound) {
  RouteConfig config = mutatedOnEveryLevel();
  EXPECT_THAT(values(finalized(config, request("h", "/")), "x-order"),
              ElementsAre("cluster", "route", "host", "config"));
  config.most_specific_mutations_win = true;
  EXPECT_THAT(values(finalized(config, request("h", "/")), "x-order"),
              ElementsAre("cluster", "config", "host", "route"));
}

TEST(Mutations, ResponsesGetTheirsInTheSameOrder) {
  const auto table = build(mutatedOnEveryLevel());
  const auto asked = request("h", "/");
  http::HeaderMap response;
  table->finalizeResponse(*table->match(asked, 0), response, {.info = kNothing});
  EXPECT_THAT(values(response, "x-order"), ElementsAre("cluster", "route", "host", "config"));
}

TEST(Mutations, WhatMayNotBeChangedOrCannotBeSentIsRefused) {
  const auto refused = [](std::string name, std::string value) {
    RouteConfig config = tableOf({prefix("/")});
    config.header_mutations.request_add.push_back({.name = std::move(name), .value = std::move(value)});
    return !RouteTable::create(std::move(config)).ok();
  };
  EXPECT_TRUE(refused(":path", "/x"));
  EXPECT_TRUE(refused("Host", "x"));
  EXPECT_TRUE(refused("a b", "x"));
  EXPECT_TRUE(refused("a", "x\r\ny"));
  EXPECT_TRUE(refused("a", "%FOO%"));
  EXPECT_FALSE(refused("a", "%REQ(x)%"));
  EXPECT_TRUE(refused("a", "50%"));
  EXPECT_FALSE(refused("a", "50%%"));
}

TEST(Redirects, HttpsAndSchemeDropTheOldDefaultPort) {
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.https = true}, request("ex.com:80", "/a?q=1")), "https://ex.com/a?q=1");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.https = true}, request("ex.com:81", "/")), "https://ex.com:81/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.https = true}, request("[::1]:80", "/")), "https://[::1]/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.https = true}, request("ex.com:443", "/")), "https://ex.com:443/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.scheme = "foo"}, request("ex.com:80", "/")), "foo://ex.com/");
  auto secure = request("ex.com:443", "/");
  secure.set(http::HeaderId::ForwardedProto, "https");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.https = true}, std::move(secure)), "https://ex.com:443/");
}

TEST(Redirects, HostAndPortReplaceTheirs) {
  const RedirectAction port{.https = true, .port = 8443};
  EXPECT_EQ(redirected(Kind::Prefix, "/", port, request("ex.com:80", "/")), "https://ex.com:8443/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", port, request("[::1]", "/")), "https://[::1]:8443/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", port, request("[::1]:99", "/")), "https://[::1]:8443/");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.host = "new.com", .port = 81}, request("ex.com:80", "/")),
            "http://new.com:81/");
}

TEST(Redirects, ThePathMayBeReplacedAndItsQueryKeptStrippedOrGiven) {
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.path = "/new"}, request("h", "/a?q=1")), "http://h/new?q=1");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.path = "/new?z=1", .strip_query = true}, request("h", "/a?q=1")),
            "http://h/new?z=1");
  EXPECT_EQ(redirected(Kind::Prefix, "/", {.strip_query = true}, request("h", "/a?q=1")), "http://h/a");
  EXPECT_EQ(redirected(Kind::Prefix, "/pfx/", {.prefix_rewrite = "/y"}, request("h", "/pfx/abc?q")), "http://h/yabc?q");
  EXPECT_EQ(redirected(Kind::Regex, "/re/.*", {.prefix_rewrite = "/whole"}, request("h", "/re/foo?q")),
            "http://h/whole?q");
  EXPECT_EQ(redirected(Kind::Prefix, "/r/rr", {.regex_rewrite = RegexRewrite{"/r/(rr)", "/\\1/\\0"}},
                       request("ex.com:80", "/r/rr/foo?q")),
            "http://ex.com:80/rr//r/rr/foo?q");
}

TEST(Redirects, ADirectResponseLeadsToTheRequestItself) {
  Route made = prefix("/");
  made.forward.reset();
  made.direct = DirectResponse{201, "x"};
  const auto table = build(tableOf({made}));
  const auto asked = request("h:80", "/d?b=c");
  EXPECT_EQ(table->redirectLocation(*table->match(asked, 0), asked), "http://h:80/d?b=c");
}

}  // namespace
}  // namespace weir::route
