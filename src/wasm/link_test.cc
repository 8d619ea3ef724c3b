#include <gmock/gmock.h>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using ::testing::HasSubstr;

class LinkTest : public WasmFixture {};

bool addOne(void*, Instance&, RawValue* slots) {
  slots[0].i32 += 1;
  return true;
}

bool countCall(void* context, Instance&, RawValue*) {
  ++*static_cast<int*>(context);
  return true;
}

TEST_F(LinkTest, TheGuestCallsTheHostWithItsArgumentsAndGetsTheResult) {
  host_ = {{"env", "unused", type(3, 1), addOne, nullptr}, {"env", "add_one", type(1, 1), addOne, nullptr}};
  const auto instance = make(R"((module (import "env" "add_one" (func $add (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) local.get 0 call $add)))");
  EXPECT_EQ(call(*instance, "run", {41}), 42u);
  EXPECT_EQ(call(*instance, "run", {0xffffffff}), 0u);
}

TEST_F(LinkTest, WideAndFloatingArgumentsArriveAsTheyAre) {
  host_ = {{"env",
            "wide",
            {{ValueType::I64, ValueType::F32, ValueType::F64}, {ValueType::I64}},
            [](void*, Instance&, RawValue* slots) {
              EXPECT_EQ(slots[0].i64, -5'000'000'000);
              EXPECT_EQ(slots[1].f32, 1.5f);
              EXPECT_EQ(slots[2].f64, 2.25);
              slots[0].i64 = 1ll << 40;
              return true;
            },
            nullptr}};
  const auto instance = make(R"((module
    (import "env" "wide" (func $wide (param i64 f32 f64) (result i64)))
    (func (export "run") (result i32)
      i64.const -5000000000 f32.const 1.5 f64.const 2.25 call $wide i64.const 1099511627776 i64.eq)))");
  EXPECT_EQ(call(*instance, "run", {}), 1u);
}

TEST_F(LinkTest, EachInstanceHasItsOwnContexts) {
  const auto module = compiled(R"((module (import "env" "count" (func $count)) (import "env" "count" (func $same))
    (func (export "run") (result i32) call $count call $same i32.const 0)))");
  int first = 0;
  int second = 0;
  host_ = {{"env", "count", type(0, 0), countCall, &first}};
  const auto a = make(module);
  host_[0].context = &second;
  const auto b = make(module);
  call(*a, "run", {});
  call(*b, "run", {});
  call(*b, "run", {});
  EXPECT_EQ(first, 2);
  EXPECT_EQ(second, 4);
}

TEST_F(LinkTest, AnotherHostTableIsLinkedAnew) {
  const auto module = compiled(R"((module (import "env" "f" (func $f (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) local.get 0 call $f)))");
  host_ = {{"env", "f", type(1, 1), addOne, nullptr}};
  const auto a = make(module);
  host_ = {
      {"env", "other", type(1, 1), addOne, nullptr},
      {"env", "f", type(1, 1), [](void*, Instance&, RawValue* slots) { return slots[0].i32 *= 2, true; }, nullptr}};
  const auto b = make(module);
  EXPECT_EQ(call(*a, "run", {10}), 11u);
  EXPECT_EQ(call(*b, "run", {10}), 20u);
}

TEST_F(LinkTest, AMissingImportIsNamedAsEnvoyDoes) {
  EXPECT_EQ(refusalOf(R"((module (import "env" "foo" (func))))").detail,
            "Failed to load Wasm module due to a missing import: env.foo");
}

TEST_F(LinkTest, AllMisfitsAreNamed) {
  host_ = {{"env", "here", type(1, 1), addOne, nullptr}};
  const base::Error seen = refusalOf(R"((module (import "env" "foo" (func))
    (import "env" "here" (func (param i32) (result i32))) (import "wasi" "bar" (func))
    (import "env" "baz" (func))))");
  EXPECT_EQ(seen.side, base::Side::Operator);
  EXPECT_EQ(seen.detail,
            "Failed to load Wasm module due to a missing import: env.foo (neither do these fit: wasi.bar, env.baz)");
}

TEST_F(LinkTest, TheListOfMisfitsHasAnEnd) {
  std::string text = "(module";
  for (int i = 0; i < 100; ++i) text += " (import \"env\" \"f" + std::to_string(i) + "\" (func))";
  EXPECT_THAT(refusalOf(text + ")").detail, HasSubstr("env.f20 and 79 more)"));
}

