"""Clients: one connection that is written and read by hand, and a load of many pipelined ones."""
import re
import selectors
import socket
import struct
import types


class Cut(Exception):
    """The connection ended within an answer; `got` holds the bytes of its body."""

    def __init__(self, got):
        super().__init__(f"cut after {len(got)} bytes of the body")
        self.got = got


class Client:
    def __init__(self, port, seconds=10, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(seconds)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb", 1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def ask(self, path="/", method="GET", headers=(), body=None):
        """Sends a request; the answer is for read()."""
        lines = [f"{method} {path} HTTP/1.1", "host: test.example", *(f"{name}: {value}" for name, value in headers)]
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body:
            self.send(body)

    def get(self, path="/", **options):
        self.ask(path, **options)
        return self.read(no_body=options.get("method") == "HEAD")

    def head(self):
        """The first line and the fields of the next answer; None at the connection's end."""
        first = self._line()
        if not first:
            return None
        version, status, *reason = first.decode("latin-1").rstrip().split(" ", 2)
        headers = {}
        while line := self._line().rstrip(b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return types.SimpleNamespace(version=version, status=int(status), reason=" ".join(reason), headers=headers)

    def read(self, no_body=False):
        """The next whole answer: status, headers, body and text. Cut where it ends early."""
        answer = self.head()
        if answer is None:
            raise Cut(b"")
        answer.body = b"" if no_body or answer.status in (204, 304) else b"".join(self.pieces(answer.headers))
        answer.text = answer.body.decode("latin-1")
        return answer

    def pieces(self, headers):
        """The body as it comes; a length of none means until the connection ends."""
        got = []
        if "chunked" in headers.get("transfer-encoding", ""):
            while size := int(self._line().split(b";")[0].strip() or b"0", 16):
                yield self._exactly(size, got)
                self._line()
            if self._line() != b"\r\n":
                raise Cut(b"".join(got))
        elif "content-length" in headers:
            left = int(headers["content-length"])
            while left:
                piece = self._exactly(min(left, 1 << 16), got)
                left -= len(piece)
                yield piece
        else:
            while piece := self.file.read(1 << 16):
                yield piece

    def _line(self):
        try:
            return self.file.readline()
        except ConnectionError:
            return b""

    def _exactly(self, size, got):
        try:
            piece = self.file.read(size)
        except ConnectionError:
            piece = b""
        got.append(piece)
        if len(piece) < size:
            raise Cut(b"".join(got))
        return piece

    def ends(self, seconds=5):
        """Whether the proxy closes within that time, saying nothing more."""
        self.sock.settimeout(seconds)
        try:
            return self.file.read(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def close(self):
        self.file.close()
        self.sock.close()

    def reset(self):
        """Closes as a program that crashed: with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


def get(port, path="/", seconds=10, **options):
    """One request on a connection of its own."""
    with Client(port, seconds) as client:
        return client.get(path, **options)


def refused(port):
    try:
        Client(port, seconds=2).close()
    except OSError:
        return True
    return False


LENGTH = re.compile(rb"content-length: (\d+)", re.I)


def load(port, requests, connections=8, depth=16, paths=("/",)):
    """So many GETs over so many connections, `depth` of them written at a time. Returns how often each status came."""
    def some(number):
        return b"".join(f"GET {paths[at % len(paths)]} HTTP/1.1\r\nhost: test.example\r\nuser-agent: load\r\n\r\n".encode()
                        for at in range(number))
    whole = some(depth)
    counts, chosen = {}, selectors.DefaultSelector()
    left = requests
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        batch = min(depth, left)
        left -= batch
        sock.sendall(whole if batch == depth else some(batch))
        chosen.register(sock, selectors.EVENT_READ, [b"", batch])
    while chosen.get_map():
        ready = chosen.select(timeout=10)
        assert ready, f"no answer for ten seconds; so far {counts}, {left} not yet sent"
        for key, _ in ready:
            state, data = key.data, key.fileobj.recv(1 << 18)
            assert data, f"the connection ended with {state[1]} answers due; so far {counts}"
            state[0], answers = _answers(state[0] + data)
            for status in answers:
                counts[status] = counts.get(status, 0) + 1
            state[1] -= len(answers)
            if state[1] == 0:
                state[1] = batch = min(depth, left)
                left -= batch
                if batch:
                    key.fileobj.sendall(whole if batch == depth else some(batch))
                else:
                    chosen.unregister(key.fileobj)
                    key.fileobj.close()
    return counts


def _answers(data):
    """The statuses of the whole answers (with content-length) in the bytes, and the rest."""
    statuses, at = [], 0
    while (end := data.find(b"\r\n\r\n", at)) >= 0:
        length = LENGTH.search(data, at, end + 2)
        size = int(length[1]) if length else 0
        if len(data) < end + 4 + size:
            break
        statuses.append(int(data[at + 9:at + 12]))
        at = end + 4 + size
    return data[at:], statuses
