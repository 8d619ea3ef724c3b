#include "server/admin_json.h"

#include <gtest/gtest.h>

namespace weir::server {
namespace {

TEST(JsonWriter, IndentsByOneBlankALevel) {
  JsonWriter json;
  json.beginObject().key("a").number(1).key("b").beginArray().text("x\"").longNumber(2).endArray();
  json.key("c").beginObject().endObject().key("d").beginArray().endArray().key("e").raw("null").endObject();
  EXPECT_EQ(json.take(),
            "{\n \"a\": 1,\n \"b\": [\n  \"x\\\"\",\n  \"2\"\n ],\n \"c\": {},\n \"d\": [],\n \"e\": null\n}\n");
}

TEST(MemberOf, FindsMembersOfTheObjectItselfAlone) {
  const std::string_view json = R"( { "x" : {"node": {"id": "inner"}}, "s": "\"node\": }", "n": [ {"a": "]"}, 2 ],
      "node" : { "id": "{" , "k": {} } , "last":12})";
  EXPECT_EQ(memberOf(json, "node"), R"({ "id": "{" , "k": {} })");
  EXPECT_EQ(memberOf(json, "n"), R"([ {"a": "]"}, 2 ])");
  EXPECT_EQ(memberOf(json, "s"), R"("\"node\": }")");
  EXPECT_EQ(memberOf(json, "last"), "12");
  EXPECT_EQ(memberOf(json, "id"), "");
}

TEST(MemberOf, EndsWithTheTextWhateverIsWrongWithIt) {
  for (const std::string_view broken :
       {"", "{", "{}", "[]", R"({"a)", R"({"a")", R"({"a":)", R"({"a":"x\)", R"({"a":[)", R"({"b":1,)", R"({"a":}})"}) {
    EXPECT_LE(memberOf(broken, "a").size(), broken.size());
  }
}

}  // namespace
}  // namespace weir::server
