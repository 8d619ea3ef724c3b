#include "config/document.h"

#include <gmock/gmock.h>

namespace weir::config {
namespace {

using ::testing::HasSubstr;

struct Read {
  bool ok = false;
  Node root;
  std::vector<Fault> faults;
  std::vector<Notice> notices;
};

Read yaml(std::string_view text) {
  Report report;
  Read read;
  read.ok = readYaml(text, report.addSource("x.yaml"), report, read.root);
  read.faults = report.takeFaults();
  read.notices = report.takeNotices();
  return read;
}

Read json(std::string_view text) {
  Report report;
  Read read;
  read.ok = readJson(text, report.addSource("x.json"), report, read.root);
  read.faults = report.takeFaults();
  return read;
}

TEST(Yaml, KnowsLineAndColumnOfEachValue) {
  const Read read = yaml("a:\n  b: [x,\n      y]\n");
  const Node& list = *read.root.find("a")->find("b");
  EXPECT_EQ(list.position.line, 2u);
  EXPECT_EQ(list.position.column, 6u);
  EXPECT_EQ(list.items[1].position.line, 3u);
  EXPECT_EQ(list.items[1].position.column, 7u);
  EXPECT_EQ(read.root.members[0].position.line, 1u);
}

// What Envoy 1.40 shows for the same scalars in /config_dump.
TEST(Yaml, TellsScalarsApartAsEnvoyDoes) {
  const Read read = yaml(
      "{i: 5, n: -5, hex: 0x10, oct: 010, big: 3000000000, half: 0.5, e: 1e3, y: yes, f: n, q: 'no', null: ~, d: "
      "2001-01-01}");
  const auto is = [&](std::string_view key, Node::Kind kind, std::string_view text) {
    const Node* node = read.root.find(key);
    ASSERT_NE(node, nullptr) << key;
    EXPECT_EQ(node->kind, kind) << key;
    EXPECT_EQ(node->text, text) << key;
  };
  is("i", Node::Kind::Number, "5");
  is("n", Node::Kind::Number, "-5");
  is("hex", Node::Kind::Number, "16");
  is("oct", Node::Kind::Number, "8");
  is("big", Node::Kind::String, "3000000000");
  is("half", Node::Kind::String, "0.5");
  is("e", Node::Kind::String, "1e3");
  is("y", Node::Kind::Bool, "true");
  is("f", Node::Kind::Bool, "false");
  is("q", Node::Kind::String, "no");
  is("d", Node::Kind::String, "2001-01-01");
}

TEST(Yaml, RepeatsAnchors) {
  const Read read = yaml("a: &x {k: 1}\nb: *x\n");
  ASSERT_TRUE(read.ok);
  EXPECT_EQ(read.root.find("b")->find("k")->text, "1");
  EXPECT_EQ(read.root.find("b")->position.line, 2u);
}

TEST(Yaml, RefusesAnAliasBomb) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; i++) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; j++) text += (j ? ",*a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  const Read read = yaml(text);
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].kind, FaultKind::Limit);
  EXPECT_THAT(read.faults[0].message, HasSubstr("repeat more than 100000 values"));
}

TEST(Yaml, RefusesAnAliasInsideOfItsOwnAnchor) {
  const Read read = yaml("a: &a [1, *a]\n");
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].text(), "x.yaml:1:11: an alias stands inside of what it repeats");
}

TEST(Yaml, RefusesDeepNesting) {
  EXPECT_TRUE(yaml(std::string(100, '[') + std::string(100, ']')).ok);
  const Read read = yaml(std::string(5000, '[') + std::string(5000, ']'));
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].text(), "x.yaml:1:101: nested deeper than 100 levels");
}

TEST(Yaml, RefusesDeepNestingByAliases) {
  std::string text = "a0: &a0 " + std::string(60, '[') + std::string(60, ']') + "\n";
  text += "b: " + std::string(60, '[') + "*a0" + std::string(60, ']') + "\n";
  const Read read = yaml(text);
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].message, "nested deeper than 100 levels");
}

TEST(Yaml, SaysWhereTheTextIsBroken) {
  const Read read = yaml("a: [1, 2\nb: 3\n");
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].kind, FaultKind::Syntax);
  EXPECT_EQ(read.faults[0].line, 2u);
  EXPECT_THAT(read.faults[0].message, HasSubstr("not YAML: "));
}

TEST(Yaml, RefusesAnEmptyText) {
  EXPECT_EQ(yaml("").faults[0].text(), "x.yaml: the document is empty");
  EXPECT_EQ(yaml("# nothing\n").faults[0].text(), "x.yaml: the document is empty");
}

TEST(Yaml, ReadsTheFirstDocumentAndTellsOfTheSecond) {
  const Read read = yaml("a: 1\n---\nb: 2\n");
  ASSERT_TRUE(read.ok);
  EXPECT_EQ(read.root.members.size(), 1u);
  ASSERT_EQ(read.notices.size(), 1u);
  EXPECT_EQ(read.notices[0].text(),
            "x.yaml:2:1: a second YAML document begins here; only the first is read, as in Envoy");
}

TEST(Yaml, KeepsBothMembersOfAKeyWrittenTwice) {
  const Read read = yaml("a: 1\na: 2\n");
  EXPECT_EQ(read.root.members.size(), 2u);
  EXPECT_EQ(read.root.find("a")->text, "2");
}

TEST(Json, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(json("\"\xff\"").faults.at(0).text(), "x.json:1:3: not JSON: a string that is not UTF-8");
}

TEST(Json, ReadsEveryKindOfValue) {
  const Read read = json(R"({"a": [1, -2.5e3, true, null, "x\n\u00e9\ud83d\ude00"], "b": {}})");
  ASSERT_TRUE(read.ok);
  const Node& list = *read.root.find("a");
  EXPECT_EQ(list.items[1].kind, Node::Kind::Number);
  EXPECT_EQ(list.items[1].text, "-2.5e3");
  EXPECT_EQ(list.items[2].kind, Node::Kind::Bool);
  EXPECT_EQ(list.items[3].kind, Node::Kind::Null);
  EXPECT_EQ(list.items[4].text, "x\n\u00e9\U0001F600");
  EXPECT_EQ(read.root.find("b")->kind, Node::Kind::Map);
}

TEST(Json, KnowsLineAndColumn) {
  const Read read = json("{\n  \"a\": 1,\n\t\"b\": 2}");
  EXPECT_EQ(read.root.find("b")->position.line, 3u);
  EXPECT_EQ(read.root.find("b")->position.column, 7u);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "01", "1.", "tru", "\"\\x\"", "\"\\ud800\"", "[1] 2",
                           "\"a\nb\"", "'a'", "-", "{\"a\":1,}"}) {
    const Read read = json(text);
    EXPECT_FALSE(read.ok) << text;
    ASSERT_EQ(read.faults.size(), 1u) << text;
    EXPECT_EQ(read.faults[0].kind, FaultKind::Syntax) << text;
  }
}

TEST(Json, RefusesDeepNesting) {
  const Read read = json(std::string(5000, '['));
  ASSERT_FALSE(read.ok);
  EXPECT_EQ(read.faults[0].kind, FaultKind::Limit);
}

}  // namespace
}  // namespace weir::config
