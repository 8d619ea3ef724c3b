// Every host function, called by a guest that means no good: arbitrary addresses, lengths, enums and tokens, in every
// phase. Nothing is expected but that weir survives, under sanitizers above all.
//
// The guest draws its arguments itself, so that a million calls cost no more than that. Most of them make sense (names
// and messages that lie in its memory, with their lengths), so that the ways behind the first checks are walked, too.
// The number of calls is WEIR_GUEST_CALLS (tools/guest_calls).
#include <cstdlib>

#include "proxy_wasm/fake_upstream.h"
#include "proxy_wasm/guest_fixture.h"
#include "proxy_wasm/host_functions.h"
#include "proxy_wasm/pairs.h"

namespace weir::proxy_wasm {
namespace {

constexpr uint64_t kCallsInShort = 60'000;
// How many host calls a callback makes.
constexpr int kCallsPerCallback = 24;

// The texts that make sense somewhere, from 1024 on; their addresses and lengths are a table at 256.
std::vector<std::string> texts() {
  using namespace std::string_literals;
  const std::string service = "\x0a\x05\x0a\x03web"s;
  return {"",
          "web",
          "nobody",
          service,
          toPairs({{":method", "GET"}, {":path", "/"}, {":authority", "a"}}),
          toPairs({{"x-a", "1"}, {"b-bin", "2"}}),
          ":path",
          "x-a",
          "grpc-status",
          "request\0headers\0x-a"s,
          "request\0path"s,
          "xds\0node"s,
          "filter_state\0wasm.k"s,
          "source\0address"s,
          "k",
          "compress",
          "uncompress",
          "\x78\x9c\x03\x00\x00\x00\x00\x01"s,
          "expr_create",
          "expr_evaluate",
          "expr_delete",
          "request.headers.exists(h, h.matches(request.path)) || [1, 2].map(x, x + 1)[0] > 1",
          "\x01\0\0\0"s,
          "set_envoy_filter_state",
          "\x0a\x0c"
          "envoy.string\x12\x01v"s,
          "declare_property",
          "\x0a\x01k\x10\x01\x18\x01"s,
          "verify_signature",
          "\x0a\x06sha256\x12\x01k\x1a\x01s\x22\x01t"s,
          "sign",
          "clear_route_cache",
          "inject_encoded_data_to_filter_chain",
          "inject_encoded_data_to_filter_chain_on_header",
          "\x0a\x01b\x10\x01"s,
          "get_log_level",
          "set_decoder_buffer_limit",
          "100000",
          "web?db=1",
          "PING\r\n",
          "weir_set_shared_data",
          "weir_delete_shared_data",
          "weir_list_shared_data",
          "weir_bound_shared_data",
          "\x0a\x01k\x12\x01v\x20\x02"s,
          "\x08\x40\x10\x02\x18\x01"s,
          "vm",
          "\xff\xfe\0\x80"s};
}

constexpr uint32_t kTable = 256;
constexpr uint32_t kTexts = 1024;
constexpr uint32_t kScratch = 50'000;  // Where results are wanted.

// $rand; $address picks a text, $length is its; $out is room for a result; $any is anything.
constexpr std::string_view kDraw = R"(
(global $seed (mut i32) (i32.const 1))
(global $picked (mut i32) (i32.const 0))
(func $rand (result i32)
  (global.set $seed (i32.xor (global.get $seed) (i32.shl (global.get $seed) (i32.const 13))))
  (global.set $seed (i32.xor (global.get $seed) (i32.shr_u (global.get $seed) (i32.const 17))))
  (global.set $seed (i32.xor (global.get $seed) (i32.shl (global.get $seed) (i32.const 5))))
  (global.get $seed))
(func $below (param $n i32) (result i32) (i32.rem_u (call $rand) (local.get $n)))
(func $wild (result i32) (local $kind i32)
  (local.set $kind (call $below (i32.const 8)))
  (if (result i32) (i32.eq (local.get $kind) (i32.const 0)) (then (call $rand))
    (else (if (result i32) (i32.eq (local.get $kind) (i32.const 1))
      (then (i32.add (i32.const 131040) (call $below (i32.const 64))))
      (else (if (result i32) (i32.eq (local.get $kind) (i32.const 2))
        (then (i32.shl (i32.const 1) (call $below (i32.const 32))))
        (else (call $below (i32.const 24)))))))))
(func $is_wild (result i32) (i32.eqz (call $below (i32.const 24))))
(func $address (result i32)
  (global.set $picked (call $below (i32.const COUNT)))
  (if (result i32) (call $is_wild) (then (call $wild))
    (else (i32.load (i32.add (i32.const 256) (i32.mul (global.get $picked) (i32.const 8)))))))
(func $length (result i32)
  (if (result i32) (call $is_wild) (then (call $wild))
    (else (i32.load (i32.add (i32.const 260) (i32.mul (global.get $picked) (i32.const 8)))))))
(func $out (result i32)
  (if (result i32) (call $is_wild) (then (call $wild))
    (else (i32.add (i32.const 50000) (i32.shl (call $below (i32.const 8)) (i32.const 3))))))
(func $small (result i32) (if (result i32) (call $is_wild) (then (call $wild)) (else (call $below (i32.const 12)))))
)";

// What the parameters of a function are: a address, l its length, o room for a result, s a small number. A function
// that is not listed gets small numbers and wild ones.
std::string_view shapeOf(std::string_view name) {
  static const std::map<std::string_view, std::string_view> kShapes = {
      {"proxy_log", "sal"},
      {"proxy_get_property", "aloo"},
      {"proxy_set_property", "alal"},
      {"proxy_send_local_response", "salalals"},
      {"proxy_get_shared_data", "alooo"},
      {"proxy_set_shared_data", "alals"},
      {"proxy_register_shared_queue", "alo"},
      {"proxy_resolve_shared_queue", "alalo"},
      {"proxy_dequeue_shared_queue", "soo"},
      {"proxy_enqueue_shared_queue", "sal"},
      {"proxy_get_header_map_value", "saloo"},
      {"proxy_add_header_map_value", "salal"},
      {"proxy_replace_header_map_value", "salal"},
      {"proxy_remove_header_map_value", "sal"},
      {"proxy_get_header_map_pairs", "soo"},
      {"proxy_set_header_map_pairs", "sal"},
      {"proxy_get_header_map_size", "so"},
      {"proxy_get_buffer_bytes", "sssoo"},
      {"proxy_get_buffer_status", "soo"},
      {"proxy_set_buffer_bytes", "sssal"},
      {"proxy_http_call", "alalalalso"},
      {"proxy_grpc_call", "alalalalalso"},
      {"proxy_grpc_stream", "alalalalo"},
      {"proxy_grpc_send", "sals"},
      {"proxy_define_metric", "salo"},
      {"proxy_get_metric", "so"},
      {"proxy_call_foreign_function", "alaloo"},
      {"proxy_get_upstream_hosts", "oo"},
      {"proxy_redis_init", "alalals"},
      {"proxy_redis_call", "alalo"},
      {"proxy_set_upstream_override_host", "al"},
      {"proxy_inject_encoded_data_to_filter_chain", "als"},
      {"proxy_get_status", "ooo"},
      {"proxy_get_configuration", "oo"},
      {"proxy_get_log_level", "o"},
      {"proxy_get_current_time_nanoseconds", "o"},
      {"fd_write", "soso"},
      {"environ_get", "oo"},
      {"environ_sizes_get", "oo"},
      {"clock_time_get", "sso"},
      {"random_get", "os"},
  };
  const auto found = kShapes.find(name);
  return found == kShapes.end() ? std::string_view() : found->second;
}

std::string argument(char shape, wasm::ValueType type) {
  const auto drawn = [&]() -> std::string_view {
    switch (shape) {
      case 'a': return "(call $address)";
      case 'l': return "(call $length)";
      case 'o': return "(call $out)";
      case 's': return "(call $small)";
      default: return "(if (result i32) (call $below (i32.const 2)) (then (call $wild)) (else (call $small)))";
    }
  }();
  if (type == wasm::ValueType::I64) return fmt::format("(i64.extend_i32_s {})", drawn);
  return std::string(drawn);
}

// The guest counts what it did by a metric of its own: the last of many, whose number arguments meet by no chance.
constexpr std::string_view kCounted = "wasmcustom.u0";
constexpr std::string_view kCount = R"(
(global $metric (mut i32) (i32.const 0))
(func $count_by_metric (local $i i32)
  (loop $more
    (i32.store16 (i32.const 41000) (i32.add (i32.const 0x3030) (local.get $i)))
    (drop (call $define (i32.const 0) (i32.const 41000) (i32.const 2) (i32.const 41008)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $i) (i32.const 70))))
  (global.set $metric (i32.load (i32.const 41008))))
)";

