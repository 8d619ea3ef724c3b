"""Services behind the proxy: one whose behaviour a function says, and a quick one in a process of its own."""
import multiprocessing
import selectors
import socket
import ssl
import struct
import threading
import time

CLOSE = object()  # What a behaviour returns to have the connection closed.
RESET = object()


class Gone(Exception):
    """The proxy ended the connection."""


class Request:
    """A request that came in, and how it is answered."""

    def __init__(self, sock, file, number):
        self.sock, self.file = sock, file
        self.number = number  # On its connection, from 1.
        first = self._line().decode("latin-1").split()
        if len(first) != 3:
            raise Gone()
        self.method, self.path = first[:2]
        self.headers = {}
        while line := self._line().rstrip(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.lower()] = value.strip()

    def _line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise Gone()
        return line

    def pieces(self, size=1 << 16):
        """The body as it comes. Gone where it is cut."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while length := int(self._line().split(b";")[0], 16):
                yield self._exactly(length)
                self._line()
            self._line()
            return
        left = int(self.headers.get("content-length", 0))
        while left:
            piece = self._exactly(min(left, size))
            left -= len(piece)
            yield piece

    def _exactly(self, size):
        piece = self.file.read(size)
        if len(piece) < size:
            raise Gone()
        return piece

    def body(self):
        return b"".join(self.pieces())

    def send(self, data):
        self.sock.sendall(data)

    def answer(self, body=b"", status=200, headers=()):
        body = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} OK", f"content-length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def echo(request):
    """Path and body come back."""
    request.answer(request.path.encode() + b"\n" + request.body())


class Upstream:
    """Answers each request by `behaviour(request)`, on a thread for each connection. tls: its certificate and key."""

    def __init__(self, behaviour=echo, port=0, receive_buffer=None, tls=None):
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        self.behaviour, self.open, self.lock = behaviour, set(), threading.Lock()
        self.connections = self.requests = self.cut = 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """As if the process were killed: nobody listens, and every connection ends where it is."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            for sock in self.open:
                _end(sock)
            self.open.clear()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.open.add(sock)
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        number, outcome, plain = 0, None, sock
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self.lock:
                    self.open.discard(plain)
                    self.open.add(sock)
            with sock.makefile("rb", 1 << 16) as file:
                while outcome is None:
                    number += 1
                    request = Request(sock, file, number)
                    with self.lock:
                        self.requests += 1
                    outcome = self._one(request)
        except (Gone, OSError, ValueError):
            pass
        with self.lock:
            known = sock in self.open
            self.open.discard(sock)
        if known:
            if outcome is RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()

    def _one(self, request):
        try:
            return self.behaviour(request)
        except (Gone, OSError):
            with self.lock:
                self.cut += 1
            raise


def _end(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)  # Also wakes the thread that reads it; the descriptor goes when it is done.
    except OSError:
        pass
    sock.close()


def hang(seconds):
    """Answers after so long."""
    def behave(request):
        time.sleep(seconds)
        request.answer(request.path)
    return behave


class QuickUpstream:
    """Answers any GET with the same small answer, in a process of its own: for load."""
    ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nquick"

    def __enter__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = listener.getsockname()[1]
        self.process = multiprocessing.get_context("fork").Process(target=self._run, args=(listener,), daemon=True)
        self.process.start()
        listener.close()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()

    def _run(self, listener):
        chosen = selectors.DefaultSelector()
        chosen.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in chosen.select():
                if key.fileobj is listener:
                    sock, _ = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    chosen.register(sock, selectors.EVENT_READ, [b""])
                    continue
                try:
                    data = key.fileobj.recv(1 << 16)
                except OSError:
                    data = b""
                if not data:
                    chosen.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
                *whole, key.data[0] = (key.data[0] + data).split(b"\r\n\r\n")
                key.fileobj.sendall(self.ANSWER * len(whole))
