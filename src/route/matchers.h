// What a request is held against, compiled from the spec: pure, immutable, allocating nothing per request.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/header_map.h"
#include "route/spec.h"

namespace weir::route {

// Null is never returned: an expression that does not compile is the operator's error.
base::Result<std::unique_ptr<re2::RE2>> compileRegex(const std::string& expression);

// The path without query and fragment: what all path matches look at.
std::string_view pathOnly(std::string_view path);
// What follows the first '?', without it; empty if there is none.
std::string_view queryOf(std::string_view path);

class StringMatcher {
 public:
  static base::Result<StringMatcher> create(const StringMatch& spec);
  bool matches(std::string_view text) const;

 private:
  StringMatch spec_;
  std::unique_ptr<re2::RE2> regex_;  // Only for Kind::Regex, which must match the whole text.
};

class PathMatcher {
 public:
  static base::Result<PathMatcher> create(const PathMatch& spec);
  // path: see pathOnly(). A request without a path (method CONNECT) matches Kind::Connect alone.
  bool matches(std::string_view path, std::string_view method) const;
  // How much of a matched path a prefix rewrite replaces.
  size_t matchedLength(std::string_view path) const;

 private:
  bool matchesRegex(std::string_view path) const;

  PathMatch spec_;
  std::unique_ptr<re2::RE2> regex_;
  // Every path that the expression accepts lies between these, so that most others need no run of it.
  bool bounded_ = false;
  std::string lowest_;
  std::string highest_;
};

// Envoy 1.40 holds each value of a repeated header against the matcher by itself: one that matches is enough, and with
// invert none may. A header that is absent matches neither way, unless treat_missing_as_empty.
class HeaderMatcher {
 public:
  static base::Result<HeaderMatcher> create(const HeaderMatch& spec);
  bool matches(const http::HeaderMap& headers) const;

 private:
  bool valueMatches(std::string_view value) const;

  HeaderMatch spec_;
  http::HeaderId id_ = http::HeaderId::Unknown;
  StringMatcher string_;
};

// The first parameter of that name counts; names and values are compared as they came, undecoded.
class QueryMatcher {
 public:
  static base::Result<QueryMatcher> create(const QueryMatch& spec);
  bool matches(std::string_view query) const;

 private:
  QueryMatch spec_;
  StringMatcher string_;
};

}  // namespace weir::route
