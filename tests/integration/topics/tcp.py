"""Connections without HTTP, and connections before HTTP: the TCP proxy as a process, chains, floods of idle clients."""
import socket
import threading
import time

from suite.plain import FIN, PlainUpstream, converse, read

from harness import config
from harness.client import Client
from harness.facts import eventually, fact, same
from harness.weir import MIB, Weir

NETWORK = config.TYPE + "envoy.extensions.filters.network."
LISTENER = config.TYPE + "envoy.extensions.filters.listener."


def tcp(**more):
    return {"name": "tcp", "typed_config": {"@type": NETWORK + "tcp_proxy.v3.TcpProxy", "stat_prefix": "tcp", "cluster": "web", **more}}


def proxy(upstream, *filters, **of_listener):
    listener = {**config.listener("main", 0, None), "filter_chains": [{"filters": list(filters) or [tcp()]}], **of_listener}
    return config.bootstrap(clusters=[config.web(upstream.port)], listeners=[listener])


@fact("the TCP proxy carries bytes and ends both ways, and forgets the connection", 2)
def _():
    upstream = PlainUpstream()
    with Weir(proxy(upstream)) as weir:
        same(converse(weir.port(), [b"hello", 0.05, b"again", FIN], 3), (b"helloagain", "end"))
        upstream.begin([read(2), b"bye", FIN])
        same(converse(weir.port(), [b"hi", 0.2, b"more", FIN], 3), (b"bye", "end"))
        same(upstream.finish()[0][0], b"himore")
    upstream.stop()


@fact("a slow reader stops the fast writer behind the TCP proxy, and memory does not grow", 5)
def _():
    upstream = PlainUpstream()
    upstream.begin([read(1), b"x" * (64 * MIB)])
    with Weir(proxy(upstream, per_connection_buffer_limit_bytes=65536)) as weir:
        with socket.create_connection(("127.0.0.1", weir.port())) as client:
            before = weir.memory()
            client.sendall(b"?")
            time.sleep(1.5)
            grown = weir.memory() - before
            assert grown < 8 * MIB, f"{grown / MIB:.1f} MiB for a client that does not read"
            got = 0
            client.settimeout(10)
            while got < 64 * MIB:
                data = client.recv(1 << 20)
                assert data, f"the end after {got} bytes"
                got += len(data)
    upstream.stop()


@fact("SIGTERM ends a proxy whose TCP connections stay open, when the drain time is over", 4)
def _():
    upstream = PlainUpstream()
    with Weir(proxy(upstream), "--drain-time-s", "1") as weir:
        with socket.create_connection(("127.0.0.1", weir.port())) as client:
            client.sendall(b"hello")
            same(client.recv(100), b"hello")
            weir.signal(15)
            client.sendall(b"still here")
            same(client.recv(100), b"still here", "while it drains")
            same(weir.wait(5), 0)
    upstream.stop()


@fact("clients that say nothing before their filter chain are let go after listener_filters_timeout", 3)
def _():
    upstream = PlainUpstream()
    inspector = {"name": "tls", "typed_config": {"@type": LISTENER + "tls_inspector.v3.TlsInspector"}}
    with Weir(proxy(upstream, listener_filters=[inspector], listener_filters_timeout="0.5s")) as weir:
        before = weir.descriptors()
        clients = [socket.create_connection(("127.0.0.1", weir.port())) for _ in range(100)]
        eventually(lambda: sum(weir.stats(r"listener\..*\.downstream_pre_cx_timeout").values()), 100, what="let go")
        eventually(lambda: weir.descriptors() <= before + 1, True, what="descriptors are given back")
        for client in clients:
            client.close()
    upstream.stop()


def closed_at_once(clients):
    time.sleep(0.3)
    closed = 0
    for client in clients:
        client.settimeout(0.05)
        try:
            closed += client.recv(1) == b""
        except TimeoutError:
            pass
    return closed


