"""The Wasm filter towards upstreams (HttpProtocolOptions.http_filters, before upstream_codec): once for each attempt, after the route."""
from suite.config import ROUTER, TYPE, cluster, plugin, proxy, route, to_yaml, vhost
from suite.http import chunked, get, post, raw, request
from suite.http2_upstream import h2_answer, h2_scripted, heads, resets
from suite.known import RESTART
from suite.model import group
from suite.upstream import CLOSE, answer, chunks, close, echo, echoing, hang, scripted, switch

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CODEC = {"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}}


def through(*plugins, name="web", port="@UPSTREAM@", trailers=True, more=None):
    return cluster(name, port, **(more or {}), typed_extension_protocol_options={OPTIONS: {
        "@type": TYPE + OPTIONS, "explicit_http_config": {"http_protocol_options": {"enable_trailers": trailers}}, "http_filters": [*plugins, CODEC]}})


UP = plugin("up", script="header: x-up", vm_id="up")
one = group("plugin upstream filter", proxy(clusters=[through(UP)], hcm_more={"http_protocol_options": {"enable_trailers": True}}))
one.startup(logs="configure")
one.case("a request", get("/"), status=200, logs="request_headers")
one.case("what it sees of the route", get("/", headers={"x-up": "request_headers: pairs 0; prop xds.cluster_name; prop upstream.address; prop xds.route_name; prop source.address size; prop request.path|response_headers: prop upstream.address size; pairs 2"}), status=200, logs="xds.cluster_name")
one.case("a body", post("/", "hello"), upstream=[echo()], status=200, logs="request_body")
one.case("chunks and trailers", get("/"), upstream=[chunks(b"one", b"two", trailers=[("x-t", "1")])], status=200, logs="response_trailers")
one.case("changed headers", get("/", headers={"x-up": "request_headers: set 0 x-added 1; del 0 x-up|response_headers: set 2 x-back 1"}), status=200, logs="x-added")
one.case("changed path and host", get("/", headers={"x-up": "request_headers: set 0 :path /other; set 0 :authority other"}), status=200, logs=":path")
one.case("a changed body", post("/", "hello", headers={"x-up": "request_body: setbody 0 0 5 HELLO|response_body: eos? setbody 1 0 0 more"}), upstream=[echo()], status=200, logs="setbody", differs="what a body has beyond its content-length is not written")
one.case("an answer of its own", get("/", headers={"x-up": "request_headers: reply 418 tea"}), logs="reply")
one.case("an answer in the body", post("/", "hello", headers={"x-up": "request_body: reply 418 tea"}), logs="reply")
one.case("an answer instead of the upstream's", get("/", headers={"x-up": "response_headers: reply 418 tea"}), logs="reply")
one.case("stopped, and continued by a callout", get("/", headers={"x-up": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 0"}), status=200, logs="continue 0")
one.case("the answer stopped, and continued by a callout", get("/", headers={"x-up": "response_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 1"}), status=200, logs="continue 1")

both = group("plugin upstream filter and downstream", proxy(plugins=[plugin("down", script="header: x-down", vm_id="down")], clusters=[through(UP)]))
both.case("in order", get("/", headers={"x-up": "request_headers: get 0 x-a; set 0 x-b 2|response_headers: get 2 x-d; set 2 x-c 3", "x-down": "request_headers: set 0 x-a 1; get 0 x-b|response_headers: get 2 x-c"}), status=200, logs="x-c")
both.case("an answer of the upstream filter is seen downstream", get("/", headers={"x-up": "request_headers: reply 418 tea", "x-down": "response_headers: pairs 2"}), logs="reply")
both.case("an answer of the downstream filter is not seen upstream", get("/", headers={"x-down": "request_headers: reply 418 tea"}), logs="reply")

AGAIN = proxy(vhost(route("web", "/", retry_policy={"retry_on": "5xx", "num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}})), clusters=[through(UP)])
again = group("plugin upstream filter retries", AGAIN)
again.case("once for each attempt", get("/"), upstream=[answer(503), answer(200)], status=200, logs="request_headers")
again.case("a header that it adds stays", get("/", headers={"x-up": "request_headers: add 0 x-try 1; get 0 x-try"}), upstream=[answer(503), answer(200)], status=200, logs="x-try")
again.case("an answer that it makes bad", get("/", headers={"x-up": "response_headers: first? set 2 :status 500"}), upstream=[answer(200), answer(200)], logs=":status")
again.case("a body again", post("/", "hello"), upstream=[answer(503), echo()], status=200, logs="request_body")
again.case("a connection that breaks", get("/"), upstream=[close(), answer(200)], logs="request_headers")

two = group("plugin upstream filter of two", proxy(clusters=[through(UP, plugin("up2", script="header: x-up2", vm_id="up2"))]))
two.case("in order", get("/", headers={"x-up": "request_headers: set 0 x-a 1|response_headers: set 2 x-c 1", "x-up2": "request_headers: get 0 x-a; set 0 x-b 1|response_headers: set 2 x-d 1"}), status=200, logs="x-a")
refused = group("plugin upstream filter refused", proxy(vhost(route("web", "/")), clusters=[through(UP, port="@REFUSED@")]))
refused.case("nobody there", get("/"), status=503)
refused.case("an answer of its own where nobody is", get("/", headers={"x-up": "request_headers: prop upstream.address; prop upstream.port size; reply 418 tea"}), logs="reply")

# --- Before there is a connection: @TLSHANG@ answers no handshake, so that the filters' part is seen alone.
TLS = {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"}}, "connect_timeout": "0.4s"}
early = group("plugin upstream filter before a connection", proxy(clusters=[through(UP, more=TLS)]))
early.case("an answer", get("/", headers={"x-up": "request_headers: prop upstream.address; prop upstream.local_address; prop upstream.request_attempt_count; reply 418 tea"}), logs="reply")
early.case("a body", post("/", "hello", headers={"x-up": "request_body: reply 418 tea"}), logs="reply")
early.case("an answer by a callout", post("/", "hello", headers={"x-up": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: reply 418 tea"}), logs="reply")
early.case("no connection in time", post("/", "hello"), status=503, logs="request_body")

# --- Properties
one.case("what it knows, by phase", post("/", "hello", headers={"x-up": "request_headers: prop request.duration; prop request.size; prop request.total_size; prop response.size; prop response.flags; prop connection.id size; prop connection.mtls; prop upstream.request_attempt_count; prop plugin_name; prop request.time size; prop request.protocol; prop request.id size; prop destination.port size; prop xds.virtual_host_name"
    "|response_headers: prop request.size; prop request.total_size size; prop response.code_details; prop response.flags; prop response.size; prop response.headers.content-type; prop request.headers.x-up size"
    "|response_body: prop response.code; prop response.code_details; prop response.size; prop response.total_size size; prop request.size; prop request.duration size"}), upstream=[answer()], status=200, logs="response.size")
one.case("the code before its headers have passed", get("/", headers={"x-up": "response_headers: prop response.code"}), status=200, logs="code", differs="a plugin that sees the status knows the code")
one.case("its log is not told", get("/", headers={"x-up": "log: pairs 0|done: pairs 0; prop response.code|delete: pairs 0"}), status=200, logs="done")
one.case("filter state of its own", get("/", headers={"x-up": "request_headers: setprop k 1; prop wasm.k; prop filter_state.wasm~k|response_headers: prop wasm.k; prop k"}), status=200, logs="wasm.k")
both.case("filter state, up to down", get("/", headers={"x-up": "request_headers: prop wasm.d; prop d; setprop u 1", "x-down": "request_headers: setprop d 1|response_headers: prop wasm.u; prop u; prop d"}), status=200, logs="prop u")
both.case("code and details", get("/", headers={"x-up": "response_body: prop response.code; prop response.code_details; prop response.flags", "x-down": "response_headers: prop response.code; prop response.code_details; prop upstream.address size"}), status=200, logs="code")
both.case("details of its answer", get("/", headers={"x-up": "request_headers: reply 418 tea x-a=b mine", "x-down": "response_headers: prop response.code; prop response.code_details|log: prop response.code; prop response.code_details; prop response.flags; prop upstream.address size"}), logs="code")

# --- The request's parts
one.case("a request's trailers", chunked("/", [b"one", b"two"], trailers=[("x-t", "1")], headers={"x-up": "request_trailers: pairs 1; set 1 x-u 2"}), upstream=[echo()], status=200, logs="request_trailers")
one.case("trailers added in the last body", post("/", "hello", headers={"x-up": "request_body: eos? add 1 x-u 2"}), upstream=[echo()], status=200, logs="add 1")
one.case("a stopped body, continued by a callout", post("/", "hello", headers={"x-up": "request_body: eos? return 1; more? return 1; eos? call callout :method=GET,:path=/c,:authority=a - 500|call: body 0 0 99; continue 0"}), upstream=[echo()], status=200, logs="continue 0")
one.case("stop all, continued by a callout", post("/", "hello", headers={"x-up": "request_headers: return 4; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 0"}), upstream=[echo()], status=200, logs="continue 0")
one.case("a longer body", chunked("/", [b"one", b"two"], headers={"x-up": "request_body: setbody 0 0 0 more"}), upstream=[echo()], status=200, logs="setbody")
one.case("the method is taken away", get("/", headers={"x-up": "request_headers: del 0 :method"}), logs="del 0")
one.case("the path is taken away", get("/", headers={"x-up": "request_headers: del 0 :path"}), logs="del 0")
one.case("the host is taken away", get("/", headers={"x-up": "request_headers: del 0 :authority"}), logs="del 0", differs="RFC 9112 3.2: a request without Host is not sent; the client gets 503")
one.case("another method", get("/", headers={"x-up": "request_headers: set 0 :method HEAD"}), logs="set 0", differs="an answer without a body is not announced as if it had one; Envoy's client waits for it")

# --- The answer's parts
one.case("an answer's trailers", get("/", headers={"x-up": "response_trailers: pairs 3; set 3 x-u 2"}), upstream=[chunks(b"one", trailers=[("x-t", "1")])], status=200, logs="pairs 3")
one.case("trailers added to an answer", get("/", headers={"x-up": "response_body: eos? add 3 x-u 2"}), upstream=[chunks(b"one")], status=200, logs="add 3")
one.case("an answer when the answer has begun", get("/", headers={"x-up": "response_body: reply 418 tea"}), upstream=[chunks(b"one", b"two")], logs="reply")
one.case("an answer in the answer's trailers", get("/", headers={"x-up": "response_trailers: reply 418 tea"}), upstream=[chunks(b"one", trailers=[("x-t", "1")])], logs="reply")
one.case("an answer to the stopped answer, by a callout", get("/", headers={"x-up": "response_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: reply 418 tea"}), logs="reply")
one.case("no status", get("/", headers={"x-up": "response_headers: del 2 :status"}), logs="del 2")
one.case("a status that is none", get("/", headers={"x-up": "response_headers: set 2 :status abc"}), logs="set 2")
one.case("an answer without a body", get("/", headers={"x-up": "response_headers: set 2 x-a 1"}), upstream=[answer(204, body=None)], status=204, logs="set 2")
one.case("a HEAD", request("HEAD", "/", headers={"x-up": "response_headers: set 2 x-a 1"}), upstream=[answer()], status=200, logs="set 2")
one.case("an early answer", chunked("/", [b"one", b"two"], headers={"x-up": "request_body: log b"}), upstream=[answer(early=True)], status=200, logs="response_body")

# --- Course
one.case("closed in the request", get("/", headers={"x-up": "request_headers: close 0"}), logs="close 0")
one.case("closed in the answer", get("/", headers={"x-up": "response_headers: close 1"}), logs="close 1")
one.case("closed in the answer's body", get("/", headers={"x-up": "response_body: close 1"}), upstream=[chunks(b"one", b"two")], logs="close 1")
one.case("a route cache that it clears", get("/", headers={"x-up": "request_headers: foreign clear_route_cache; set 0 x-b 1"}), status=200, logs="foreign")
one.case("a client that goes", connections=[[get("/", abandon=True, headers={"x-up": "request_headers: log x"})]], upstream=[hang(0.5)], logs="request_headers", settle=0.3)
one.case("an upstream that goes in its answer", get("/"), upstream=[scripted([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", CLOSE])], status=200, logs="response_body")
one.case("an upstream that goes while the answer is stopped", get("/", headers={"x-up": "response_headers: return 1"}), upstream=[scripted([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", 0.1, CLOSE])], logs="response_headers", settle=0.3, differs="an end within a body is a lost connection (UC); Envoy's parser calls it a protocol error (UPE)")
one.case("an upstream that goes while the request is stopped", get("/", headers={"x-up": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 900|call: continue 0"}), status=200, logs="continue 0")
one.case("two requests", get("/a", wait=True), get("/b"), status=200, logs="response_body", stats=r"cluster\.web\.(upstream_rq_(total|completed|200|2xx)|internal.*)|wasm\.(?!up\.call\.).*|http\.ingress\.downstream_rq_(total|2xx)")  # wasm.up.call: weir's own.
one.case("interim answers", get("/"), upstream=[scripted([b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", 0.05, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])], status=200, logs="response_body")
one.case("stats of its answer", get("/", headers={"x-up": "request_headers: reply 503 tea"}), logs="reply", stats=r"cluster\.web\.(upstream_rq.*|external.*)|http\.ingress\.(downstream_rq_(5xx|4xx|rx_reset|tx_reset)|rq_.*)")


# --- Failures: a VM that has trapped stays dead in Envoy, so each case has its own proxy.
OPEN = "under FAIL_OPEN the request that trapped the plugin goes on too"


def trapping(name, phase, policy=None, **more):
    more.setdefault("differs", RESTART)
    failing = plugin("up", script="header: x-up", vm_id="up", **({"failure_policy": policy} if policy else {}))
    down = plugin("down", script="header: x-down", vm_id="down")
    which = group(f"plugin upstream filter trap, {name}", proxy(plugins=[down], clusters=[through(failing)]))
    which.case("at once", post("/", "hello", headers={"x-up": f"{phase}: trap", "x-down": "response_headers: prop response.code_details|log: prop response.code_details; prop response.flags"}), **more)


trapping("request headers", "request_headers", logs="request_headers", status=503)
trapping("request body", "request_body", logs="request_body", status=503)
trapping("response headers", "response_headers", logs="response_headers", status=503)
trapping("response body", "response_body", logs="response_body")
trapping("fail open in request headers", "request_headers", "FAIL_OPEN", logs="request_headers", differs=OPEN, weir_status=200)
trapping("fail open in response headers", "response_headers", "FAIL_OPEN", logs="response_headers", differs=OPEN, weir_status=200)
trapping("reload in request headers", "request_headers", "FAIL_RELOAD", logs="request_headers", status=503)

# --- Limits
SMALL = {"listener_more": {"per_connection_buffer_limit_bytes": 1024}}
small = group("plugin upstream filter limits", proxy(clusters=[through(UP)], **SMALL))
small.case("a request held back above the limit", post("/", "x" * 3000, headers={"x-up": "request_headers: return 4; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 0"}), upstream=[echo()], status=200, logs="continue 0")
small.case("an answer held back above the limit", get("/", headers={"x-up": "response_headers: return 4; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 1"}), upstream=[answer(body="y" * 3000)], status=200, logs="continue 1")
full = group("plugin upstream filter overflow", proxy(clusters=[through(UP, more={"circuit_breakers": {"thresholds": [{"max_pending_requests": 0, "max_requests": 0, "max_connections": 0}]}})]))
full.case("no room", get("/", headers={"x-up": "request_headers: reply 418 tea"}), stats=r"cluster\.web\.upstream_rq_(pending_overflow|503|4xx|5xx|418)")
nowhere = group("plugin upstream filter without endpoints", proxy(clusters=[{**through(UP), "load_assignment": {"cluster_name": "web"}}]))
nowhere.case("no endpoint", get("/"), status=503)

# --- Time
def timed(name, **action):
    return group(f"plugin upstream filter {name}", proxy(vhost(route("web", "/", **action)), clusters=[through(UP)]))


STOPS = {"x-up": "request_headers: return 1"}
per_try = timed("per-try timeout", retry_policy={"retry_on": "5xx,reset", "num_retries": 1, "per_try_timeout": "0.2s", "retry_back_off": {"base_interval": "0.01s"}})
per_try.case("a request that is stopped", get("/", headers=STOPS), status=504, logs="request_headers", stats=r"cluster\.web\.upstream_rq_(per_try.*|timeout|retry.*|504)")
per_try.case("an answer that is stopped", get("/", headers={"x-up": "response_headers: return 1"}), status=504, logs="response_headers")
per_try.case("an upstream that is slow once", get("/"), upstream=[hang(1.0), answer()], status=200, logs="response_body")
idle = timed("per-try idle timeout", retry_policy={"retry_on": "5xx,reset", "num_retries": 1, "per_try_idle_timeout": "0.2s", "retry_back_off": {"base_interval": "0.01s"}})
idle.case("an answer that stops", get("/"), upstream=[chunks(b"one", b"two", pause=0.6)], logs="response_headers", settle=0.6)
idle.case("a request that is stopped", get("/", headers=STOPS), logs="request_headers")
whole = timed("timeout", timeout="0.3s")
whole.case("a request that is stopped", get("/", headers=STOPS), status=504, logs="request_headers")
whole.case("an answer that is stopped", get("/", headers={"x-up": "response_headers: return 1"}), status=504, logs="response_headers")
whole.case("an answer whose body is stopped", get("/", headers={"x-up": "response_body: return 1"}), logs="response_body")

# --- Others
open_one = group("plugin upstream filter disabled", proxy(clusters=[through({**UP, "disabled": True})]))
open_one.case("a request", get("/"), status=200)

# --- Kept whole: a plugin that may stop at the headers and see the body
STEPS = plugin("up", script="header: x-up", vm_id="up", allow_on_headers_stop_iteration=True)
stepping = group("plugin upstream filter, whole bodies", proxy(clusters=[through(STEPS)]))
stepping_small = group("plugin upstream filter, whole bodies limits", proxy(clusters=[through(STEPS)], **SMALL))
stepping.case("the whole body, then changed headers", post("/", "hello", headers={"x-up": "request_headers: return 1|request_body: more? return 1; eos? set 0 x-len 5; eos? setbody 0 0 999 hey; eos? set 0 content-length 3"}), upstream=[echo()], status=200, logs="x-len")
stepping.case("the answer's body as a whole", get("/", headers={"x-up": "response_headers: return 1|response_body: more? return 1; eos? setbody 1 0 999 short; eos? set 2 content-length 5"}), status=200, logs="setbody")
stepping_small.case("a request kept above the limit", post("/", "x" * 3000, headers={"x-up": "request_headers: return 1|request_body: more? return 1"}), upstream=[echo()], logs="request_body")
stepping_small.case("an answer kept above the limit", get("/", headers={"x-up": "response_headers: return 1|response_body: more? return 1"}), upstream=[answer(body="y" * 3000)], logs="response_body")

# --- Details
both.case("details of a request that is none", get("/", headers={"x-up": "request_headers: del 0 :path", "x-down": "response_headers: prop response.code_details|log: prop response.code_details; prop response.flags"}), logs="code")
both.case("details of an answer that is none", get("/", headers={"x-up": "response_headers: del 2 :status", "x-down": "response_headers: prop response.code_details; pairs 2|log: prop response.code_details; prop response.flags"}), logs="code")
both.case("details after a close", get("/", headers={"x-up": "request_headers: close 0", "x-down": "log: prop response.code_details; prop response.flags"}), logs="log")
both.case("details when the answer was held", connections=[[raw("GET / HTTP/1.1\r\nhost: test.example\r\nx-up: response_headers: return 1\r\nx-down: log: prop response.code_details; prop response.flags size\r\n\r\n", 0.3, abandon=True)]], logs="log", settle=0.3)
one.case("the answer's headers in its body", get("/", headers={"x-up": "response_body: prop response.headers.content-type; pairs 2; prop request.headers.x-up; pairs 0"}), status=200, logs="pairs 2")

both.case("an answer of the downstream filter while the upstream works", get("/", headers={"x-up": "request_headers: log sent", "x-down": "request_headers: call callout :method=GET,:path=/c,:authority=a - 500|call: reply 418 tea|response_headers: log r"}), upstream=[hang(0.6)], status=418, logs="sent")
both.case("an answer of the downstream filter to the answer", get("/", headers={"x-up": "response_headers: log a", "x-down": "response_headers: reply 418 tea"}), upstream=[chunks(b"one", b"two", pause=0.3)], status=418, logs="reply")
both.case("a client that goes while the request is stopped", connections=[[get("/", abandon=True, headers={"x-up": "request_headers: return 1"})]], logs="request_headers", settle=0.3)
late = group("plugin upstream filter and downstream, timeout", proxy(vhost(route("web", "/", timeout="0.2s")), plugins=[plugin("down", script="header: x-down", vm_id="down")], clusters=[through(UP)]))
late.case("no answer in time", get("/", headers={"x-down": "response_headers: log r"}), upstream=[hang(0.6)], status=504, logs="delete")
late.case("no end in time", get("/"), upstream=[chunks(b"one", b"two", pause=0.4)], logs="delete")

# --- The router's own
UPROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router", "upstream_http_filters": [plugin("ro", script="header: x-ro", vm_id="ro"), CODEC]}}
ro = group("plugin upstream filter of the router", proxy(hcm_more={"http_filters": [UPROUTER]}, clusters=[cluster("web", "@UPSTREAM@")]))
ro.startup(logs="configure")
ro.case("a request", post("/", "hello", headers={"x-ro": "request_headers: set 0 x-a 1|response_headers: set 2 x-b 2"}), upstream=[echo()], status=200, logs="response_body")
ro.case("an answer", get("/", headers={"x-ro": "request_headers: reply 418 tea"}), logs="reply")
of_both = group("plugin upstream filter of router and cluster", proxy(hcm_more={"http_filters": [UPROUTER]}, clusters=[through(UP)]))
of_both.startup(logs="configure")
of_both.case("the cluster's alone", get("/", headers={"x-ro": "request_headers: set 0 x-a 1", "x-up": "request_headers: set 0 x-b 1"}), status=200, logs="response_body")
codec_alone = group("plugin upstream filter of router, codec of cluster", proxy(hcm_more={"http_filters": [UPROUTER]}, clusters=[through()]))
codec_alone.case("none", get("/"), status=200)

# --- Callouts (the rest is in plugin_call_filters.py)
called = group("plugin upstream filter and callouts", proxy(plugins=[plugin("down", script="header: x-down", vm_id="down")], clusters=[through(UP, name="callout", port="@CALLOUT@")]))
called.case("of a plugin", get("/", headers={"x-down": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a,x-up=request_headers:%20set%200%20x-a%201 - 500|call: pairs 6; body 4 0 99; continue 0"}), status=200, logs="continue 0", apart=True)

# --- What routes say of filters
def says(prefix, **settings):
    return {**route("web", prefix), "typed_per_filter_config": {"wasm.up": {"@type": TYPE + "envoy.config.route.v3.FilterConfig", **settings}}}


routed = group("plugin upstream filter and routes", proxy(vhost(says("/off", disabled=True), route()), clusters=[through(UP)]))
routed.case("off", get("/off"), status=200)
routed.case("nothing said", get("/"), status=200, logs="request_headers")
dormant = group("plugin upstream filter and routes, disabled", proxy(vhost(says("/on", config={}), route()), clusters=[through({**UP, "disabled": True})]))
dormant.startup()
dormant.case("on", get("/on"), status=200)
dormant.case("nothing said", get("/"), status=200)

# --- By HTTP/2 towards the upstream
H2 = {"typed_extension_protocol_options": {OPTIONS: {"@type": TYPE + OPTIONS, "explicit_http_config": {"http2_protocol_options": {}}, "http_filters": [UP, CODEC]}}}
h2 = group("plugin upstream filter by HTTP/2", proxy(hcm_more={"http_protocol_options": {"enable_trailers": True}}, clusters=[cluster("web", "@UPSTREAM@", **H2)]))
h2.case("a request with all parts", chunked("/", [b"one", b"two"], trailers=[("x-t", "1")], headers={"x-up": "request_headers: set 0 x-a 1|request_trailers: set 1 x-u 2|response_headers: set 2 x-b 1|response_trailers: set 3 x-v 2"}), upstream=[h2_answer(trailers=[("x-w", "1")])], status=200, logs="response_trailers")
h2.case("an answer of its own", get("/", headers={"x-up": "request_headers: reply 418 tea"}), logs="reply")
h2.case("stopped, and continued by a callout", post("/", "hello", headers={"x-up": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 0"}), upstream=[h2_answer()], status=200, logs="continue 0")
h2.case("an answer in the body", post("/", "hello", headers={"x-up": "request_body: reply 418 tea"}), logs="reply")
h2.case("trailers added in the last body", post("/", "hello", headers={"x-up": "request_body: eos? add 1 x-u 2|response_body: eos? add 3 x-v 2"}), upstream=[h2_answer()], status=200, logs="add 1")
h2.case("an answer that is reset", get("/"), upstream=[h2_scripted(heads(200), b"abc", 0.05, resets(2))], status=200, logs="response_body")
h2.case("a reset while the answer is stopped", get("/", headers={"x-up": "response_headers: return 1"}), upstream=[h2_scripted(heads(200), b"abc", 0.05, resets(2))], logs="response_headers")
h2.case("the path is taken away", get("/", headers={"x-up": "request_headers: del 0 :path"}), logs="del 0")
h2.case("two requests", get("/a", wait=True), get("/b"), status=200, logs="response_body")
h2_retry = group("plugin upstream filter by HTTP/2, retries", proxy(vhost(route("web", "/", retry_policy={"retry_on": "5xx,reset", "num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}})), clusters=[cluster("web", "@UPSTREAM@", **H2)]))
h2_retry.case("a stream that is reset", post("/", "hello"), upstream=[h2_scripted(resets(2)), h2_answer()], status=200, logs="response_body")
h2_retry.case("a stream that is refused", post("/", "hello"), upstream=[h2_scripted(resets(7)), h2_answer()], logs="request_body")

# --- Other protocols
ws = group("plugin upstream filter and upgrades", proxy(hcm_more={"upgrade_configs": [{"upgrade_type": "websocket"}]}, clusters=[through(UP)]))
EMPTY = "Envoy's parser gives its filters empty pieces of a tunnel; each direction of weir's has an end of its own"
ASKS = "GET / HTTP/1.1\r\nhost: test.example\r\nconnection: Upgrade\r\nupgrade: websocket\r\n{}\r\n"
ws.case("taken and echoed", raw(ASKS.format(""), 0.2, "hello", 0.2, "again", 0.2, half_close=True, patience=1.5), upstream=[switch(echoing, CLOSE)], status=101, logs="request_headers", differs=EMPTY)
ws.case("an answer of its own", raw(ASKS.format("x-up: request_headers: reply 418 tea\r\n"), patience=1.5), logs="reply")
ws.case("refused by the upstream", raw(ASKS.format(""), patience=1.5), upstream=[answer(403, body="no")], status=403, logs="response_headers", differs=EMPTY)

# --- Configurations
v = group("plugin upstream filter configurations")
def filters(*list_, router=False, **more):
    if router:
        return to_yaml(proxy(hcm_more={"http_filters": [{"name": "r", "typed_config": {**UPROUTER["typed_config"], "upstream_http_filters": list(list_)}}]}))
    return to_yaml(proxy(clusters=[cluster("web", "@UPSTREAM@", typed_extension_protocol_options={OPTIONS: {
        "@type": TYPE + OPTIONS, "explicit_http_config": {"http_protocol_options": {}}, "http_filters": list(list_)}})]))


for where, router in (("cluster", False), ("router", True)):
    v.validation(f"{where}: a plugin and the codec", filters(UP, CODEC, router=router), True)
    v.validation(f"{where}: the codec alone", filters(CODEC, router=router), True)
    v.validation(f"{where}: nothing", filters(router=router), True)
    v.validation(f"{where}: no codec", filters(UP, router=router), False)
    v.validation(f"{where}: the codec first", filters(CODEC, UP, router=router), False)
    v.validation(f"{where}: two codecs", filters(CODEC, CODEC, router=router), False)
    v.validation(f"{where}: a router", filters(UP, ROUTER, router=router), False)
    v.validation(f"{where}: a disabled codec", filters(UP, {**CODEC, "disabled": True}, router=router), False)
    v.validation(f"{where}: code that is none", filters(plugin("up", guest="nothing"), CODEC, router=router), False)
    v.validation(f"{where}: disabled code that is none", filters({**plugin("up", guest="nothing"), "disabled": True}, CODEC, router=router), False)
