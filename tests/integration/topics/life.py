"""How the program starts, drains and ends. Nothing that a client was promised may be lost on the way."""
import os
import signal
import socket
import threading
import time

from harness import config
from harness.client import Client, get, refused
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream, hang
from harness.weir import MIB, Weir, run, written
from topics.reload import CODEC, OPTIONS


def in_flight(number, upstream, port):
    """So many connections, each with a request that has reached the upstream."""
    clients = [Client(port) for _ in range(number)]
    for at, client in enumerate(clients):
        client.ask(f"/{at}")
    eventually(lambda: upstream.requests, number, what="requests at the upstream")
    return clients


def drains(number, workers):
    with Upstream(hang(1.0)) as upstream, Weir(config.bootstrap(upstream=upstream), workers=workers) as weir:
        clients = in_flight(50, upstream, weir.port())
        weir.signal(number)
        for at, client in enumerate(clients):
            answer = client.read()
            same((answer.status, answer.text, answer.headers.get("connection")), (200, f"/{at}", "close"), f"answer {at}")
            assert client.ends(), f"connection {at} stays open"
        same(weir.wait(), 0, "exit code")


@fact("SIGTERM with 50 requests in flight: each is answered with connection: close, and it ends with 0", 2)
def _():
    drains(signal.SIGTERM, 1)


@fact("SIGINT does the same, with two workers", 2)
def _():
    drains(signal.SIGINT, 2)


@fact("a request that came in pieces when the drain began is answered")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            client.send("POST /slow HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc")
            eventually(lambda: upstream.requests, 1)
            weir.signal(signal.SIGTERM)
            time.sleep(0.2)
            client.send("def")
            answer = client.read()
            same((answer.status, answer.text, answer.headers.get("connection")), (200, "/slow\nabcdef", "close"))
        same(weir.wait(), 0, "exit code")


@fact("a download that is under way when the drain begins comes whole", 2)
def _():
    size = 16 * MIB
    with Upstream(lambda request: request.answer(b"x" * size)) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port(), receive_buffer=65536) as client:
            client.ask()
            head = client.head()
            weir.signal(signal.SIGTERM)
            time.sleep(0.3)
            same(sum(len(piece) for piece in client.pieces(head.headers)), size, "bytes")
        same(weir.wait(), 0, "exit code")


@fact("a drain closes idle connections after a moment, in which a request may still come")
def _():
    with Weir(config.bootstrap()) as weir:
        clients = [Client(weir.port()) for _ in range(10)]
        for client in clients[:5]:
            same(client.get().status, 200)
        eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 10)
        started = time.monotonic()
        weir.signal(signal.SIGTERM)
        for client in clients[:5]:
            assert client.ends(2), "an idle connection stays open"
        for client in clients[5:]:
            assert client.ends(2), "a connection without a request stays open"
        same(weir.wait(2), 0, "exit code")
        assert time.monotonic() - started < 2, "it took its time"


@fact("a first request that was on the way when the drain began is answered")
def _():
    with Weir(config.bootstrap()) as weir, Client(weir.port()) as client:
        eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 1)
        weir.signal(signal.SIGTERM)
        time.sleep(0.1)
        answer = client.get()
        same((answer.status, answer.headers.get("connection")), (200, "close"))
        assert client.ends(), "the connection stays open"
        same(weir.wait(2), 0, "exit code")


@fact("new connections are refused while it drains")
def _():
    with Upstream(hang(1.0)) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        port = weir.port()
        [client] = in_flight(1, upstream, port)
        weir.signal(signal.SIGTERM)
        eventually(lambda: refused(port), seconds=0.8)
        same(client.read().status, 200)
        same(weir.wait(), 0, "exit code")


@fact("a second signal ends it at once")
def _():
    with Upstream(hang(5)) as upstream, Weir(config.bootstrap(upstream=upstream), "--drain-time-s", 60) as weir:
        [client] = in_flight(1, upstream, weir.port())
        weir.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert weir.alive(), "one signal has ended it, with a request in flight"
        weir.signal(signal.SIGTERM)
        same(weir.wait(2), 0, "exit code")
        assert client.ends(), "the connection stays open"


# A call of a plugin, and what holds it in the cluster that it goes to: another plugin, before the upstream or behind it.
CALLS = "call called :method=GET,:path=/c,:authority=a - 60000"


def called(upstream, holding):
    plugin = config.plugin(name="up", script=f"{holding}: log held; return 1", vm_id="up")
    return config.cluster("called", upstream.port, typed_extension_protocol_options={OPTIONS.split("/")[1]: {
        "@type": OPTIONS, "explicit_http_config": {"http_protocol_options": {}}, "http_filters": [plugin, CODEC]}})


def ends_with_calls_held(holding, script, ends):
    with Upstream() as upstream:
        plugin = config.plugin(name="down", script=script, vm_id="down")
        with Weir(config.bootstrap(config.direct(), clusters=[called(upstream, holding)], plugins=[plugin])) as weir:
            clients = [Client(weir.port()) for _ in range(3)]
            for client in clients:
                client.ask()
            eventually(lambda: weir.log().count("held") >= 3, True)
            ends(weir)
            same(weir.wait(4), 0, "exit code")


