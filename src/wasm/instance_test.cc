#include "wasm/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class InstanceTest : public WasmFixture {};

TEST_F(InstanceTest, CallsWithNoneToEightArgumentsAndGivesTheResult) {
  const auto instance = make(R"((module
    (func (export "none") (result i32) i32.const 7)
    (func (export "one") (param i32) (result i32) local.get 0)
    (func (export "eight") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      local.get 0 local.get 1 i32.add local.get 2 i32.add local.get 3 i32.add
      local.get 4 i32.add local.get 5 i32.add local.get 6 i32.add local.get 7 i32.add)))");
  EXPECT_EQ(call(*instance, "none", {}), 7u);
  EXPECT_EQ(call(*instance, "one", {0xfffffffe}), 0xfffffffeu);
  EXPECT_EQ(call(*instance, "eight", {1, 2, 4, 8, 16, 32, 64, 128}), 255u);
}

TEST_F(InstanceTest, AFunctionWithoutResultGivesZero) {
  const auto instance = make(R"((module (func (export "run") (param i32))))");
  const auto result = instance->call(instance->function("run", type(1, 0)), std::array{9u}, kLong);
  EXPECT_EQ(*result, 0u);
}

TEST_F(InstanceTest, FindsOnlyFunctionsOfExactlyTheType) {
  const auto instance = make(R"((module (memory (export "memory") 1) (func (export "run") (param i32) (result i32)
    local.get 0) (func (export "wide") (param i64))))");
  EXPECT_TRUE(instance->function("run", type(1, 1)));
  EXPECT_FALSE(instance->function("run", type(2, 1)));
  EXPECT_FALSE(instance->function("run", type(1, 0)));
  EXPECT_FALSE(instance->function("wide", type(1, 0)));
  EXPECT_FALSE(instance->function("memory", type(0, 0)));
  EXPECT_FALSE(instance->function("absent", type(0, 0)));
}

TEST_F(InstanceTest, ATrapIsAnErrorOfThePluginWithTheNamesOfItsFrames) {
  const auto instance = make(R"((module
    (func $inner unreachable)
    (func $_ZN4demo5outer17h0123456789abcdefE (export "run") call $inner)))");
  const auto result = instance->call(instance->function("run", type(0, 0)), {}, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, base::Code::Trap);
  EXPECT_EQ(result.error().side, base::Side::Plugin);
  EXPECT_EQ(result.error().detail, "wasm trap: wasm `unreachable` instruction executed");
  EXPECT_THAT(instance->backtrace(), ::testing::MatchesRegex("  0:  0x[0-9a-f]+ - inner\n"
                                                             "  1:  0x[0-9a-f]+ - demo::outer\n"));
}

TEST_F(InstanceTest, FramesWithoutNamesShowTheirIndex) {
  const auto instance = make(R"((module (func (export "run") unreachable)))");
  (void)instance->call(instance->function("run", type(0, 0)), {}, kLong);
  EXPECT_THAT(instance->backtrace(), HasSubstr("wasm function 0"));
}

TEST_F(InstanceTest, ADeadInstanceStaysDead) {
  const auto instance = make(R"((module (func (export "die") unreachable) (func (export "live"))))");
  EXPECT_EQ(instance->failure(), nullptr);
  (void)instance->call(instance->function("die", type(0, 0)), {}, kLong);
  ASSERT_NE(instance->failure(), nullptr);
  const auto result = instance->call(instance->function("live", type(0, 0)), {}, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().detail, instance->failure()->detail);
}

TEST_F(InstanceTest, ViewsAreCheckedInSixtyFourBits) {
  const auto instance = make(R"((module (memory (export "memory") 1)))");
  EXPECT_EQ(instance->memorySize(), 65536u);
  EXPECT_TRUE(instance->view(0, 65536));
  EXPECT_TRUE(instance->view(65536, 0));
  EXPECT_FALSE(instance->view(65536, 1));
  EXPECT_FALSE(instance->view(65537, 0));
  EXPECT_FALSE(instance->view(0xffffffff, 1));
  EXPECT_FALSE(instance->view(0xffffffff, 0xffffffff));
  EXPECT_FALSE(instance->view(1, 0xffffffff));
}

