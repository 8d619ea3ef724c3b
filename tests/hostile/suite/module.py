"""Modules in the text format, each a usual plugin but for what a case puts in its place.

A case gives bodies by export; what they call is imported. In a body «text» stands for the address and the length of those bytes.
"""
import re

# Host functions: how many i32 they take. All return a status.
HOST = {
    "proxy_log": 3, "proxy_get_log_level": 1, "proxy_get_configuration": 2, "proxy_get_status": 3, "proxy_get_property": 4, "proxy_set_property": 4,
    "proxy_continue_stream": 1, "proxy_continue_request": 0, "proxy_continue_response": 0, "proxy_close_stream": 1, "proxy_clear_route_cache": 0,
    "proxy_send_local_response": 8, "proxy_get_shared_data": 5, "proxy_set_shared_data": 5, "proxy_register_shared_queue": 3,
    "proxy_resolve_shared_queue": 5, "proxy_enqueue_shared_queue": 3, "proxy_dequeue_shared_queue": 3, "proxy_get_header_map_value": 5,
    "proxy_add_header_map_value": 5, "proxy_replace_header_map_value": 5, "proxy_remove_header_map_value": 3, "proxy_get_header_map_pairs": 3,
    "proxy_set_header_map_pairs": 3, "proxy_get_header_map_size": 2, "proxy_get_buffer_bytes": 5, "proxy_get_buffer_status": 3,
    "proxy_set_buffer_bytes": 5, "proxy_http_call": 10, "proxy_grpc_call": 12, "proxy_grpc_stream": 9, "proxy_grpc_send": 4, "proxy_grpc_cancel": 1,
    "proxy_grpc_close": 1, "proxy_set_tick_period_milliseconds": 1, "proxy_get_current_time_nanoseconds": 1, "proxy_define_metric": 4,
    "proxy_get_metric": 2, "proxy_set_effective_context": 1, "proxy_done": 0, "proxy_call_foreign_function": 6,
}
ODD = {"proxy_increment_metric": "(param i32 i64) (result i32)", "proxy_record_metric": "(param i32 i64) (result i32)"}
# Exports: parameters, result, and what they do where the case says nothing.
EXPORTS = {
    "malloc": ("(param $size i32) (result i32)", "(call $bump (local.get $size))"),
    "proxy_on_context_create": ("(param i32 i32)", ""), "proxy_on_vm_start": ("(param i32 i32) (result i32)", "(i32.const 1)"),
    "proxy_on_configure": ("(param i32 i32) (result i32)", "(i32.const 1)"), "proxy_on_tick": ("(param i32)", ""),
    "proxy_on_request_headers": ("(param i32 i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_request_body": ("(param i32 i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_request_trailers": ("(param i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_response_headers": ("(param i32 i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_response_body": ("(param i32 i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_response_trailers": ("(param i32 i32) (result i32)", "(i32.const 0)"),
    "proxy_on_http_call_response": ("(param i32 i32 i32 i32 i32)", ""),
    "proxy_on_done": ("(param i32) (result i32)", "(i32.const 1)"), "proxy_on_log": ("(param i32)", ""), "proxy_on_delete": ("(param i32)", ""),
}
# What cases may call by name.
LIBRARY = """
  (global $top (mut i32) (i32.const 65536))
  (func $bump (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16))))
    (loop $more
      (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
        (then (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (br $more))))
    (local.get $at))
  (func $spin (loop $again (br $again)))
  (func $deeper (param $n i32) (result i32) (i32.add (call $deeper (i32.add (local.get $n) (i32.const 1))) (local.get $n)))
  (func $hoard (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 16)))
      (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
      (memory.fill (i32.shl (local.get $page) (i32.const 16)) (i32.const 1) (i32.const 1048576))
      (br $more)))"""


def repeat(times, body):
    """The body again and again; $i, which every export has, counts."""
    return f"(local.set $i (i32.const 0)) (loop $next {body} (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $next (i32.lt_u (local.get $i) (i32.const {times}))))"


def drop(call):
    return f"(drop {call})"


class Texts:
    def __init__(self):
        self.at, self.data = 1024, []

    def place(self, found):
        text = found[1].encode().decode("unicode_escape").encode("latin-1")
        escaped = "".join(f"\\{byte:02x}" for byte in text)
        self.data.append(f'  (data (i32.const {self.at}) "{escaped}")')
        at, self.at = self.at, self.at + len(text) + 1
        return f"(i32.const {at}) (i32.const {len(text)})"


def module(exports=None, memory="2", without=(), more="", marker="proxy_abi_version_0_2_0", imports=""):
    """A module's text. exports: export -> body, or (signature, body)."""
    texts = Texts()
    given = {name: (what if isinstance(what, tuple) else (EXPORTS[name][0] if name in EXPORTS else "", what)) for name, what in (exports or {}).items()}
    bodies = {**EXPORTS, **given}
    functions = "\n".join(f'  (func (export "{name}") {signature} (local $i i32) {re.sub("«(.*?)»", texts.place, body)})'
                          for name, (signature, body) in bodies.items() if name not in without)
    more = re.sub("«(.*?)»", texts.place, more)
    called = sorted(set(re.findall(r"call \$(proxy_\w+)", functions + more)))
    imported = "\n".join(f'  (import "env" "{name}" (func ${name} {ODD.get(name) or "(param" + " i32" * HOST[name] + ") (result i32)"}))' for name in called)
    memory = f'  (memory (export "memory") {memory})' if memory else ""
    mark = f'  (func (export "{marker}"))' if marker else ""
    return "\n".join(("(module", imported, imports, memory, *texts.data, mark, LIBRARY if memory else "", more, functions, ")"))
