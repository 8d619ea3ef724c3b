"""Right calls at wrong times, twice, or for others."""
from suite.model import case
from suite.module import EXPORTS, drop, module

REPLY = drop("(call $proxy_send_local_response (i32.const 418) (i32.const 0) (i32.const 0) «mine» (i32.const 0) (i32.const 0) (i32.const -1))")
CLOSE = "".join(drop(f"(call $proxy_close_stream (i32.const {kind}))") for kind in range(4))
GO_ON = "".join(drop(f"(call $proxy_continue_stream (i32.const {kind}))") for kind in range(5))
ANY = (200, 418, 503, None)
for export in EXPORTS:
    if export in ("malloc", "proxy_on_vm_start", "proxy_on_configure", "proxy_on_context_create", "proxy_on_tick", "proxy_on_http_call_response"):
        continue
    wants = dict(method="POST", body=b"text", trailers="trailers" in export) if "request_body" in export or "request_trailers" in export else {}
    for label, body in (("answers", REPLY), ("answers twice", REPLY + REPLY), ("closes", CLOSE + CLOSE), ("goes on", GO_ON + GO_ON), ("answers and traps", REPLY + "unreachable"),
                        ("is done", drop("(call $proxy_done)") * 2)):
        case(f"{export} {label}", module({export: f"{body} {'' if 'unreachable' in body else EXPORTS[export][1]}"}), statuses=ANY, **wants)
for result in (5, 99, -1, 0x7fffffff):
    for export in ("proxy_on_request_headers", "proxy_on_response_headers"):
        case(f"{export} returns {result}", module({export: f"(i32.const {result})"}))
    case(f"proxy_on_request_body returns {result}", module({"proxy_on_request_body": f"(i32.const {result})"}), method="POST", body=b"text")
for context in ("0", "1", "2", "99999", "-1"):
    body = drop(f"(call $proxy_set_effective_context (i32.const {context}))") + REPLY
    case(f"acts in context {context}", module({"proxy_on_request_headers": body + "(i32.const 0)"}), statuses=ANY)
case("acts for another request", module({"proxy_on_log": drop("(call $proxy_set_effective_context (i32.add (local.get 0) (i32.const 1)))") + REPLY + CLOSE}), statuses=ANY)
case("answers from a tick", module({"proxy_on_vm_start": drop("(call $proxy_set_tick_period_milliseconds (i32.const 10))") + "(i32.const 1)", "proxy_on_tick": REPLY + CLOSE + GO_ON}), statuses=ANY)
case("answers while it starts", module({"proxy_on_vm_start": REPLY + "(i32.const 1)"}), statuses=ANY)
case("reads every map at every time", module({"proxy_on_request_headers": "".join(drop(f"(call $proxy_get_header_map_pairs (i32.const {kind}) (i32.const 16) (i32.const 20))") for kind in range(12)) + "(i32.const 0)"}))
case("writes every buffer at every time", module({"proxy_on_request_headers": "".join(drop(f"(call $proxy_set_buffer_bytes (i32.const {kind}) (i32.const 0) (i32.const 0) «text»)") for kind in range(12)) + "(i32.const 0)"}))
