// What a line of the default format costs.
#include <benchmark/benchmark.h>

#include "format/format.h"
#include "format/test_entry.h"

namespace weir::format {
namespace {

void defaultLine(benchmark::State& state) {
  TestEntry test;
  const auto format = TextFormat::create(kDefaultFormat);
  std::string out;
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    format->append(test.entry(), false, out);
  }
}
BENCHMARK(defaultLine);

void jsonLine(benchmark::State& state) {
  TestEntry test;
  JsonSpec::Object object;
  for (const char* name : {"START_TIME", "PROTOCOL", "RESPONSE_CODE", "BYTES_SENT", "DURATION", "UPSTREAM_HOST",
                           "REQ(:method)", "REQ(:path)", "RESPONSE_FLAGS", "REQ(user-agent)"}) {
    object.emplace_back(name, JsonSpec{"%" + std::string(name) + "%"});
  }
  const auto format = JsonFormat::create({object}, false);
  std::string out;
  for (auto _ : state) {
    if (out.size() > 60'000) out.clear();
    format->append(test.entry(), out);
  }
}
BENCHMARK(jsonLine);

}  // namespace
}  // namespace weir::format

BENCHMARK_MAIN();
