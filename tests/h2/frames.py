"""HTTP/2 by hand: frames, header blocks without a state, and a connection that can send anything."""
import socket
import ssl
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
PADDED = 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NAMES = {0: "NO_ERROR", 1: "PROTOCOL_ERROR", 2: "INTERNAL_ERROR", 3: "FLOW_CONTROL_ERROR", 7: "REFUSED_STREAM", 9: "COMPRESSION_ERROR", 11: "ENHANCE_YOUR_CALM"}


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    ids = {"table": 1, "streams": 3, "window": 4, "frame": 5, "headers": 6}
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", ids[name], value) for name, value in values.items()))


def number(prefix, bits, value):
    """RFC 7541 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([prefix | value])
    out, value = [prefix | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def text(value):
    return number(0, 7, len(value)) + value


def literal(name, value, kept=False):
    """RFC 7541 6.2: a field with its name, kept in the table or not."""
    return (b"\x40" if kept else b"\x00") + text(name) + text(value)


def request(method=b"GET", path=b"/", more=b""):
    return literal(b":method", method) + literal(b":scheme", b"http") + literal(b":path", path) + literal(b":authority", b"h") + more


class Link:
    """A client's connection. send() tells whether the peer still reads; read() keeps what it said."""

    def __init__(self, port, tls=False, seconds=1.0, first=None):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock)
        self.sock.settimeout(seconds)
        self.rest, self.goaway, self.closed, self.resets = b"", None, False, 0
        self.counts = {}
        self.send(PREFACE + (first or settings()))

    def send(self, data):
        """False when the peer has closed, or reads nothing for as long as the time-out."""
        if self.closed:
            return False
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            self.poll()
            return False

    def poll(self):
        """Takes what is there, without waiting."""
        self.sock.setblocking(False)
        try:
            while self._take():
                pass
        finally:
            self.sock.settimeout(1.0)

    def _take(self):
        try:
            data = self.sock.recv(1 << 16)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.rest += data
        return True

    def frames(self):
        """The whole frames that came: (kind, flags, stream, payload)."""
        while len(self.rest) >= 9:
            size = int.from_bytes(self.rest[:3], "big")
            if len(self.rest) < 9 + size:
                return
            kind, flags, stream = struct.unpack(">BBI", self.rest[3:9])
            payload, self.rest = self.rest[9:9 + size], self.rest[9 + size:]
            self.counts[kind] = self.counts.get(kind, 0) + 1
            if kind == GOAWAY:
                self.goaway = struct.unpack(">I", payload[4:8])[0]
            if kind == RST_STREAM:
                self.resets += 1
            yield kind, flags, stream, payload

    def look(self):
        """Polls and forgets all but what matters: GOAWAY, resets, the end."""
        self.poll()
        for _ in self.frames():
            pass
        return not self.closed

    def answer(self, stream, seconds=5):
        """Reads until that stream has ended. True when it was answered, False when it was reset or the connection ended."""
        self.sock.settimeout(seconds)
        while True:
            for kind, flags, of, payload in self.frames():
                if kind == SETTINGS and not flags & ACK:
                    self.sock.sendall(frame(SETTINGS, ACK))
                if kind == DATA and payload:
                    self.sock.sendall(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", len(payload))))
                if of == stream and kind in (DATA, HEADERS) and flags & END_STREAM:
                    return True
                if of == stream and kind == RST_STREAM or kind == GOAWAY:
                    return False
            if not self._take():
                return False

    def close(self):
        self.sock.close()
