"""Plugins as network filters: what they are told of a connection, and what they do to its bytes."""
from suite.config import TYPE, cluster, hcm, plugin, proxy, string, vhost
from suite.http import get
from suite.model import group
from suite.plain import FIN, RESET, read
from topics.plugin_host import props
from topics.tcp import network, plain, tcp


def filter_(*arguments, **more):
    """A plugin as a network filter; the script comes from its configuration."""
    config = plugin(*arguments, **more)["typed_config"]["config"]
    return {"name": "wasm", "typed_config": {"@type": TYPE + "envoy.extensions.filters.network.wasm.v3.Wasm", "config": config}}


def one(name, script, *behind, **more):
    return group(f"plugin tcp {name}", plain(filter_(script=script, **more), *(behind or [tcp()])))


CONNECTION = ("request.path request.protocol request.size request.total_size response.code response.flags response.size response.code_details connection.mtls connection.requested_server_name "
              "upstream.transport_failure_reason xds.cluster_name xds.route_name xds.listener_direction xds.filter_chain_name plugin_name metadata").split()
SIZES = "prop source.address size; prop source.port size; prop destination.address size; prop destination.port size; prop upstream.address size; prop connection.id size; prop connection_id size; prop request.time size; prop request.duration size"

g = one("quiet", "")
g.startup(logs="configure")
g.talk("bytes both ways and the client's end", b"hello", 0.4, FIN, ends="end", logs="downstream_data size=5", settle=0.1)
g.talk("the end with the last bytes", b"hello", FIN, ends="end", logs="downstream_data", settle=0.1, differs="sometimes: the end may be read with the bytes or after them")
g.talk("nothing but an end", 0.1, FIN, ends="end", logs="downstream_close", settle=0.1)
g.talk("the upstream speaks first", 0.4, FIN, upstream=[b"220 ready\r\n"], ends="end", logs="upstream_data size=11", settle=0.1)
g.talk("the upstream ends first", 0.5, b"still here", 0.3, FIN, patience=2.0, upstream=[b"bye", 0.2, FIN, read(10)], ends="end", logs="upstream_close", settle=0.1)
g.talk("the client resets", b"last words", 0.2, RESET, logs="downstream_close", settle=0.2)
g.talk("the upstream resets", b"x", upstream=[read(1), 0.1, RESET], logs="downstream_close", settle=0.1)
g.talk("several pieces", b"a", 0.2, b"bc", 0.2, b"def", 0.3, FIN, ends="end", patience=2.0, logs="size=3", settle=0.1)
g.talk("two connections", [b"one", 0.4, FIN], [b"two", 0.4, FIN], ends="end", logs="downstream_data", settle=0.1)
group("plugin tcp upstream refused", plain(filter_(script=""), tcp(), clusters=[cluster("plain", "@REFUSED@")])).talk("closed", 0.2, b"hello", logs="downstream_close", settle=0.1)
group("plugin tcp no such cluster", plain(filter_(script=""), tcp("nowhere"))).talk("closed", 0.2, b"hello", logs="downstream_close", settle=0.1)

one("properties", f"new_connection: {props(*CONNECTION)}; {SIZES}\n downstream_data: {props(*CONNECTION)}; {SIZES}\n upstream_data: {props(*CONNECTION)}; {SIZES}\n downstream_close: {props(*CONNECTION)}; {SIZES}\n log: {props(*CONNECTION)}; {SIZES}").talk(
    "in each phase", b"hello", 0.4, FIN, ends="end", logs="prop plugin_name", settle=0.1)
one("set and get", "new_connection: setprop my_key my value; prop my_key\n downstream_data: prop my_key; prop filter_state.wasm~my_key\n log: prop my_key").talk("a property of the connection", b"hello", 0.4, FIN, logs="my value", settle=0.1)

EDITS = {"replaced": "setbody 2 0 99 other", "prepended": "setbody 2 0 0 before-", "appended": "setbody 2 99 0 -after", "the middle": "setbody 2 2 1 XX", "emptied": "setbody 2 0 99", "grown": "fillbody 2 0 0 100000"}
for name, edit in EDITS.items():
    one(f"downstream {name}", f"downstream_data: body 2 0 99; more? {edit}; body 2 0 20; bufstat 2; body 3 0 99\n upstream_data: hush").talk("the upstream sees it", b"hello", 0.4, FIN, upstream=[read(1), 0.2, FIN] if name == "emptied" else None, logs="body 2", settle=0.1)
    one(f"upstream {name}", f"upstream_data: body 3 0 99; more? {edit.replace('body 2', 'body 3')}; body 3 0 20; bufstat 3; body 2 0 99").talk("the client sees it", b"hello", 0.4, FIN, logs="body 3", settle=0.1)

one("wrong moments", "new_connection: body 2 0 9; body 3 0 9; setbody 2 0 0 x; body 0 0 9; bufstat 2; pairs 0; get 0 x; size 0; set 0 a b\n downstream_close: body 2 0 9; setbody 3 0 0 x; continue 2; close 2\n log: body 2 0 9; get 0 x; continue 2; close 2; close 3; reply 200").talk("what is not there", b"hello", 0.4, FIN, logs="body 2", settle=0.1)

