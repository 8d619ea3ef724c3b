// What a whole HTTP stream through one plugin costs: with the instance that all streams share, and with one of its own.
// WEIR_BENCH_GUEST names the plugin's file.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {
namespace {

// One worker with the plugin.
class Worker {
 public:
  explicit Worker(bool instance_per_stream) {
    BudgetRules rules;
    rules.defaults.instance_per_stream = instance_per_stream;
    PluginHost::Settings settings;
    settings.budgets = BudgetTable(BudgetRules(), rules);
    host_ = std::make_unique<PluginHost>(*engine_, stats_, base::systemClock(), std::move(settings));
    worker_ = std::make_unique<WorkerPlugins>(WorkerPlugins::Environment{loop_, random_});
    PluginSpec spec;
    spec.name = spec.root_id = "light";
    spec.vm.code = {.kind = CodeSource::Kind::File, .path = guest()};
    auto plugin = host_->load(spec);
    if (!plugin.ok()) std::fprintf(stderr, "%s\n", plugin.error().detail.c_str());
    factory_ = worker_->createFactory(*plugin);
  }

  // False: the plugin did not let it go on.
  bool runStream(bool with_callbacks) {
    FakeStream stream(loop_);
    stream.request_headers.add(":method", "GET");
    stream.request_headers.add(":path", "/");
    stream.request_headers.add(":authority", "127.0.0.1");
    stream.request_headers.add("user-agent", "bench");
    stream.response_headers.add(":status", "200");
    const auto filter = factory_->create();
    filter->setHandle(stream);
    bool fine = true;
    if (with_callbacks) {
      fine = filter->onRequestHeaders(stream.request_headers, true) == filter::HeadersAction::Continue &&
             filter->onResponseHeaders(stream.response_headers, true) == filter::HeadersAction::Continue;
      filter->onLog();
    }
    filter->onDestroy();
    return fine;
  }
  void endTurn() { loop_.runReady(); }

 private:
  static std::string guest() {
    const char* const given = std::getenv("WEIR_BENCH_GUEST");
    return given != nullptr ? given : "build/guests/bench_light.wasm";
  }

  stats::Store stats_;
  event::Loop loop_{base::systemClock()};
  base::FastRandom random_{1};
  std::unique_ptr<wasm::Engine> engine_ = std::move(wasm::Engine::create({}).value());
  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<WorkerPlugins> worker_;
  std::unique_ptr<filter::FilterFactory> factory_;
};

void run(benchmark::State& state, bool instance_per_stream, bool with_callbacks) {
  Worker worker(instance_per_stream);
  for (auto _ : state) {
    if (!worker.runStream(with_callbacks)) state.SkipWithError("the plugin does not let it go on");
    worker.endTurn();
  }
}

void streamOnSharedInstance(benchmark::State& state) { run(state, false, true); }
BENCHMARK(streamOnSharedInstance);

void streamOnItsOwnInstance(benchmark::State& state) { run(state, true, true); }
BENCHMARK(streamOnItsOwnInstance);

// Made and gone.
void untouchedInstance(benchmark::State& state) { run(state, true, false); }
BENCHMARK(untouchedInstance);

}  // namespace
}  // namespace weir::proxy_wasm

BENCHMARK_MAIN();
