// What a guest's calls to the host cost: made a hundred at a time from within one callback. `nothing` is the loop, the
// callback and the stream around them, a hundredth of which is in every other figure.
#include <benchmark/benchmark.h>

#include "proxy_wasm/bench_plugin.h"

namespace weir::proxy_wasm {
namespace {

constexpr int kCalls = 100;

// In the guest's memory: 8 and 12 take what the host returns; 1024 "user-agent", 1040 "x-custom", 1056 "x-absent",
// 1072 "x-new", 1088 "some value", 1104 and 1120 the paths of properties.
constexpr std::string_view kGuest = R"((module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $set (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_pairs" (func $pairs (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 1024) "user-agent")
  (data (i32.const 1040) "x-custom")
  (data (i32.const 1056) "x-absent")
  (data (i32.const 1072) "x-new")
  (data (i32.const 1088) "some value")
  (data (i32.const 1104) "request\00path")
  (data (i32.const 1120) "source\00address")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 65536))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $n i32) (local $s i32)
    (local.set $n (i32.const 100))
    (loop $again
      @
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.ne (local.get $s) (i32.const 0)))))";

// "$get 0 1024 10 8 12" as an instruction that keeps the status if it is not Ok: the callback then stops the stream.
std::string call(std::string_view words) {
  const size_t end = words.find(' ');
  std::string text = "(local.set $s (i32.or (local.get $s) (call " + std::string(words.substr(0, end));
  for (size_t at = end; at < words.size();) {
    const size_t next = std::min(words.find(' ', at + 1), words.size());
    text += " (i32.const " + std::string(words.substr(at + 1, next - at - 1)) + ")";
    at = next;
  }
  return text + ")))";
}

// body: the calls of one round, as call() has them. ok: whether that is their status.
void hostCalls(benchmark::State& state, const std::vector<std::string>& body, bool ok = true) {
  base::setLogLevel(base::LogLevel::Warning);
  std::string text(kGuest), calls;
  for (const std::string& each : body) calls += call(each);
  BenchPlugin plugin(text.replace(text.find('@'), 1, calls));
  while (state.KeepRunningBatch(kCalls)) {
    BenchPlugin::Stream stream(plugin);
    const bool was_ok = stream.requestHeaders() == filter::HeadersAction::Continue;
    if (was_ok != ok) state.SkipWithError("the calls had another status");
    plugin.endTurn();
  }
}
using Body = std::vector<std::string>;
BENCHMARK_CAPTURE(hostCalls, nothing, Body{});
BENCHMARK_CAPTURE(hostCalls, get_known_header, Body{"$get 0 1024 10 8 12"});
BENCHMARK_CAPTURE(hostCalls, get_other_header, Body{"$get 0 1040 8 8 12"});
BENCHMARK_CAPTURE(hostCalls, get_absent_header, Body{"$get 0 1056 8 8 12"}, false);
BENCHMARK_CAPTURE(hostCalls, replace_header, Body{"$set 0 1040 8 1088 10"});
BENCHMARK_CAPTURE(hostCalls, add_and_remove_header, Body{"$add 0 1072 5 1088 10", "$remove 0 1072 5"});
BENCHMARK_CAPTURE(hostCalls, get_all_headers, Body{"$pairs 0 8 12"});
BENCHMARK_CAPTURE(hostCalls, log_below_level, Body{"$log 1 1088 10"});
BENCHMARK_CAPTURE(hostCalls, get_property_of_request, Body{"$property 1104 12 8 12"});
BENCHMARK_CAPTURE(hostCalls, get_property_of_connection, Body{"$property 1120 14 8 12"});
BENCHMARK_CAPTURE(hostCalls, get_time, Body{"$time 8"});

}  // namespace
}  // namespace weir::proxy_wasm

BENCHMARK_MAIN();
