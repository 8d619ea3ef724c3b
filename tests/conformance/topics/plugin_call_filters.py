"""Calls of plugins to a cluster that has filters of its own (HttpProtocolOptions.http_filters): they pass those."""
from suite.config import cluster, plugin, proxy
from suite.http import get
from suite.http2_upstream import h2_answer, h2_echoing, h2_scripted, heads, resets, sends_trailers
from suite.known import RESTART
from suite.model import group
from suite.upstream import answer, chunks, close, echo, hang
from topics.plugin_upstream_filter import CODEC, OPTIONS, TLS, TYPE, UP, through

DOWN = plugin("down", script="header: x-down", vm_id="down")
STATS = r"cluster\.callout\.upstream_rq_(total|completed|[2-5]xx|[2-5]\d\d|timeout|pending_overflow|active|cancelled|rx_reset|tx_reset)"
# weir lets the filters run when the caller has returned, so that no guest stands on another's stack.
AT_ONCE = "a filter that answers at once: weir's caller gets a token and then the answer, Envoy's gets 10 and no answer"
NESTED = "weir lets the filters run when the caller has returned: the order of the lines is another"
LATER = "request_headers: return 1; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: "


def quoted(script):
    """As a word of a script, and an item of a list within it."""
    return "".join(f"%{ord(c):02x}" if c in " ;|%=\n" else "%252c" if c == "," else c for c in script)


def through_called(**options):
    return proxy(plugins=[DOWN], clusters=[through(UP, name="callout", port="@CALLOUT@", **options)], hcm_more={"stream_idle_timeout": "1.5s"})


def calls(g, name, up, body="-", timeout=500, trailers="-", method="GET", then="pairs 6; pairs 7; body 4 0 99; continue 0", before="", after="", fields="", cluster_="callout", **options):
    script = f"request_headers: return 1; {before}call {cluster_} :method={method},:path=/c,:authority=a{fields},x-up={quoted(up)} {body} {timeout} {trailers}{after}|call: {then}"
    g.case(name, get("/", headers={"x-down": script}), **{"status": 200, "logs": "continue 0", "stats": STATS, "settle": 0.05, "apart": True, **options})


g = group("plugin calls through filters", through_called())
g.startup(logs="configure")
calls(g, "a header each way", "request_headers: pairs 0; set 0 x-a 1|response_headers: pairs 2; set 2 x-b 2")
calls(g, "a body", "request_body: body 0 0 99|response_body: body 1 0 99", "hello", method="POST", callout=[echo()])
calls(g, "trailers", "request_trailers: pairs 1; set 1 x-u 2|response_trailers: pairs 3; set 3 x-v 2", "hello", trailers="x-t=1", method="POST", callout=[chunks(b"one", trailers=[("x-w", "1")])], differs="the trailers of a callout are sent, and its filters see them; Envoy loses them")
calls(g, "trailers that it adds", "request_body: eos? add 1 x-u 2|response_body: eos? add 3 x-v 2", "hello", method="POST", callout=[chunks(b"one")])
calls(g, "another path and host", "request_headers: set 0 :path /other; set 0 :authority other")
calls(g, "a longer answer", "response_headers: del 2 content-length|response_body: eos? setbody 1 99 0 more")
# Of source and destination nothing is asked: there Envoy crashes.
SEEN = ["xds.cluster_name", "xds.virtual_host_name", "upstream.address size", "request.path", "request.protocol", "request.id", "request.time size", "request.duration", "request.size", "request.total_size size", "connection.id", "connection.mtls", "connection.requested_server_name",
        "upstream.request_attempt_count", "plugin_name", "xds.listener_direction", "xds.filter_chain_name", "metadata", "connection_id", "source", "request.query", "request.method", "request.host", "request.useragent", "request.scheme"]
