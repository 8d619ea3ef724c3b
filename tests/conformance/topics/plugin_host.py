"""Properties, shared data, metrics, logs, timers, contexts, WASI and bad calls."""
from suite.config import TRAILING, TYPE, address, cluster, plugin, proxy, string, vhost
from suite.http import chunked, get, post
from suite.model import group
from suite.upstream import answer, chunks

NAMED = vhost({"name": "the-route", "match": {"prefix": "/"}, "route": {"cluster": "web"}, "metadata": {"filter_metadata": {"ns": {"key": "value", "n": 7, "b": True, "list": ["a", "b"]}}}}, name="the-vhost")
WITH_METADATA = {"name": "web", "connect_timeout": "1s", "type": "STATIC", "metadata": {"filter_metadata": {"location": {"region": "north"}}}, "load_assignment": {
    "cluster_name": "web", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": "@UPSTREAM@"}}}, "metadata": {"filter_metadata": {"host": {"zone": "z1"}}}}]}]}}
p = group("plugin properties", proxy(NAMED, plugins=[plugin(script="create: prop plugin_name; prop plugin_root_id; prop plugin_vm_id\n configure: prop plugin_root_id; prop xds.node.id; prop request.path; setprop a b")], clusters=[WITH_METADATA],
          bootstrap={"node": {"id": "the-node", "cluster": "the-cluster", "metadata": {"k": "v"}, "locality": {"zone": "z"}}}, listener_more={"traffic_direction": "INBOUND", "metadata": {"filter_metadata": {"l": {"k": "v"}}}}))
p.startup(logs="prop plugin_root_id")
REQUEST = "path url_path host scheme method referer useragent query protocol size total_size".split()


def props(*names):
    return "; ".join(f"prop {name}" for name in names)


p.case("request", post("/p/q?a=b&c", "hello", headers={"referer": "r", "user-agent": "u", "x-a": "1"}, script=f"""
    request_headers: {props(*(f'request.{name}' for name in REQUEST))}; prop request.headers.x-a; prop request.headers.X-A; prop request.headers.absent; prop request.time size; prop request.duration; prop request.id size; prop request.absent; prop request"""), status=200, logs="request.url_path")
p.case("request of a get", get("/", script=f"request_headers: {props('request.query', 'request.referer', 'request.size', 'request.total_size', 'request.headers.:path')}\n log: prop request.duration size; prop request.size; prop request.path; prop request.protocol"), status=200, logs="request.query")
p.case("request in the answer's phase", get("/x", script=f"response_headers: {props('request.path', 'request.method', 'request.host', 'request.protocol', 'request.size')}"), status=200, logs="request.path")
p.case("response", get(script=f"""
    request_headers: {props('response.code', 'response.size')}
    response_headers: {props('response.code', 'response.headers.content-type', 'response.size', 'response.grpc_status', 'response.flags', 'response.code_details')}; prop response.total_size size
    log: {props('response.code', 'response.size', 'response.flags', 'response.code_details', 'response.headers.content-type', 'response.trailers.x-t')}; prop response.total_size size; prop response.backend_latency size"""), upstream=[chunks(b"one", trailers=[("x-t", "1")])], status=200, logs="response.code_details")
p.case("connection", get(script=f"""request_headers: prop source.address size; prop source.port size; prop destination.address size; prop destination.port size; {props('connection.mtls', 'connection.requested_server_name', 'connection.tls_version', 'connection.subject_peer_certificate', 'connection.termination_details', 'connection.transport_failure_reason', 'source.absent')}; prop connection.id size; prop connection_id size"""), status=200, logs="connection.mtls")
p.case("upstream", get(script=f"""
    request_headers: {props('upstream.address', 'upstream.port')}
    response_headers: prop upstream.address size; prop upstream.port size; prop upstream.local_address size; {props('upstream.tls_version', 'upstream.transport_failure_reason', 'upstream.request_attempt_count', 'upstream.locality')}"""), status=200, logs="upstream.address")
XDS = ["xds.node.id", "xds.node.cluster", "xds.node.metadata.k", "xds.node.locality.zone", "xds.cluster_name", "xds.route_name", "xds.virtual_host_name", "xds.filter_chain_name", "xds.listener_direction",
       "xds.route_metadata.filter_metadata.ns.key", "xds.route_metadata.filter_metadata.ns.n", "xds.route_metadata.filter_metadata.ns.b", "xds.route_metadata.filter_metadata.ns.list.1", "xds.route_metadata.filter_metadata.ns.absent",
       "xds.cluster_metadata.filter_metadata.location.region", "xds.listener_metadata.filter_metadata.l.k", "xds.upstream_host_metadata.filter_metadata.host.zone", "xds.absent"]
p.case("xds", get(script=f"request_headers: {props(*XDS)}\n response_headers: {props(*XDS)}"), status=200, logs="the-route")
OLD = ["node.id", "cluster_name", "route_name", "listener_direction", "route_metadata.filter_metadata.ns.key", "cluster_metadata.filter_metadata.location.region", "listener_metadata.filter_metadata.l.k", "upstream_host_metadata.filter_metadata.host.zone"]
p.case("names of before Envoy 1.33", get(script=f"response_headers: {props(*OLD)}"), status=200, logs="node.id", differs="weir keeps the attributes without `xds.` that Envoy dropped in 1.33: plugins of 2020 to 2023 use them")
p.case("plugin", get(script=f"request_headers: {props('plugin_name', 'plugin_root_id', 'plugin_vm_id', 'plugin_absent')}"), status=200, logs="plugin_name")
p.case("odd paths", get(script="request_headers: prop; prop .; prop request.; prop request.path.; prop .request.path; prop request..path; prop request.path.more; prop %FF; prop metadata; prop metadata.filter_metadata; prop filter_state.x"), status=200, logs="prop")
p.case("set and get", get(script="""request_headers: setprop my_key my value; prop my_key; prop wasm~my_key; prop filter_state.wasm~my_key; setprop my_key changed; prop my_key; setprop a.b nested; prop a.b; setprop request.path fake; prop request.path; setprop empty; prop empty
    response_headers: prop my_key\n log: prop my_key"""), status=200, logs="my value")

s = group("plugin shared data", proxy(plugins=[plugin(script="")]))
s.case("set, get and cas", get(script="""request_headers: shget k; shset k one 0; shget k; shset k two seen; shget k; shset k three stale; shget k; shset k four 0; shget k; shset k; shget k"""), status=200, logs="shget k")
s.case("missing key with a cas", get(script="request_headers: shset fresh v 77; shget fresh; shset fresh w 77; shget fresh"), status=200, logs="shget fresh")
s.case("empty key", get(script="request_headers: shset %20 v 0; shget %20; shget"), status=200, logs="shget")
s.case("kept between requests", get(script="request_headers: shset kept yes 0", wait=True), get(script="request_headers: shget kept; shget k"), status=200, logs="shget kept -> 0")
s.case("large value", get(script=f"request_headers: shset big {'v' * 5000} 0; shget big"), status=200, logs="5000")

vms = group("plugin sharing", proxy(plugins=[plugin("one", script="header: x-script-1", vm_id="same"), plugin("two", script="header: x-script-2", vm_id="same", root_id="other"),
                                             plugin("three", script="header: x-script-3", vm_id="different"), plugin("four", script="header: x-script-4", vm_id="same", vm_configuration=string("log: log vm"))]))
vms.startup(logs="configure")
vms.case("by vm_id", get(headers={"x-script-1": "request_headers: shset v1 one 0", "x-script-2": "request_headers: shget v1; shset v1 two seen", "x-script-3": "request_headers: shget v1", "x-script-4": "request_headers: shget v1"}), status=200, logs="shget v1 -> 1")
vms.case("the other stream of the same instance", get(headers={"x-script-1": "request_headers: set 0 x-one 1", "x-script-2": "request_headers: effective 1; effective 999; effective 0; get 0 x-one"}), status=200, logs="effective 999", differs="a plugin reaches the contexts of another only where that is granted")

m = group("plugin metrics", proxy(plugins=[plugin(script="configure: metric 1 at_start; rec at_start 2; mget at_start")], bootstrap={"stats_config": {"stats_tags": [{"tag_name": "colour", "regex": "(_colour=([a-z]+))"}]}}))
m.startup(logs="metric 1")
WASM_STATS = r"wasmcustom\..*|(c_one|g_one|at_start|paint.*|h_one)"
m.case("counter", get(script="request_headers: metric 0 c_one; inc c_one 3; mget c_one; inc c_one 0; inc c_one -1; rec c_one 5; mget c_one"), status=200, logs="mget c_one", stats=WASM_STATS)
m.case("gauge", get(script="request_headers: metric 1 g_one; inc g_one 3; inc g_one -1; mget g_one; rec g_one 10; mget g_one; inc g_one -20; mget g_one"), status=200, logs="mget g_one", stats=WASM_STATS)
m.case("histogram", get(script="request_headers: metric 2 h_one; inc h_one 3; rec h_one 10; mget h_one"), status=200, logs="mget h_one")
m.case("unknown", get(script="request_headers: metric 3 nothing; metric 0; inc #4000 1; rec #4001 1; mget #4002; mget #3; inc #0 1"), status=200, logs="mget #4002")
m.case("defined twice", get(script="request_headers: metric 0 c_two; inc c_two 1; metric 0 c_two; mget c_two; metric 1 c_two; mget c_two"), status=200, logs="mget c_two")
m.case("tags", get(script="request_headers: metric 0 paint_colour=red; inc paint_colour=red 2"), status=200, logs="paint", stats=WASM_STATS)
m.case("odd names", get(script="request_headers: metric 0 a.b.c; inc a.b.c 1; metric 0 sp%20ace; inc sp%20ace 1; metric 0 caf%c3%a9; inc caf%c3%a9 1"), status=200, logs="metric 0")

lg = group("plugin logs", proxy(plugins=[plugin(script="tick: log never", vm_id="", root_id=""), plugin("", script="header: x-script-2", vm_id="v2", root_id="r2")]))
lg.startup(logs="configure")
lg.case("levels", get(script="request_headers: level 0 trace; level 1 debug; level 2 info; level 3 warn; level 4 error; level 5 critical; level 6 none; level 99 none; loglevel"), status=200, logs="error")
lg.case("texts", get(script="request_headers: log; level 2; level 2 two%0alines; level 2 tab%09; level 2 caf%c3%a9; level 2 %ff%fe; level 2 %25s%25n{}; level 2 end%0a; level 2 a%00b; level 2 " + "x" * 3000), status=200, logs="two")
lg.case("standard output and error", get(script="request_headers: print to%20out; eprint to%20err; print two%0alines"), status=200, logs="to err")
lg.case("time", get(script="request_headers: time"), status=200, logs="since 2020: true")

w = group("plugin wasi", proxy(plugins=[plugin(script="", vm={"environment_variables": {"host_env_keys": ["CONFORMANCE_HOST_KEY", "CONFORMANCE_ABSENT"], "key_values": {"A": "1", "EMPTY": "", "SPACE": "a b"}}})]))
w.startup(logs="configure")
w.case("environment", get(script="request_headers: env"), status=200, logs="from the host")
w.case("calls", get(script="request_headers: wasi"), status=200, logs="random_get")
BAD = "log get_key get_out set pairs_out setpairs buffer_out setbuffer property shget shset metric reply call time loglevel foreign".split()
w.case("addresses outside the memory", post("/", "x", script="request_headers: " + "; ".join(f"bad {name}" for name in BAD) + "\n request_body: bad setbuffer; bad set"), status=200, logs="bad set")
w.case("foreign functions", get(script="request_headers: foreign nothing x; foreign; foreign compress aaaaaaaa"), logs="foreign nothing")
w.case("unknown foreign function", get(script="request_headers: foreign nothing x; foreign"), logs="foreign nothing")
w.case("effective context", get(script="request_headers: effective 0; effective 99999; effective root; get 0 :path; effective self; get 0 :path; done; status"), status=200, logs="effective root")

t = group("plugin ticks", proxy(plugins=[plugin(script="configure: tick 150\n tick: first? log ticking; tick 0")]))
t.case("a timer set at configuration", get(script="request_headers: shset a b 0"), status=200, logs="request_headers", settle=0.3)
t.case("a timer set by a stream", get(script="request_headers: tick 200"), status=200, logs="tick", settle=0.45)

n = group("plugin context numbers", proxy(plugins=[plugin(script="request_headers: log raw context", vm_id="n1"), plugin("q", script="", vm_id="n1", root_id="r2")]))
n.startup(logs="configure")
n.case("of streams", get(wait=True), get(), status=200, logs="request_headers")

ANY = {"struct": {"@type": TYPE + "google.protobuf.Struct", "value": {"list": [1, 1.5, "b", True, None, {"k": "v"}]}},
       "bytes": {"@type": TYPE + "google.protobuf.BytesValue", "value": "AAEC/w=="}, "string": string("plain\ntext"), "empty string": string(""),
       "int": {"@type": TYPE + "google.protobuf.Int64Value", "value": "7"}, "empty": {"@type": TYPE + "google.protobuf.Empty"}}
for kind, value in ANY.items():
    c = group(f"plugin configuration {kind}", proxy(plugins=[plugin(configuration=value, vm_configuration=string("vm_start: body 6 0 999; body 7 0 999\nconfigure: body 7 0 999; bufstat 7; setbody 7 0 0 x"))]))
    c.startup(logs="vm_start")
    c.case("read later", get(script="request_headers: body 6 0 99; body 7 0 99"), status=200, logs="body 6")
STRUCT = {"@type": TYPE + "google.protobuf.Struct", "value": {"a": [True, None, 12345678, -0.1, "\u00e9\n"]}}  # One key: Envoy shuffles several.
vm = group("plugin vm configuration struct", proxy(plugins=[plugin(script="configure: body 6 0 999", vm_configuration=STRUCT)]))
vm.startup(logs="body 6")

# --- Where the endpoint is ---

def placed(name, locality, **more):
    endpoints = {**more, "locality": locality, "lb_endpoints": [{"endpoint": {"address": address("@UPSTREAM@")}}]}
    web = {**cluster("web"), "load_assignment": {"cluster_name": "web", "endpoints": [endpoints]}}
    made = group(f"plugin upstream place: {name}", proxy(plugins=[plugin(script="""
        response_headers: prop upstream.locality; prop upstream.locality.region; expr upstream.locality; expr upstream.locality.region; prop upstream.cx_pool_ready_duration size; expr upstream.cx_pool_ready_duration >= duration('0s'); prop xds.upstream_host_locality_metadata; prop xds.upstream_host_locality_metadata.filter_metadata.of.the; expr xds.upstream_host_locality_metadata.filter_metadata.of.the
        request_headers: prop upstream.locality; prop upstream.cx_pool_ready_duration; expr upstream.cx_pool_ready_duration
        log: prop upstream.locality; prop upstream.cx_pool_ready_duration size""")], clusters=[web]))
    made.case("is asked", get("/"), status=200, settle=0.1)


placed("all of it", {"region": "r1", "zone": "z1", "sub_zone": "s1"})
placed("a zone", {"zone": "z1"})
placed("nothing", {})
placed("a zone with metadata", {"zone": "z1"}, metadata={"filter_metadata": {"of": {"the": "zone"}}})
