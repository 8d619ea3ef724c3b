// What guest_fixture.h promises: a part of the tests.
#include "proxy_wasm/guest_fixture.h"

#include <unistd.h>

#include <filesystem>

namespace weir::proxy_wasm {
namespace {

// Of this process alone: tests run in parallel.
std::string logPath() { return fmt::format("{}/weir_proxy_wasm_test.{}.log", testing::TempDir(), getpid()); }

wasm::Engine& engine() {
  static const std::unique_ptr<wasm::Engine> kEngine = [] {
    auto engine = wasm::Engine::create({});
    CHECK(engine.ok());
    std::filesystem::remove(logPath());
    CHECK(base::setUpLog({base::LogLevel::Info, "%l %v", logPath()}).ok());
    return std::move(*engine);
  }();
  return *kEngine;
}

constexpr std::string_view kImports = R"(
(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_add_header_map_value" (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_replace_header_map_value" (func $set_header (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_remove_header_map_value" (func $remove_header (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_header_map_pairs" (func $get_pairs (param i32 i32 i32) (result i32)))
(import "env" "proxy_set_header_map_pairs" (func $set_pairs (param i32 i32 i32) (result i32)))
(import "env" "proxy_get_header_map_size" (func $map_size (param i32 i32) (result i32)))
(import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_buffer_bytes" (func $set_buffer (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_get_property" (func $get_property (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
(import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
(import "env" "proxy_http_call" (func $http_call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
(import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
(import "env" "proxy_done" (func $done (result i32)))
(import "env" "proxy_define_metric" (func $define_metric (param i32 i32 i32 i32) (result i32)))
(import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32)))
(import "env" "proxy_record_metric" (func $record_metric (param i32 i64) (result i32)))
(import "env" "proxy_get_metric" (func $get_metric (param i32 i32) (result i32)))
(import "env" "proxy_get_shared_data" (func $get_shared (param i32 i32 i32 i32 i32) (result i32)))
(import "env" "proxy_set_shared_data" (func $set_shared (param i32 i32 i32 i32 i32) (result i32)))
)";

// $event logs a letter and three numbers; $status logs "= n"; $text logs the value whose address and size lie at 8
// and 12.
constexpr std::string_view kCommon = R"(
(memory (export "memory") 2)
(global $top (mut i32) (i32.const 65536))
(global $at (mut i32) (i32.const 0))
(func $put (param $byte i32)
  (i32.store8 (global.get $at) (local.get $byte)) (global.set $at (i32.add (global.get $at) (i32.const 1))))
(func $number (param $n i32)
  (if (i32.ge_u (local.get $n) (i32.const 10)) (then (call $number (i32.div_u (local.get $n) (i32.const 10)))))
  (call $put (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
(func $flush
  (drop (call $log (i32.const 2) (i32.const 60000) (i32.sub (global.get $at) (i32.const 60000)))))
(func $event (param $letter i32) (param $a i32) (param $b i32) (param $c i32)
  (global.set $at (i32.const 60000))
  (call $put (local.get $letter))
  (call $put (i32.const 32)) (call $number (local.get $a))
  (call $put (i32.const 32)) (call $number (local.get $b))
  (call $put (i32.const 32)) (call $number (local.get $c))
  (call $flush))
(func $status (param $n i32)
  (global.set $at (i32.const 60000))
  (call $put (i32.const 61)) (call $put (i32.const 32)) (call $number (local.get $n)) (call $flush))
(func $text (drop (call $log (i32.const 2) (i32.load (i32.const 8)) (i32.load (i32.const 12)))))
)";

}  // namespace

std::string GuestText::text() const {
  std::string text = fmt::format("(module {}{}{}{}", kImports, imports_, kCommon, more_);
  text += fmt::format("(func (export \"{}\"))", marker_);
  if (!allocator_.empty()) {
    text += fmt::format("(func (export \"malloc\") (param $size i32) (result i32) {})", allocator_);
  }
  for (const auto& [name, function] : exports_) text += fmt::format("(func (export \"{}\") {})\n", name, function);
  return text + ")";
}

GuestText& GuestText::everything() {
  const std::string one = "(param $id i32)", two = "(param $id i32) (param $a i32)", three = two + "(param $b i32)",
                    result = "(result i32)";
  const auto event = [](char letter, int count) {
    return fmt::format("(call $event (i32.const {}) (local.get $id) {} {})", static_cast<int>(letter),
                       count > 1 ? "(local.get $a)" : "(i32.const 0)", count > 2 ? "(local.get $b)" : "(i32.const 0)");
  };
  on("proxy_on_context_create", two, event('C', 2));
  on("proxy_on_vm_start", two + result, event('V', 2) + "(i32.const 1)");
  on("proxy_on_configure", two + result, event('F', 2) + "(i32.const 1)");
  on("proxy_on_request_headers", three + result, event('H', 3) + "(i32.const 0)");
  on("proxy_on_request_body", three + result, event('B', 3) + "(i32.const 0)");
  on("proxy_on_request_trailers", two + result, event('T', 2) + "(i32.const 0)");
  on("proxy_on_request_metadata", two + result, event('M', 2) + "(i32.const 1)");
  on("proxy_on_response_metadata", two + result, event('m', 2) + "(i32.const 1)");
  on("proxy_on_response_headers", three + result, event('h', 3) + "(i32.const 0)");
  on("proxy_on_response_body", three + result, event('b', 3) + "(i32.const 0)");
  on("proxy_on_response_trailers", two + result, event('t', 2) + "(i32.const 0)");
  on("proxy_on_tick", one, event('K', 1));
  on("proxy_on_done", one + result, event('D', 1) + "(i32.const 1)");
  on("proxy_on_log", one, event('L', 1));
  on("proxy_on_delete", one, event('X', 1));
  return *this;
}

PluginTest::PluginTest() {
  BudgetRules rules;
  rules.defaults = {
      .stream_callback = std::chrono::milliseconds(400), .start = std::chrono::seconds(1), .memory_bytes = 1024 * 1024};
  rules.by_plugin["small"] = {
      .body_bytes = 1024, .queue_bytes = 8, .pending_calls = 1, .pending_grpc = 2, .metrics = 1};
  rules.by_plugin["open one"] = rules.by_plugin["open two"] = {.other_plugins = true};
  useHost({.budgets = BudgetTable(rules, {}), .node = "", .knows_cluster = nullptr});
  worker_ = std::make_unique<WorkerPlugins>(WorkerPlugins::Environment{loop_, random_, nullptr});
  rawLines();
}

void PluginTest::useHost(PluginHost::Settings settings) {
  host_ = std::make_unique<PluginHost>(engine(), stats_, clock_, std::move(settings));
}

PluginTest::~PluginTest() {
  factory_.reset();
  worker_.reset();
  loop_.runReady();
  std::filesystem::resize_file(logPath(), 0);
}

PluginSpec PluginTest::spec(const GuestText& guest, std::string name) {
  PluginSpec spec;
  spec.name = std::move(name);
  spec.root_id = "root";
  spec.vm.vm_id = "vm";
  spec.vm.code = {CodeSource::Kind::Inline, "", guest.text()};
  return spec;
}

void PluginTest::start(const PluginSpec& spec) {
  auto plugin = host_->load(spec);
  ASSERT_TRUE(plugin.ok()) << plugin.error().detail;
  lines();  // The canary's are not the worker's.
  factory_ = worker_->createFactory(std::move(*plugin));
}

PluginTest::Stream PluginTest::stream(filter::FilterFactory& factory) {
  Stream stream{std::make_unique<FakeStream>(loop_), factory.create(), {}};
  if (stream.filter != nullptr) stream.filter->setHandle(*stream.handle);
  return stream;
}

std::vector<std::string> PluginTest::rawLines() {
  base::flushLog();
  std::ifstream file(logPath());
  file.seekg(read_to_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    read_to_ += static_cast<std::streamoff>(line.size()) + 1;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> PluginTest::lines() {
  std::vector<std::string> lines = rawLines();
  for (std::string& line : lines) {
    const size_t log = line.find("wasm log");
    const size_t colon = line.find(": ", log);
    if (log != line.npos && colon != line.npos) line.erase(0, colon + 2);
  }
  return lines;
}

}  // namespace weir::proxy_wasm
