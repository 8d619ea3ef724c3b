"""Requests as bytes with pauses, and a reader of HTTP/1 messages that reports instead of judging.

The suite's own, because it must send what no library sends: bad framing, odd timing, trailers, pipelines.
"""
import dataclasses

PAUSE = 0.1  # between pieces that must reach the proxy one by one
HOST = ("host", "test.example")


@dataclasses.dataclass
class Request:
    pieces: list  # of bytes, and of floats: seconds to wait
    method: str = "GET"
    answers: int = 1  # final responses that it asks for
    wait: bool = False  # let the answer arrive before the connection's next request is sent
    patience: float = 5.0
    half_close: bool = False
    abandon: bool = False  # close without reading


def head(first_line, headers):
    lines = [first_line] + [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _headers(headers, script, host):
    given = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    named = {name.lower() for name, _ in given}
    out = [("host", host)] if host and "host" not in named else []
    return out + given + ([("x-script", join_script(script))] if script else [])


def join_script(script):
    """The guest's script on one line: its phases stand on lines of their own where they are written."""
    return "|".join(line.strip() for line in script.strip().splitlines())


def request(method="GET", path="/", headers=None, body=None, script=None, host=HOST[1], version="HTTP/1.1", split=None, **options):
    """With a body, content-length is added. split: the body in pieces of so many bytes, each after a pause."""
    headers = _headers(headers, script, host)
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
        headers.append(("content-length", str(len(body))))
    pieces = [head(f"{method} {path} {version}", headers)]
    if body and not split:
        pieces[0] += body
    for at in range(0, len(body or b""), split or 1) if split else ():
        pieces += [PAUSE, body[at:at + split]]
    return Request(pieces, method=method, **options)


def get(path="/", **options):
    return request("GET", path, **options)


def post(path="/", body="hello", **options):
    return request("POST", path, body=body, **options)


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def chunked(path="/", chunks=(b"hello",), trailers=None, headers=None, script=None, method="POST", host=HOST[1], pause=PAUSE, **options):
    """A chunked request, each chunk in a write of its own; pause=None sends all at once."""
    headers = _headers(headers, script, host) + [("transfer-encoding", "chunked")]
    parts = [head(f"{method} {path} HTTP/1.1", headers)] + [chunk(data) for data in chunks]
    parts.append(b"0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in trailers or []).encode() + b"\r\n")
    if pause is None:
        return Request([b"".join(parts)], method=method, **options)
    pieces = [piece for part in parts for piece in (part, pause)][:-1]
    return Request(pieces, method=method, **options)


def raw(*pieces, **options):
    return Request([p.encode("latin-1") if isinstance(p, str) else p for p in pieces], **options)


class Ended(Exception):
    """The peer closed, or nothing came in time: what was read so far is in the reader."""


class Reader:
    """Reads HTTP/1 messages from a socket; keeps what it could not use."""

    def __init__(self, sock):
        self.sock, self.buffer, self.closed = sock, b"", False

    def more(self):
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            raise Ended("timeout") from None
        except OSError:
            data = b""
        if not data:
            self.closed = True
            raise Ended("closed")
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def take(self, size):
        while len(self.buffer) < size:
            self.more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def fields(self):
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        return fields

    def body(self, headers, message, to_close):
        """Fills in message's framing, body and trailers; a message cut short says so in its framing."""
        lower = {name.lower(): value for name, value in headers}
        if "chunked" in lower.get("transfer-encoding", "").lower():
            message["framing"] = "chunked"
            while size := int(self.line().split(";")[0] or "0", 16):
                message["body"] += self.take(size)
                self.line()
            message["trailers"] = self.fields()
        elif "content-length" in lower:
            message["framing"] = "length"
            size = int(lower["content-length"])
            while len(self.buffer) < size:
                self.more()
            message["body"] = self.take(size)
        elif to_close:
            message["framing"] = "close"
            while True:
                message["body"], self.buffer = message["body"] + self.buffer, b""
                self.more()
