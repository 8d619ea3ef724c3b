"""Requests and answers on the wire: order, bytes, back pressure, and peers that are slow, silly or gone."""
import hashlib
import os
import random
import socket
import threading
import time

from harness import config
from harness.client import Client, Cut, get
from harness.facts import eventually, fact, holds, same
from harness.upstream import CLOSE, RESET, Upstream, hang
from harness.weir import MIB, Weir, bounded

BIG = 64 * MIB
BLOCK = os.urandom(MIB)
DIGEST = hashlib.sha256(BLOCK * 64).hexdigest()
SLACK = 20 * MIB  # What one big transfer may add to the proxy's memory.


def all_quiet(weir):
    """No request and no connection is left, by the proxy's own count."""
    names = ["http.ingress.downstream_rq_active", "http.ingress.downstream_cx_active", "cluster.web.upstream_rq_active"]
    eventually(lambda: {name: weir.stat(name) for name in names}, {name: 0 for name in names})


# Order and pieces.

@fact("a hundred pipelined requests in one write are answered in order")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        client.send("".join(f"GET /{at} HTTP/1.1\r\nhost: a\r\n\r\n" for at in range(100)))
        same([client.read().text for _ in range(100)], [f"/{at}\n" for at in range(100)])


@fact("pipelined requests with bodies keep their bodies apart")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        client.send("".join(f"POST /{at} HTTP/1.1\r\nhost: a\r\ncontent-length: {at}\r\n\r\n{'x' * at}"
                            f"POST /c{at} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n" for at in range(30)))
        for at in range(30):
            same(client.read().text, f"/{at}\n" + "x" * at)
            same(client.read().text, f"/c{at}\nGET /")


@fact("a client that writes byte by byte is understood", 1)
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        for byte in b"POST /drop HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n":
            client.send(bytes([byte]))
            time.sleep(0.002)
        same(client.read().text, "/drop\nabcdefg")


@fact("an upstream that writes byte by byte is understood", 1)
def _():
    def drops(request):
        for byte in b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-a: b\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n":
            request.send(bytes([byte]))
            time.sleep(0.002)
    with Upstream(drops) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        for _ in range(2):
            answer = client.get()
            same((answer.status, answer.headers["x-a"], answer.text), (200, "b", "abcdefg"))


@fact("an answer comes as it is made, not when it is whole")
def _():
    step = threading.Event()

    def slowly(request):
        request.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        step.wait(5)
        request.send(b"6\r\nsecond\r\n0\r\n\r\n")
    with Upstream(slowly) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        client.ask()
        pieces = client.pieces(client.head().headers)
        same(next(pieces), b"first")
        step.set()
        same(b"".join(pieces), b"second")


# Big bodies and slow readers.

def chunks(blocks):
    return b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)


def upload(chunked):
    """64 MiB to an upstream that reads nothing for a while, then all."""
    start, seen, sent = threading.Event(), {}, 0

    def digest(request):
        start.wait(20)
        whole = hashlib.sha256()
        for piece in request.pieces():
            whole.update(piece)
        seen["digest"] = whole.hexdigest()
        request.answer("got it")
    with Upstream(digest, receive_buffer=65536) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port(), seconds=30) as client:
            before = weir.memory()
            weir.forget_peak()
            framing = ("transfer-encoding", "chunked") if chunked else ("content-length", str(BIG))
            client.ask("/", "POST", headers=[framing])
            progress = {"sent": 0}

            def write():
                for _ in range(64):
                    client.send(chunks([BLOCK]) if chunked else BLOCK)
                    progress["sent"] += 1
                client.send(b"0\r\n\r\n" if chunked else b"")
            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            eventually(lambda: upstream.requests, 1)
            time.sleep(1)
            sent = progress["sent"]
            assert sent < 40, f"the client could write {sent} MiB that nobody reads"
            start.set()
            same(client.read().text, "got it")
            writer.join(5)
            same(seen["digest"], DIGEST, "digest")
            bounded(weir.peak() - before, SLACK, "memory that one upload took")