TEST_F(InstanceTest, AModuleWithoutMemoryHasOnlyTheEmptyView) {
  const auto instance = make("(module)");
  EXPECT_EQ(instance->memorySize(), 0u);
  EXPECT_TRUE(instance->view(0, 0));
  EXPECT_FALSE(instance->view(0, 1));
}

TEST_F(InstanceTest, ViewSeesThatTheMemoryGrewAndItsBaseStays) {
  const auto instance = make(R"((module (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)))");
  const std::byte* base = instance->view(0, 1)->data();
  EXPECT_FALSE(instance->view(65536, 1));
  EXPECT_EQ(call(*instance, "grow", {9}), 1u);
  EXPECT_TRUE(instance->view(10 * 65536 - 1, 1));
  EXPECT_FALSE(instance->view(10 * 65536, 1));
  EXPECT_EQ(instance->view(0, 1)->data(), base);
}

TEST_F(InstanceTest, GrowingAboveTheCapIsMinusOneToTheGuestAndCounted) {
  limits_.memory_bytes = 2 * 65536;
  const auto instance = make(R"((module (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)))");
  EXPECT_EQ(call(*instance, "grow", {2}), 0xffffffffu);
  EXPECT_EQ(instance->refusedGrowths(), 1u);
  EXPECT_EQ(call(*instance, "grow", {1}), 1u);
  EXPECT_EQ(call(*instance, "grow", {1}), 0xffffffffu);
  EXPECT_EQ(instance->refusedGrowths(), 2u);
  EXPECT_EQ(instance->failure(), nullptr);
}

TEST_F(InstanceTest, TheModulesOwnMaximumIsNoRefusalOfOurs) {
  const auto instance = make(R"((module (memory (export "memory") 1 1)
    (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)))");
  EXPECT_EQ(call(*instance, "grow", {1}), 0xffffffffu);
  EXPECT_EQ(instance->refusedGrowths(), 0u);
}

TEST_F(InstanceTest, StartingAboveTheMemoryCapIsRefused) {
  limits_.memory_bytes = 65536;
  const base::Error seen = refusalOf(R"((module (memory (export "memory") 2)))");
  EXPECT_EQ(seen.code, base::Code::TooLarge);
  EXPECT_THAT(seen.detail, HasSubstr("131072 bytes of memory, above its limit of 65536 bytes"));
  EXPECT_THAT(refusalOf("(module (memory 2))").detail, HasSubstr("memory"));  // Neither exported nor imported.
  EXPECT_EQ(refusalOf(R"((module (import "env" "memory" (memory 2))))").code, base::Code::TooLarge);
}

TEST_F(InstanceTest, TablesAreCappedAllTogether) {
  limits_.table_elements = 10;
  const auto instance = make(R"((module (table $a 4 funcref) (table $b 4 funcref)
    (func (export "grow_a") (param i32) (result i32) ref.null func local.get 0 table.grow $a)
    (func (export "grow_b") (param i32) (result i32) ref.null func local.get 0 table.grow $b)))");
  EXPECT_EQ(call(*instance, "grow_a", {3}), 0xffffffffu);
  EXPECT_EQ(call(*instance, "grow_a", {2}), 4u);
  EXPECT_EQ(call(*instance, "grow_b", {1}), 0xffffffffu);
  EXPECT_EQ(instance->refusedGrowths(), 2u);
  EXPECT_THAT(refusalOf("(module (table 11 funcref))").detail, HasSubstr("table"));
}

TEST_F(InstanceTest, TwoThreadsRunInstancesOfOneModule) {
  const auto module = compiled(R"((module (func (export "sum") (param i32) (result i32) (local i32)
    (loop local.get 1 local.get 0 i32.add local.set 1
      local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0) local.get 1)))");
  std::array<uint32_t, 2> results{};
  std::vector<std::thread> threads;
  for (uint32_t& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) result = call(*make(module), "sum", {1000});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, ::testing::Each(500500u));
}

}  // namespace
}  // namespace weir::wasm