// A guest whose callbacks do nothing but that.
GuestText mischief() {
  GuestText text;
  const auto entries = allHostFunctions();
  std::string functions, table;
  for (size_t i = 0; i < entries.size(); ++i) {
    const HostFunctionEntry& entry = entries[i];
    const size_t dot = entry.name.find('.');
    std::string params, arguments;
    for (size_t p = 0; p < entry.type.params.size(); ++p) {
      const wasm::ValueType type = entry.type.params[p];
      const std::string_view shape = shapeOf(entry.plainName());
      params += type == wasm::ValueType::I64 ? " i64" : " i32";
      arguments += argument(p < shape.size() ? shape[p] : '?', type);
    }
    const bool has_result = !entry.type.results.empty();
    text.import(fmt::format("(import \"{}\" \"{}\" (func $host{} (param{}) {}))\n", entry.name.substr(0, dot),
                            entry.plainName(), i, params, has_result ? "(result i32)" : ""));
    const std::string call = fmt::format("(call $host{} {})", i, arguments);
    functions += fmt::format("(func $call{} {})\n", i, has_result ? "(drop " + call + ")" : call);
    table += fmt::format(" $call{}", i);
  }
  std::string draw(kDraw);
  const std::vector<std::string> all = texts();
  draw.replace(draw.find("COUNT"), 5, std::to_string(all.size()));
  std::string places;
  uint32_t at = kTexts;
  for (const std::string& one : all) {
    char entry[8];
    storeU32(entry, at);
    storeU32(entry + 4, static_cast<uint32_t>(one.size()));
    places.append(entry, sizeof(entry));
    text.data(at, one);
    at += static_cast<uint32_t>(one.size());
  }
  CHECK(kTable + places.size() <= kTexts && at < kScratch);
  text.data(kTable, places);
  text.more(draw + functions);
  text.import("(import \"env\" \"proxy_define_metric\" (func $define (param i32 i32 i32 i32) (result i32)))\n");
  text.import("(import \"env\" \"proxy_increment_metric\" (func $increment (param i32 i64) (result i32)))\n");
  text.more(kCount);
  text.onConfigure("(call $count_by_metric) (i32.const 1)");
  text.more("(type $plain (func))\n(table funcref (elem" + table + "))\n");
  // The allocator begins anew with each callback, and now and then it lies.
  text.more(fmt::format(
      "(func $play (result i32) (local $i i32) (local $from i64) "
      "(global.set $top (i32.const 65536)) (drop (call $now (i32.const 40960))) "
      "(global.set $seed (i32.or (i32.const 1) (i32.xor (global.get $seed) (i32.load (i32.const 40960))))) "
      "(loop $more (call_indirect (type $plain) (call $below (i32.const {}))) "
      "(local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const {})))) "
      "(drop (call $increment (global.get $metric) (i64.const {}))) (call $below (i32.const 6)))",
      entries.size(), kCallsPerCallback, kCallsPerCallback));
  text.import("(import \"env\" \"proxy_get_current_time_nanoseconds\" (func $now (param i32) (result i32)))\n");
  text.allocator(
      "(local $at i32) (if (i32.eqz (call $below (i32.const 64))) (then (return (call $wild)))) (local.set $at "
      "(global.get "
      "$top)) (global.set $top (i32.add (global.get $top) (local.get $size))) (local.get $at)");
  for (const auto& [name, params, result] : {std::tuple{"request_headers", 3, true},
                                             {"request_body", 3, true},
                                             {"request_trailers", 2, true},
                                             {"request_metadata", 2, true},
                                             {"response_metadata", 2, true},
                                             {"response_headers", 3, true},
                                             {"response_body", 3, true},
                                             {"response_trailers", 2, true},
                                             {"tick", 1, false},
                                             {"http_call_response", 5, false},
                                             {"grpc_receive_initial_metadata", 3, false},
                                             {"grpc_receive", 3, false},
                                             {"grpc_receive_trailing_metadata", 3, false},
                                             {"grpc_close", 3, false},
                                             {"done", 1, true},
                                             {"log", 1, false},
                                             {"delete", 1, false},
                                             {"context_create", 2, false},
                                             {"queue_ready", 2, false}}) {
    std::string signature = "(param";
    for (int i = 0; i < params; ++i) signature += " i32";
    signature += result ? ") (result i32)" : ")";
    text.on(fmt::format("proxy_on_{}", name), signature, result ? "(call $play)" : "(drop (call $play))");
  }
  return text;
}

