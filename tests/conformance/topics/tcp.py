"""The TCP proxy and other network filters: bytes both ways, half-close, failures, time-outs; compared with counters."""
from suite.config import TYPE, cluster, listener, proxy
from suite.model import group
from suite.plain import FIN, RESET, read

NETWORK = TYPE + "envoy.extensions.filters.network."


def tcp(to="plain", **more):
    spec = {"cluster": to} if isinstance(to, str) else {"weighted_clusters": {"clusters": to}}
    return {"name": "tcp", "typed_config": {"@type": NETWORK + "tcp_proxy.v3.TcpProxy", "stat_prefix": "tcp", **spec, **more}}


def network(kind, **more):
    return {"name": "n", "typed_config": {"@type": NETWORK + kind, **more}}


def plain(*filters, clusters=(), **listener_more):
    """A bootstrap whose main listener has these network filters."""
    tree = proxy(clusters=list(clusters) or [cluster("plain", "@PLAIN@")])
    tree["static_resources"]["listeners"][0] = {**listener("main", "@LISTEN@", None), "stat_prefix": "main", "filter_chains": [{"filters": list(filters)}], **listener_more}
    return tree


COUNTERS = (r"tcp\.tcp\.(downstream_cx_total|downstream_cx_no_route|downstream_cx_[rt]x_bytes_total|idle_timeout|max_downstream_connection_duration|early_data_received_count_total)"
            r"|cluster\.plain\.upstream_cx_(total|destroy|[rt]x_bytes_total|connect_fail|connect_attempts_exceeded|overflow|none_healthy)|cluster\.plain\.upstream_rq_(total|pending_total)"
            r"|listener\.main\.downstream_cx_(total|destroy)")

g = group("tcp proxy", plain(tcp()))
g.talk("bytes both ways and the client's end", b"hello", FIN, ends="end", stats=COUNTERS)
g.talk("several pieces", b"a", 0.1, b"b", 0.1, b"c", FIN, ends="end")
g.talk("nothing but an end", FIN, ends="end", stats=COUNTERS)
g.talk("the upstream speaks first", FIN, upstream=[b"220 ready\r\n", FIN], ends="end")
g.talk("the upstream ends first and the client goes on", 0.2, b"still here", FIN, upstream=[b"bye", FIN, read(10)], ends="end", stats=COUNTERS)
g.talk("the client ends and the upstream answers later", b"question", FIN, upstream=[read(8), 0.2, b"answer", FIN], ends="end")
g.talk("the upstream closes and the client does not", b"x", upstream=[read(1), b"bye", FIN], ends="end")
g.talk("the upstream resets", b"x", upstream=[read(1), 0.1, RESET], stats=COUNTERS)
g.talk("the upstream resets before a word", 0.4, upstream=[0.1, RESET])
g.talk("the client resets", b"last words", 0.2, RESET, stats=COUNTERS)
g.talk("the client resets while the upstream speaks", b"x", 0.2, RESET, upstream=[read(1), b"y" * 1000, 0.3, b"z" * 1000])
g.talk("a megabyte each way", b"m" * (1 << 20), FIN, ends="end", patience=4.0)
g.talk("a long conversation", *[piece for _ in range(20) for piece in (b"ping", 0.02)], FIN, ends="end", stats=COUNTERS)
g.talk("two connections", [b"one", FIN], [b"two", FIN], ends="end", stats=COUNTERS)

for name, to, clusters in (("no such cluster", "nowhere", ()), ("no endpoint", "plain", [cluster("plain")]),
                           ("refused", "plain", [cluster("plain", "@REFUSED@")]),
                           ("full", "plain", [cluster("plain", "@PLAIN@", circuit_breakers={"thresholds": [{"max_connections": 0}]})])):
    group(f"tcp {name}", plain(tcp(to), clusters=clusters)).talk("closed", 0.2, b"hello", stats=COUNTERS)
