// What it costs to count and time a plugin's calls. Calls of a small plugin take some hundred nanoseconds.
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "proxy_wasm/call_stats.h"

namespace weir::proxy_wasm {
namespace {

stats::Store& store() {
  static stats::Store kStore;
  return kStore;
}

void count(benchmark::State& state, uint32_t time_one_in) {
  const base::Clock& clock = base::systemClock();
  CallStats stats(store(), "plugin", time_one_in);
  uint32_t call = 0;
  for (auto _ : state) {
    const auto callback = static_cast<Callback>(call++ % 6);
    if (stats.begin(callback)) {
      const base::MonotonicTime began = clock.monotonic();
      benchmark::ClobberMemory();
      stats.took(callback, clock.monotonic() - began);
    }
    benchmark::ClobberMemory();
  }
}
void neverTimed(benchmark::State& state) { count(state, 0); }
BENCHMARK(neverTimed)->ThreadRange(1, 2);
void oneInSixteenTimed(benchmark::State& state) { count(state, kTimeOneCallIn); }
BENCHMARK(oneInSixteenTimed)->ThreadRange(1, 2);
void everyCallTimed(benchmark::State& state) { count(state, 1); }
BENCHMARK(everyCallTimed)->ThreadRange(1, 2);

// What publishing in each call would cost.
void sharedCounter(benchmark::State& state) {
  stats::Counter& counter = store().counter("shared");
  for (auto _ : state) counter.add();
}
BENCHMARK(sharedCounter)->ThreadRange(1, 2);

void readTheClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(base::systemClock().monotonic());
}
BENCHMARK(readTheClock);

}  // namespace
}  // namespace weir::proxy_wasm

BENCHMARK_MAIN();
