"""Upgrades through the real program: bytes both ways, ends that lose nothing, and connections that are never shared."""
import hashlib
import os
import socket
import threading
import time

from harness import config
from harness.facts import eventually, fact, same
from harness.weir import MIB, Weir
from suite import http2

ASK = b"GET /ws HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
GRANTED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"


class Raw:
    """An upstream that gives each connection, after its request's head, to a function."""

    def __init__(self, serve, grant=GRANTED):
        self.serve, self.grant, self.heads = serve, grant, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                return sock.close()
            head += byte
        self.heads.append(head)
        sock.sendall(self.grant)
        self.serve(sock)


def echo(sock):
    while data := sock.recv(65536):
        sock.sendall(data)
    sock.close()


def proxied(upstream):
    return config.bootstrap(upstream=upstream, manager={"upgrade_configs": [{"upgrade_type": "websocket"}]})


def opened(weir):
    sock = socket.create_connection(("127.0.0.1", weir.port()), timeout=10)
    sock.sendall(ASK)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, f"the head ended early: {head!r}"
        head += byte
    assert head.startswith(b"HTTP/1.1 101 "), f"no tunnel: {head!r}"
    return sock


def rest(sock):
    data = bytearray()  # Grows in place: facts read megabytes.
    while piece := sock.recv(65536):
        data += piece
    return bytes(data)


@fact("what an upstream says before it closes is delivered, a hundred times", 10)
def _():
    def says(sock):
        sock.sendall(b"x" * 100_000 + b"the end")
        sock.close()
    with Raw(says) as upstream, Weir(proxied(upstream)) as weir:
        for _ in range(100):
            with opened(weir) as sock:
                data = rest(sock)
                same((len(data), data[-7:]), (100_007, b"the end"))


@fact("what a client says before it ends is delivered, and the answer to it too", 1)
def _():
    def answers(sock):
        data = rest(sock)
        sock.sendall(hashlib.sha256(data).hexdigest().encode())
        sock.close()
    block = os.urandom(4 * MIB)
    with Raw(answers) as upstream, Weir(proxied(upstream)) as weir, opened(weir) as sock:
        sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)
        same(rest(sock).decode(), hashlib.sha256(block).hexdigest())


@fact("megabytes are echoed while both sides write", 1)
def _():
    block = os.urandom(16 * MIB)
    with Raw(echo) as upstream, Weir(proxied(upstream)) as weir, opened(weir) as sock:
        def write():
            sock.sendall(block)
            sock.shutdown(socket.SHUT_WR)
        threading.Thread(target=write, daemon=True).start()
        same(hashlib.sha256(rest(sock)).hexdigest(), hashlib.sha256(block).hexdigest())


@fact("bytes behind a refused upgrade never reach the upstream", 1)
def _():
    smuggled = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"
    with Raw(echo, grant=b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n") as upstream, Weir(proxied(upstream)) as weir:
        with socket.create_connection(("127.0.0.1", weir.port()), timeout=10) as sock:
            sock.sendall(ASK + smuggled)
            answer = rest(sock)
        assert answer.startswith(b"HTTP/1.1 403 "), answer
        same(answer.count(b"HTTP/1.1"), 1)
        same(len(upstream.heads), 1)


@fact("a tunnel of a client that is gone ends at the upstream", 1)
def _():
    ended = threading.Event()

    def listens(sock):
        try:
            rest(sock)
        except OSError:
            pass
        ended.set()
        sock.close()
    with Raw(listens) as upstream, Weir(proxied(upstream)) as weir:
        opened(weir).close()
        assert ended.wait(10), "the upstream was not told"
        eventually(lambda: weir.stat("http.ingress.downstream_cx_upgrades_active"), 0)
        eventually(lambda: weir.stat("http.ingress.downstream_rq_active"), 0)


def floods(size):
    def serve(sock):
        try:
            sock.sendall(b"x" * size)
        except ConnectionError:
            pass  # The fact has seen enough, and the proxy is gone.
        sock.close()
    return serve


@fact("a client that does not read a CONNECT which ends here makes the upstream wait, and memory does not grow", 4)
def _():
    size = 64 * MIB
    upgrade = {"upgrade_type": "CONNECT", "connect_config": {}}
    with Raw(floods(size), grant=b"") as upstream:
        tree = config.bootstrap({"match": {"connect_matcher": {}}, "route": {"cluster": "web", "upgrade_configs": [upgrade]}},
                                upstream=upstream, per_connection_buffer_limit_bytes=65536)
        with Weir(tree) as weir, socket.create_connection(("127.0.0.1", weir.port()), timeout=10) as sock:
            before = weir.memory()
            sock.sendall(b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\nGET / HTTP/1.1\r\n\r\n")
            time.sleep(1.5)
            grown = weir.memory() - before
            assert grown < 8 * MIB, f"{grown / MIB:.1f} MiB for a client that does not read"
            data = rest(sock)
            assert data.startswith(b"HTTP/1.1 200 OK\r\n"), data[:60]
            same(len(data) - data.index(b"\r\n\r\n") - 4, size)


@fact("the same of a client by HTTP/2, beside which another one is served", 4)
def _():
    size = 16 * MIB
    h2 = http2.library()
    manager = {"upgrade_configs": [{"upgrade_type": "websocket"}], "http2_protocol_options": {"allow_connect": True}}
    with Raw(floods(size)) as upstream, Weir(config.bootstrap(upstream=upstream, manager=manager)) as weir:
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        client.initiate_connection()
        with socket.create_connection(("127.0.0.1", weir.port()), timeout=10) as sock:
            before = weir.memory()
            client.send_headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws"), (":authority", "a")])
            sock.sendall(client.data_to_send())
            time.sleep(1.5)
            grown = weir.memory() - before
            assert grown < 8 * MIB, f"{grown / MIB:.1f} MiB for a client that does not read"
            with opened(weir) as other:
                same(len(other.recv(1)), 1)
            got, status, ended = 0, None, False
            while not ended:
                data = sock.recv(1 << 18)
                assert data, f"the end after {got} bytes"
                for event in client.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        status = dict(event.headers)[":status"]
                    elif isinstance(event, h2.events.DataReceived):
                        got += len(event.data)
                        client.acknowledge_received_data(event.flow_controlled_length, 1)
                    elif isinstance(event, h2.events.StreamEnded):
                        ended = True
                sock.sendall(client.data_to_send())
            same((status, got), ("200", size))