TEST_F(LinkTest, ATypeMismatchShowsBothTypesAsEnvoyDoes) {
  host_ = {{"env", "foo", type(2, 1), addOne, nullptr}, {"env", "bar", type(0, 0), countCall, nullptr}};
  EXPECT_EQ(refusalOf(R"((module (import "env" "foo" (func (param i32) (result i32)))))").detail,
            "Failed to load Wasm module due to an import type mismatch: env.foo, want: i32 -> i32, but host exports: "
            "i32 i32 -> i32");
  EXPECT_EQ(refusalOf(R"((module (import "env" "bar" (func (param i64 f32 f64)))))").detail,
            "Failed to load Wasm module due to an import type mismatch: env.bar, want: i64 f32 f64 -> void, but host "
            "exports: void -> void");
}

TEST_F(LinkTest, ImportedGlobalsAreRefusedByName) {
  EXPECT_EQ(refusalOf(R"((module (import "env" "g" (global i32))))").detail,
            "Failed to load Wasm module due to a missing import: env.g");
}

TEST_F(LinkTest, AnImportedMemoryIsMadeForEachInstance) {
  const auto module = compiled(R"((module (import "env" "memory" (memory 1 4)) (import "env" "table" (table 2 funcref))
    (func (export "store") (param i32) (result i32) i32.const 8 local.get 0 i32.store i32.const 0)
    (func (export "size") (result i32) table.size)))");
  const auto a = make(module);
  const auto b = make(module);
  call(*a, "store", {0x01020304});
  EXPECT_EQ((*a->view(8, 1))[0], std::byte{4});
  EXPECT_EQ((*b->view(8, 1))[0], std::byte{0});
  EXPECT_EQ(call(*a, "size", {}), 2u);
}

TEST_F(LinkTest, AnImportedTableThatCannotBeMadeIsAnError) {
  const base::Error seen = refusalOf(R"((module (import "env" "table" (table 1 (ref func)))))");
  EXPECT_THAT(seen.detail, HasSubstr("default value"));
  limits_.table_elements = 1;
  EXPECT_THAT(refusalOf(R"((module (import "env" "table" (table 2 funcref))))").detail, HasSubstr("table"));
}

TEST_F(LinkTest, TheStartSectionsHostCallsSeeTheMemory) {
  std::string seen;
  host_ = {{"env", "log", type(2, 0),
            [](void* context, Instance& instance, RawValue* slots) {
              const auto text = instance.view(slots[0].i32, slots[1].i32);
              if (!text) return false;
              static_cast<std::string*>(context)->assign(reinterpret_cast<const char*>(text->data()), text->size());
              return true;
            },
            &seen}};
  make(
      R"((module (import "env" "log" (func $log (param i32 i32))) (memory (export "memory") 1) (data (i32.const 4) "early")
    (func $start i32.const 4 i32.const 5 call $log) (start $start)))");
  EXPECT_EQ(seen, "early");
  make(R"((module (import "env" "log" (func $log (param i32 i32))) (import "env" "memory" (memory 1))
    (data (i32.const 4) "there") (func $start i32.const 4 i32.const 5 call $log) (start $start)))");
  EXPECT_EQ(seen, "there");
}

TEST_F(LinkTest, AHostFunctionThatRefusesTrapsTheGuestWithItsWords) {
  host_ = {{"env", "exit", type(0, 0),
            [](void*, Instance& instance, RawValue*) {
              instance.setTrapMessage("proc_exit(3)");
              return false;
            },
            nullptr}};
  const auto instance = make(R"((module (import "env" "exit" (func $exit))
    (func $run (export "run") call $exit unreachable)))");
  const auto result = instance->call(instance->function("run", type(0, 0)), {}, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, base::Code::Trap);
  EXPECT_EQ(result.error().detail, "proc_exit(3)");
  EXPECT_THAT(instance->backtrace(), HasSubstr(" - run\n"));
}

// A trap below a host call: the host function sees the error, and the frames around it end with the same.
TEST_F(LinkTest, ATrapInANestedCallEndsTheOuterCallToo) {
  host_ = {{"env", "reenter", type(0, 0),
            [](void*, Instance& instance, RawValue*) {
              const auto result = instance.call(instance.function("inner", type(0, 0)), {}, kLong);
              EXPECT_EQ(result.error().detail, "wasm trap: integer divide by zero");
              EXPECT_NE(instance.failure(), nullptr);
              return true;
            },
            nullptr}};
  const auto instance = make(R"((module (import "env" "reenter" (func $reenter)) (memory (export "memory") 1)
    (func $inner (export "inner") i32.const 1 i32.const 0 i32.div_u drop)
    (func $outer (export "outer") call $reenter i32.const 0 i32.const 1 i32.store8)))");
  const auto result = instance->call(instance->function("outer", type(0, 0)), {}, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().detail, "wasm trap: integer divide by zero");
  EXPECT_EQ((*instance->view(0, 1))[0], std::byte{0});
  EXPECT_THAT(instance->backtrace(), HasSubstr(" - inner\n"));
  EXPECT_THAT(instance->backtrace(), HasSubstr(" - outer\n"));
}

}  // namespace
}  // namespace weir::wasm
