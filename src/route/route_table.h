// Finds the route of a request: immutable data and pure functions, shared by all workers.
#pragma once

#include <memory>

#include "base/random.h"
#include "base/result.h"
#include "http/header_map.h"
#include "route/spec.h"

namespace weir::route {

struct Match {
  const VirtualHost* virtual_host = nullptr;
  const Route* route = nullptr;
  // The cluster chosen (weighted clusters draw once per match; cluster_header read from the request); empty unless
  // the route forwards.
  std::string_view cluster;
  const WeightedCluster* weighted = nullptr;
};

class RouteTable {
 public:
  // Error (side Operator): a regular expression that does not compile, a domain given twice. path: where the
  // configuration stands, for the message.
  static base::Result<std::shared_ptr<const RouteTable>> create(RouteConfig config);
  virtual ~RouteTable() = default;

  // nullopt: no virtual host, or no route in it, matches. random_value decides fractions and weights, so that the same
  // value gives the same answer.
  virtual std::optional<Match> match(const http::HeaderMap& request, uint64_t random_value) const = 0;
  virtual const RouteConfig& config() const = 0;

  // As Envoy's finalizeRequestHeaders: path and host rewritten (x-envoy-original-path kept), headers added and removed,
  // most general last unless configured otherwise. upstream_hostname is for auto_host_rewrite, applied by the caller
  // when the endpoint is known.
  virtual void finalizeRequest(const Match& match, http::HeaderMap& request) const = 0;
  virtual void finalizeResponse(const Match& match, http::HeaderMap& response) const = 0;
  // The Location of a redirect for this request (RFC 9110 10.2.2).
  virtual std::string redirectLocation(const Match& match, const http::HeaderMap& request) const = 0;
};

}  // namespace weir::route
