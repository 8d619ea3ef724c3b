// Finds the route of a request: immutable data and pure functions, shared by all workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "format/entry.h"
#include "http/header_map.h"
#include "route/filter_choices.h"
#include "route/spec.h"

namespace weir::route {

struct CompiledRetryPolicy;
class HashPolicies;
struct CompiledRoute;  // The table's own view of a route.

// What the table found; valid as long as the table and the request's headers live.
struct Match {
  const VirtualHost* virtual_host = nullptr;
  const Route* route = nullptr;
  // The cluster chosen (weighted clusters draw once per match; cluster_header read from the request); empty unless
  // the route forwards.
  std::string_view cluster;
  const WeightedCluster* weighted = nullptr;
  // The virtual host wants TLS and the request came without: route is then a redirect to https that the table made up.
  // Answer it like any other redirect.
  bool tls_redirect = false;
  const CompiledRoute* compiled = nullptr;
  const CompiledRetryPolicy* retry_policy = nullptr;  // The route's, else the virtual host's; null if neither has one.
  const HashPolicies* hash_policies = nullptr;        // Null if the route has none.
  uint32_t filter_choice = 0;                         // Which of RouteTable::filterChoices(); 0: nothing is said.
};

class RouteTable {
 public:
  // Error (side Operator): a regular expression that does not compile, a domain given twice, weights that sum to
  // nothing, a header that may not be changed. The detail says in which virtual host and route.
  static base::Result<std::shared_ptr<const RouteTable>> create(RouteConfig config);
  virtual ~RouteTable() = default;

  // nullopt: no virtual host, or no route in it, matches. random_value decides fractions and weights, so that the same
  // value gives the same answer. A route without any action (non_forwarding) is a match with an empty cluster, which
  // Envoy 1.40 answers with 503 as a cluster that it does not know.
  virtual std::optional<Match> match(const http::HeaderMap& request, uint64_t random_value) const = 0;
  virtual const RouteConfig& config() const = 0;
  // What is said of HTTP filters, each combination of levels once; the first says nothing.
  virtual const std::vector<FilterOverrides>& filterChoices() const = 0;

  // As Envoy's finalizeRequestHeaders: headers removed and added (the weighted cluster's first, then route, virtual
  // host, configuration, or these three the other way round with most_specific_mutations_win), then host and path
  // rewritten. note_originals: x-envoy-original-host and x-envoy-original-path tell what was there (no, with the
  // router's suppress_envoy_headers). auto_host_rewrite is the caller's, by rewriteHost(), once the endpoint is known.
  virtual void finalizeRequest(const Match& match, http::HeaderMap& request, const format::Entry& entry,
                               bool note_originals = true) const = 0;
  virtual void finalizeResponse(const Match& match, http::HeaderMap& response, const format::Entry& entry) const = 0;
  // The body of a route that answers directly, and its type (empty: as for any body).
  virtual std::string directBody(const Match& match, const format::Entry& entry, std::string& content_type) const = 0;
  // The Location of a redirect for this request (RFC 9110 10.2.2). Envoy adds it also to a direct response with status
  // 201 or 3xx: then it is the request's own URI.
  virtual std::string redirectLocation(const Match& match, const http::HeaderMap& request) const = 0;
};

// Sets :authority as every host rewrite does; x-envoy-original-host (note_original) and x-forwarded-host (append) tell
// the old one.
void rewriteHost(http::HeaderMap& request, std::string_view host, bool append_x_forwarded_host, bool note_original);

}  // namespace weir::route
