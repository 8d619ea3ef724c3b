// With shells in the place of the program that compiles; tests/hostile has the program itself.
#include "wasm/compile_aside.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace weir::wasm {
namespace {

using ::testing::HasSubstr;

constexpr CompileLimits kLimits{.cpu_time = std::chrono::milliseconds(1500), .memory_bytes = size_t{300} << 20};

base::Result<std::vector<std::byte>> aside(const char* script, std::string_view module = "module") {
  return compileAside({"/bin/sh", "-c", script}, std::as_bytes(std::span(module)), kLimits);
}

std::string textOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(CompileAside, GivesWhatTheChildMadeOfTheModule) {
  const auto code = aside("cat; echo \" by $0 $1\"");
  ASSERT_TRUE(code.ok()) << code.error().detail;
  EXPECT_EQ(textOf(*code), "module by 2 300\n") << "the limits stand behind the command, in whole seconds and MiB";
}

TEST(CompileAside, TakesLargeModulesAndLargeCode) {
  const std::string large(10 << 20, 'x');
  const auto code = aside("cat; cat", large);
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(textOf(*code), large);
}

TEST(CompileAside, TellsWhatTheChildSaysOfABadModule) {
  const auto code = aside("printf 'no module'; exit 1");
  ASSERT_FALSE(code.ok());
  EXPECT_EQ(code.error().code, base::Code::Malformed);
  EXPECT_EQ(code.error().detail, "no module");
}

TEST(CompileAside, TellsWhichLimitItBroke) {
  for (const char* script : {"kill -XCPU $$", "kill -KILL $$"}) {
    EXPECT_THAT(aside(script).error().detail, HasSubstr("more than the limit of 2 s of processor time"));
  }
  for (const char* script : {"kill -ABRT $$", "exit 9"}) {
    EXPECT_THAT(aside(script).error().detail, HasSubstr("more than the limit of 300 MiB of memory"));
    EXPECT_EQ(aside(script).error().code, base::Code::TooLarge);
  }
}

TEST(CompileAside, TellsWhereNoChildCanBe) {
  const auto code = compileAside({"/nowhere/weir"}, {}, kLimits);
  ASSERT_FALSE(code.ok());
  EXPECT_EQ(code.error().code, base::Code::Io);
}

}  // namespace
}  // namespace weir::wasm