calls(g, "what the filter sees", "request_headers: " + "; ".join(f"prop {each}" for each in SEEN))
calls(g, "what the filter sees of the route", "request_headers: prop xds.route_name", differs="a call has no route, and weir finds no name of one; Envoy finds an empty one")
calls(g, "what the filter sees of the answer", "response_headers: prop response.code; prop response.code_details; prop response.flags; prop request.path; prop request.size; prop response.size; prop upstream.local_address size; prop upstream.transport_failure_reason; prop upstream.request_attempt_count|response_body: prop response.code; prop response.code_details; prop response.size; prop response.total_size size; prop request.duration size; prop response.flags; prop response.backend_latency size", "hello", differs="a plugin that sees the status knows the code; how long the other side took is not told of calls")
calls(g, "filter state", "request_headers: prop wasm.k; setprop u 1; prop wasm.u|response_headers: prop wasm.u", before="setprop k 1; ", then="prop wasm.u; continue 0")
calls(g, "its log is not told", "log: pairs 0|done: pairs 0; prop response.code|delete: pairs 0")
calls(g, "an answer of its own", LATER + "reply 418 tea x-r=1 details")
calls(g, "an answer of its own without a body", LATER + "reply 418")
calls(g, "an answer at once", "request_headers: reply 418 tea", logs="reply", status=504, weir_status=200, differs=AT_ONCE)
calls(g, "an answer in the body", "request_body: reply 418 tea", "hello", method="POST", logs="reply", status=504, weir_status=200, differs=AT_ONCE)
calls(g, "an answer instead of the other's", "response_headers: reply 418 tea")
calls(g, "an answer when the answer has begun", "response_body: reply 418 tea", callout=[chunks(b"one", b"two")])
calls(g, "an answer in the answer's trailers", "response_trailers: reply 418 tea", callout=[chunks(b"one", trailers=[("x-t", "1")])])
calls(g, "an answer with odd fields", LATER + "reply 200 {} content-type=application/json,content-length=99,server=mine,date=now,X-Up=1", then="; ".join(f"get 6 {each}" for each in (":status", "content-type", "content-length", "server", "date", "x-up")) + "; body 4 0 99; continue 0")
calls(g, "an answer for gRPC", LATER + "reply 403 denied - - 7", method="POST", fields=",content-type=application/grpc")
calls(g, "an answer for gRPC without a code", LATER + "reply 403 not%20so", method="POST", fields=",content-type=application/grpc")
calls(g, "an answer to HEAD", LATER + "reply 418 tea", method="HEAD")
calls(g, "stopped, and continued by a callout", LATER + "continue 0", "hello", method="POST", callout=[echo()])
calls(g, "the answer stopped, and continued by a callout", "response_headers: return 1; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: continue 1")
calls(g, "a request that stays stopped", "request_headers: return 1", timeout=200)
calls(g, "an answer that stays stopped", "response_headers: return 1", timeout=200)
calls(g, "an answer whose body stays stopped", "response_body: return 1", timeout=200)
calls(g, "closed in the request", LATER + "close 0")
calls(g, "closed at once", "request_headers: close 0", logs="close", status=504, weir_status=200, differs=AT_ONCE)
calls(g, "closed in the answer", "response_headers: close 1")
calls(g, "closed in the answer's body", "response_body: close 1", callout=[chunks(b"one", b"two")])
calls(g, "no status", "response_headers: del 2 :status")
calls(g, "no method", "request_headers: del 0 :method", stats=None)
calls(g, "no path", "request_headers: del 0 :path", stats=None)
calls(g, "a route cache that it clears", "request_headers: foreign clear_route_cache")
calls(g, "an answer of 503", "response_headers: get 2 :status", callout=[answer(503)])
calls(g, "an answer too late", "request_headers: log asked", timeout=150, callout=[hang(0.4)])
calls(g, "a connection that breaks", "request_headers: log asked", callout=[close()])
calls(g, "an answer without a body", "response_headers: set 2 x-a 1", callout=[answer(204, body=None)])
g.case("from the log phase", get("/", headers={"x-down": f"log: call callout :method=GET,:path=/c,:authority=a,x-up={quoted('request_headers: log asked')} - 500"}), status=200, logs="asked", settle=0.2, apart=True)
g.case("nobody waits for the answer", get("/", headers={"x-down": f"request_headers: call callout :method=GET,:path=/c,:authority=a,x-up={quoted('request_headers: return 1')} - 200"}), status=200, settle=0.4, logs="request_headers", apart=True)

