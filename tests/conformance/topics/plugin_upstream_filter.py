"""The Wasm filter towards upstreams (HttpProtocolOptions.http_filters, before upstream_codec): once for each attempt, after the route."""
from suite.config import TYPE, cluster, plugin, proxy, route, vhost
from suite.http import get, post
from suite.model import group
from suite.upstream import answer, chunks, close, echo

OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CODEC = {"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}}


def through(*plugins, name="web", port="@UPSTREAM@", trailers=True, more=None):
    return cluster(name, port, **(more or {}), typed_extension_protocol_options={OPTIONS: {
        "@type": TYPE + OPTIONS, "explicit_http_config": {"http_protocol_options": {"enable_trailers": trailers}}, "http_filters": [*plugins, CODEC]}})


UP = plugin("up", script="header: x-up", vm_id="up")
one = group("plugin upstream filter", proxy(clusters=[through(UP)], hcm_more={"http_protocol_options": {"enable_trailers": True}}))
one.startup(logs="configure")
one.case("a request", get("/"), status=200, logs="request_headers")
one.case("what it sees of the route", get("/", headers={"x-up": "request_headers: pairs 0; prop xds.cluster_name; prop upstream.address; prop xds.route_name; prop source.address size; prop request.path|response_headers: prop upstream.address size; prop response.code; pairs 2|log: prop response.code; prop response.code_details"}), status=200, logs="xds.cluster_name")
one.case("a body", post("/", "hello"), upstream=[echo()], status=200, logs="request_body")
one.case("chunks and trailers", get("/"), upstream=[chunks(b"one", b"two", trailers=[("x-t", "1")])], status=200, logs="response_trailers")
one.case("changed headers", get("/", headers={"x-up": "request_headers: set 0 x-added 1; del 0 x-up|response_headers: set 2 x-back 1"}), status=200, logs="x-added")
one.case("changed path and host", get("/", headers={"x-up": "request_headers: set 0 :path /other; set 0 :authority other"}), status=200, logs=":path")
one.case("a changed body", post("/", "hello", headers={"x-up": "request_body: setbody 0 0 5 HELLO|response_body: eos? setbody 1 0 0 more"}), upstream=[echo()], status=200, logs="setbody")
one.case("an answer of its own", get("/", headers={"x-up": "request_headers: reply 418 tea"}), logs="reply")
one.case("an answer in the body", post("/", "hello", headers={"x-up": "request_body: reply 418 tea"}), logs="reply")
one.case("an answer instead of the upstream's", get("/", headers={"x-up": "response_headers: reply 418 tea"}), logs="reply")
one.case("stopped, and continued by a callout", get("/", headers={"x-up": "request_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 0"}), status=200, logs="continue 0")
one.case("the answer stopped, and continued by a callout", get("/", headers={"x-up": "response_headers: return 1; call callout :method=GET,:path=/c,:authority=a - 500|call: continue 1"}), status=200, logs="continue 1")
one.case("a trap", get("/", headers={"x-up": "request_headers: trap"}), logs="request_headers")

both = group("plugin upstream filter and downstream", proxy(plugins=[plugin("down", script="header: x-down", vm_id="down")], clusters=[through(UP)]))
both.case("in order", get("/", headers={"x-up": "request_headers: get 0 x-a; set 0 x-b 2|response_headers: get 2 x-d; set 2 x-c 3", "x-down": "request_headers: set 0 x-a 1; get 0 x-b|response_headers: get 2 x-c"}), status=200, logs="x-c")
both.case("an answer of the upstream filter is seen downstream", get("/", headers={"x-up": "request_headers: reply 418 tea", "x-down": "response_headers: pairs 2"}), logs="reply")
both.case("an answer of the downstream filter is not seen upstream", get("/", headers={"x-down": "request_headers: reply 418 tea"}), logs="reply")

AGAIN = proxy(vhost(route("web", "/", retry_policy={"retry_on": "5xx", "num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}})), clusters=[through(UP)])
again = group("plugin upstream filter retries", AGAIN)
again.case("once for each attempt", get("/"), upstream=[answer(503), answer(200)], status=200, logs="request_headers")
again.case("a header that it adds stays", get("/", headers={"x-up": "request_headers: add 0 x-try 1; pairs 0"}), upstream=[answer(503), answer(200)], status=200, logs="x-try")
again.case("an answer that it makes bad", get("/", headers={"x-up": "response_headers: first? set 2 :status 500"}), upstream=[answer(200), answer(200)], logs=":status")
again.case("a body again", post("/", "hello"), upstream=[answer(503), echo()], status=200, logs="request_body")
again.case("a connection that breaks", get("/"), upstream=[close(), answer(200)], logs="request_headers")

two = group("plugin upstream filter of two", proxy(clusters=[through(UP, plugin("up2", script="header: x-up2", vm_id="up2"))]))
two.case("in order", get("/", headers={"x-up": "request_headers: set 0 x-a 1|response_headers: set 2 x-c 1", "x-up2": "request_headers: get 0 x-a; set 0 x-b 1|response_headers: set 2 x-d 1"}), status=200, logs="x-a")
refused = group("plugin upstream filter refused", proxy(vhost(route("web", "/")), clusters=[through(UP, port="@REFUSED@")]))
refused.case("nobody there", get("/"), status=503)
