#include "format/format.h"

#include <gtest/gtest.h>

#include "format/json_text.h"
#include "format/test_entry.h"
#include "format/time_format.h"

namespace weir::format {
namespace {

std::string text(std::string_view format, bool omit_empty = false) {
  TestEntry test;
  auto compiled = TextFormat::create(format);
  if (!compiled.ok()) return "refused: " + compiled.error().detail;
  std::string out;
  compiled->append(test.entry(), omit_empty, out);
  return out;
}

TEST(TextFormat, TextAndOperatorsInTurn) {
  EXPECT_EQ(text("code %RESPONSE_CODE%%PROTOCOL%5%% of %%%BYTES_SENT%%%"), "code 503HTTP/25% of %22%");
  EXPECT_EQ(text(""), "");
}

TEST(TextFormat, APercentThatBeginsNoOperatorIsRefusedWithItsPosition) {
  for (const char* bad :
       {"100% sure", "%", "x%REQ(", "%REQ(a)", "%REQ(a):x%", "%REQ(a\nb)%", "% DURATION%", "%lower%"}) {
    EXPECT_TRUE(text(bad).starts_with("refused: no operator begins at the '%' at position ")) << bad;
  }
}

TEST(TextFormat, AbsentValuesAreADashOrNothing) {
  EXPECT_EQ(text("[%REQ(none)%]"), "[-]");
  EXPECT_EQ(text("[%REQ(none)%] [%RESPONSE_FLAGS%]", true), "[] [UF,URX]");
}

TEST(TextFormat, TheDefaultIsEnvoys) {
  EXPECT_EQ(text(kDefaultFormat),
            "[2023-11-14T22:13:20.123Z] \"GET /a/b?q=1%202&empty=&q=3 HTTP/2\" 503 UF,URX 11 22 13 - \"-\" \"-\" "
            "\"9d138c39-3714-4f32-9a91-8cf7a7e7353c\" \"host.example\" \"10.1.10.23:8080\"\n");
}

std::string time(std::string_view pattern) {
  const base::WallTime when(std::chrono::seconds(1700000000) + std::chrono::nanoseconds(120340000));
  auto format = TimeFormat::create(pattern, TimeFormat::Zone::Utc);
  if (!format.ok()) return "refused";
  std::string out;
  format->append(when, out);
  return out;
}

TEST(TimeFormat, DirectivesOfStrftimeAndOfEnvoy) {
  EXPECT_EQ(time("%Y/%m/%dT%H:%M:%S%z"), "2023/11/14T22:13:20+0000");
  EXPECT_EQ(time("%s %f %3f %1f"), "1700000000 120340000 120 1");
  EXPECT_EQ(time("%E3S %E*S %E0S %E9S"), "20.120 20.12034 20 20.120340000");
  EXPECT_EQ(time("%a %b %e %j %p %F %T"), "Tue Nov 14 318 PM 2023-11-14 22:13:20");
}

TEST(TimeFormat, WhatIsNoDirectiveStandsForItself) {
  EXPECT_EQ(time("%Q %E1 %% %"), "%Q %E1 % %");
  EXPECT_EQ(time("a%nb"), "refused");
}

std::string json(JsonSpec::Object object, bool omit_empty = false) {
  TestEntry test;
  auto compiled = JsonFormat::create({std::move(object)}, omit_empty);
  if (!compiled.ok()) return "refused: " + compiled.error().detail;
  std::string out;
  compiled->append(test.entry(), out);
  return out;
}
JsonSpec value(std::string text) { return {std::move(text)}; }

TEST(JsonFormat, PropertiesAreSortedAndNumbersStayNumbers) {
  EXPECT_EQ(json({{"z", value("%RESPONSE_CODE%")}, {"a", value("%PROTOCOL%")}, {"m", value("x %BYTES_SENT%")}}),
            R"({"a":"HTTP/2","m":"x 22","z":503})");
}

TEST(JsonFormat, NestedValuesAndConstants) {
  JsonSpec::List list{value("%DURATION%"), {JsonSpec::Object{{"b", {1.0}}, {"a", {true}}}}, {std::monostate()}};
  EXPECT_EQ(json({{"l", {list}}, {"c", value("100%%")}, {"n", {1.25}}}),
            R"({"c":"100%","l":[13,{"a":true,"b":1},null],"n":1.25})");
}

TEST(JsonFormat, MetadataIsAnObjectAloneAndTextAmongText) {
  EXPECT_EQ(json({{"a", value("%METADATA(ROUTE:ns:o)%")}, {"b", value("<%METADATA(ROUTE:ns:o)%>")}}),
            R"({"a":{"x":"y"},"b":"<{\"x\":\"y\"}>"})");
  EXPECT_EQ(json({{"k", value("%METADATA(ROUTE:ns:k)%")}}), R"({"k":"v\"x"})");
}

TEST(JsonFormat, AbsentValuesAreNullOrLeftOut) {
  const JsonSpec::Object object{
      {"a", value("%REQ(none)%")}, {"b", value("x%REQ(none)%")}, {"c", {std::monostate()}}, {"d", value("")}};
  EXPECT_EQ(json(object), R"({"a":null,"b":"x-","c":null,"d":""})");
  EXPECT_EQ(json(object, true), R"({"b":"x","d":""})");
}

TEST(JsonFormat, AFaultIsToldWithItsPlace) {
  EXPECT_EQ(json({{"a", {JsonSpec::List{value("%FOO%")}}}}), "refused: a: [0]: there is no operator %FOO%");
}

std::string escaped(std::string_view text) {
  std::string out;
  appendJsonString(text, out);
  return out;
}

TEST(JsonText, EscapesAsEnvoyDoes) {
  EXPECT_EQ(escaped("a\"\\/\t\x01 \xc3\xa9"), "\"a\\\"\\\\/\\t\\u0001 \xc3\xa9\"");
  EXPECT_EQ(escaped("\xe9\xff\"\\/\t<"), R"("\u00e9\u00ff\u0022\u005c/\u0009<")");
}

TEST(Format, JsonEndsWithANewlineAndKnowsItsType) {
  TestEntry test;
  FormatSpec spec;
  spec.kind = FormatSpec::Kind::Json;
  auto format = Format::create(spec);
  std::string out;
  format->append(test.entry(), out);
  EXPECT_EQ(out, "{}\n");
  EXPECT_EQ(format->contentType(), "application/json");
}

}  // namespace
}  // namespace weir::format