g = group("tcp attempts", plain(tcp(max_connect_attempts=3), clusters=[cluster("plain", "@REFUSED@")]))
g.talk("all fail", 0.2, stats=COUNTERS)
g = group("tcp attempts at two endpoints", plain(tcp(max_connect_attempts=2), clusters=[cluster("plain", "@REFUSED@", "@PLAIN@")]))
g.talk("one of the two is there", [b"a", FIN], [b"b", FIN], ends="end")

g = group("tcp idle", plain(tcp(idle_timeout="0.8s")))
g.talk("silence", ends="end", stats=COUNTERS, upstream=[], patience=2.5)
g.talk("silence after words", b"hello", 0.2, b"again", ends="end", stats=COUNTERS, patience=2.5)
g = group("tcp never idle", plain(tcp(idle_timeout="0s")))
g.talk("silence", ends="open", upstream=[1.5])  # It leaves well after the client has looked.
g = group("tcp duration", plain(tcp(max_downstream_connection_duration="0.55s")))  # Between two of the words.
g.talk("it talks too long", *[piece for _ in range(10) for piece in (b"x", 0.1)], stats=COUNTERS)

g = group("tcp early data", plain(tcp(max_early_data_bytes=1024)))
g.talk("bytes at once", b"early", FIN, ends="end")
g = group("tcp on data", plain(tcp(max_early_data_bytes=1024, upstream_connect_mode="ON_DOWNSTREAM_DATA")))
g.talk("nothing is said", 0.2, ends="open", stats=COUNTERS, differs="a client that said nothing and went is let go at once; Envoy keeps the connection until the idle timeout")
g.talk("something is said", 0.2, b"hello", FIN, ends="end", stats=COUNTERS)

g = group("tcp weighted", plain(tcp([{"name": "plain", "weight": 1}])))
g.talk("to the only one", b"hello", FIN, ends="end")

g = group("echo", plain(network("echo.v3.Echo")))
g.talk("what comes goes back", b"hello", 0.1, b"again", 0.1, FIN, ends="end")
g.talk("what comes with the end", b"hello", FIN, ends="end", differs="sometimes: Envoy loses what comes together with the client's end; weir sends it back")
g.talk("an end alone", FIN, ends="end")
g = group("direct response", plain(network("direct_response.v3.Config", response={"inline_string": "go away\n"})))
g.talk("to whoever connects", ends="end")
g.talk("to one that has spoken", b"hello", ends=None)
g = group("direct response empty", plain(network("direct_response.v3.Config")))
g.talk("nothing", 0.1)
g = group("sni cluster", plain(network("sni_cluster.v3.SniCluster"), tcp()))
g.talk("without a server name", b"hello", FIN, ends="end")

v = group("tcp validation")
BASE = "{admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}, static_resources: {clusters: [{name: web}], listeners: [{name: l, address: {socket_address: {address: 127.0.0.1, port_value: 0}}, filter_chains: [{filters: [%s]}]}]}}"
TCP = "{name: t, typed_config: {'@type': " + NETWORK + "tcp_proxy.v3.TcpProxy, %s}}"
for name, members, accepted in (("cluster", "stat_prefix: t, cluster: web", True), ("unknown cluster", "stat_prefix: t, cluster: nowhere", True),
                                ("no cluster", "stat_prefix: t", False), ("no prefix", "cluster: web", False),
                                ("no attempts", "stat_prefix: t, cluster: web, max_connect_attempts: 0", False),
                                ("on data without a limit", "stat_prefix: t, cluster: web, upstream_connect_mode: ON_DOWNSTREAM_DATA", False),
                                ("weight zero", "stat_prefix: t, weighted_clusters: {clusters: [{name: web, weight: 0}]}", False)):
    v.validation(name, BASE % (TCP % members), accepted)
GOOD = TCP % "stat_prefix: t, cluster: web"
SNI = "{name: s, typed_config: {'@type': " + NETWORK + "sni_cluster.v3.SniCluster}}"
v.validation("something behind the last filter", BASE % (GOOD + ", " + GOOD), False)
v.validation("no last filter", BASE % SNI, False)
v.validation("sni cluster and tcp proxy", BASE % (SNI + ", " + GOOD), True)
