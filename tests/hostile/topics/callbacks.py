"""A fault in each callback in turn. The request in it ends as the policy says; the next one finds a new instance."""
from suite.model import case
from suite.module import EXPORTS, drop, module

FAULTS = {
    "traps": "unreachable", "loops": "(call $spin)", "calls itself": "(drop (call $deeper (i32.const 1)))", "hoards": "(call $hoard)",
    "divides by nothing": "(drop (i32.div_u (i32.const 1) (i32.const 0)))", "reads outside": "(drop (i32.load (i32.const -8)))",
    "writes outside": "(i32.store (i32.const 0x7ffffff0) (i32.const 1))", "fills outside": "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))",
}
CALL = drop('(call $proxy_http_call «web» (i32.const 2048) (i32.const 64) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 8))')
PAIRS = r'(data (i32.const 2048) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\04\00\00\00:method\00GET\00:path\00/\00:authority\00good\00")'


def with_fault(export, body):
    ends = EXPORTS[export][1]
    return module({export: f"{body} {ends}"})


# Which of the bad requests' outcomes are right: before the answer has begun it is 503, afterwards the connection ends.
BEFORE, AFTER = (503,), (200, 503, None)
for export, statuses in (("proxy_on_context_create", BEFORE), ("proxy_on_request_headers", BEFORE), ("proxy_on_request_body", BEFORE), ("proxy_on_request_trailers", BEFORE),
                         ("proxy_on_response_headers", BEFORE), ("proxy_on_response_body", AFTER), ("proxy_on_done", AFTER), ("proxy_on_log", AFTER), ("proxy_on_delete", AFTER)):
    kinds = FAULTS if export == "proxy_on_request_headers" else list(FAULTS)[:4]
    for kind in kinds:
        only_streams = "(if (i32.gt_u (local.get 0) (i32.const 1)) (then %s))" % FAULTS[kind]
        wants = dict(method="POST", body=b"text", trailers="trailers" in export) if "request_body" in export or "trailers" in export else {}
        case(f"{export} {kind}", with_fault(export, only_streams if export != "proxy_on_context_create" else "(if (local.get 1) (then %s))" % FAULTS[kind]),
             statuses=statuses, patience=4.0, envoy=kind != "loops", **wants)
for kind in list(FAULTS)[:4]:
    case(f"proxy_on_tick {kind}", module({"proxy_on_vm_start": "(drop (call $proxy_set_tick_period_milliseconds (i32.const 50))) (i32.const 1)", "proxy_on_tick": FAULTS[kind]}),
         statuses=(200, 503), patience=4.0, envoy=kind != "loops")
    case(f"proxy_on_http_call_response {kind}", module({"proxy_on_request_headers": f"{CALL} (i32.const 1)", "proxy_on_http_call_response": FAULTS[kind]}, more=PAIRS),
         statuses=BEFORE, patience=4.0, envoy=kind != "loops")
    case(f"malloc {kind}", module({"malloc": f"{FAULTS[kind]} (i32.const 0)", "proxy_on_request_headers":
                                   drop("(call $proxy_get_header_map_value (i32.const 0) «x-given» (i32.const 16) (i32.const 20))") + "(i32.const 0)"}),
         statuses=BEFORE, patience=4.0, envoy=kind != "loops")
TABLE = "(table 2 funcref) (type $t (func)) (func $wrong (param i32)) (elem (i32.const 1) $wrong)"
case("an indirect call of nothing", module({"proxy_on_request_headers": "(call_indirect (type $t) (i32.const 0)) (i32.const 0)"}, more=TABLE), statuses=BEFORE)
case("an indirect call of another type", module({"proxy_on_request_headers": "(call_indirect (type $t) (i32.const 1)) (i32.const 0)"}, more=TABLE), statuses=BEFORE)
case("an indirect call outside of the table", module({"proxy_on_request_headers": "(call_indirect (type $t) (i32.const 99)) (i32.const 0)"}, more=TABLE), statuses=BEFORE)
case("a fault with the policy open", module({"proxy_on_request_headers": "unreachable"}), policy="FAIL_OPEN", statuses=(200,))
case("a fault with the policy to reload", module({"proxy_on_request_headers": "unreachable"}), policy="FAIL_RELOAD", statuses=BEFORE)
case("a loop with the policy open", module({"proxy_on_request_headers": "(call $spin) (i32.const 0)"}), policy="FAIL_OPEN", statuses=(200,), envoy=False)
case("faults in every request of fifty", module({"proxy_on_request_headers": "unreachable"}), statuses=BEFORE, requests=50)