def download(chunked):
    """64 MiB to a client that reads nothing for a while, then all."""
    progress = {"sent": 0}

    def pour(request):
        framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % BIG
        request.send(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n" % framing)
        for _ in range(64):
            request.send(chunks([BLOCK]) if chunked else BLOCK)
            progress["sent"] += 1
        request.send(b"0\r\n\r\n" if chunked else b"")
    with Upstream(pour) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port(), seconds=30, receive_buffer=65536) as client:
            before = weir.memory()
            weir.forget_peak()
            client.ask()
            time.sleep(1)
            assert progress["sent"] < 40, f"the upstream could write {progress['sent']} MiB that nobody reads"
            whole = hashlib.sha256()
            for piece in client.pieces(client.head().headers):
                whole.update(piece)
            same(whole.hexdigest(), DIGEST, "digest")
            bounded(weir.peak() - before, SLACK, "memory that one download took")


@fact("64 MiB of content-length go up whole past a slow upstream, in bounded memory", 3)
def _():
    upload(False)


@fact("64 MiB of chunks go up whole past a slow upstream, in bounded memory", 3)
def _():
    upload(True)


@fact("64 MiB of content-length come down whole to a slow client, in bounded memory", 3)
def _():
    download(False)


@fact("64 MiB of chunks come down whole to a slow client, in bounded memory", 3)
def _():
    download(True)


@fact("64 MiB go through both ways at once, as an echo", 3)
def _():
    def mirror(request):
        request.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % BIG)
        for piece in request.pieces():
            request.send(piece)
    with Upstream(mirror) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port(), 30) as client:
        client.ask("/", "POST", headers=[("content-length", str(BIG))])
        writer = threading.Thread(target=lambda: [client.send(BLOCK) for _ in range(64)], daemon=True)
        writer.start()
        whole = hashlib.sha256()
        for piece in client.pieces(client.head().headers):
            whole.update(piece)
        same(whole.hexdigest(), DIGEST, "digest")


@fact("twenty slow readers at once stay within their buffers", 4)
def _():
    def pour(request):
        request.answer(BLOCK * 16)
    limited = {"per_connection_buffer_limit_bytes": 65536}
    with Upstream(pour) as upstream, Weir(config.bootstrap(upstream=upstream, **limited)) as weir:
        before = weir.memory()
        weir.forget_peak()
        clients = [Client(weir.port(), 30, receive_buffer=65536) for _ in range(20)]
        for client in clients:
            client.ask()
        eventually(lambda: upstream.requests, 20)
        time.sleep(1)
        bounded(weir.peak() - before, SLACK, "memory that twenty readers took")
        for client in clients:
            same(client.read().body == BLOCK * 16, True, "body as sent")


# Peers that go.

def endless_download(request):
    request.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        request.send(chunks([b"x" * 10000]))


@fact("clients that go in the middle of a download leave nothing behind")
def _():
    with Upstream(endless_download) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        for at in range(10):
            client = Client(weir.port())
            client.ask()
            client.head()
            client.reset() if at % 2 else client.close()
        all_quiet(weir)
        eventually(lambda: upstream.cut, 10, what="upstreams that were told")
        eventually(lambda: weir.stat("cluster.web.upstream_cx_active"), 0)


@fact("clients that go in the middle of an upload leave nothing behind")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        for at in range(10):
            client = Client(weir.port())
            client.ask("/", "POST", headers=[("content-length", "1000000")])
            client.send(b"x" * 1000)
            eventually(lambda: upstream.requests, at + 1)
            client.reset() if at % 2 else client.close()
        all_quiet(weir)
        eventually(lambda: upstream.cut, 10, what="upstreams that were told")
        eventually(lambda: weir.stat("cluster.web.upstream_cx_active"), 0)


@fact("clients that go while they wait for the answer leave nothing behind")
def _():
    with Upstream(hang(2)) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        for at in range(10):
            client = Client(weir.port())
            client.ask()
            eventually(lambda: upstream.requests, at + 1)
            client.reset() if at % 2 else client.close()
        all_quiet(weir)