class GuestCalls : public PluginTest {
 protected:
  GuestCalls() { base::setLogLevel(base::LogLevel::Off); }
  ~GuestCalls() override {
    factory_.reset();
    worker_.reset();
    loop_.runReady();
    base::setLogLevel(base::LogLevel::Info);
  }
  static uint64_t wanted() {
    const char* const asked = std::getenv("WEIR_GUEST_CALLS");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10) : kCallsInShort;
  }
  uint64_t below(uint64_t n) { return random_.next() % n; }

  // One stream with whatever comes.
  void live() {
    Stream stream = this->stream();
    if (stream.filter == nullptr) return;
    auto& handle = *stream.handle;
    for (const auto& [name, value] :
         {std::pair{":method", "GET"}, {":path", "/x"}, {":authority", "a"}, {"x-a", "1"}}) {
      handle.request_headers.add(name, value);
    }
    handle.response_headers.add(":status", "200");
    stream.requestHeaders(below(2) == 0);
    upstreamActs();
    for (uint64_t i = below(3); i > 0; --i) stream.requestBody("body", i == 1);
    http::Metadata metadata;
    metadata.add("a", "1");
    if (below(2) == 0) stream.filter->onRequestMetadata(metadata);
    if (below(2) == 0) stream.filter->onRequestTrailers(handle.request_trailers);
    upstreamActs();
    stream.responseHeaders(false);
    if (below(2) == 0) stream.filter->onResponseMetadata(metadata);
    for (uint64_t i = below(3); i > 0; --i) {
      base::BufferChain bytes("answer");
      stream.filter->onResponseBody(bytes, i == 1);
    }
    if (below(2) == 0) stream.filter->onResponseTrailers(handle.response_trailers);
    stream.finish();
  }
  void upstreamActs() {
    clock_.advance(std::chrono::microseconds(below(3000)));
    loop_.runReady();
    if (!cluster_.waiting.empty()) below(3) == 0 ? cluster_.refuse() : void(cluster_.connect());
    if (cluster_.requests.size() > 64) std::erase_if(cluster_.requests, [](const auto& each) { return !each->open(); });
    if (cluster_.requests.empty()) return;
    FakeRequest& request = *cluster_.requests[below(cluster_.requests.size())];
    switch (below(4)) {
      case 0: return request.heads({{":status", "200"}, {"content-type", "application/grpc"}});
      case 1: return request.says(std::string("\0\0\0\0\2hi", 7));
      case 2: return request.trails({{"grpc-status", "0"}});
      default: return request.lose();
    }
  }
  FakeUpstream cluster_{stats_};
};

TEST_F(GuestCalls, OfAnyKindAreSurvived) {
  worker_->setClusters(&cluster_);
  start(mischief());
  ASSERT_NE(factory_, nullptr);
  const uint64_t wanted_calls = wanted();
  const stats::Counter& calls = stats_.counter(std::string(kCounted));
  for (uint64_t lives = 0; calls.value() < wanted_calls; ++lives) {
    ASSERT_LT(lives, wanted_calls) << "the guest makes no calls: " << calls.value();
    cluster_.has_endpoint = below(10) != 0;
    cluster_.at_once = below(2) == 0;
    cluster_.breaks_at_once = below(10) == 0;
    live();
  }
}

}  // namespace
}  // namespace weir::proxy_wasm
