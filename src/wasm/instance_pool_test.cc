// Instances of snapshots in the engine's pool.
#include "wasm/instance_pool.h"

#include <gmock/gmock.h>

#include "wasm/snapshot.h"
#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using ::testing::HasSubstr;

class Pool : public WasmFixture {
 protected:
  std::shared_ptr<const Module> snapshot(std::string_view wat) {
    const auto bytes = Engine::bytesOf(wat);
    const auto before = engine().compile(*instrumented(engine(), *bytes));
    const auto taken = snapshotOf(*bytes, *make(*before));
    EXPECT_TRUE(taken.ok()) << taken.error().detail;
    return *engine().compile(*taken, Native::Ignored, Form::Snapshot);
  }

  base::Result<uint32_t> tryCall(Instance& instance, std::string_view name, base::Duration limit = kLong) {
    return instance.call(instance.function(name, type(0, 1)), {}, limit);
  }
};

// Of one page, which says what it has and dirties all that it can.
constexpr std::string_view kGuest = R"((module
  (memory (export "memory") 1)
  (data (i32.const 8) "\07\00\00\00")
  (global $calls (mut i32) (i32.const 0))
  (func (export "calls") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "pages") (result i32) memory.size)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "soil") (result i32) (local $at i32)
    (loop $next
      (i32.store (local.get $at) (i32.const 0x5a5a5a5a))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
    (i32.const 0))
  (func (export "spin") (result i32) (loop $l (br $l)) (i32.const 0))
  (func (export "die") (result i32) unreachable)))";

TEST_F(Pool, HoldsTheInstancesOfSnapshotsAndNoOthers) {
  EXPECT_TRUE(make(snapshot(kGuest))->pooled());
  EXPECT_FALSE(make(kGuest)->pooled());
}

TEST_F(Pool, APlaceHasNothingOfTheInstanceThatWasThereBefore) {
  settings_.pooled_instances = 1;
  const auto module = snapshot(kGuest);
  for (int i = 0; i < 4; ++i) {
    const auto instance = make(module);
    ASSERT_TRUE(instance->pooled());
    EXPECT_EQ(call(*instance, "calls", {}), 1u);
    EXPECT_EQ(call(*instance, "pages", {}), 1u);
    EXPECT_EQ(call(*instance, "at", {8}), 7u);
    EXPECT_EQ(call(*instance, "at", {4096}), 0u);
    EXPECT_EQ(call(*instance, "at", {65532}), 0u);
    EXPECT_EQ(call(*instance, "grow", {20}), 1u);
    EXPECT_EQ(call(*instance, "at", {20 * 65536}), 0u);
    call(*instance, "soil", {});
    EXPECT_EQ(tryCall(*instance, i == 2 ? "die" : "pages").ok(), i != 2);
  }
}

TEST_F(Pool, APlaceHasNothingOfAnotherModule) {
  settings_.pooled_instances = 1;
  const auto one = snapshot(kGuest);
  const auto other = snapshot(R"((module (memory (export "memory") 3) (data (i32.const 65536) "\09")
    (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))))");
  for (int i = 0; i < 2; ++i) {
    call(*make(one), "soil", {});
    const auto instance = make(other);
    ASSERT_TRUE(instance->pooled());
    EXPECT_EQ(call(*instance, "at", {8}), 0u);
    EXPECT_EQ(call(*instance, "at", {65536}), 9u);
    EXPECT_EQ(call(*instance, "at", {70000}), 0u);
  }
}

TEST_F(Pool, WhatHasNoPlaceIsMappedByItself) {
  settings_.pooled_instances = 2;
  const auto module = snapshot(kGuest);
  auto first = make(module);
  const auto second = make(module);
  const auto third = make(module);
  EXPECT_TRUE(first->pooled() && second->pooled());
  EXPECT_FALSE(third->pooled());
  EXPECT_EQ(call(*third, "at", {8}), 7u);
  first.reset();
  EXPECT_TRUE(make(module)->pooled());
}

TEST_F(Pool, CanBeLeftOut) {
  settings_.pooled_instances = 0;
  EXPECT_FALSE(make(snapshot(kGuest))->pooled());
}

TEST_F(Pool, TakesNoModuleWithATableThatIsTooLarge) {
  const auto module = snapshot(R"((module (memory (export "memory") 1) (table 30000 funcref)
    (func (export "one") (result i32) (i32.const 1))))");
  const auto instance = make(module);
  EXPECT_FALSE(instance->pooled());
  EXPECT_EQ(call(*instance, "one", {}), 1u);
}

TEST_F(Pool, HoldsInstancesToTheirMemoryCap) {
  limits_.memory_bytes = 4 * 65536;
  const auto instance = make(snapshot(kGuest));
  ASSERT_TRUE(instance->pooled());
  EXPECT_EQ(call(*instance, "grow", {4}), UINT32_MAX);
  EXPECT_EQ(instance->refusedGrowths(), 1u);
  EXPECT_EQ(call(*instance, "grow", {3}), 1u);
  EXPECT_EQ(instance->memorySize(), 4u * 65536);
}

TEST_F(Pool, HoldsInstancesToTheirTime) {
  const auto instance = make(snapshot(kGuest));
  ASSERT_TRUE(instance->pooled());
  const auto result = tryCall(*instance, "spin", std::chrono::milliseconds(20));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(instance->faultKind(), FaultKind::Deadline);
}

TEST_F(Pool, EndsInstancesThatReachBeyondTheirMemory) {
  const auto module = snapshot(kGuest);
  for (const uint32_t address : {65536u, 1u << 20, 0xfffffffcu}) {
    const auto instance = make(module);
    ASSERT_TRUE(instance->pooled());
    const auto result = instance->call(instance->function("at", type(1, 1)), std::array{address}, kLong);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(instance->faultKind(), FaultKind::MemoryAccess);
  }
  // Nor what an instance before had grown to.
  call(*make(module), "grow", {20});
  const auto instance = make(module);
  EXPECT_FALSE(instance->call(instance->function("at", type(1, 1)), std::array{1u << 20}, kLong).ok());
}

TEST_F(Pool, KeepsLittleOfWhatAnInstanceUsed) {
  settings_.pooled_instances = 1;
  {
    const auto instance = make(snapshot(kGuest));
    call(*instance, "grow", {100});
    call(*instance, "soil", {});
    EXPECT_EQ(engine().stats().pool_resident, 0u);
  }
  EXPECT_LE(engine().stats().pool_resident, InstancePool::kResident + InstancePool::kTableResident);
}

TEST_F(Pool, LetsAModuleGoWithItsInstances) {
  settings_.pooled_instances = 1;
  std::weak_ptr<const Module> gone;
  {
    const auto module = snapshot(kGuest);
    gone = module;
    call(*make(module), "soil", {});
  }
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(call(*make(snapshot(kGuest)), "calls", {}), 1u);
}

}  // namespace
}  // namespace weir::wasm