@fact("it ends with calls of streams that a filter of their cluster holds, or whose answers it holds", 2)
def _():
    def twice(weir):
        for _ in range(2):
            weir.signal(signal.SIGTERM)
            time.sleep(0.2)

    for holding in ("request_headers", "response_headers"):
        ends_with_calls_held(holding, f"request_headers: return 1; {CALLS}", twice)


@fact("it ends with calls of a root context that a filter of their cluster holds, or whose answers it holds", 2)
def _():
    for holding in ("request_headers", "response_headers"):
        ends_with_calls_held(holding, f"configure: tick 20\n tick: {CALLS}", lambda weir: weir.signal(signal.SIGTERM))


@fact("--drain-time-s bounds the drain", 2)
def _():
    with Upstream(hang(20)) as upstream, Weir(config.bootstrap(upstream=upstream), "--drain-time-s", 1) as weir:
        clients = in_flight(2, upstream, weir.port())
        started = time.monotonic()
        weir.signal(signal.SIGTERM)
        same(weir.wait(4), 0, "exit code")
        assert 0.9 < time.monotonic() - started, "it did not wait"
        assert all(client.ends() for client in clients), "a connection stays open"


@fact("it ends with 0 while a sink of statistics is told of them without a pause")
def _():
    sink = config.plugin(name="sink", script="stats: stat listener.nothing")["typed_config"]["config"]
    more = {"stats_flush_interval": "0.001s", "stats_sinks": [{"name": "sink", "typed_config": {
        "@type": config.TYPE + "envoy.extensions.stat_sinks.wasm.v3.Wasm", "config": sink}}]}
    for _ in range(5):  # One time in two the last turn had a report to tell, and nobody who is told.
        with Weir(config.bootstrap(more=more)) as weir:
            weir.signal(signal.SIGTERM)
            same(weir.wait(4), 0, "exit code")


@fact("POST /quitquitquit ends it with 0")
def _():
    with Weir(config.bootstrap()) as weir:
        same(get(weir.port()).status, 200)
        answer = weir.admin("/quitquitquit", "POST")
        same((answer.status, answer.text), (200, "OK\n"))
        same(weir.wait(), 0, "exit code")


@fact("SIGHUP and SIGUSR1 do not end it")
def _():
    with Weir(config.bootstrap()) as weir:
        for number in (signal.SIGHUP, signal.SIGUSR1):
            weir.signal(number)
        time.sleep(0.2)
        same(get(weir.port()).status, 200)


@fact("a signal while it starts ends it too")
def _():
    for delay in (0.0, 0.01, 0.03, 0.1):
        weir = Weir(config.bootstrap(plugins=[config.plugin(guest="hello_rust")]), ready=False)
        time.sleep(delay)
        weir.signal(signal.SIGTERM)
        code = weir.wait(10)
        assert code in (0, -signal.SIGTERM), f"exit code {code} after {delay} s"


@fact("addresses in use are named with their listeners, all of them, and it ends with 1")
def _():
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        ports = [taken.getsockname()[1] for taken in (first, second)]
        listeners = [config.main_listener(name=f"door{at}", port=port) for at, port in enumerate(ports)]
        done = run("-c", written(config.bootstrap(listeners=listeners)))
        same(done.returncode, 1, "exit code")
        for at, port in enumerate(ports):
            lines = [line for line in done.stderr.splitlines() if f"127.0.0.1:{port}" in line]
            assert lines and f"door{at}" in lines[0] and "in use" in lines[0], done.stderr


@fact("an admin address in use is named, and it ends with 1")
def _():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-c", written(config.bootstrap(admin=port)))
        same(done.returncode, 1, "exit code")
        holds(done.stderr, f"127.0.0.1:{port}")
        holds(done.stderr, "admin")


@fact("it starts again on the same ports at once, after an end and after a kill", 2)
def _():
    with Weir(config.bootstrap()) as weir:
        port, admin = weir.port(), weir.admin_port()
        old = [Client(port) for _ in range(5)]
        same([client.get().status for client in old], [200] * 5)
    again = config.bootstrap(port=port, admin=admin)
    with Weir(again) as weir:
        old += [Client(port) for _ in range(5)]
        same([client.get().status for client in old[5:]], [200] * 5)
        weir.kill()
    with Weir(again):
        same(get(port).status, 200)


@fact("a reader of its log that goes away does not end it")
def _():
    reading, writing = os.pipe()
    plugin = config.plugin(guest="conformance", script="request_headers: log a line")
    with Weir(config.bootstrap(plugins=[plugin]), stderr=writing) as weir:
        os.close(writing)
        os.close(reading)
        for _ in range(20):
            same(get(weir.port()).status, 200)


@fact("requests that arrive while it drains and ends are answered or refused, never cut", 3)
def _():
    with Upstream(hang(0.05)) as upstream, Weir(config.bootstrap(upstream=upstream), workers=2) as weir:
        port, seen, cut = weir.port(), [], []

        def ask():
            while True:
                try:
                    client = Client(port)
                except OSError:
                    return
                try:
                    seen.append(client.get().status)
                except Exception as error:  # Also a reset: the connection was accepted, so it is a loss.
                    cut.append(repr(error))
                client.close()
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        weir.signal(signal.SIGTERM)
        same(weir.wait(), 0, "exit code")
        for thread in threads:
            thread.join(5)
        same((set(seen), cut), ({200}, []), "statuses and losses")
