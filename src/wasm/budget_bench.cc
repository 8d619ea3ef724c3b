// What a guest's budgets cost: the same guest in an engine without them, on Wasmtime alone. With deadline: code that
// looks at the epoch, a deadline set for each call and the ticker asked for. With caps: the store's limiter is asked.
#include <benchmark/benchmark.h>

#include <array>
#include <optional>

#include "base/check.h"
#include "wasm/engine.h"
#include "wasm/engine_limits.h"
#include "wasm/handles.h"
#include "wasm/ticker.h"

namespace weir::wasm {
namespace {

constexpr std::string_view kGuest = R"((module
  (memory (export "memory") 17)
  (table 10 funcref)
  (func (export "callback") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "mix") (param i32 i32 i32) (result i32)
    (loop (local.set 1 (i32.add (i32.mul (i32.xor (local.get 1) (i32.shr_u (local.get 1) (i32.const 15)))
                                         (i32.const 0x2c1b3c6d)) (local.get 0)))
      (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0)
    local.get 1)
  (func $leaf (param i32) (result i32) (i32.xor (local.get 0) (i32.const 77)))
  (func (export "calls") (param i32 i32 i32) (result i32)
    (loop (local.set 1 (call $leaf (local.get 1)))
      (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0)
    local.get 1)
  (func (export "sum") (param i32 i32 i32) (result i32)
    (loop (local.set 1 (i32.add (local.get 1) (i32.load8_u (i32.and (local.get 0) (i32.const 0xffff)))))
      (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) br_if 0)
    local.get 1)))";

struct Budgets {
  bool deadline;
  bool caps;
};

// One engine, module and store, with the budgets that are asked for.
class Bench {
 public:
  explicit Bench(Budgets budgets) : budgets_(budgets) {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_epoch_interruption_set(config, budgets.deadline);
    wasmtime_config_memory_may_move_set(config, false);
    engine_.reset(wasm_engine_new_with_config(config));
    if (budgets.deadline)
      ticker_.emplace(std::chrono::milliseconds(5), [this] { wasmtime_engine_increment_epoch(engine_.get()); });
    const auto bytes = std::move(Engine::bytesOf(kGuest).value());
    wasmtime_module_t* module = nullptr;
    CHECK(!ErrorHandle(
        wasmtime_module_new(engine_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &module)));
    module_.reset(module);
  }

  void instantiate() {
    limits_ = {size_t{64} << 20, 100'000, 0, 0};
    store_.reset(wasmtime_store_new(engine_.get(), nullptr, nullptr));
    context_ = wasmtime_store_context(store_.get());
    if (budgets_.caps) weir_store_set_limits(store_.get(), &limits_);
    giveTime();
    wasm_trap_t* trap = nullptr;
    CHECK(!ErrorHandle(wasmtime_instance_new(context_, module_.get(), nullptr, 0, &instance_, &trap)) &&
          trap == nullptr);
  }

  wasmtime_func_t function(std::string_view name) {
    wasmtime_extern_t found;
    CHECK(wasmtime_instance_export_get(context_, &instance_, name.data(), name.size(), &found));
    return found.of.func;
  }

  int32_t call(const wasmtime_func_t& function, int32_t argument) {
    giveTime();
    std::array<wasmtime_val_raw_t, 3> slots{};
    slots[0].i64 = argument;
    wasm_trap_t* trap = nullptr;
    CHECK(!ErrorHandle(wasmtime_func_call_unchecked(context_, &function, slots.data(), slots.size(), &trap)) &&
          trap == nullptr);
    return slots[0].i32;
  }

 private:
  void giveTime() {
    if (!budgets_.deadline) return;
    wasmtime_context_set_epoch_deadline(context_, 41);
    ticker_->need(50);
  }

  const Budgets budgets_;
  EngineHandle engine_;
  std::optional<Ticker> ticker_;
  ModuleHandle module_;
  weir_limits limits_{};
  StoreHandle store_;
  wasmtime_context_t* context_ = nullptr;
  wasmtime_instance_t instance_{};
};

void call(benchmark::State& state, std::string_view name, int32_t argument, bool deadline) {
  Bench bench({deadline, true});
  bench.instantiate();
  const wasmtime_func_t function = bench.function(name);
  for (auto _ : state) benchmark::DoNotOptimize(bench.call(function, argument));
}

void callback(benchmark::State& state) { call(state, "callback", 1, state.range(0) != 0); }
BENCHMARK(callback)->ArgName("deadline")->Arg(0)->Arg(1);

// Rounds of arithmetic; of reads; of calls of a function that does next to nothing, where each looks at the epoch.
void mix(benchmark::State& state) { call(state, "mix", 41'000, state.range(0) != 0); }
BENCHMARK(mix)->ArgName("deadline")->Arg(0)->Arg(1);

void sum(benchmark::State& state) { call(state, "sum", 41'000, state.range(0) != 0); }
BENCHMARK(sum)->ArgName("deadline")->Arg(0)->Arg(1);

void calls(benchmark::State& state) { call(state, "calls", 41'000, state.range(0) != 0); }
BENCHMARK(calls)->ArgName("deadline")->Arg(0)->Arg(1);

void instantiation(benchmark::State& state) {
  Bench bench({true, state.range(0) != 0});
  for (auto _ : state) bench.instantiate();
}
BENCHMARK(instantiation)->ArgName("caps")->Arg(0)->Arg(1);

}  // namespace
}  // namespace weir::wasm

BENCHMARK_MAIN();
