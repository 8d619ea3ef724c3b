#include "wasm/snapshot.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "wasm/byte_reader.h"
#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using ::testing::HasSubstr;

class Snapshot : public WasmFixture {
 protected:
  // The text's module, as it is after its `prepare` has run once.
  std::shared_ptr<const Module> preparedModule(std::string_view wat) {
    const auto bytes = Engine::bytesOf(wat);
    const auto before = engine().compile(*instrumented(engine(), *bytes));
    const auto instance = make(*before);
    call(*instance, "prepare", {});
    const auto after = snapshotOf(*bytes, *instance);
    EXPECT_TRUE(after.ok()) << after.error().detail;
    return *engine().compile(*after, Native::Ignored, Form::Snapshot);
  }

  std::string refusal(std::string_view wat) {
    const auto made = instrumented(engine(), *Engine::bytesOf(wat));
    EXPECT_FALSE(made.ok());
    return made.ok() ? "" : made.error().detail;
  }
};

// Of a module's data section.
uint32_t segmentsOf(std::span<const std::byte> module) {
  constexpr uint8_t kDataSection = 11;
  ByteReader rest(module.subspan(8));
  while (!rest.rest().empty()) {
    const uint8_t id = rest.byte();
    ByteReader section(rest.take(rest.number()));
    if (id == kDataSection) return section.number();
  }
  return 0;
}

constexpr std::string_view kGuest = R"((module
  (memory (export "memory") 1)
  (data (i32.const 0) "\07\00\00\00")
  (global $hidden (mut i32) (i32.const 1))
  (global $wide (mut i64) (i64.const 1))
  (global $half (mut f32) (f32.const 0))
  (func (export "prepare") (result i32)
    (global.set $hidden (i32.const 42))
    (global.set $wide (i64.const 0x1_0000_0000))
    (global.set $half (f32.const 0.5))
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 70000) (i32.const 9))
    (i32.const 0))
  (func (export "hidden") (result i32) (global.get $hidden))
  (func (export "wide") (result i32) (i32.wrap_i64 (i64.shr_u (global.get $wide) (i64.const 32))))
  (func (export "half") (result i32) (i32.reinterpret_f32 (global.get $half)))
  (func (export "pages") (result i32) memory.size)
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "put") (param i32 i32) (result i32) (i32.store (local.get 0) (local.get 1)) (i32.const 0))))";

TEST_F(Snapshot, BeginsWithTheMemoryAndTheGlobalsOfTheInstanceThatItWasTakenOf) {
  const auto instance = make(preparedModule(kGuest));
  EXPECT_EQ(call(*instance, "hidden", {}), 42u);
  EXPECT_EQ(call(*instance, "wide", {}), 1u);
  EXPECT_EQ(call(*instance, "half", {}), 0x3f000000u);
  EXPECT_EQ(call(*instance, "pages", {}), 2u);
  EXPECT_EQ(call(*instance, "at", {0}), 8u);
  EXPECT_EQ(call(*instance, "at", {70000}), 9u);
  EXPECT_EQ(instance->memorySize(), size_t{2} << 16);
}

TEST_F(Snapshot, KeepsItsInstancesApart) {
  const auto module = preparedModule(kGuest);
  const auto first = make(module);
  call(*first, "put", {70000, 1});
  const auto second = make(module);
  EXPECT_EQ(call(*second, "at", {70000}), 9u);
  EXPECT_EQ(call(*first, "at", {70000}), 1u);
}

TEST_F(Snapshot, DoesNotRunTheStartSectionAgain) {
  const auto instance = make(preparedModule(R"((module
    (global $starts (mut i32) (i32.const 0))
    (func $begin (global.set $starts (i32.add (global.get $starts) (i32.const 1))))
    (start $begin)
    (func (export "prepare") (result i32) (i32.const 0))
    (func (export "starts") (result i32) (global.get $starts))))"));
  EXPECT_EQ(call(*instance, "starts", {}), 1u);
}

TEST_F(Snapshot, CallsThroughTheTableAsBefore) {
  const auto instance = make(preparedModule(R"((module
    (type $number (func (result i32)))
    (table 2 funcref)
    (elem (i32.const 1) $seven)
    (func $seven (result i32) (i32.const 7))
    (func (export "prepare") (result i32) (i32.const 0))
    (func (export "through") (result i32) (call_indirect (type $number) (i32.const 1)))))"));
  EXPECT_EQ(call(*instance, "through", {}), 7u);
}

TEST_F(Snapshot, IsNotTakenOfWhatItCannotRestore) {
  EXPECT_THAT(refusal(R"((module (import "env" "memory" (memory 1))))"), HasSubstr("imported memories"));
  EXPECT_THAT(refusal(R"((module (table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))))"),
              HasSubstr("table.set"));
}

// Each segment costs each instance some time; official Go leaves thousands of stretches.
TEST_F(Snapshot, HasOneSegmentForAllStretchesThatLieLessThanAPageApart) {
  constexpr std::string_view kScattered = R"((module
    (memory (export "memory") 2)
    (data (i32.const 0) "a") (data (i32.const 100) "b") (data (i32.const 200) "c")
    (func (export "prepare") (result i32) (local $at i32)
      (loop $next
        (i32.store8 (local.get $at) (i32.const 1))
        (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 256))) (i32.const 65536))))
      (i32.store (i32.const 120000) (i32.const 9))
      (i32.const 0))
    (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))))";
  const auto bytes = Engine::bytesOf(kScattered);
  const auto before = make(*engine().compile(*instrumented(engine(), *bytes)));
  call(*before, "prepare", {});
  const auto after = snapshotOf(*bytes, *before);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(segmentsOf(*after), 2u);

  const auto instance = make(*engine().compile(*after, Native::Ignored, Form::Snapshot));
  EXPECT_EQ(call(*instance, "at", {256}), 1u);
  EXPECT_EQ(call(*instance, "at", {260}), 0u);
  EXPECT_EQ(call(*instance, "at", {120000}), 9u);
}

TEST_F(Snapshot, OfAGlobalWithAReferenceIsAnError) {
  const auto bytes = Engine::bytesOf(R"((module (global (mut funcref) (ref.null func))))");
  const auto made = instrumented(engine(), *bytes);
  if (!made.ok()) return;  // Said before.
  const auto instance = make(*engine().compile(*made));
  EXPECT_FALSE(snapshotOf(*bytes, *instance).ok());
}

TEST_F(Snapshot, OfNonsenseIsAnError) {
  const std::vector<std::byte> nonsense(100, std::byte{7});
  EXPECT_FALSE(instrumented(engine(), nonsense).ok());
}

TEST_F(Snapshot, IsNotKeptOnDisk) {
  settings_.cache_directory = ::testing::TempDir() + "snapshot_" + std::to_string(::getpid());
  const auto bytes = Engine::bytesOf("(module (memory 1))");
  engine();
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(settings_.cache_directory), {}); };
  const auto before = files();
  { const auto used_once = *engine().compile(*bytes, Native::Ignored, Form::Snapshot); }
  EXPECT_EQ(files(), before);
  ASSERT_TRUE(engine().compile(*bytes).ok());
  EXPECT_GT(files(), before);
  std::filesystem::remove_all(settings_.cache_directory);
}

}  // namespace
}  // namespace weir::wasm
