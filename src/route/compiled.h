// A route table's routes with everything compiled that can be: one CompiledRoute beside each Route.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "format/format.h"
#include "route/hash_policy.h"
#include "route/matchers.h"
#include "route/mutations.h"
#include "route/retry_policy.h"
#include "route/rewrite.h"
#include "route/route_index.h"
#include "route/spec.h"

namespace weir::route {

struct CompiledMutations {
  Mutations request;
  Mutations response;
  static base::Result<CompiledMutations> create(const HeaderMutations& spec);
};

struct CompiledRoute {
  const Route* route = nullptr;
  PathMatcher path;
  std::vector<HeaderMatcher> headers;
  std::vector<QueryMatcher> query;
  uint64_t weight_total = 0;
  PathRewrite path_rewrite;  // Of a forwarding route, or of a redirect.
  std::optional<Rewriter> host_rewrite_path_regex;
  std::optional<format::Format> direct_body;
  CompiledMutations mutations;
  std::vector<CompiledMutations> weighted_mutations;  // One per weighted cluster.
  std::optional<CompiledRetryPolicy> retry_policy;
  HashPolicies hash_policies;
  uint32_t filter_choice = 0;                     // Set by the table, which knows the levels above.
  std::vector<uint32_t> weighted_filter_choices;  // One per weighted cluster.

  // route must outlive what is created.
  static base::Result<CompiledRoute> create(const Route& route);
  // path: see pathOnly(); whole_path: with query.
  bool matches(const http::HeaderMap& request, std::string_view path, std::string_view whole_path,
               uint64_t random_value) const;
};

struct CompiledVirtualHost {
  const VirtualHost* virtual_host = nullptr;
  std::vector<CompiledRoute> routes;
  std::unique_ptr<RouteIndex> index;  // Null for few routes: testing them in turn costs less.
  CompiledMutations mutations;
  std::optional<CompiledRetryPolicy> retry_policy;  // Of routes without one of their own.

  static base::Result<CompiledVirtualHost> create(const VirtualHost& virtual_host);
  const CompiledRoute* find(const http::HeaderMap& request, uint64_t random_value) const;
};

}  // namespace weir::route
