// What header maps cost at the border to a guest: written as pairs, and read again. By the number of headers.
#include <benchmark/benchmark.h>

#include <string>

#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

http::HeaderMap headers(int64_t count) {
  http::HeaderMap map;
  for (int64_t i = 0; i < count; ++i) map.add("x-header-" + std::to_string(i), "some value of a usual length");
  return map;
}

void write(benchmark::State& state) {
  const http::HeaderMap map = headers(state.range(0));
  std::vector<std::byte> out(pairsSize(map));
  for (auto _ : state) {
    benchmark::DoNotOptimize(pairsSize(map));
    writePairs(map, out);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(write)->Arg(1)->Arg(10)->Arg(100);

void parse(benchmark::State& state) {
  const http::HeaderMap map = headers(state.range(0));
  std::string bytes(pairsSize(map), '\0');
  writePairs(map, std::as_writable_bytes(std::span(bytes)));
  for (auto _ : state) benchmark::DoNotOptimize(parsePairs(bytes));
}
BENCHMARK(parse)->Arg(1)->Arg(10)->Arg(100);

}  // namespace
}  // namespace weir::proxy_wasm

BENCHMARK_MAIN();