refused = group("plugin calls through filters, nobody there", proxy(plugins=[DOWN], clusters=[through(UP, name="callout", port="@REFUSED@")], hcm_more={"stream_idle_timeout": "1.5s"}))
calls(refused, "refused", "request_headers: log asked")
calls(refused, "refused, with an answer", "request_headers: prop upstream.address size; reply 418 tea", logs="reply", status=504, weir_status=200, differs=AT_ONCE)
nowhere = group("plugin calls through filters, no endpoint", proxy(plugins=[DOWN], clusters=[{**through(UP, name="callout"), "load_assignment": {"cluster_name": "callout"}}], hcm_more={"stream_idle_timeout": "0.5s"}))
calls(nowhere, "no endpoint", "request_headers: log asked", status=504, logs="call callout -> 10")
full = group("plugin calls through filters, no room", proxy(plugins=[DOWN], clusters=[through(UP, name="callout", port="@CALLOUT@", more={"circuit_breakers": {"thresholds": [{"max_pending_requests": 0, "max_requests": 0, "max_connections": 0}]}})], hcm_more={"stream_idle_timeout": "0.5s"}))
calls(full, "no room", "request_headers: log asked", status=504, logs="call callout -> 10")
early = group("plugin calls through filters, before a connection", proxy(plugins=[DOWN], clusters=[through(UP, name="callout", port="@CALLOUT@", more=TLS)]))
calls(early, "an answer", "request_headers: prop upstream.address size; prop upstream.local_address; return 1; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: reply 418 tea")
calls(early, "no connection in time", "request_body: log b", "hello", timeout=1000)
disabled = group("plugin calls through filters, disabled", proxy(plugins=[DOWN], clusters=[through({**UP, "disabled": True}, name="callout", port="@CALLOUT@")]))
calls(disabled, "passes", "request_headers: log asked")
two = group("plugin calls through filters, two", proxy(plugins=[DOWN], clusters=[through(UP, plugin("up2", script="header: x-up2", vm_id="up2"), name="callout", port="@CALLOUT@")]))
calls(two, "in order", "request_headers: set 0 x-up2 request_headers:%20get%200%20x-a%7cresponse_headers:%20set%202%20x-b%201; set 0 x-a 1|response_headers: get 2 x-b")
calls(two, "an answer of the second", "request_headers: set 0 x-up2 response_headers:%20reply%20418%20tea|response_headers: pairs 2")
small = group("plugin calls through filters, limits", proxy(plugins=[DOWN], clusters=[through(UP, name="callout", port="@CALLOUT@", more={"per_connection_buffer_limit_bytes": 1024})], listener_more={"per_connection_buffer_limit_bytes": 1024}))
LONG = "y" * 3000
calls(small, "a request held back", "request_headers: return 4; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: continue 0", LONG, method="POST", then="pairs 6; continue 0", callout=[echo()])
calls(small, "an answer held back", "response_headers: return 4; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: continue 1", then="pairs 6; continue 0", callout=[answer(body=LONG)])
# A request that a filter keeps whole is no case: Envoy lets it go when its connection is new.
calls(small, "an answer kept whole", "response_body: return 1", timeout=300, then="pairs 6; body 4 0 99; continue 0", callout=[answer(body=LONG)])
same = group("plugin calls through filters, of the plugin itself", proxy(plugins=[plugin("up", script="header: x-up", vm_id="up")], clusters=[through(UP, name="callout", port="@CALLOUT@")]))
same.case("of the same VM", get("/", headers={"x-up": f"request_headers: return 1; call callout :method=GET,:path=/c,:authority=a,x-up={quoted('request_headers: set 0 x-a 1; log in')} - 500|call: pairs 6; continue 0"}), status=200, logs="continue 0", differs=NESTED)

# A VM that has trapped stays dead in Envoy: each has its own proxy. What a panic says on the way is its compiler's matter.
for phase in ("request_headers", "request_body", "response_headers", "response_body"):
    t = group(f"plugin calls through filters, a trap in {phase}", through_called())
    calls(t, "trap", f"{phase}: trap", "hello", method="POST", callout=[echo()], logs=f"up root up: [c1] {phase} ", status=200 if "response" in phase else None, weir_status=200, differs=RESTART)

# --- gRPC
H2 = {"typed_extension_protocol_options": {OPTIONS: {"@type": TYPE + OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}, "http_filters": [UP, CODEC]}}}
SHOW = "grpc_initial: pairs 4|grpc_message: body 5 0 99{}|grpc_trailing: pairs 5|grpc_end: status; continue 0"
GRPC = ("content-type", "application/grpc")
MESSAGE = b"\x00\x00\x00\x00\x04well"
rpc = group("plugin calls through filters, gRPC", proxy(plugins=[DOWN], clusters=[cluster("callout", "@CALLOUT@", **H2)], hcm_more={"stream_idle_timeout": "1.5s"}))


def asks(name, up, begin="grpc", more="", **options):
    message = " hello 500" if begin == "grpc" else ""
    rpc.case(name, get("/", headers={"x-down": f"request_headers: return 1; {begin} callout pkg.Service Say x-up={quoted(up)}{message}{more}|" + SHOW.format("" if message == "" else "; continue 0")}),
             **{"status": 200, "logs": "grpc_", "apart": True, "callout": [h2_scripted(heads(200, GRPC), MESSAGE, sends_trailers(("grpc-status", "0")))], **options})


asks("a call", "request_headers: get 0 :scheme; get 0 te; set 0 x-a 1|request_body: body 0 0 99|response_headers: set 2 x-b 2|response_body: body 1 0 99|response_trailers: pairs 3; set 3 x-v 1")
asks("an answer of its own", LATER + "reply 403 denied - details")
asks("an answer at once", "request_headers: reply 403 denied", logs="reply", status=504, weir_status=200, differs=AT_ONCE)
asks("an answer of its own with a code", LATER + "reply 200 denied - - 7")
asks("an answer instead of the other's", "response_headers: reply 403 denied")
asks("another status", "response_trailers: set 3 grpc-status 5")
asks("closed", LATER + "close 0")
asks("a stream", "request_headers: set 0 x-a 1|request_body: body 0 0 99|response_trailers: pairs 3", begin="gstream", more="; gsend one 0; gsend two 1")
asks("a stream that is held", "request_headers: return 1; call refused :method=GET%2c:path=/c%2c:authority=a - 500|call: continue 0", begin="gstream", more="; gsend one 0; gsend two 1")
asks("a stream that is cancelled", "request_headers: log in", begin="gstream", more="; gsend one 0; gcancel; continue 0", logs="gcancel", settle=0.2, differs=NESTED)
asks("reset", "request_headers: log in", callout=[h2_scripted(resets(2))])
