// What crossing the border between host and guest costs.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>

#include "wasm/instance.h"
#include "wasm/ticker.h"

namespace weir::wasm {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGuest = R"((module
  (import "env" "three" (func $three (param i32 i32 i32) (result i32)))
  (import "env" "none" (func $none))
  (import "env" "nested" (func $nested))
  (memory (export "memory") 17)
  (data (i32.const 1024) "some text that is there from the start")
  (func (export "empty"))
  (func (export "headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "call_none") (param i32) (loop call $none
    (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0))
  (func (export "call_three") (param i32) (loop (drop (call $three (i32.const 1) (i32.const 2) (i32.const 3)))
    (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0))
  (func (export "malloc") (param i32) (result i32) i32.const 4096)
  (func (export "call_nested") (param i32) (loop call $nested
    (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0))
  (func (export "count") (param i32) (loop
    (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0))))";

FunctionType type(size_t params, size_t results) {
  return {std::vector(params, ValueType::I32), std::vector(results, ValueType::I32)};
}

struct Guest {
  std::unique_ptr<Engine> engine = std::move(Engine::create({}).value());
  std::shared_ptr<const Module> module = std::move(engine->compileText(kGuest).value());
  GuestFunction malloc;
  std::array<HostImport, 3> host{
      HostImport{"env", "three", type(3, 1),
                 [](void*, Instance&, RawValue* slots) { return slots[0].i32 = slots[1].i32 + slots[2].i32, true; }},
      HostImport{"env", "none", type(0, 0), [](void*, Instance&, RawValue*) { return true; }},
      HostImport{"env", "nested", type(0, 0),
                 [](void* self, Instance& instance, RawValue*) {
                   return instance.call(static_cast<Guest*>(self)->malloc, std::array{64u}, milliseconds(100)).ok();
                 },
                 this}};

  std::unique_ptr<Instance> make() {
    return std::move(Instance::create(*engine, module, host, {}, milliseconds(100)).value());
  }
};

void callGuest(benchmark::State& state, const char* name, std::span<const uint32_t> arguments, size_t results) {
  Guest guest;
  const auto instance = guest.make();
  const GuestFunction function = instance->function(name, type(arguments.size(), results));
  for (auto _ : state) benchmark::DoNotOptimize(instance->call(function, arguments, milliseconds(100)));
}

void callEmpty(benchmark::State& state) { callGuest(state, "empty", {}, 0); }
BENCHMARK(callEmpty);

void callWithThreeArguments(benchmark::State& state) { callGuest(state, "headers", std::array{1u, 2u, 3u}, 1); }
BENCHMARK(callWithThreeArguments);

// Per iteration, one call out of the guest: the call into it is spread over many.
void callHost(benchmark::State& state, const char* name) {
  constexpr uint32_t kCalls = 1000;
  Guest guest;
  const auto instance = guest.make();
  guest.malloc = instance->function("malloc", type(1, 1));
  const GuestFunction function = instance->function(name, type(1, 0));
  while (state.KeepRunningBatch(kCalls)) {
    benchmark::DoNotOptimize(instance->call(function, std::array{kCalls}, milliseconds(100)));
  }
}

void hostCallEmpty(benchmark::State& state) { callHost(state, "call_none"); }
BENCHMARK(hostCallEmpty);

void hostCallWithThreeArguments(benchmark::State& state) { callHost(state, "call_three"); }
BENCHMARK(hostCallWithThreeArguments);

void hostCallThatCallsMalloc(benchmark::State& state) { callHost(state, "call_nested"); }
BENCHMARK(hostCallThatCallsMalloc);

void guestLoopTurn(benchmark::State& state) { callHost(state, "count"); }
BENCHMARK(guestLoopTurn);

// What an outermost call adds for its deadline, apart from setting Wasmtime's own word.
void askForTicks(benchmark::State& state) {
  Ticker ticker(milliseconds(5), [] {});
  for (auto _ : state) {
    ticker.need(18);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(askForTicks)->ThreadRange(1, 2);

void viewOfMemory(benchmark::State& state) {
  Guest guest;
  const auto instance = guest.make();
  uint32_t address = 0;
  for (auto _ : state) benchmark::DoNotOptimize(instance->view(address++ & 0xffff, 16));
}
BENCHMARK(viewOfMemory);

void instantiate(benchmark::State& state) {
  Guest guest;
  (void)guest.make();
  for (auto _ : state) benchmark::DoNotOptimize(guest.make());
}
BENCHMARK(instantiate);

}  // namespace
}  // namespace weir::wasm

BENCHMARK_MAIN();
