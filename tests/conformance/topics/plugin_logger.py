"""Plugins as access loggers: proxy_on_log of a root context, wherever access logs may stand."""
from suite.config import TYPE, plugin, proxy
from suite.http import get, post
from suite.model import group
from suite.plain import FIN
from suite.upstream import answer, chunks
from topics.plugin_host import props
from topics.tcp import plain, tcp


def logger(*arguments, filter=None, **more):
    """A plugin as an access logger; its script runs in `log`."""
    config = plugin(*arguments, **more)["typed_config"]["config"]
    return {"name": "envoy.access_loggers.wasm", **({"filter": filter} if filter else {}),
            "typed_config": {"@type": TYPE + "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", "config": config}}


HTTP = ["request.path", "request.method", "request.host", "request.protocol", "request.size", "request.total_size", "request.headers.x-a", "response.code", "response.code_details", "response.flags", "response.size",
        "response.headers.content-type", "response.trailers.x-t", "upstream.transport_failure_reason", "connection.mtls", "xds.route_name", "xds.cluster_name", "xds.virtual_host_name", "xds.listener_direction", "plugin_name", "plugin_root_id", "metadata"]
g = group("plugin logger", proxy(hcm_more={"access_log": [logger(script=f"log: {props(*HTTP)}; prop source.address size; prop upstream.address size; prop request.duration size; prop request.time size; prop connection.id size; pairs 0; pairs 1; pairs 2; pairs 3")]}))
g.startup(logs="configure")
g.case("a request", get("/a?b", headers={"x-a": "1"}), status=200, logs="prop request.path -> 0")
g.case("a request with a body and an answer with trailers", post("/", "hello"), upstream=[chunks(b"one", trailers=[("x-t", "1")])], status=200, logs="prop request.path -> 0")
g.case("two requests on a connection", get("/one", wait=True), get("/two"), status=200, logs="/two")
n = group("plugin logger without a route", proxy({"name": "none", "domains": ["none.example"], "routes": []}, hcm_more={"access_log": [logger(script=f"log: {props(*HTTP)}")]}))
n.case("a request", get("/a"), status=404, logs="response.code_details")

c = group("plugin logger calls", proxy(hcm_more={"access_log": [logger(script="log: set 0 x-a 1; add 2 x-b 1; del 0 :path; setpairs 0 a=b; setprop a b; prop a; get 0 x-none; get 1 x; get 2 x-none; size 0; body 0 0 99; body 1 0 99; body 7 0 99; continue 0; close 0; reply 200; status; effective self; loglevel")]}))
c.case("what cannot be done", get("/"), status=200, logs="continue 0")
o = group("plugin logger callouts", proxy(hcm_more={"access_log": [logger(script="log: call callout :method=POST,:path=/seen,:authority=a entry 500\n call: get 6 :status; prop request.path")]}))
o.case("a callout for each entry", get("/"), status=200, logs="get 6 :status -> 0", settle=0.3)

f = group("plugin logger filters", proxy(hcm_more={"access_log": [logger("errors", script="log: log error", filter={"status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "x"}}}}),
                                                                  logger("all", script="log: log any", root_id="r2")]}))
f.case("passes", get(), upstream=[], status=200, logs="any")
f.case("an error", get(), upstream=[answer(500)], status=500, logs="error")

b = group("plugin logger beside filters", proxy(plugins=[plugin("f", script="log: log of the filter; shget seen; shset seen yes 0")], hcm_more={"access_log": [logger("l", script="log: log of the logger; shget seen", root_id="l")]}))
b.case("in one machine", get(), status=200, logs="of the logger")
p = group("plugin logger that is the filter", proxy(plugins=[plugin("same", script="log: log entry")], hcm_more={"access_log": [logger("same", script="log: log entry")]}))
p.case("one root for both", get(), status=200, logs="entry")
t = group("plugin logger that traps", proxy(hcm_more={"access_log": [logger(script="log: shget k; shset k v 0; trap", vm_id="traps")]}))
t.case("the request is not touched", get(), status=200, logs="shget")

TCP = ["request.path", "request.protocol", "request.size", "request.total_size", "response.code", "response.flags", "response.size", "response.total_size", "response.code_details", "connection.mtls", "connection.requested_server_name", "upstream.transport_failure_reason", "upstream.request_attempt_count",
       "xds.cluster_name", "xds.route_name", "xds.listener_direction", "xds.filter_chain_name", "destination.absent", "metadata"]
TCP_SCRIPT = f"log: {props(*TCP)}; prop source.address size; prop destination.port size; prop upstream.address size; prop upstream.local_address size; prop request.duration size; prop connection.id size; prop request.time size; pairs 0; get 0 x; get 2 x"
k = group("plugin logger of the tcp proxy", plain(tcp(access_log=[logger(script=TCP_SCRIPT)])))
k.talk("a connection", b"hello", FIN, ends="end", logs="prop response.flags", settle=0.1)
k = group("plugin logger of the tcp proxy that fails", plain(tcp("nowhere", access_log=[logger(script=TCP_SCRIPT)])))
k.talk("a connection", 0.2, b"hello", logs="prop response.flags", settle=0.1)
k = group("plugin logger of the tcp proxy at times", plain(tcp(access_log=[logger(script="log: prop response.size; prop upstream.address size; prop request.duration size")], access_log_options={"flush_access_log_on_connected": True, "flush_access_log_on_start": True})))
k.talk("a connection", b"hello", FIN, ends="end", logs="prop response.size", settle=0.1)
k = group("plugin logger of a listener", plain(tcp(), access_log=[logger(script=TCP_SCRIPT)]))
k.talk("a connection", b"hello", FIN, ends="end", logs="prop response.flags", settle=0.1)
k = group("plugin logger of a listener over HTTP", proxy(listener_more={"access_log": [logger(script=TCP_SCRIPT.replace('prop response.size; prop response.total_size; ', ''))]}))
k.case("a request", get(headers={"connection": "close"}), status=200, logs="prop response.flags", settle=0.1)
