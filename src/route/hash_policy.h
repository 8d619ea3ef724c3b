// Which number stands for a request where the balancer goes by hash: a route's hash policies, compiled. Immutable.
//
// As Envoy, to the value: the hashes of the policies that have something to hash are rotated and combined in order, and
// a terminal policy ends the list once there is a hash.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/header_map.h"
#include "route/rewrite.h"
#include "route/spec.h"

namespace weir::route {

// What can be hashed of a request.
struct HashSource {
  const http::HeaderMap& request;
  std::string_view client_ip;
  // The same for all requests of a connection and no other: what a cookie that is handed out is made from.
  std::string_view connection_name;
  const std::map<std::string, std::string, std::less<>>& filter_state;
};

struct Hashed {
  std::optional<uint64_t> hash;
  std::vector<std::string>
      set_cookies;  // Values of set-cookie for the answer: cookies that the client had not got yet.
};

class HashPolicies {
 public:
  // specs must outlive what is created. Error (side Operator): an expression that does not compile.
  static base::Result<HashPolicies> create(const std::vector<HashPolicy>& specs);
  bool empty() const { return policies_.empty(); }
  Hashed evaluate(const HashSource& source) const;

 private:
  struct Compiled {
    const HashPolicy* spec;
    std::optional<Rewriter> rewrite;
  };
  static std::optional<uint64_t> hashOf(const Compiled& policy, const HashSource& source, Hashed& out);

  std::vector<Compiled> policies_;
};

}  // namespace weir::route
