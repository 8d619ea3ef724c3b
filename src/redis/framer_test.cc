#include "redis/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::redis {
namespace {

using State = Framer::State;

// What is read of text in pieces of so many bytes: the values, then "..." if one is incomplete, "!" if malformed.
std::vector<std::string> read(std::string_view text, size_t piece) {
  std::vector<std::string> values;
  Framer framer;
  base::BufferChain bytes;
  State state = State::Incomplete;
  for (size_t at = 0; at < text.size() && state != State::Malformed; at += piece) {
    bytes.append(text.substr(at, piece));
    while (!bytes.empty() && (state = framer.read(bytes)) == State::Whole) {
      const std::string kind = framer.isPush() ? "push " : "";
      values.push_back(kind + framer.take().toString());
    }
    if (state == State::Malformed) values.push_back("!");
  }
  if (state != State::Malformed && !framer.idle()) values.push_back("...");
  return values;
}

void expectValues(std::string_view text, const std::vector<std::string>& values) {
  for (const size_t piece : {text.size(), size_t{1}, size_t{3}}) EXPECT_EQ(read(text, piece), values) << piece;
}

TEST(Framer, ReadsEveryKindOfValue) {
  for (const char* value : {"+OK\r\n",
                            "-ERR no\r\n",
                            ":-12\r\n",
                            "$5\r\nhello\r\n",
                            "$0\r\n\r\n",
                            "$4\r\n\r\n\r\n\r\n",
                            "$-1\r\n",
                            "*-1\r\n",
                            "*0\r\n",
                            "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
                            "_\r\n",
                            "#t\r\n",
                            ",1.5\r\n",
                            "(3492890328409238509324850943850943825024385\r\n",
                            "!5\r\nERR x\r\n",
                            "=8\r\ntxt:text\r\n",
                            "~2\r\n+a\r\n+b\r\n",
                            "%1\r\n+k\r\n*0\r\n",
                            "%0\r\n",
                            "|1\r\n+ttl\r\n:1\r\n+value\r\n",
                            "*1\r\n|1\r\n+ttl\r\n:1\r\n+value\r\n",
                            "|0\r\n+value\r\n"}) {
    expectValues(value, {value});
  }
}

TEST(Framer, ReadsOneAfterTheOther) {
  expectValues("+a\r\n$1\r\nb\r\n*1\r\n+c\r\n:1", {"+a\r\n", "$1\r\nb\r\n", "*1\r\n+c\r\n", "..."});
}

TEST(Framer, TellsPushesApart) {
  expectValues(">2\r\n+message\r\n+x\r\n+OK\r\n", {"push >2\r\n+message\r\n+x\r\n", "+OK\r\n"});
}

TEST(Framer, RefusesWhatIsNoValue) {
  for (const char* text : {"hello\r\n", "\r\n", "+a\n", "+a\rb\r\n", "$1\r\nab\r\n", "$1\r\na\rb\n", "$x\r\n", "$\r\n",
                           "$-2\r\n", "=-1\r\n", "*?\r\n", "$?\r\n", "*-2\r\n", "%-1\r\n", "$99999999999999999999\r\n",
                           "$1                        \r\n", "*1\r\n!\r\n", "\n"}) {
    const auto values = read(text, 1);
    ASSERT_FALSE(values.empty()) << text;
    EXPECT_EQ(values.back(), "!") << text;
  }
}

TEST(Framer, RefusesAValueThatIsTooLong) {
  const std::string announced = "$" + std::to_string(Framer::kMaxValue + 1) + "\r\n";
  EXPECT_EQ(read(announced, 100).back(), "!");
  const std::string most =
      "$" + std::to_string(Framer::kMaxValue - 16) + "\r\n" + std::string(Framer::kMaxValue - 16, 'x') + "\r\n";
  EXPECT_EQ(read(most, 100'000).size(), 1u);
  EXPECT_EQ(read(most, 100'000).back(), most);
  EXPECT_EQ(read("*2\r\n" + most + most, 100'000).back(), "!");
  EXPECT_EQ(read("+" + std::string(Framer::kMaxValue + 1, 'x'), 100'000).back(), "!");
}

TEST(Framer, RefusesDeeperNestingThanItsLimit) {
  std::string nested;
  for (size_t i = 0; i < Framer::kMaxNesting; ++i) nested += "*1\r\n";
  expectValues(nested + ":1\r\n", {nested + ":1\r\n"});
  EXPECT_EQ(read(nested + "*1\r\n:1\r\n", 1).back(), "!");
}

TEST(Framer, TellsOneCommandFromNoneAndFromSeveral) {
  for (const char* one :
       {"*1\r\n$4\r\nPING\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "PING\r\n", "PING\n", "set a b\r\n"}) {
    EXPECT_TRUE(isOneCommand(one)) << one;
  }
  for (const char* other : {"", "\r\n", "  \r\n", "PING", "*0\r\n", "*-1\r\n", "*00\r\n", "*1\r\n$4\r\nPING",
                            "PING\r\nPING\r\n", "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n", "*x\r\n"}) {
    EXPECT_FALSE(isOneCommand(other)) << other;
  }
}

}  // namespace
}  // namespace weir::redis
