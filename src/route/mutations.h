// Headers that a route, virtual host or configuration adds to and removes from messages, compiled.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "http/header_map.h"
#include "route/spec.h"

namespace weir::route {

class Mutations {
 public:
  // Error (side Operator): a name that may not be touched (pseudo headers and host), a name or value that no header can
  // have, a %OPERATOR%.
  static base::Result<Mutations> create(const std::vector<HeaderValueOption>& add,
                                        const std::vector<std::string>& remove);

  // Removals first; then what overwrites; then what is added. Whether a header "is there" is judged once, after the
  // removals, so that two of AddIfAbsent with one name add two, as in Envoy.
  void apply(http::HeaderMap& headers) const;

 private:
  std::vector<HeaderValueOption> add_;  // Values without escapes.
  std::vector<std::string> remove_;
};

}  // namespace weir::route
