// Rewriting a request's path and host, and the Location of a redirect.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/header_map.h"
#include "route/matchers.h"
#include "route/spec.h"

namespace weir::route {

class Rewriter {
 public:
  // Error (side Operator): the expression does not compile, or the substitution names a group that it has not.
  static base::Result<Rewriter> create(const RegexRewrite& spec);
  // Every match in text replaced.
  std::string replaceAll(std::string_view text) const;

 private:
  std::unique_ptr<re2::RE2> regex_;
  std::string substitution_;
};

// What a route does to paths: at most one of the two.
struct PathRewrite {
  std::string prefix;             // Takes the place of what the path match matched.
  std::optional<Rewriter> regex;  // Works on the path without its query.

  bool empty() const { return prefix.empty() && !regex; }
  // path: whole, with query, which is kept.
  std::string apply(const PathMatcher& match, std::string_view path) const;
};

// The Location that a redirect (null: none, the request's own URI) gives; path is the request's, already rewritten.
// An explicit port and, where the scheme changes, the old scheme's default port go from the host.
std::string location(const RedirectAction* redirect, const http::HeaderMap& request, std::string_view path);

}  // namespace weir::route
