// For benchmarks: a guest written in the text format, started on a worker, with a stream to call it for.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "proxy_wasm/guest_fixture.h"

namespace weir::proxy_wasm {

class BenchPlugin {
 public:
  explicit BenchPlugin(std::string text) {
    PluginSpec spec;
    spec.name = spec.root_id = "bench";
    spec.vm.code = {.kind = CodeSource::Kind::Inline, .path = "", .bytes = std::move(text)};
    auto plugin = host_.load(spec);
    if (!plugin.ok()) std::fprintf(stderr, "%s\n", plugin.error().detail.c_str());
    CHECK(plugin.ok());
    factory_ = worker_.createFactory(*plugin);
  }

  // A stream that has a browser's request, before its first callback.
  struct Stream {
    explicit Stream(BenchPlugin& plugin) : handle(plugin.loop_), filter(plugin.factory_->create()) {
      handle.info().client = net::Address::parseIp("10.0.0.1", 4000).value();
      http::HeaderMap& headers = handle.request_headers;
      headers.add(":method", "GET");
      headers.add(":scheme", "http");
      headers.add(":authority", "www.example.com");
      headers.add(":path", "/api/v1/items?id=42&sort=asc");
      headers.add("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101");
      headers.add("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
      headers.add("x-custom", "some value");
      headers.add("x-request-id", "0a1b2c3d-0000-4000-8000-000000000000");
      filter->setHandle(handle);
    }
    ~Stream() {
      filter->onLog();
      filter->onDestroy();
    }
    filter::HeadersAction requestHeaders() { return filter->onRequestHeaders(handle.request_headers, true); }
    FakeStream handle;
    std::unique_ptr<filter::Filter> filter;
  };
  void endTurn() { loop_.runReady(); }

 private:
  stats::Store stats_;
  event::Loop loop_{base::systemClock()};
  base::FastRandom random_{1};
  std::unique_ptr<wasm::Engine> engine_ = std::move(wasm::Engine::create({}).value());
  PluginHost host_{*engine_, stats_, base::systemClock(), {}};
  WorkerPlugins worker_{WorkerPlugins::Environment{loop_, random_}};
  std::unique_ptr<filter::FilterFactory> factory_;
};

}  // namespace weir::proxy_wasm
