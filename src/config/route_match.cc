// envoy.config.route.v3.RouteMatch and the matchers in it.
#include <re2/re2.h>

#include "config/values.h"

namespace weir::config {
namespace {

namespace v3 = envoy::config::route::v3;

route::StringMatch text(route::StringMatch::Kind kind, std::string value) { return {kind, std::move(value), false}; }

route::QueryMatch convertQuery(const v3::QueryParameterMatcher& matcher, const Place& place) {
  route::QueryMatch result;
  result.name = matcher.name();
  result.present_only = !matcher.has_string_match();
  if (matcher.has_string_match()) result.string = convertString(matcher.string_match(), place.field("string_match"));
  const bool absent = matcher.query_parameter_match_specifier_case() == v3::QueryParameterMatcher::kPresentMatch &&
                      !matcher.present_match();
  if (absent) place.field("present_match").unsupported("present_match: false");
  return result;
}

}  // namespace

double convertFraction(const envoy::type::v3::FractionalPercent& fraction) {
  switch (fraction.denominator()) {
    case envoy::type::v3::FractionalPercent::TEN_THOUSAND: return std::min(1.0, fraction.numerator() / 10'000.0);
    case envoy::type::v3::FractionalPercent::MILLION: return std::min(1.0, fraction.numerator() / 1'000'000.0);
    default: return std::min(1.0, fraction.numerator() / 100.0);
  }
}

route::HeaderMatch convertHeaderMatch(const v3::HeaderMatcher& matcher, const Place& place) {
  using Kind = route::HeaderMatch::Kind;
  using String = route::StringMatch::Kind;
  route::HeaderMatch result;
  result.name = matcher.name();
  result.invert = matcher.invert_match();
  result.treat_missing_as_empty = matcher.treat_missing_header_as_empty();
  result.kind = Kind::String;
  switch (matcher.header_match_specifier_case()) {
    case v3::HeaderMatcher::kExactMatch: result.string = text(String::Exact, matcher.exact_match()); break;
    case v3::HeaderMatcher::kSafeRegexMatch:
      result.string = text(String::Regex, convertRegex(matcher.safe_regex_match(), place.field("safe_regex_match")));
      break;
    case v3::HeaderMatcher::kPrefixMatch: result.string = text(String::Prefix, matcher.prefix_match()); break;
    case v3::HeaderMatcher::kSuffixMatch: result.string = text(String::Suffix, matcher.suffix_match()); break;
    case v3::HeaderMatcher::kContainsMatch: result.string = text(String::Contains, matcher.contains_match()); break;
    case v3::HeaderMatcher::kStringMatch:
      result.string = convertString(matcher.string_match(), place.field("string_match"));
      break;
    case v3::HeaderMatcher::kRangeMatch:
      result.kind = Kind::Range;
      result.range_start = matcher.range_match().start();
      result.range_end = matcher.range_match().end();
      break;
    case v3::HeaderMatcher::kPresentMatch:
      result.kind = Kind::Present;
      // present_match: false asks for absence.
      if (!matcher.present_match()) result.invert = !result.invert;
      break;
    case v3::HeaderMatcher::HEADER_MATCH_SPECIFIER_NOT_SET: result.kind = Kind::Present; break;
  }
  return result;
}

std::string convertRegex(const envoy::type::matcher::v3::RegexMatcher& matcher, const Place& place) {
  const re2::RE2 compiled(matcher.regex(), re2::RE2::Quiet);
  if (!compiled.ok()) {
    place.field("regex").fault(FaultKind::Rule, fmt::format("invalid regular expression: {}", compiled.error()));
  }
  return matcher.regex();
}

route::RegexRewrite convertRewrite(const envoy::type::matcher::v3::RegexMatchAndSubstitute& rewrite,
                                   const Place& place) {
  const Place pattern = place.field("pattern");
  route::RegexRewrite result{convertRegex(rewrite.pattern(), pattern), rewrite.substitution()};
  const re2::RE2 compiled(result.regex, re2::RE2::Quiet);
  std::string reason;
  if (compiled.ok() && !compiled.CheckRewriteString(result.substitution, &reason)) {
    place.field("substitution").fault(FaultKind::Rule, reason);
  }
  return result;
}

route::StringMatch convertString(const envoy::type::matcher::v3::StringMatcher& matcher, const Place& place) {
  using Matcher = envoy::type::matcher::v3::StringMatcher;
  using Kind = route::StringMatch::Kind;
  route::StringMatch result;
  result.ignore_case = matcher.ignore_case();
  switch (matcher.match_pattern_case()) {
    case Matcher::kExact:
      result.kind = Kind::Exact;
      result.text = matcher.exact();
      break;
    case Matcher::kPrefix:
      result.kind = Kind::Prefix;
      result.text = matcher.prefix();
      break;
    case Matcher::kSuffix:
      result.kind = Kind::Suffix;
      result.text = matcher.suffix();
      break;
    case Matcher::kContains:
      result.kind = Kind::Contains;
      result.text = matcher.contains();
      break;
    case Matcher::kSafeRegex:
      result.kind = Kind::Regex;
      result.text = convertRegex(matcher.safe_regex(), place.field("safe_regex"));
      if (matcher.ignore_case()) {
        place.field("ignore_case").fault(FaultKind::Conflict, "ignore_case has no effect on safe_regex");
      }
      break;
    default:  // Absent: by the rules. Custom: by the support tables.
      break;
  }
  return result;
}

route::PathMatch convertPath(const v3::RouteMatch& match, const Place& place) {
  using Kind = route::PathMatch::Kind;
  route::PathMatch path;
  path.case_sensitive = !match.has_case_sensitive() || match.case_sensitive().value();
  switch (match.path_specifier_case()) {
    case v3::RouteMatch::kPath:
      path.kind = Kind::Path;
      path.text = match.path();
      break;
    case v3::RouteMatch::kSafeRegex:
      path.kind = Kind::Regex;
      path.text = convertRegex(match.safe_regex(), place.field("safe_regex"));
      break;
    case v3::RouteMatch::kConnectMatcher: path.kind = Kind::Connect; break;
    case v3::RouteMatch::kPathSeparatedPrefix:
      path.kind = Kind::PathSeparatedPrefix;
      path.text = match.path_separated_prefix();
      break;
    default: path.text = match.prefix(); break;
  }
  return path;
}

void convertMatch(const v3::RouteMatch& match, const Place& place, route::Route& route) {
  route.path = convertPath(match, place);
  for (int i = 0; i < match.headers_size(); i++) {
    route.headers.push_back(convertHeaderMatch(match.headers(i), place.item("headers", static_cast<size_t>(i))));
  }
  for (int i = 0; i < match.query_parameters_size(); i++) {
    route.query.push_back(
        convertQuery(match.query_parameters(i), place.item("query_parameters", static_cast<size_t>(i))));
  }
  route.grpc_only = match.has_grpc();
  if (match.has_runtime_fraction()) route.runtime_fraction = convertFraction(match.runtime_fraction().default_value());
}

}  // namespace weir::config
