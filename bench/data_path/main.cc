// What a request costs in counts that do not depend on the machine's mood: through a worker's whole data path, without
// sockets, in one process.
//
//   data_path -c CONFIG [--requests N] [--connections N] [--http2] [--cache DIR] [--stacks FILE] [--calls FILE]
//   [--show]
//
// Prints "allocations N" and "bytes N": what was asked of the allocator per request, after as many requests that are
// not counted. --stacks: and where. --calls: writes the trace of a hundred more requests' calls into plugins and out of
// them. --show: the last request as the origin got it. Under valgrind --tool=callgrind --instr-atstart=no
// --collect-atstart=no the counted requests are what is collected. tests/counts/run runs all that.
#include <fmt/core.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "allocations.h"
#include "base/log.h"
#include "path.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#endif

namespace {

using namespace weir;

constexpr uint64_t kTraced = 100;

struct Arguments {
  std::string config;
  uint64_t requests = 2000;
  uint64_t connections = 1;
  bool http2 = false;
  bool show = false;
  std::string cache;
  std::string stacks;
  std::string calls;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--http2" || flag == "--show") {
      (flag == "--http2" ? out.http2 : out.show) = true;
      continue;
    }
    if (++i == argc) return false;
    if (flag == "-c")
      out.config = argv[i];
    else if (flag == "--cache")
      out.cache = argv[i];
    else if (flag == "--stacks")
      out.stacks = argv[i];
    else if (flag == "--calls")
      out.calls = argv[i];
    else if (flag == "--requests")
      out.requests = std::strtoull(argv[i], nullptr, 10);
    else if (flag == "--connections")
      out.connections = std::strtoull(argv[i], nullptr, 10);
    else
      return false;
  }
  return !out.config.empty() && out.connections > 0 && out.requests >= out.connections;
}

void measure(bench::Path& path, const Arguments& arguments) {
  const uint64_t rounds = arguments.requests / arguments.connections;
  const auto requests = static_cast<double>(rounds * arguments.connections);
  path.exchange(rounds);

  bench::beginCounting(!arguments.stacks.empty());
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_TOGGLE_COLLECT;
  path.exchange(rounds);
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_STOP_INSTRUMENTATION;
  const bench::Allocations allocations = bench::endCounting();
  fmt::print("requests {}\nallocations {:.3f}\nbytes {:.1f}\n", requests, allocations.calls / requests,
             allocations.bytes / requests);
}

bool writeStacks(const std::string& file) {
  std::FILE* out = std::fopen(file.c_str(), "w");
  if (out == nullptr) return false;
  bench::writeStacks(out);
  return std::fclose(out) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    fmt::print(stderr, "usage: data_path -c CONFIG [options]; see bench/data_path/main.cc\n");
    return 1;
  }
  base::LogSettings log;
  log.level = base::LogLevel::Error;
  log.path = arguments.calls;
  if (const auto set = base::setUpLog(log); !set.ok()) {
    fmt::print(stderr, "data_path: {}\n", set.error().detail);
    return 1;
  }
  auto path = bench::Path::create(arguments.config, arguments.cache);
  if (!path.ok()) {
    fmt::print(stderr, "data_path: {}\n", path.error().detail);
    return 1;
  }
  for (uint64_t i = 0; i < arguments.connections; ++i) {
    (*path)->connect(arguments.http2 ? bench::http2Client() : bench::http1Client());
  }
  measure(**path, arguments);
  if (!arguments.stacks.empty() && !writeStacks(arguments.stacks)) return 1;
  if (!arguments.calls.empty()) {
    base::setLogLevel(base::LogComponent::Wasm, base::LogLevel::Trace);
    (*path)->exchange(kTraced);
    base::setLogLevel(base::LogComponent::Wasm, base::LogLevel::Error);
    base::flushLog();
  }
  if (arguments.show) fmt::print("{}", (*path)->origin().lastRequest());
  return 0;
}
