// load: the client of bench/run. It checks every answer, and ends with 1 at the first that is wrong.
//
// Connecting and warming up are not measured, nor is closing: it says "ready", waits for a line, and prints one line of
// JSON when the last answer has come; the connections stay open until standard input ends. In between, whoever started
// it reads what the proxy has used. With --seconds 0 it holds idle connections.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>

#include "client.h"
#include "options.h"

namespace {

// Of sorted times.
uint32_t percentile(const std::vector<uint32_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

bool awaitLine() {
  char line[16];
  return std::fgets(line, sizeof(line), stdin) != nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  bench::Client client(bench::parseOptions(argc, argv));
  if (!client.warmUp()) {
    std::fprintf(stderr, "load: while warming up: %s\n", client.fault().c_str());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  if (!awaitLine()) return 0;

  bench::Outcome outcome = client.measure();
  if (!outcome.fault.empty()) {
    std::fprintf(stderr, "load: after %lu requests: %s\n", outcome.requests, outcome.fault.c_str());
    return 1;
  }
  std::sort(outcome.microseconds.begin(), outcome.microseconds.end());
  std::printf("{\"requests\": %lu, \"seconds\": %.6f, \"p50\": %u, \"p99\": %u, \"p999\": %u, \"max\": %u}\n",
              outcome.requests, outcome.seconds, percentile(outcome.microseconds, 0.5),
              percentile(outcome.microseconds, 0.99), percentile(outcome.microseconds, 0.999),
              percentile(outcome.microseconds, 1));
  std::fflush(stdout);
  while (awaitLine()) {
  }
  return 0;
}
