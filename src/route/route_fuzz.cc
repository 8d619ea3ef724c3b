// Host, path and header values come from clients: matching, finalising and redirecting must survive all of them.
#include <cstddef>
#include <cstdint>

#include "route/route_table.h"

namespace {

using namespace weir::route;

Route routeOf(PathMatch::Kind kind, std::string text) {
  Route route;
  route.path.kind = kind;
  route.path.text = std::move(text);
  return route;
}

std::shared_ptr<const RouteTable> table() {
  VirtualHost host;
  host.domains = {"*", "*.foo", "bar.*", "[::1]"};
  Route queried = routeOf(PathMatch::Kind::Prefix, "/q");
  queried.query.push_back({"a", false, {StringMatch::Kind::Contains, "x", true}});
  queried.headers.push_back({});
  queried.headers.back().name = "h";
  queried.headers.back().kind = HeaderMatch::Kind::Range;
  queried.redirect.emplace().prefix_rewrite = "/longer";
  Route regex = routeOf(PathMatch::Kind::Regex, "/r[a-z]+/.*");
  regex.forward.emplace().regex_rewrite = RegexRewrite{"/r(.)", "\\1"};
  regex.forward->host_rewrite_path_regex = RegexRewrite{"[^a-z]", ""};
  regex.forward->append_x_forwarded_host = true;
  Route separated = routeOf(PathMatch::Kind::PathSeparatedPrefix, "/s");
  separated.path.case_sensitive = false;
  separated.redirect.emplace().port = 1;
  host.routes = {queried, regex, separated};
  for (int i = 0; i < 20; ++i) host.routes.push_back(routeOf(PathMatch::Kind::Path, "/" + std::string(i, 'p')));
  RouteConfig config;
  config.ignore_port_in_host = true;
  config.virtual_hosts = {host};
  return *RouteTable::create(std::move(config));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto routes = table();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t first = std::min(text.find('\n'), size);
  const size_t second = std::min(text.find('\n', first + 1), size);
  weir::http::HeaderMap request;
  request.add(weir::http::HeaderId::Authority, text.substr(0, first));
  request.add(weir::http::HeaderId::Path, text.substr(std::min(first + 1, size), second - std::min(first + 1, second)));
  request.add("h", text.substr(second));
  const auto match = routes->match(request, size);
  if (!match) return 0;
  routes->redirectLocation(*match, request);
  const weir::filter::StreamInfo nothing;
  routes->finalizeRequest(*match, request, {.info = nothing});
  return 0;
}
