#include "route/compiled.h"

#include "http/grpc.h"

namespace weir::route {
namespace {

// From here on hashing beats testing route after route.
constexpr size_t kIndexFrom = 16;

base::Error refused(std::string detail) {
  return {base::Code::InvalidArgument, base::Side::Operator, base::Retry::No, std::move(detail)};
}

base::Result<void> compileMatch(const Route& route, CompiledRoute& compiled) {
  auto path = PathMatcher::create(route.path);
  if (!path.ok()) return std::move(path).error();
  compiled.path = *std::move(path);
  for (const HeaderMatch& header : route.headers) {
    auto matcher = HeaderMatcher::create(header);
    if (!matcher.ok()) return std::move(matcher).error();
    compiled.headers.push_back(*std::move(matcher));
  }
  for (const QueryMatch& parameter : route.query) {
    auto matcher = QueryMatcher::create(parameter);
    if (!matcher.ok()) return std::move(matcher).error();
    compiled.query.push_back(*std::move(matcher));
  }
  return base::Ok{};
}

base::Result<void> compileRewrite(const std::optional<RegexRewrite>& spec, std::optional<Rewriter>& compiled) {
  if (!spec) return base::Ok{};
  auto rewriter = Rewriter::create(*spec);
  if (!rewriter.ok()) return std::move(rewriter).error();
  compiled = *std::move(rewriter);
  return base::Ok{};
}

base::Result<void> compileRetries(const std::optional<RetryPolicy>& spec,
                                  std::optional<CompiledRetryPolicy>& compiled) {
  if (!spec) return base::Ok{};
  auto policy = CompiledRetryPolicy::create(*spec);
  if (!policy.ok()) return std::move(policy).error().in("retry_policy");
  compiled = *std::move(policy);
  return base::Ok{};
}

base::Result<void> compileForward(const RouteAction& action, CompiledRoute& compiled) {
  compiled.path_rewrite.prefix = action.prefix_rewrite;
  if (auto done = compileRewrite(action.regex_rewrite, compiled.path_rewrite.regex); !done.ok()) return done;
  if (auto done = compileRewrite(action.host_rewrite_path_regex, compiled.host_rewrite_path_regex); !done.ok()) {
    return done;
  }
  if (auto done = compileRetries(action.retry_policy, compiled.retry_policy); !done.ok()) return done;
  auto hashing = HashPolicies::create(action.hash_policies);
  if (!hashing.ok()) return std::move(hashing).error().in("hash_policy");
  compiled.hash_policies = *std::move(hashing);
  for (const WeightedCluster& cluster : action.weighted) {
    compiled.weight_total += cluster.weight;
    auto mutations = CompiledMutations::create(cluster.headers);
    if (!mutations.ok()) return std::move(mutations).error();
    compiled.weighted_mutations.push_back(*std::move(mutations));
  }
  if (!action.weighted.empty() && compiled.weight_total == 0) {
    return refused("the weights of weighted_clusters sum up to nothing");
  }
  return base::Ok{};
}

base::Result<void> compileAction(const Route& route, CompiledRoute& compiled) {
  if (route.forward) return compileForward(*route.forward, compiled);
  if (route.direct && route.direct->body_format) {
    auto format = format::Format::create(*route.direct->body_format);
    if (!format.ok()) return std::move(format).error();
    compiled.direct_body = *std::move(format);
  }
  if (!route.redirect) return base::Ok{};
  compiled.path_rewrite.prefix = route.redirect->prefix_rewrite;
  return compileRewrite(route.redirect->regex_rewrite, compiled.path_rewrite.regex);
}

}  // namespace

base::Result<CompiledMutations> CompiledMutations::create(const HeaderMutations& spec) {
  auto request = Mutations::create(spec.request_add, spec.request_remove);
  if (!request.ok()) return std::move(request).error();
  auto response = Mutations::create(spec.response_add, spec.response_remove);
  if (!response.ok()) return std::move(response).error();
  return CompiledMutations{*std::move(request), *std::move(response)};
}

base::Result<CompiledRoute> CompiledRoute::create(const Route& route) {
  CompiledRoute compiled;
  compiled.route = &route;
  if (auto done = compileMatch(route, compiled); !done.ok()) return std::move(done).error();
  if (auto done = compileAction(route, compiled); !done.ok()) return std::move(done).error();
  auto mutations = CompiledMutations::create(route.header_mutations);
  if (!mutations.ok()) return std::move(mutations).error();
  compiled.mutations = *std::move(mutations);
  return compiled;
}

bool CompiledRoute::matches(const http::HeaderMap& request, std::string_view request_path, std::string_view whole_path,
                            uint64_t random_value) const {
  if (!path.matches(request_path, request.getOr(http::HeaderId::Method, {}))) return false;
  if (route->runtime_fraction) {
    constexpr uint64_t kParts = 1'000'000;
    if (static_cast<double>(random_value % kParts) >= *route->runtime_fraction * kParts) return false;
  }
  if (route->grpc_only && !http::isGrpc(request)) return false;
  for (const HeaderMatcher& header : headers) {
    if (!header.matches(request)) return false;
  }
  for (const QueryMatcher& parameter : query) {
    if (!parameter.matches(queryOf(whole_path))) return false;
  }
  return true;
}

base::Result<CompiledVirtualHost> CompiledVirtualHost::create(const VirtualHost& virtual_host) {
  CompiledVirtualHost compiled;
  compiled.virtual_host = &virtual_host;
  for (size_t i = 0; i < virtual_host.routes.size(); ++i) {
    auto route = CompiledRoute::create(virtual_host.routes[i]);
    if (!route.ok()) return std::move(route).error().in("routes[" + std::to_string(i) + "]");
    compiled.routes.push_back(*std::move(route));
  }
  auto mutations = CompiledMutations::create(virtual_host.header_mutations);
  if (!mutations.ok()) return std::move(mutations).error();
  compiled.mutations = *std::move(mutations);
  if (auto done = compileRetries(virtual_host.retry_policy, compiled.retry_policy); !done.ok()) {
    return std::move(done).error();
  }
  if (compiled.routes.size() >= kIndexFrom) compiled.index = std::make_unique<RouteIndex>(virtual_host.routes);
  return compiled;
}

const CompiledRoute* CompiledVirtualHost::find(const http::HeaderMap& request, uint64_t random_value) const {
  const std::string_view whole_path = request.getOr(http::HeaderId::Path, {});
  const std::string_view path = pathOnly(whole_path);
  if (index != nullptr) {
    const auto test = [&](size_t i) { return routes[i].matches(request, path, whole_path, random_value); };
    const size_t found = index->first(path, test);
    return found == RouteIndex::kNone ? nullptr : &routes[found];
  }
  for (const CompiledRoute& route : routes) {
    if (route.matches(request, path, whole_path, random_value)) return &route;
  }
  return nullptr;
}

}  // namespace weir::route
