"""The scriptable upstream: records what the proxy sent, and answers as a case says.

An answer is a function from the recorded request to pieces: bytes, pauses, CLOSE, or a number of seconds to hang. An
answer marked `early` is given when the headers are in, without waiting for the body.
"""
import socket
import struct
import threading
import time

from .http import PAUSE, Ended, Reader, chunk, head
from .http2_upstream import Http2Connection

CLOSE = object()
PATIENCE = 0.3  # seconds for a body whose end is under way


def answer(status=200, headers=None, body=b"upstream says hello\n", early=False, reason="OK", version="HTTP/1.1", delay=None, then=()):
    body = body.encode() if isinstance(body, str) else body
    fields = [("content-type", "text/plain")] if headers is None else list(headers)
    if body is not None:
        fields.append(("content-length", str(len(body))))
    message = [head(f"{version} {status} {reason}", fields) + (body or b"")]
    return scripted(([delay] if delay else []) + message + list(then), early, no_body=message[0][:-len(body)] if body else None)


def chunks(*data, status=200, headers=None, trailers=None, pause=PAUSE, early=False):
    """A chunked answer, each chunk in a write of its own."""
    fields = list(headers or [("content-type", "text/plain")]) + [("transfer-encoding", "chunked")]
    pieces = [head(f"HTTP/1.1 {status} OK", fields)]
    for part in data:
        pieces += [pause, chunk(part)]
    pieces += [pause, b"0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in trailers or []).encode() + b"\r\n"]
    return scripted(pieces, early)


def scripted(pieces, early=False, no_body=None):
    def act(request):
        return [no_body] if no_body and request["method"] == "HEAD" else pieces
    act.early = early
    return act


def echo(then=()):
    """The request's body comes back, with its trailers' names in a header; `then` may end the connection."""
    def act(request):
        names = ",".join(name for name, _ in request["trailers"])
        return [head("HTTP/1.1 200 OK", [("content-length", str(len(request["body"]))), ("x-trailers", names)]) + request["body"], *then]
    act.early = False
    return act


def by_path(**answers):
    """Requests that arrive at the same time are told apart by their path: `a=answer()` is for `/a`."""
    def act(request):
        return answers[request["path"].strip("/")](request)
    act.early = False
    return act


def switch(*then, status="101 Switching Protocols", headers=(("connection", "Upgrade"), ("upgrade", "websocket"))):
    """Takes the upgrade (or, with its own status, a CONNECT); then come bytes, pauses, `echoing` or `listening`."""
    return scripted([head(f"HTTP/1.1 {status}", headers), *then])


def echoing(sock, reader, seen):
    """Gives back what comes until the peer ends; the case sees what that was, but not when it ended."""
    sock.settimeout(1.5)
    try:
        while True:
            sock.sendall(reader.buffer)
            seen["body"] += reader.buffer
            reader.buffer = b""
            reader.more()
    except Ended:
        pass


def listening(sock, reader, seen):
    """Reads what comes until the peer ends, and says so."""
    sock.settimeout(1.5)
    try:
        while True:
            seen["body"] += reader.buffer
            reader.buffer = b""
            reader.more()
    except Ended as ended:
        seen["cut"] = str(ended)


def hang(seconds=2.0):
    return scripted([seconds, CLOSE])


def close():
    return scripted([CLOSE])


def announcement(sock):
    """The connection's PROXY header as text, addresses in a form that normalise.py knows."""
    def exactly(count):
        got = b""
        while len(got) < count:
            more = sock.recv(count - len(got))
            if not more:
                raise Ended("in the PROXY header")
            got += more
        return got
    start = exactly(12)
    if start != b"\r\n\r\n\x00\r\nQUIT\n":
        while not start.endswith(b"\r\n"):
            start += exactly(1)
        words = start.decode("latin-1").split()
        return f"v1 {words[1]} {words[2]}:{words[4]} {words[3]}:{words[5]}" if len(words) == 6 else f"v1 {start!r}"
    command, family, length = struct.unpack("!BBH", exactly(4))
    body = exactly(length)
    size = {0x11: 4, 0x21: 16}.get(family, 0)
    text = f"v2 {command:02x} {family:02x}"
    if size:
        kind = socket.AF_INET if size == 4 else socket.AF_INET6
        source, target = (socket.inet_ntop(kind, body[at:at + size]) for at in (0, size))
        text += " {}:{} {}:{}".format(source, struct.unpack("!H", body[2 * size:][:2])[0], target, struct.unpack("!H", body[2 * size + 2:][:2])[0])
        body = body[2 * size + 4:]
    while body:
        kind, length = struct.unpack("!BH", body[:3])
        text += f" {kind:02x}={body[3:3 + length]!r}" if length < 100 else f" {kind:02x}={length} bytes"
        body = body[3 + length:]
    return text


class Upstream:
    """Listens on a port of its own from construction until stop(); one thread per connection."""

    def __init__(self, tls=None, announced=False):
        """tls: an ssl.SSLContext that its connections are wrapped with. announced: before all comes a PROXY header."""
        self.tls, self.announced = tls, announced
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.connections = []
        self.h2_settings = None  # What it tells beside the usual to who speaks HTTP/2 to it.
        self.h2_deaf = False  # It answers no pings.
        self.health = None  # The answer to every check by HTTP/2, which is not among the requests of the case.
        self.checked = None  # The first of them.
        self.begin([])
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, answers):
        """Forgets the last case, and answers the next requests so."""
        with self.lock:
            self.answers, self.seen, self.order = list(answers), [], []

    def finish(self):
        """What came. A request that is being given up is waited for: its end may come after the client's answer."""
        deadline = time.monotonic() + PATIENCE
        while any(seen.get("reading") for seen in self.seen) and time.monotonic() < deadline:
            time.sleep(0.01)
        with self.lock:
            return list(self.seen)

    def stop(self):
        self.listener.close()
        with self.lock:
            for sock in self.connections:
                sock.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        said = None
        if self.announced:
            try:
                sock.settimeout(5)
                said = announcement(sock)
                sock.settimeout(None)
            except (Ended, OSError):
                return sock.close()
        if self.tls:
            try:
                sock.settimeout(5)
                sock = self.tls.wrap_socket(sock, server_side=True)
                sock.settimeout(None)
                self.connections.append(sock)
            except OSError:
                return sock.close()
        reader = Reader(sock)
        try:
            while self._one(sock, reader, said):
                pass
        except (Ended, OSError, ValueError):
            pass
        self._part(sock)

    @staticmethod
    def _part(sock):
        """Closes so that what was sent arrives: with bytes unread, a plain close would send a reset after it."""
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(0.3)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        sock.close()

    def choose(self, seen, sock, otherwise):
        """What is answered to a request, which is noted."""
        with self.lock:
            if self.health and seen["path"] in ("/grpc.health.v1.Health/Check", "/health"):
                self.checked = self.checked or seen
                return self.health
            act = self.answers.pop(0) if self.answers else otherwise
            if id(sock) not in self.order:
                self.order.append(id(sock))
            seen["connection"] = self.order.index(id(sock))
            self.seen.append(seen)
            return act

    def _one(self, sock, reader, said):
        first = reader.line()
        if first == "PRI * HTTP/2.0":
            Http2Connection(self, sock, b"PRI * HTTP/2.0\r\n" + reader.buffer).serve()
            return False
        method, path, version = (first.split(" ", 2) + ["", ""])[:3]
        seen = {"method": method, "path": path, "version": version, "headers": reader.fields(), "body": b"", "trailers": [], "framing": "none"}
        if said:
            seen["headers"] = [("(PROXY)", said), *seen["headers"]]
        act = self.choose(seen, sock, answer())
        if not act.early:
            self._read_body(reader, seen)
        for piece in act(seen):
            if piece is CLOSE:
                return False
            self._act(sock, reader, seen, piece)
        if act.early:
            self._read_body(reader, seen)
        return True

    @staticmethod
    def _act(sock, reader, seen, piece):
        if callable(piece):
            piece(sock, reader, seen)
        else:
            time.sleep(piece) if isinstance(piece, float) else sock.sendall(piece)

    def _read_body(self, reader, seen):
        seen["reading"] = True
        try:
            reader.body(seen["headers"], seen, to_close=False)
        except Ended as ended:
            seen["cut"] = str(ended)
            raise
        finally:
            seen["reading"] = False


class CodeUpstream(Upstream):
    """Answers by path, from the start on, and counts: plugins' code is fetched before there is a case. A list: one
    answer after the other, the last one for ever."""
    def __init__(self, answers):
        self.by_path, self.asked = {path: what if isinstance(what, list) else [what] for path, what in answers.items()}, []
        super().__init__()

    def choose(self, seen, sock, otherwise):
        with self.lock:
            self.asked.append(seen)
            acts = self.by_path.get(seen["path"], [answer(404)])
            return acts.pop(0) if len(acts) > 1 else acts[0]
