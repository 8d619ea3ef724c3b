"""Allocators that lie: what the host writes goes nowhere but into the guest's memory."""
from suite.model import case
from suite.module import drop, module

GET = drop("(call $proxy_get_header_map_value (i32.const 0) «x-given» (i32.const 16) (i32.const 20))")
PAIRS = drop("(call $proxy_get_header_map_pairs (i32.const 0) (i32.const 16) (i32.const 20))")
for label, body in (("gives nothing", "(i32.const 0)"), ("points outside", "(i32.const 0x7fffffff)"), ("points at the last byte", "(i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1))"),
                    ("points at -1", "(i32.const -1)"), ("gives always the same", "(i32.const 4096)"), ("points at the results", "(i32.const 16)")):
    case(f"an allocator that {label}", module({"malloc": body, "proxy_on_request_headers": GET + PAIRS + "(i32.const 0)"}), statuses=(200, 503))
case("an allocator that asks for a header", module({"malloc": GET + "(i32.const 4096)", "proxy_on_request_headers": GET + "(i32.const 0)"}), statuses=(503,))
case("an allocator that answers the request", module({"malloc": drop("(call $proxy_send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1))") + "(i32.const 4096)",
                                                      "proxy_on_request_headers": GET + "(i32.const 0)"}), statuses=(503,))
case("an allocator that logs", module({"malloc": drop("(call $proxy_log (i32.const 2) «allocating»)") + "(call $bump (local.get $size))", "proxy_on_request_headers": GET + "(i32.const 0)"}), log="allocating")
case("an allocator that grows the memory", module({"malloc": drop("(memory.grow (i32.const 1))") + "(i32.const 4096)", "proxy_on_request_headers": GET + PAIRS + "(i32.const 0)"}))
