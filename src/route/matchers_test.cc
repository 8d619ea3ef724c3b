// Header, query and string matches; the answers are those of Envoy 1.40.
#include "route/matchers.h"

#include "route/test_support.h"

namespace weir::route {
namespace {

using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

bool matches(const HeaderMatch& spec, Headers headers) {
  auto matcher = HeaderMatcher::create(spec);
  EXPECT_TRUE(matcher.ok());
  return matcher->matches(request("h", "/", headers));
}

bool matches(const QueryMatch& spec, std::string_view query) { return QueryMatcher::create(spec)->matches(query); }

bool matches(StringMatch::Kind kind, std::string text, bool ignore_case, std::string_view against) {
  return StringMatcher::create({kind, std::move(text), ignore_case})->matches(against);
}

HeaderMatch exactly(std::string text) {
  return {.name = "h", .kind = HeaderMatch::Kind::String, .string = {.text = text}};
}

TEST(StringMatches, EachKindWithAndWithoutCase) {
  using Kind = StringMatch::Kind;
  EXPECT_TRUE(matches(Kind::Exact, "ab", false, "ab"));
  EXPECT_FALSE(matches(Kind::Exact, "ab", false, "AB"));
  EXPECT_TRUE(matches(Kind::Exact, "ab", true, "AB"));
  EXPECT_FALSE(matches(Kind::Exact, "ab", true, "abc"));
  EXPECT_TRUE(matches(Kind::Prefix, "ab", false, "abc"));
  EXPECT_TRUE(matches(Kind::Prefix, "ab", true, "ABc"));
  EXPECT_FALSE(matches(Kind::Prefix, "ab", false, "a"));
  EXPECT_TRUE(matches(Kind::Suffix, "bc", false, "abc"));
  EXPECT_TRUE(matches(Kind::Suffix, "bc", true, "aBC"));
  EXPECT_FALSE(matches(Kind::Suffix, "bc", false, "bcd"));
  EXPECT_TRUE(matches(Kind::Contains, "b", false, "abc"));
  EXPECT_TRUE(matches(Kind::Contains, "B", true, "abc"));
  EXPECT_FALSE(matches(Kind::Contains, "B", false, "abc"));
  EXPECT_TRUE(matches(Kind::Regex, "a+", false, "aaa"));
  EXPECT_FALSE(matches(Kind::Regex, "a+", false, "aab"));
}

TEST(HeaderMatches, AnAbsentHeaderMatchesNeitherWay) {
  HeaderMatch spec = exactly("a");
  EXPECT_FALSE(matches(spec, {}));
  spec.invert = true;
  EXPECT_FALSE(matches(spec, {}));
  EXPECT_TRUE(matches(spec, {{"h", ""}}));
}

TEST(HeaderMatches, AnAbsentHeaderMayBeTakenForAnEmptyOne) {
  HeaderMatch spec = exactly("a");
  spec.treat_missing_as_empty = true;
  spec.invert = true;
  EXPECT_TRUE(matches(spec, {}));
  HeaderMatch present{.name = "h", .treat_missing_as_empty = true};
  EXPECT_TRUE(matches(present, {}));
  present.invert = true;
  EXPECT_FALSE(matches(present, {}));
}

TEST(HeaderMatches, PresenceAndItsInverse) {
  HeaderMatch present{.name = "h"};
  EXPECT_TRUE(matches(present, {{"h", ""}}));
  EXPECT_FALSE(matches(present, {}));
  present.invert = true;
  EXPECT_FALSE(matches(present, {{"h", ""}}));
  EXPECT_TRUE(matches(present, {}));
}

TEST(HeaderMatches, EachValueOfARepeatedHeaderIsHeldAgainstItAlone) {
  EXPECT_TRUE(matches(exactly("b"), {{"h", "a"}, {"h", "b"}}));
  EXPECT_FALSE(matches(exactly("a,b"), {{"h", "a"}, {"h", "b"}}));
  EXPECT_FALSE(matches(exactly("b"), {{"h", "a,b"}}));
  HeaderMatch none = exactly("b");
  none.invert = true;
  EXPECT_FALSE(matches(none, {{"h", "a"}, {"h", "b"}}));
  EXPECT_TRUE(matches(none, {{"h", "a"}, {"h", "c"}}));
}

TEST(HeaderMatches, ARangeIsHalfOpenAndTakesWholeNumbersOnly) {
  const HeaderMatch range{.name = "h", .kind = HeaderMatch::Kind::Range, .range_start = -1, .range_end = 10};
  for (const auto* inside : {"-1", "5", "+5", "05", "9"}) EXPECT_TRUE(matches(range, {{"h", inside}})) << inside;
  for (const auto* outside : {"-2", "10", "5x", "", "x", "+-1", "99999999999999999999"}) {
    EXPECT_FALSE(matches(range, {{"h", outside}})) << outside;
  }
  EXPECT_TRUE(matches(range, {{"h", "x"}, {"h", "5"}}));
}

TEST(HeaderMatches, HostMeansAuthorityAndNamesHaveNoCase) {
  HeaderMatch host{.name = "Host", .kind = HeaderMatch::Kind::String, .string = {.text = "h"}};
  EXPECT_TRUE(matches(host, {}));
  HeaderMatch upper{.name = "X-Up"};
  EXPECT_TRUE(matches(upper, {{"x-up", "1"}}));
  HeaderMatch method{.name = ":method", .kind = HeaderMatch::Kind::String, .string = {.text = "GET"}};
  EXPECT_TRUE(matches(method, {}));
}

TEST(QueryMatches, TheFirstParameterOfTheNameCounts) {
  const QueryMatch x{.name = "a", .string = {.text = "x"}};
  EXPECT_TRUE(matches(x, "a=x&a=y"));
  EXPECT_FALSE(matches(x, "a=y&a=x"));
  EXPECT_TRUE(matches(x, "&a=x"));
  EXPECT_FALSE(matches(x, "a=x=1"));
  EXPECT_FALSE(matches(x, "aa=1;a=x"));
  EXPECT_FALSE(matches(x, ""));
}

TEST(QueryMatches, NothingIsDecoded) {
  EXPECT_FALSE(matches({.name = "a", .string = {.text = "1 2"}}, "a=1%202"));
  EXPECT_TRUE(matches({.name = "a", .string = {.text = "1%202"}}, "a=1%202"));
}

TEST(QueryMatches, AParameterWithoutValueIsEmptyAndPresent) {
  EXPECT_TRUE(matches({.name = "a", .string = {.text = ""}}, "b&a"));
  EXPECT_TRUE(matches({.name = "a", .present_only = true}, "a"));
  EXPECT_FALSE(matches({.name = "a", .present_only = true}, "b=a"));
}

}  // namespace
}  // namespace weir::route
