"""Every host function with addresses, lengths and numbers that are wrong: a status, and nothing else."""
from suite.model import case
from suite.module import HOST, ODD, drop, module

NUMBERS = ("0", "1", "-1", "0x7fffffff", "0x80000000", "0xffff0000", "131071", "131072")
CHANGES = {"proxy_close_stream", "proxy_send_local_response", "proxy_continue_response", "proxy_done", "proxy_grpc_close", "proxy_remove_header_map_value"}


def calls(name, count, wide=False):
    """Each number in every place, and each in one place beside small ones."""
    rows = [[number] * count for number in NUMBERS] + [["16"] * at + [number] + ["8"] * (count - at - 1) for at in range(count) for number in NUMBERS[2:]]
    return "".join(drop(f"(call ${name} " + " ".join(f"({'i64' if wide and place else 'i32'}.const {number})" for place, number in enumerate(row)) + ")") for row in rows[:1 if not count else None])


for name, count in HOST.items():
    allowed = (200, 400, 403, 404, 500, 502, 503, None) if name in CHANGES or "pairs" in name or "replace" in name else (200,)
    case(f"{name} with anything", module({"proxy_on_request_headers": calls(name, count) + "(i32.const 0)"}), statuses=allowed)
for name in ODD:
    case(f"{name} with anything", module({"proxy_on_request_headers": calls(name, 2, wide=True) + "(i32.const 0)"}))
WASI = {"fd_write": 4, "random_get": 2, "environ_get": 2, "environ_sizes_get": 2, "args_get": 2, "args_sizes_get": 2, "fd_read": 4, "poll_oneoff": 4}
for name, count in WASI.items():
    imports = f'(import "wasi_snapshot_preview1" "{name}" (func ${name} (param{" i32" * count}) (result i32)))'
    case(f"{name} with anything", module({"proxy_on_request_headers": calls(name, count) + "(i32.const 0)"}, imports=imports), statuses=(200, 503))
case("proc_exit", module({"proxy_on_request_headers": "(call $exit (i32.const 1)) (i32.const 0)"}, imports='(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'),
     statuses=(200, 503))
