// Headers that a route, virtual host or configuration adds to and removes from messages, compiled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/text_format.h"
#include "http/header_map.h"
#include "route/spec.h"

namespace weir::route {

class Mutations {
 public:
  // Error (side Operator): a name that may not be touched (pseudo headers and host), a name or value that no header can
  // have, an operator that there is not.
  static base::Result<Mutations> create(const std::vector<HeaderValueOption>& add,
                                        const std::vector<std::string>& remove);

  // Removals first; then what overwrites; then what is added. Whether a header "is there" is judged once, after the
  // removals, so that two of AddIfAbsent with one name add two, as in Envoy. Operators in values are about entry, and
  // what is absent there is empty; a header whose value comes out empty is not set, unless keep_empty_value.
  void apply(http::HeaderMap& headers, const format::Entry& entry) const;

 private:
  using Action = HeaderValueOption::Action;
  struct Addition {
    std::string name;
    std::string value;  // Where there is no operator in it.
    std::optional<format::TextFormat> format;
    Action action;
    bool keep_empty;
  };
  static base::Result<Addition> compile(const HeaderValueOption& option);
  static void put(http::HeaderMap& headers, const Addition& addition, const format::Entry& entry);

  std::vector<Addition> add_;
  std::vector<std::string> remove_;
};

}  // namespace weir::route