def truncation(head, part):
    """An upstream dies within its answer: the client must not take that for the whole."""
    reached = threading.Event()

    def half(request):
        request.send(head + part)
        reached.wait(5)
        return CLOSE
    with Upstream(half) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            client.ask()
            answer = client.head()
            same(answer.status, 200)
            pieces = client.pieces(answer.headers)
            port = upstream.port
            upstream.stop()
            reached.set()
            try:
                got = b"".join(pieces)
                raise AssertionError(f"it looks whole: {got!r}")
            except Cut:
                pass
        answer = get(weir.port())
        same(answer.status, 503, "while the upstream is down")
        with Upstream(port=port):
            same(get(weir.port(), "/again").text, "/again\n")
        all_quiet(weir)


@fact("an upstream killed within an answer of known length: the client sees the cut, and the next one is served")
def _():
    truncation(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", b"half")


@fact("an upstream killed within a chunked answer: the client sees the cut, and the next one is served")
def _():
    truncation(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nhalf\r\n")


@fact("an upstream reset within an answer that lasts until its end: the client sees the cut")
def _():
    def half(request):
        request.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        time.sleep(0.2)
        return RESET
    with Upstream(half) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        client.ask()
        try:
            got = b"".join(client.pieces(client.head().headers))
            raise AssertionError(f"it looks whole: {got!r}")
        except Cut:
            pass


@fact("500 requests to an upstream that closes after each answer, unannounced, are all answered", 2)
def _():
    def once(request):
        request.answer(request.path)
        return CLOSE
    with Upstream(once) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        same([client.get(f"/{at}").text for at in range(500)], [f"/{at}" for at in range(500)])


@fact("500 requests to an upstream that closes kept-alive connections at the next request are all answered", 2)
def _():
    def moody(request):
        if request.number > 1:
            return CLOSE if random.random() < 0.5 else RESET
        request.answer(request.path)
    with Upstream(moody) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        same([client.get(f"/{at}").text for at in range(500)], [f"/{at}" for at in range(500)])


@fact("a POST is not sent twice, even if the kept-alive connection was dead")
def _():
    posts = []

    def moody(request):
        if request.method == "POST":
            posts.append(request.body())
            return CLOSE
        request.answer(request.path)
    with Upstream(moody) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        same(client.get().status, 200)
        same(client.get("/", method="POST", body=b"pay").status, 503)
        same(posts, [b"pay"], "what the upstream saw")


@fact("an upstream that refuses: 503 that says why, on a connection that lives on")
def _():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with Weir(config.bootstrap(upstream=nobody.getsockname()[1])) as weir, Client(weir.port()) as client:
            for _ in range(3):
                answer = client.get()
                same((answer.status, answer.text), (503, "upstream connect error or disconnect/reset before headers. "
                                                         "reset reason: remote connection failure"))


@fact("an upstream that does not take the connection: 503 after connect_timeout", 1)
def _():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port, fillers = full.getsockname()[1], []
        for _ in range(4):  # The queue is full; the kernel drops what comes now.
            fillers.append(socket.socket())
            fillers[-1].setblocking(False)
            fillers[-1].connect_ex(("127.0.0.1", port))
        tree = config.bootstrap(config.route("web"), clusters=[config.web(port, connect_timeout="0.3s")])
        with Weir(tree) as weir:
            started = time.monotonic()
            answer = get(weir.port())
            took = time.monotonic() - started
            same(answer.status, 503)
            holds(answer.text, "connection timeout")
            assert 0.25 < took < 2.5, f"{took} s"
            assert weir.stat("cluster.web.upstream_cx_connect_timeout") >= 1
        for filler in fillers:
            filler.close()


@fact("an upstream that answers too late: 504 after the route's timeout, and its connection is not used again")
def _():
    with Upstream(hang(1.5)) as upstream, Weir(config.bootstrap(config.route("web", timeout="0.3s"), upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            for _ in range(2):
                answer = client.get()
                same((answer.status, answer.text), (504, "upstream request timeout"))
        same(upstream.connections, 2, "connections to the upstream")
        all_quiet(weir)


@fact("an answer before the request's end does not hang the client, nor poison the upstream connection")
def _():
    def early(request):
        if request.path == "/early":
            request.answer("no thanks", status=413)
            time.sleep(0.2)
            return CLOSE
        request.answer(request.path)
    with Upstream(early) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            client.ask("/early", "POST", headers=[("content-length", "1000000")])
            client.send(b"x" * 1000)
            same(client.read().status, 413)
        same(get(weir.port(), "/next").text, "/next")
        all_quiet(weir)


def poisoned(pause):
    """An upstream that says more than it was asked must not answer the next request with it."""
    def more(request):
        if not request.path.startswith("/more"):
            return request.answer(request.path)
        answer, rest = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nenough", b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned"
        if pause:
            request.send(answer)
            time.sleep(pause)
        request.send(rest if pause else answer + rest)
    with Upstream(more) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as client:
        for at in range(20):
            client.ask(f"/more/{at}")
            if pause:
                time.sleep(3 * pause)
            client.ask(f"/next/{at}")
            same([client.read().text, client.read().text], ["enough", f"/next/{at}"])


@fact("what an upstream sends with an answer and beyond it is never taken for the next answer")
def _():
    poisoned(0)


@fact("what an upstream sends on an idle connection is never taken for the next answer")
def _():
    poisoned(0.01)


@fact("what an upstream sends beyond an answer is not taken for that of a request which waited for the connection")
def _():
    def more(request):
        if request.path == "/more":
            time.sleep(0.1)
            return request.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nenoughHTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned")
        request.answer(request.path)
    with Upstream(more) as upstream:
        one = config.web(upstream, circuit_breakers={"thresholds": [{"max_connections": 1}]})
        with Weir(config.bootstrap(config.route("web"), clusters=[one])) as weir:
            with Client(weir.port()) as first, Client(weir.port()) as second:
                for _ in range(5):
                    first.ask("/more")
                    time.sleep(0.03)
                    second.ask("/next")
                    same([first.read().text, second.read().text], ["enough", "/next"])


@fact("an answer given at once reaches a client that is still sending a big body", 2)
def _():
    with Weir(config.bootstrap(config.direct("no uploads here\n", status=403))) as weir:
        for _ in range(10):
            with Client(weir.port()) as client:
                client.ask("/", "POST", headers=[("content-length", str(8 * MIB))])

                def write():
                    try:
                        for _ in range(8):
                            client.send(BLOCK)
                    except OSError:
                        pass  # It was told to go, in the end.
                writer = threading.Thread(target=write, daemon=True)
                writer.start()
                time.sleep(0.02)
                answer = client.read()
                same((answer.status, answer.text), (403, "no uploads here\n"))
                client.sock.shutdown(socket.SHUT_RDWR)
                writer.join(5)


# Clients that are no good.

@fact("bytes that are no HTTP get 400 and the end")
def _():
    with Weir(config.bootstrap()) as weir:
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, b"GARBAGE\r\n\r\n", b"\0\0\0\0\r\n\r\n",
                     b"GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n"):
            with Client(weir.port()) as client:
                client.send(data)
                same(client.read().status, 400, f"status for {data[:20]!r}")
                assert client.ends(), "the connection stays open"


def garbage(rng):
    request = b"POST /a?b HTTP/1.1\r\nhost: test.example\r\ncontent-length: 10\r\nx-a: b\r\n\r\n0123456789"
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 400))
    if kind == 1:
        return request[:rng.randrange(1, len(request))]
    data = bytearray(request if kind == 2 else request.replace(b"content-length: 10", b"transfer-encoding: chunked").replace(b"0123", b"5\r\nabcde\r\n0\r\n\r\n"))
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


@fact("after 10,000 connections of garbage it answers as before, with nothing left over", 8)
def _():
    rng = random.Random(20261123)
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        port = weir.port()
        get(port)
        before, descriptors = weir.memory(), weir.descriptors()
        for at in range(10_000):
            client = Client(port)
            client.send(garbage(rng))
            if at % 10 == 0:
                client.sock.shutdown(socket.SHUT_WR)
                assert client.ends(5) or client.file.read() is not None
            client.reset()
        assert weir.alive(), weir.log()[-1000:]
        same(get(port, "/well").text, "/well\n")
        all_quiet(weir)
        eventually(lambda: weir.descriptors() <= descriptors + 64)  # Kept-alive connections to the upstream.
        bounded(weir.memory() - before, SLACK, "memory that garbage left behind")


@fact("a client that is slow with its headers is cut when request_headers_timeout is over", 1)
def _():
    with Weir(config.bootstrap(manager={"request_headers_timeout": "0.5s"})) as weir, Client(weir.port()) as client:
        client.send("GET / HTTP/1.1\r\n")
        started = time.monotonic()
        try:
            for at in range(20):
                client.send(f"x-{at}: slow\r\n")
                time.sleep(0.1)
        except OSError:
            pass
        answer = None
        try:
            answer = client.head()
        except OSError:
            pass  # A reset, because it was still writing.
        assert answer is None or answer.status == 408, answer
        assert time.monotonic() - started < 4, "it was let to go on"
        same(weir.stat("http.ingress.downstream_rq_header_timeout"), 1)
        all_quiet_downstream(weir)


def all_quiet_downstream(weir):
    eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 0)


