#include <gmock/gmock.h>

#include <atomic>

#include "wasm/wasm_fixture.h"

namespace weir::wasm {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class DeadlineTest : public WasmFixture {
 protected:
  DeadlineTest() { settings_.tick = milliseconds(1); }

  static base::Result<uint32_t> run(Instance& instance, std::string_view name, base::Duration limit) {
    return instance.call(instance.function(name, type(0, 0)), {}, limit);
  }
};

constexpr std::string_view kSpin = R"((module
  (func $spin (export "spin") (loop br 0))
  (func (export "rest"))))";

TEST_F(DeadlineTest, AnEndlessLoopEndsAsAnErrorOfThePlugin) {
  const auto instance = make(kSpin);
  const auto result = run(*instance, "spin", milliseconds(3));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, base::Code::Deadline);
  EXPECT_EQ(result.error().side, base::Side::Plugin);
  EXPECT_EQ(result.error().detail, "the guest exceeded its time limit of 3 ms");
  EXPECT_EQ(instance->faultKind(), FaultKind::Deadline);
  EXPECT_THAT(instance->backtrace(), HasSubstr(" - spin\n"));
  EXPECT_EQ(run(*instance, "rest", kLong).error().code, base::Code::Deadline);  // Dead from then on.
}

TEST_F(DeadlineTest, TheGuestGetsAtLeastItsLimit) {
  const auto instance = make(kSpin);
  const auto begun = base::systemClock().monotonic();
  EXPECT_FALSE(run(*instance, "spin", milliseconds(60)).ok());  // More than one stretch of ticks.
  EXPECT_GE(base::systemClock().monotonic() - begun, milliseconds(60));
}

TEST_F(DeadlineTest, ALimitOfZeroIsOneTick) {
  const auto instance = make(kSpin);
  EXPECT_TRUE(run(*instance, "rest", base::Duration(0)).ok());
  EXPECT_EQ(run(*instance, "spin", base::Duration(0)).error().code, base::Code::Deadline);
}

TEST_F(DeadlineTest, TheStartSectionHasADeadline) {
  const auto instance = tryMake(compiled("(module (func $spin (loop br 0)) (start $spin))"), milliseconds(3));
  ASSERT_FALSE(instance.ok());
  EXPECT_EQ(instance.error().code, base::Code::Deadline);
  EXPECT_EQ(instance.error().detail, "Failed to start Wasm module: the guest exceeded its time limit of 3 ms");
}

// The guest calls the host, which calls the guest's allocator with a far longer limit, which never returns.
TEST_F(DeadlineTest, ANestedCallKeepsTheDeadlineOfTheOutermost) {
  bool inner_failed = false;
  host_ = {{"env", "allocate", type(0, 0),
            [](void* context, Instance& instance, RawValue*) {
              const auto result = run(instance, "malloc", kLong);
              *static_cast<bool*>(context) = !result.ok() && result.error().code == base::Code::Deadline;
              return true;  // Even so the outer frames do not run on.
            },
            &inner_failed}};
  const auto instance = make(R"((module (import "env" "allocate" (func $allocate))
    (memory (export "memory") 1)
    (func (export "malloc") (loop br 0))
    (func (export "outer") call $allocate i32.const 0 i32.const 1 i32.store8)))");
  const auto result = run(*instance, "outer", milliseconds(3));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, base::Code::Deadline);
  EXPECT_THAT(result.error().detail, HasSubstr("3 ms"));
  EXPECT_TRUE(inner_failed);
  EXPECT_EQ((*instance->view(0, 1))[0], std::byte{0});
}

TEST_F(DeadlineTest, EachOutermostCallBeginsAnew) {
  const auto instance = make(R"((module (func (export "work") (local i32) (local.set 0 (i32.const 200000))
    (loop (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0))))");
  const auto begun = base::systemClock().monotonic();
  while (base::systemClock().monotonic() - begun < milliseconds(300)) {
    ASSERT_TRUE(run(*instance, "work", milliseconds(250)).ok());
  }
}

TEST_F(DeadlineTest, TheDeadlineOfOneDoesNotEndAnothersCall) {
  const auto module = compiled(R"((module (import "env" "going_on" (func $going_on (result i32)))
    (func (export "spin") (loop br 0))
    (func (export "wait") (loop call $going_on br_if 0))))");
  std::atomic<bool> going_on{true};
  host_ = {{"env", "going_on", type(0, 1),
            [](void* context, Instance&, RawValue* slots) {
              slots[0].i32 = static_cast<std::atomic<bool>*>(context)->load() ? 1 : 0;
              return true;
            },
            &going_on}};
  const auto patient = make(module);
  const auto hasty = make(module);
  std::thread thread([&] { EXPECT_TRUE(run(*patient, "wait", kLong).ok()); });
  EXPECT_EQ(run(*hasty, "spin", milliseconds(40)).error().code, base::Code::Deadline);
  going_on = false;
  thread.join();
}

TEST_F(DeadlineTest, NoLimitIsNoDeadline) {
  const auto module = compiled(R"((module (import "env" "going_on" (func $going_on (result i32)))
    (func (export "wait") (loop call $going_on br_if 0))))");
  const uint64_t until = engine().stats().ticks + 50;
  struct Context {
    Engine& engine;
    uint64_t until;
  } context{engine(), until};
  host_ = {{"env", "going_on", type(0, 1),
            [](void* data, Instance&, RawValue* slots) {
              const auto& context = *static_cast<Context*>(data);
              slots[0].i32 = context.engine.stats().ticks < context.until ? 1 : 0;
              return true;
            },
            &context}};
  EXPECT_TRUE(run(*make(module), "wait", base::Duration::max()).ok());
}

TEST_F(DeadlineTest, EndlessRecursionIsATrapAndTheProcessLives) {
  const auto instance = make("(module (func $run (export \"run\") call $run i32.const 1 drop))");
  const auto result = run(*instance, "run", kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, base::Code::Trap);
  EXPECT_EQ(result.error().detail, "wasm trap: call stack exhausted");
  EXPECT_EQ(instance->faultKind(), FaultKind::Stack);
}

TEST_F(DeadlineTest, AnInstanceKnowsWhatItDiedOf) {
  limits_.memory_bytes = 65536;
  const auto died = [this](const std::string& body) {
    const auto instance = make("(module (memory 1) (func (export \"run\") " + body + "))");
    EXPECT_EQ(instance->faultKind(), FaultKind::None);
    (void)run(*instance, "run", kLong);
    return instance->faultKind();
  };
  EXPECT_EQ(died("unreachable"), FaultKind::Unreachable);
  EXPECT_EQ(died("(drop (i32.load (i32.const 65536)))"), FaultKind::MemoryAccess);
  EXPECT_EQ(died("(drop (memory.grow (i32.const 1))) unreachable"), FaultKind::MemoryLimit);
  EXPECT_EQ(died("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), FaultKind::Other);
  EXPECT_EQ(name(FaultKind::MemoryLimit), "memory_limit");
}

// Host frames count against the guest's stack, so that guest and host calling each other for ever end too.
TEST_F(DeadlineTest, EndlessRecursionThroughTheHostIsATrapToo) {
  host_ = {{"env", "again", type(0, 0),
            [](void*, Instance& instance, RawValue*) { return run(instance, "run", kLong).ok(); }, nullptr}};
  const auto instance = make(R"((module (import "env" "again" (func $again))
    (func $run (export "run") call $again)))");
  std::thread thread([&] {
    const auto result = run(*instance, "run", kLong);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().detail, "wasm trap: call stack exhausted");
  });
  thread.join();
}

}  // namespace
}  // namespace weir::wasm
