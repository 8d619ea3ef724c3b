// What expressions give; tests/conformance (plugin_foreign.py) holds the same against Envoy's evaluator.
#include "cel/expression.h"

#include <gtest/gtest.h>

#include "cel/syntax.h"
#include "cel/testing.h"

namespace weir::cel {
namespace {

struct Expectation {
  std::string text;
  std::string value;
};

std::string evaluated(std::string_view text) {
  TableOfAttributes attributes;
  attributes.values["request.path"] = Value::string("/a");
  attributes.values["request.size"] = Value(int64_t{3});
  attributes.values["request.headers"] = Value(Value::Map{{Value::string("x-a"), Value::string("1")}});
  attributes.values["request.headers.x-a"] = Value::string("1");
  attributes.values["request.time"] = Value::timestamp(5);
  const auto expression = Expression::create(text);
  if (!expression.ok()) return "REFUSED " + expression.error().detail;
  return show(expression->evaluate(attributes));
}

void expectAll(std::initializer_list<Expectation> all) {
  for (const auto& [text, value] : all) EXPECT_EQ(evaluated(text), value) << text;
}
void expectErrors(std::initializer_list<std::string_view> all) {
  for (const std::string_view text : all)
    EXPECT_TRUE(evaluated(text).starts_with("ERROR")) << text << " " << evaluated(text);
}
void expectRefused(std::initializer_list<std::string_view> all) {
  for (const std::string_view text : all) {
    EXPECT_TRUE(evaluated(text).starts_with("REFUSED at ")) << text << " " << evaluated(text);
  }
}

TEST(Expression, Literals) {
  expectAll({{"1", "1"},
             {"-1", "-1"},
             {"0x1F", "31"},
             {"1u", "1u"},
             {"1.5", "1.5"},
             {".5", "0.5"},
             {"1e3", "1000.0"},
             {"true", "true"},
             {"null", "null"},
             {"'a'", "\"a\""},
             {"'''a'b'''", "\"a'b\""},
             {R"('\n\x41\u00e9\101\'')", "\"\nA\u00e9A'\""},
             {R"(r'a\n')", R"("a\n")"},
             {R"(b'\xff')", "b\"\xff\""},
             {"[1, 2,]", "[1, 2]"},
             {"{'a': 1,}", "{\"a\": 1}"},
             {"-9223372036854775808", "-9223372036854775808"},
             {"18446744073709551615u", "18446744073709551615u"},
             {"1 // rest", "1"},
             {"\t(\n1 ) ", "1"}});
  expectRefused({"9223372036854775808", "18446744073709551616u", "'a", "'\\q'", "'\\x4'", "'\\ud800'", "0x", "1e", "@",
                 "'\xff'", "'a\nb'"});
}

TEST(Expression, Arithmetic) {
  expectAll({{"1 + 2 * 3", "7"},
             {"(1 + 2) * 3", "9"},
             {"10 - 2 - 3", "5"},
             {"-7 / 2", "-3"},
             {"-7 % 3", "-1"},
             {"1.0 / 0.0", "inf"},
             {"'a' + 'b'", "\"ab\""},
             {"[1] + [2]", "[1, 2]"},
             {"- - 1", "1"},
             {"--'a'", "\"a\""},
             {"1 - - 1", "2"},
             {"-9223372036854775808 % -1", "0"}});
  expectErrors({"1 / 0", "1 % 0", "1u - 2u", "1 + 1.0", "1 + 1u", "9223372036854775807 + 1", "-(-9223372036854775808)",
                "-9223372036854775808 / -1", "-1u", "'a' + 1", "1.0 % 2.0", "-'a'"});
}

TEST(Expression, Comparison) {
  expectAll({{"1 == 1.0", "true"},
             {"1u < 2", "true"},
             {"1 < 1.5", "true"},
             {"-1 < 1u", "true"},
             {"'a' == 1", "false"},
             {"'a' < 'b'", "true"},
             {"[1] == [1.0]", "true"},
             {"{'a': 1} == {'a': 1u}", "true"},
             {"null == null", "true"},
             {"1 < 2 == true", "true"},
             {"9007199254740993 == 9007199254740992.0", "false"},
             {"0.0 == -0.0", "true"},
             {"0.0/0.0 == 0.0/0.0", "false"},
             {"1 in [1.0]", "true"},
             {"'a' in {'a': 1}", "true"},
             {"3 in [1]", "false"}});
  expectErrors({"'a' < 1", "1 < 2 < 3", "[] < []", "'a' in 'abc'"});
}

TEST(Expression, AndAndOrLookPastErrorsOnEitherSide) {
  expectAll({{"1/0 > 1 || true", "true"},
             {"true || 1/0 > 1", "true"},
             {"1/0 > 1 && false", "false"},
             {"false && 1", "false"},
             {"!!true", "true"},
             {"true ? 1 : 1/0", "1"},
             {"false ? 1 : true ? 2 : 3", "2"}});
  expectErrors({"1/0 > 1 || false", "true && 1", "1 ? 2 : 3", "!1"});
}

TEST(Expression, Access) {
  expectAll({{"[1, 2][1]", "2"},
             {"[1][0u]", "1"},
             {"[1][0.0]", "1"},
             {"{'a': {'b': 'c'}}.a.b", "\"c\""},
             {"{1: 'x'}[1u]", "\"x\""},
             {"has({'a': 1}.a)", "true"},
             {"has({'a': 1}.b)", "false"},
             {"a.`b`", "ERROR: no such name"}});
  expectErrors(
      {"[1][1]", "[1][-1]", "['a']['0']", "[1][0.5]", "{'a': 1}.b", "{1.0: 2}", "{'a': 1, 'a': 2}", "'abc'[0]", "a"});
  expectRefused({"has(1)", "a.1", "a.", "a[", "a[]", "`a`"});
}

TEST(Expression, Functions) {
  expectAll({{"size('\u00e9a')", "2"},
             {"'abc'.size()", "3"},
             {"size({'a': 1})", "1"},
             {"'abc'.startsWith('ab')", "true"},
             {"'abc'.contains('b')", "true"},
             {"'abc'.matches('^a.c$')", "true"},
             {"matches('abc', 'b')", "true"},
             {"type(1) == int", "true"},
             {"dyn(1)", "1"},
             {"int('12')", "12"},
             {"int(-1.9)", "-1"},
             {"int(true)", "1"},
             {"uint('5')", "5u"},
             {"string(1e100)", "\"1e+100\""},
             {"string(100000000.0)", "\"1e+08\""},
             {"string(-0.0)", "\"-0\""},
             {"bool('true')", "true"},
             {"bytes('a')", "b\"a\""}});
  expectErrors({"size(1)", "'abc'.matches('(')", "'a'.startsWith(1)", "int('x')", "int(1e30)", "uint(-1)", "bool(1)",
                "string(null)", "string(b'\\xff')", "int(0.0/0.0)"});
  expectRefused(
      {"nothing('a')", "'a'.nothing()", "'a'.lowerAscii()", "size()", "size(1, 2)", "getHours(1)", "f(,)", "size(1,)"});
}

TEST(Expression, Times) {
  expectAll({{"duration('1h2m3.5s')", "3723500000000ns"},
             {"duration('-1ms')", "-1000000ns"},
             {"timestamp('1970-01-01T00:00:01.25Z')", "@1250000000ns"},
             {"timestamp('1970-01-01T01:00:00+01:00')", "@0ns"},
             {"timestamp('2020-01-02T03:04:05Z').getDayOfYear()", "1"},
             {"timestamp('2020-01-02T03:04:05Z').getDayOfWeek()", "4"},
             {"timestamp('2020-01-02T03:04:05Z').getHours('+02:00')", "5"},
             {"timestamp('1969-12-31T23:59:59Z').getFullYear()", "1969"},
             {"timestamp(1) + duration('1s')", "@2000000000ns"},
             {"timestamp(2) - timestamp(1)", "1000000000ns"},
             {"duration('1s') < duration('2s')", "true"},
             {"duration('1.5s').getMilliseconds()", "500"},
             {"string(duration('1.5s'))", "\"1.500s\""},
             {"string(duration('-0.5s'))", "\"-0.500s\""},
             {"string(timestamp('2020-01-02T03:04:05.5Z'))", "\"2020-01-02T03:04:05.500Z\""},
             {"int(timestamp('1969-12-31T23:59:59.5Z'))", "-1"}});
  expectErrors({"duration('x')", "duration('1')", "duration('1.2.3s')", "duration('s')", "timestamp('x')",
                "timestamp('2020-02-30T00:00:00Z')", "timestamp('2020-01-01T24:00:00Z')",
                "timestamp('9999-01-01T00:00:00Z')", "timestamp(1) + timestamp(1)", "duration('1s') - timestamp(1)",
                "timestamp(9223372036854775807)", "timestamp(0).getHours('Europe/Berlin')",
                "duration('1s').getFullYear()", "duration('300000000h')"});
}

TEST(Expression, Macros) {
  expectAll({{"[1, 2].all(x, x > 0)", "true"},
             {"[1, 2].exists(x, 1 / 0 > x || x == 2)", "true"},
             {"[1, 2].exists_one(x, x > 1)", "true"},
             {"[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"},
             {"[1, 2].filter(x, x > 1)", "[2]"},
             {"{'a': 1}.map(k, k)", "[\"a\"]"},
             {"[].all(x, false)", "true"},
             {"[1].map(request, request)", "[1]"},
             {"[[1], [2]].all(x, x.all(y, y > 0))", "true"},
             {"[0, 1].exists(x, 1 / x == 1)", "true"}});
  expectErrors({"[1].all(x, y > 0)", "1.all(x, true)", "[0, 1].all(x, 1 / x == 1)", "[1].filter(x, 1)"});
  expectRefused({"[1].all(1, true)", "[1].existsOne(x, true)", "cel.bind(x, 1, x)"});
}

TEST(Expression, Attributes) {
  expectAll({{"request.path == '/a' && request.size > 2", "true"},
             {"request.headers['x-a']", "\"1\""},
             {"'x-a' in request.headers", "true"},
             {"'x-b' in request.headers", "false"},
             {"size(request.headers)", "1"},
             {"has(request.path)", "true"},
             {"has(request.nothing)", "false"},
             {"request.headers.exists(k, k == 'x-a')", "true"},
             {"request", "path"},
             {"request.time < timestamp(1)", "true"},
             {"(true ? request : 1).path", "\"/a\""}});
  expectErrors(
      {"request.nothing", "request.path.more", "request == 1", "size(request)", "request.headers['x-b']", "[request]"});
}

TEST(Expression, WhatIsNoneIsRefusedWithItsPlace) {
  expectRefused({"", "1 +", "(1", "1)", "a b", "1 = 1", "[1,", "{'a'}", "// comment", "1 ? 2", "in", "for", "Foo{}",
                 "1..2", "[?1]"});
  EXPECT_EQ(evaluated("1 + )"), "REFUSED at 4: unexpected");
}

TEST(Expression, NestingAndLengthAreLimited) {
  const auto nested = [](size_t depth) { return std::string(depth, '(') + "1" + std::string(depth, ')'); };
  EXPECT_EQ(evaluated(nested(100)), "1");
  EXPECT_NE(evaluated(nested(kMaxDepth + 1)).find("nested too deep"), std::string::npos);
  std::string chain = "1";
  for (uint32_t i = 0; i < kMaxDepth; ++i) chain += "+1";
  EXPECT_NE(evaluated(chain).find("nested too deep"), std::string::npos);
  EXPECT_NE(evaluated(std::string(kMaxText + 1, ' ')).find("longer than"), std::string::npos);
}

TEST(Expression, WorkAndMemoryAreLimited) {
  std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
  std::string loops = "x > 0";
  for (int i = 0; i < 8; ++i) loops = ten + ".all(x, " + loops + " || true)";
  EXPECT_EQ(evaluated(loops), "ERROR: it costs too much");
  std::string doubled = "['0123456789']";
  for (int i = 0; i < 40; ++i) doubled += ".map(x, [x, x])";
  EXPECT_EQ(evaluated(doubled), "ERROR: it costs too much");
  std::string grown = "['0123456789']";
  for (int i = 0; i < 40; ++i) grown += ".map(x, x + x)";
  EXPECT_EQ(evaluated(grown), "ERROR: it costs too much");
  EXPECT_EQ(evaluated(ten + ".all(a, " + ten + ".all(b, " + ten + ".all(c, 'x'.matches('x'))))"),
            "ERROR: it costs too much");
}

}  // namespace
}  // namespace weir::cel