@fact("idle_timeout closes a connection without requests, not one with a request")
def _():
    manager = {"common_http_protocol_options": {"idle_timeout": "0.4s"}, "drain_timeout": "0.1s"}
    with Upstream(hang(1.0)) as upstream, Weir(config.bootstrap(upstream=upstream, manager=manager)) as weir:
        with Client(weir.port()) as fresh, Client(weir.port()) as used:
            started = time.monotonic()
            used.ask()
            assert fresh.ends(3), "an idle connection stays open"
            assert 0.3 < time.monotonic() - started < 2, "not at its time"
            same(used.read().status, 200)
            assert used.ends(3), "a connection that became idle stays open"
        same(weir.stat("http.ingress.downstream_cx_idle_timeout"), 2)


@fact("stream_idle_timeout ends a request that stands still: 408 before its end, 504 after")
def _():
    with Upstream(hang(3)) as upstream, Weir(config.bootstrap(upstream=upstream, manager={"stream_idle_timeout": "0.4s"})) as weir:
        with Client(weir.port()) as half, Client(weir.port()) as whole:
            half.ask("/", "POST", headers=[("content-length", "10")])
            half.send(b"abc")
            whole.ask()
            same((half.read().status, whole.read().status), (408, 504))


@fact("max_requests_per_connection announces the end with the last answer")
def _():
    manager = {"common_http_protocol_options": {"max_requests_per_connection": 3}}
    with Weir(config.bootstrap(manager=manager)) as weir, Client(weir.port()) as client:
        same([client.get().headers.get("connection") for _ in range(3)], [None, None, "close"])
        assert client.ends(), "the connection stays open"


@fact("200 idle connections cost no descriptors once they are closed")
def _():
    with Weir(config.bootstrap(), workers=2) as weir:
        port, before = weir.port(), weir.descriptors()
        clients = [Client(port) for _ in range(200)]
        eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 200)
        assert weir.descriptors() >= 200, weir.descriptors()
        for at, client in enumerate(clients):
            client.reset() if at % 2 else client.close()
        all_quiet_downstream(weir)
        eventually(lambda: weir.descriptors() <= before)


@fact("an idle proxy sleeps", 2)
def _():
    plugin = config.plugin(guest="hello_rust")
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream, plugins=[plugin]), workers=2) as weir:
        with Client(weir.port()) as client:
            same(client.get().status, 200)
            time.sleep(0.3)
            before = weir.cpu()
            time.sleep(1.5)
            assert weir.cpu() - before <= 0.05, f"{weir.cpu() - before} s of CPU in 1.5 s of nothing"
