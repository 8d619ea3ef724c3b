"""More of everything than anybody needs."""
from suite.model import case
from suite.module import drop, module, repeat

NOTHING = "(i32.const 0) (i32.const 0)"


def headers(body, **more):
    return module({"proxy_on_request_headers": f"{body} (i32.const 0)"}, **more)


def numbered(address):
    """Writes $i into the text at an address, so that each name is another one."""
    return f"(i32.store (i32.const {address}) (i32.add (local.get $i) (i32.const 0x61616161)))"


case("memory, kept", headers("(block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 16)) (i32.const -1))) (memory.fill (i32.shl (i32.sub (memory.size) (i32.const 16)) (i32.const 16)) (i32.const 1) (i32.const 1048576)) (br $more)))"))
case("a table that grows", headers("(block $full (loop $more (br_if $full (i32.eq (table.grow $t (ref.null func) (i32.const 10000)) (i32.const -1))) (br $more)))", more="(table $t 1 funcref)"))
case("a hundred thousand lines", headers(repeat(100_000, drop("(call $proxy_log (i32.const 2) «a line which nobody wants to read»)"))), statuses=(200, 503))
case("lines of a megabyte", headers(repeat(200, drop("(call $proxy_log (i32.const 2) (i32.const 0) (i32.const 1048576))")), memory="20"), statuses=(200, 503))
case("a hundred thousand lines by fd_write", headers("(i32.store (i32.const 64) (i32.const 128)) (i32.store (i32.const 68) (i32.const 64))" + repeat(100_000, drop("(call $fd_write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 80))")),
     imports='(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))'), statuses=(200, 503))
case("a hundred thousand headers", headers(repeat(100_000, drop("(call $proxy_add_header_map_value (i32.const 0) «x-more» «value»)"))), statuses=(200, 400, 431, 502, 503))
case("a header of 60 MB", headers(drop("(call $proxy_add_header_map_value (i32.const 0) «x-big» (i32.const 65536) (i32.const 60000000))"), memory="1000"), statuses=(200, 503))
case("a hundred thousand response headers", module({"proxy_on_response_headers": repeat(100_000, drop("(call $proxy_add_header_map_value (i32.const 2) «x-more» «value»)")) + "(i32.const 0)"}), statuses=(200, 502, 503))
case("a response body of 100 MB", module({"proxy_on_response_body": repeat(100, drop("(call $proxy_set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1048576))")) + "(i32.const 0)"}, memory="20"), statuses=(200, 500, 503, None))
case("a request body of 100 MB", module({"proxy_on_request_body": repeat(100, drop("(call $proxy_set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1048576))")) + "(i32.const 0)"}, memory="20"),
     method="POST", body=b"text", statuses=(200, 413, 500, 503, None))
case("a local answer of 60 MB", headers(drop("(call $proxy_send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 60000000) (i32.const 0) (i32.const 0) (i32.const -1))"), memory="1000"),
     statuses=(200, 500, 503, None))
case("two hundred thousand metrics", headers(repeat(200_000, numbered(128) + drop("(call $proxy_define_metric (i32.const 0) (i32.const 128) (i32.const 8) (i32.const 64))"))), statuses=(200, 503))
case("shared data of 256 MB", headers(repeat(256, numbered(128) + drop("(call $proxy_set_shared_data (i32.const 128) (i32.const 8) (i32.const 65536) (i32.const 1048576) (i32.const 0))")), memory="20"), statuses=(200, 503))
case("a queue of 256 MB", headers(drop("(call $proxy_register_shared_queue «queue» (i32.const 64))") + repeat(256, drop("(call $proxy_enqueue_shared_queue (i32.load (i32.const 64)) (i32.const 65536) (i32.const 1048576))")), memory="20"), statuses=(200, 503))
case("a hundred thousand queues", headers(repeat(100_000, numbered(128) + drop("(call $proxy_register_shared_queue (i32.const 128) (i32.const 8) (i32.const 64))"))), statuses=(200, 503))
case("properties of 256 MB", headers(repeat(256, numbered(128) + drop("(call $proxy_set_property (i32.const 128) (i32.const 8) (i32.const 65536) (i32.const 1048576))")), memory="20"), statuses=(200, 503))
PAIRS = r'(data (i32.const 2048) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\04\00\00\00:method\00GET\00:path\00/\00:authority\00good\00")'
CALL = drop(f"(call $proxy_http_call «web» (i32.const 2048) (i32.const 64) {NOTHING} {NOTHING} (i32.const 1000) (i32.const 8))")
case("twenty thousand callouts", headers(repeat(20_000, CALL), more=PAIRS), statuses=(200, 503), patience=8.0)
case("callouts without end", module({"proxy_on_request_headers": CALL + "(i32.const 0)", "proxy_on_http_call_response": CALL}, more=PAIRS), patience=8.0)
case("a body for a callout of 60 MB", headers(drop(f"(call $proxy_http_call «web» (i32.const 2048) (i32.const 64) (i32.const 65536) (i32.const 60000000) {NOTHING} (i32.const 1000) (i32.const 8))"), more=PAIRS, memory="1000"),
     statuses=(200, 503), patience=8.0)
case("a tick every millisecond that works", module({"proxy_on_vm_start": drop("(call $proxy_set_tick_period_milliseconds (i32.const 1))") + "(i32.const 1)", "proxy_on_tick": repeat(1_000_000, "")}), patience=6.0)
case("a million host calls", headers(repeat(1_000_000, drop("(call $proxy_get_current_time_nanoseconds (i32.const 64))"))), statuses=(200, 503))
case("a million random bytes at a time", headers(repeat(2000, drop("(call $random_get (i32.const 65536) (i32.const 65536))")), imports='(import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))'), statuses=(200, 503))
for name, call in (("continues", "(call $proxy_continue_stream (i32.const 0))"), ("closes", "(call $proxy_close_stream (i32.const 3))")):
    case(f"two million {name}", headers(repeat(2_000_000, drop(call))), statuses=(200, 503, None))
