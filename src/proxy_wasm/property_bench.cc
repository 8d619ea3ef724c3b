// What looking up a property costs, by its path; without the crossing to the guest, which host_calls_bench has.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "proxy_wasm/bench_plugin.h"
#include "proxy_wasm/property.h"
#include "proxy_wasm/stream_context.h"

namespace weir::proxy_wasm {
namespace {

// Its stop keeps the request's headers within reach.
constexpr std::string_view kGuest = R"((module
  (memory (export "memory") 2)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 65536))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))))";

// Dots stand for NULs.
void property(benchmark::State& state, std::string path, AbiStatus expected) {
  BenchPlugin plugin{std::string(kGuest)};
  BenchPlugin::Stream stream(plugin);
  stream.requestHeaders();
  auto& context = dynamic_cast<StreamContext&>(*stream.filter);
  std::replace(path.begin(), path.end(), '.', '\0');
  AbiStatus status = AbiStatus::Ok;
  for (auto _ : state) {
    PropertyValue value;
    benchmark::DoNotOptimize(status = readProperty(context, path, value));
  }
  if (status != expected) state.SkipWithError("another status");
}
BENCHMARK_CAPTURE(property, request_path, "request.path", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, request_header, "request.headers.x-custom", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, request_headers, "request.headers", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, request_time, "request.time", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, source_address, "source.address", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, connection_mtls, "connection.mtls", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, plugin_name, "plugin_name", AbiStatus::Ok);
BENCHMARK_CAPTURE(property, unknown, "nothing.like.it", AbiStatus::NotFound);

}  // namespace
}  // namespace weir::proxy_wasm

BENCHMARK_MAIN();