@fact("more connections than --max-connections are closed at once, and those who were there are served", 3)
def _():
    with Weir(config.bootstrap(), "--max-connections", "20") as weir, Client(weir.port()) as known:
        same(known.get().status, 200)
        clients = [socket.create_connection(("127.0.0.1", weir.port())) for _ in range(60)]
        same(closed_at_once(clients), 41, "closed at once")
        same(known.get().status, 200, "the client that was there")
        for client in clients:
            client.close()
        eventually(lambda: converse(weir.port(), [b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"], 2)[0][:15], b"HTTP/1.1 200 OK")


def turned_away(port, count):
    """How many of so many new connections are closed at once."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    away = closed_at_once(clients)
    for client in clients:
        client.close()
    return away


def global_limit(most):
    return {"overload_manager": {"resource_monitors": [{"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": {
        "@type": config.TYPE + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig", "max_active_downstream_connections": most}}]}}


@fact("the configuration limits connections: of all listeners, of one by its name, and by the filter connection_limit", 4)
def _():
    runtime = lambda **keys: {"layered_runtime": {"layers": [{"name": "static", "static_layer": keys}]}}
    limit = {"name": "envoy.filters.network.connection_limit", "typed_config": {
        "@type": config.TYPE + "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit", "stat_prefix": "few", "max_connections": 4}}
    name = config.bootstrap()["static_resources"]["listeners"][0]["name"]
    for label, more, first, counted in (
            ("the overload manager", global_limit(4), None, "listener.127.0.0.1_0.downstream_global_cx_overflow"),
            ("the older key", runtime(**{"overload.global_downstream_max_connections": 4}), None, "listener.127.0.0.1_0.downstream_global_cx_overflow"),
            ("the listener's key", runtime(**{f"envoy.resource_limits.listener.{name}.connection_limit": 4}), None, "listener.127.0.0.1_0.downstream_cx_overflow"),
            ("the filter", {}, limit, "connection_limit.few.limited_connections"),
            ("the filter with a delay", {}, {**limit, "typed_config": {**limit["typed_config"], "delay": "0.1s"}}, "connection_limit.few.limited_connections")):
        tree = {**config.bootstrap(), **more}
        if first:
            tree["static_resources"]["listeners"][0]["filter_chains"][0]["filters"].insert(0, first)
        with Weir(tree) as weir:
            same((label, turned_away(weir.port(), 10)), (label, 6))
            same(weir.stat(counted), 6)
            eventually(lambda: converse(weir.port(), [b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"], 2)[0][:15], b"HTTP/1.1 200 OK")


@fact("a listener with ignore_global_conn_limit is not counted")
def _():
    tree = {**config.bootstrap(), **global_limit(4)}
    tree["static_resources"]["listeners"][0]["ignore_global_conn_limit"] = True
    with Weir(tree) as weir:
        same(turned_away(weir.port(), 10), 0)


@fact("two thousand idle connections cost little, and a request among them is quick", 6)
def _():
    with Weir(config.bootstrap()) as weir, Client(weir.port()) as known:
        before = weir.memory()
        clients = [socket.create_connection(("127.0.0.1", weir.port())) for _ in range(2000)]
        same(known.get().status, 200)
        began = time.monotonic()
        same(known.get().status, 200)
        assert time.monotonic() - began < 0.2
        each = (weir.memory() - before) / len(clients)
        assert each < 16 * 1024, f"{each:.0f} bytes for an idle connection"
        for client in clients:
            client.close()


@fact("a hundred conversations at once keep their bytes apart", 4)
def _():
    upstream = PlainUpstream()
    with Weir(proxy(upstream), workers=2) as weir:
        port, wrong = weir.port(), []

        def one(number):
            said = f"{number}:".encode() * 500
            got = converse(port, [said, 0.05, said, FIN], 5)
            if got != (said * 2, "end"):
                wrong.append((number, len(got[0]), got[1]))
        threads = [threading.Thread(target=one, args=(number,)) for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(wrong, [])
    upstream.stop()
