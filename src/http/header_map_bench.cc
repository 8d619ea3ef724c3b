// What a header map costs: to build, to look into, and to change; by names that it knows and by others.
#include <benchmark/benchmark.h>

#include "http/header_map.h"

namespace weir::http {
namespace {

constexpr std::string_view kUnknown = "x-custom";
constexpr std::string_view kValue = "some value of a usual length";

// A browser's request as it goes on to an upstream.
HeaderMap request() {
  HeaderMap headers;
  for (const HeaderId id : {HeaderId::Method, HeaderId::Path, HeaderId::Scheme, HeaderId::Authority,
                            HeaderId::UserAgent, HeaderId::Accept, HeaderId::AcceptEncoding, HeaderId::Cookie}) {
    headers.add(id, kValue);
  }
  for (const std::string_view name : {"accept-language", "x-first", "x-second", "x-custom"}) headers.add(name, kValue);
  headers.add(HeaderId::RequestId, kValue);
  headers.add(HeaderId::ForwardedProto, "http");
  return headers;
}

void build(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(request());
}
BENCHMARK(build);

void clone(benchmark::State& state) {
  const HeaderMap headers = request();
  for (auto _ : state) benchmark::DoNotOptimize(headers.clone());
}
BENCHMARK(clone);

template <typename Key>
void get(benchmark::State& state, Key key) {
  const HeaderMap headers = request();
  for (auto _ : state) {
    benchmark::DoNotOptimize(key);
    benchmark::DoNotOptimize(headers.get(key));
  }
}
BENCHMARK_CAPTURE(get, id, HeaderId::RequestId);
BENCHMARK_CAPTURE(get, absent_id, HeaderId::Te);
BENCHMARK_CAPTURE(get, known_name, std::string_view("x-request-id"));
BENCHMARK_CAPTURE(get, other_name, kUnknown);
BENCHMARK_CAPTURE(get, absent_name, std::string_view("x-nothing-there"));

// Each iteration leaves the map as it was; but the arena grows, so it is a new map now and then.
constexpr int kChangesOfOneMap = 64;

template <typename Change>
void change(benchmark::State& state, Change change) {
  while (state.KeepRunningBatch(kChangesOfOneMap)) {
    HeaderMap headers = request();
    for (int i = 0; i < kChangesOfOneMap; ++i) change(headers);
    benchmark::DoNotOptimize(headers);
  }
}

void setId(benchmark::State& state) {
  change(state, [](HeaderMap& headers) { headers.set(HeaderId::RequestId, kValue); });
}
BENCHMARK(setId);

void setOtherName(benchmark::State& state) {
  change(state, [](HeaderMap& headers) { headers.set(kUnknown, kValue); });
}
BENCHMARK(setOtherName);

void addAndRemoveId(benchmark::State& state) {
  change(state, [](HeaderMap& headers) {
    headers.add(HeaderId::Te, kValue);
    headers.remove(HeaderId::Te);
  });
}
BENCHMARK(addAndRemoveId);

void addAndRemoveOtherName(benchmark::State& state) {
  change(state, [](HeaderMap& headers) {
    headers.add("x-new", kValue);
    headers.remove("x-new");
  });
}
BENCHMARK(addAndRemoveOtherName);

}  // namespace
}  // namespace weir::http

BENCHMARK_MAIN();