one("stopped", "downstream_data: more? return 1; body 2 0 99").talk("until the end", b"hel", 0.3, b"lo", 0.4, FIN, ends="end", patience=2.0, upstream=[read(5), 0.2, FIN], logs="size=5", settle=0.1)
one("stopped upstream", "upstream_data: more? return 1; body 3 0 99").talk("until the end", b"hel", 0.3, b"lo", 0.4, FIN, patience=2.0, logs="upstream_data size=5", settle=0.1)
one("stopped and continued", "downstream_data: first? return 1; first? continue 2").talk("in the same callback", b"hello", 0.3, b"again", 0.4, FIN, ends="end", patience=2.0, logs="continue 2 -> 0", settle=0.1)
one("stopped at first", "new_connection: return 1\n downstream_data: body 2 0 99").talk("nothing is read", 0.1, b"hello", 0.3, RESET, logs="new_connection", settle=0.1,
    differs="a reset is noticed at once, also while nothing is read; Envoy notices it when it reads again")
one("stopped for a callout", "new_connection: return 1; call callout :method=GET,:path=/,:authority=a - 500\n call: get 6 :status; continue 2\n downstream_data: return 0").talk("then served", 0.3, b"hello", 0.4, FIN, ends="end", logs="continue 2 -> 0", settle=0.1)
one("data stopped for a callout", "downstream_data: first? return 1; first? call callout :method=GET,:path=/,:authority=a - 500\n call: body 2 0 99; setbody 2 0 0 late-; continue 2").talk("then served", b"hello", 0.3, FIN, ends="end", logs="continue 2 -> 0", settle=0.1)
one("continue upstream", "upstream_data: continue 3; continue 2; continue 4; continue 0").talk("is not implemented", b"hello", 0.4, FIN, ends="end", logs="continue 3 -> 12", settle=0.1)

one("closed at once", "new_connection: close 2").talk("by the plugin", 0.2, logs="close 2 -> 0", settle=0.1)
one("closed on data", "downstream_data: close 2; return 1").talk("by the plugin", b"hello", 0.2, logs="close 2 -> 0", settle=0.1)
one("closed on data that goes on", "downstream_data: close 2").talk("by the plugin", b"hello", 0.2, logs="close 2 -> 0", settle=0.1)
one("closed upstream", "upstream_data: close 3").talk("by the plugin", b"hello", 0.2, logs="close 3 -> 0", settle=0.1)
one("closed by http names", "downstream_data: close 0; close 1; close 4; reply 200 body").talk("nothing happens", b"hello", 0.4, FIN, ends="end", logs="close 4 -> 2", settle=0.1)
one("closed by a tick", "new_connection: tick 200\n tick: effective 2; close 2; tick 0").talk("while it is silent", 0.6, logs="downstream_close", settle=0.1)

two = group("plugin tcp two filters", plain(filter_("one", script="downstream_data: setbody 2 0 0 1-\n upstream_data: setbody 3 0 0 1-", root_id="one"), filter_("two", script="downstream_data: setbody 2 0 0 2-\n upstream_data: setbody 3 0 0 2-", root_id="two"), tcp()))
two.talk("in their order", b"hello", 0.4, FIN, ends="end", upstream=[read(9), 0.1, b"back", 0.5, FIN], logs="downstream_data", settle=0.1)
group("plugin tcp echo", plain(filter_(script="downstream_data: body 2 0 9\n upstream_data: body 3 0 9"), network("echo.v3.Echo"))).talk("what comes goes back", b"hello", 0.4, FIN, ends="end", logs="upstream_data", settle=0.1,
    differs="the client's end is data for the filters, and sent back; Envoy closes at once where no TCP proxy has asked for half-closed connections")
group("plugin tcp direct response", plain(filter_(script="upstream_data: body 3 0 9"), network("direct_response.v3.Config", response={"inline_string": "go away\n"}))).talk("what is said", logs="upstream_data", settle=0.1)

group("plugin tcp chooses", plain(filter_(script="new_connection: foreign set_envoy_filter_state %0A%17envoy.tcp_proxy.cluster%12%05plain"), tcp("nowhere"))).talk("the cluster", b"hello", 0.4, FIN, ends="end", logs="new_connection", settle=0.1)
sdk = group("plugin tcp sdk", plain(filter_(guest="conformance_sdk", configuration=string("connections")), tcp()))
sdk.talk("a plugin by the Rust SDK", b"hel", 0.3, b"lo.", 0.4, FIN, ends="end", patience=2.0, upstream=[read(6), 0.1, b"welcome", 0.4, FIN], logs="downstream size=6", settle=0.2)

for phase in ("new_connection", "downstream_data", "upstream_data", "downstream_close", "log", "done"):
    one(f"trap in {phase}", f"{phase}: trap").talk("the connection", b"hello", 0.2, FIN, logs=phase, settle=0.1)
one("trap open", "downstream_data: trap", failure_policy="FAIL_OPEN").talk("the connection", b"hello", 0.2, FIN, logs="downstream_data", settle=0.1,
    differs="open means open: the connection goes on without the plugin, where Envoy closes it")
one("trap old open", "downstream_data: trap", fail_open=True).talk("the connection", b"hello", 0.2, FIN, logs="downstream_data", settle=0.1)

ROUTES = vhost()
before = proxy()
manager = hcm([ROUTES], [], {})
before["static_resources"]["listeners"][0]["filter_chains"] = [{"filters": [filter_(script="downstream_data: log data\n upstream_data: hush; first? log data"), manager]}]
h = group("plugin tcp before HTTP", before)
h.case("a request", get(headers={"connection": "close"}), status=200, logs="downstream_data", settle=0.1)
