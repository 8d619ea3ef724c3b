#include "route/matchers.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "http/characters.h"

namespace weir::route {
namespace {

bool equal(std::string_view a, std::string_view b, bool ignore_case) {
  return ignore_case ? http::equalsIgnoreCase(a, b) : a == b;
}

bool startsWith(std::string_view text, std::string_view prefix, bool ignore_case) {
  return text.size() >= prefix.size() && equal(text.substr(0, prefix.size()), prefix, ignore_case);
}

bool endsWith(std::string_view text, std::string_view suffix, bool ignore_case) {
  return text.size() >= suffix.size() && equal(text.substr(text.size() - suffix.size()), suffix, ignore_case);
}

bool contains(std::string_view text, std::string_view part, bool ignore_case) {
  if (!ignore_case) return text.find(part) != text.npos;
  const auto same = [](char a, char b) { return http::toLower(a) == http::toLower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() || part.empty();
}

// A whole decimal number with an optional sign and nothing around it but blanks.
std::optional<int64_t> wholeNumber(std::string_view text) {
  text = http::trimBlanks(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

base::Result<std::unique_ptr<re2::RE2>> compileRegex(const std::string& expression) {
  auto regex = std::make_unique<re2::RE2>(expression, re2::RE2::Quiet);
  if (!regex->ok()) {
    return base::Error{base::Code::InvalidArgument, base::Side::Operator, base::Retry::No,
                       "regular expression '" + expression + "': " + regex->error()};
  }
  return regex;
}

std::string_view pathOnly(std::string_view path) { return path.substr(0, path.find_first_of("?#")); }

std::string_view queryOf(std::string_view path) {
  const size_t mark = path.find('?');
  if (mark == path.npos) return {};
  path.remove_prefix(mark + 1);
  return path.substr(0, path.find('#'));
}

base::Result<StringMatcher> StringMatcher::create(const StringMatch& spec) {
  StringMatcher matcher;
  matcher.spec_ = spec;
  if (spec.kind == StringMatch::Kind::Regex) {
    auto regex = compileRegex(spec.text);
    if (!regex.ok()) return std::move(regex).error();
    matcher.regex_ = *std::move(regex);
  }
  return matcher;
}

bool StringMatcher::matches(std::string_view text) const {
  switch (spec_.kind) {
    case StringMatch::Kind::Exact:
      return text.size() == spec_.text.size() && equal(text, spec_.text, spec_.ignore_case);
    case StringMatch::Kind::Prefix: return startsWith(text, spec_.text, spec_.ignore_case);
    case StringMatch::Kind::Suffix: return endsWith(text, spec_.text, spec_.ignore_case);
    case StringMatch::Kind::Contains: return contains(text, spec_.text, spec_.ignore_case);
    case StringMatch::Kind::Regex: return re2::RE2::FullMatch(piece(text), *regex_);
  }
  return false;
}

base::Result<PathMatcher> PathMatcher::create(const PathMatch& spec) {
  PathMatcher matcher;
  matcher.spec_ = spec;
  if (spec.kind == PathMatch::Kind::Regex) {
    auto regex = compileRegex(spec.text);
    if (!regex.ok()) return std::move(regex).error();
    matcher.regex_ = *std::move(regex);
    constexpr int kBoundLength = 32;
    matcher.bounded_ = matcher.regex_->PossibleMatchRange(&matcher.lowest_, &matcher.highest_, kBoundLength);
  }
  return matcher;
}

bool PathMatcher::matches(std::string_view path, std::string_view method) const {
  if (spec_.kind == PathMatch::Kind::Connect) return method == "CONNECT";
  if (path.empty()) return false;
  const bool ignore_case = !spec_.case_sensitive;
  switch (spec_.kind) {
    case PathMatch::Kind::Prefix: return startsWith(path, spec_.text, ignore_case);
    case PathMatch::Kind::Path: return path.size() == spec_.text.size() && equal(path, spec_.text, ignore_case);
    case PathMatch::Kind::Regex: return matchesRegex(path);
    case PathMatch::Kind::PathSeparatedPrefix:
      return startsWith(path, spec_.text, ignore_case) &&
             (path.size() == spec_.text.size() || path[spec_.text.size()] == '/');
    case PathMatch::Kind::Connect: break;
  }
  return false;
}

bool PathMatcher::matchesRegex(std::string_view path) const {
  if (bounded_ && (path < lowest_ || path > highest_)) return false;
  return re2::RE2::FullMatch(piece(path), *regex_);
}

size_t PathMatcher::matchedLength(std::string_view path) const {
  // A regular expression matched the whole path, and there is no part of a CONNECT's path to speak of.
  const bool whole = spec_.kind == PathMatch::Kind::Regex || spec_.kind == PathMatch::Kind::Connect;
  return whole ? path.size() : std::min(spec_.text.size(), path.size());
}

base::Result<HeaderMatcher> HeaderMatcher::create(const HeaderMatch& spec) {
  HeaderMatcher matcher;
  matcher.spec_ = spec;
  std::transform(spec.name.begin(), spec.name.end(), matcher.spec_.name.begin(), http::toLower);
  // A request has :authority where its sender wrote Host.
  if (matcher.spec_.name == "host") matcher.spec_.name = ":authority";
  matcher.id_ = http::wellKnownId(matcher.spec_.name);
  auto string = StringMatcher::create(spec.string);
  if (!string.ok()) return std::move(string).error();
  matcher.string_ = *std::move(string);
  return matcher;
}

bool HeaderMatcher::matches(const http::HeaderMap& headers) const {
  bool found = false;
  bool matched = false;
  for (const auto& entry : headers) {
    if (entry.id != id_ || (id_ == http::HeaderId::Unknown && entry.name != spec_.name)) continue;
    found = true;
    if (matched = valueMatches(entry.value); matched) break;
  }
  if (!found) {
    if (spec_.treat_missing_as_empty) return valueMatches({}) != spec_.invert;
    // Only "not present" is true of what is not there.
    return spec_.kind == HeaderMatch::Kind::Present && spec_.invert;
  }
  return matched != spec_.invert;
}

bool HeaderMatcher::valueMatches(std::string_view value) const {
  switch (spec_.kind) {
    case HeaderMatch::Kind::Present: return true;
    case HeaderMatch::Kind::String: return string_.matches(value);
    case HeaderMatch::Kind::Range: {
      const auto number = wholeNumber(value);
      return number && *number >= spec_.range_start && *number < spec_.range_end;
    }
  }
  return false;
}

base::Result<QueryMatcher> QueryMatcher::create(const QueryMatch& spec) {
  QueryMatcher matcher;
  matcher.spec_ = spec;
  auto string = StringMatcher::create(spec.string);
  if (!string.ok()) return std::move(string).error();
  matcher.string_ = *std::move(string);
  return matcher;
}

bool QueryMatcher::matches(std::string_view query) const {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(parameter.find('='), parameter.size());
    if (parameter.substr(0, equals) != spec_.name || parameter.empty()) continue;
    return spec_.present_only || string_.matches(parameter.substr(std::min(equals + 1, parameter.size())));
  }
  return false;
}

}  // namespace weir::route
