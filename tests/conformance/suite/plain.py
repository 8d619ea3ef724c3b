"""Conversations without HTTP: a client that sends pieces, an upstream that acts by a script, and what each of them saw.

Pieces and actions: bytes are sent, a float waits so many seconds, FIN and RESET end the sending; an upstream's action
`read(n)` waits until it has seen so many bytes. An upstream without actions sends back what it gets, and its end.
"""
import socket
import struct
import threading
import time

FIN, RESET = object(), object()
PAUSE = 0.1


def read(count):
    return ("read", count)


def play(sock, pieces, wait_for=None):
    for piece in pieces:
        if piece is FIN:
            sock.shutdown(socket.SHUT_WR)
        elif piece is RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            return
        elif isinstance(piece, bytes):
            sock.sendall(piece)
        elif isinstance(piece, tuple):
            wait_for(piece[1])
        else:
            time.sleep(piece)


def gather(sock, out, seconds):
    """Reads until the end, or until nothing more comes in so many seconds. Returns how it ended."""
    deadline = time.monotonic() + seconds
    while True:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            got = sock.recv(65536)
        except TimeoutError:
            return "open"
        except OSError:
            return "reset"
        if not got:
            return "end"
        out.append(got)


def secret(port, pieces, patience, tls):
    """As converse(), over TLS; one thread, because OpenSSL lets no two use a connection at a time. FIN is close_notify."""
    out = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        try:
            sock = tls(sock)
            for piece in pieces:
                if isinstance(piece, bytes):
                    sock.sendall(piece)
                elif piece is not FIN:
                    time.sleep(piece)
            if FIN in pieces:
                out.append(sock.recv(65536))
                sock.unwrap()
        except OSError as why:
            return b"".join(out), f"failed: {getattr(why, 'reason', None) or type(why).__name__}"
        return b"".join(out), gather(sock, out, patience)


def converse(port, pieces, patience, source="127.0.0.1", tls=None):
    """One client connection. What it got, and how that ended ("open" if it did not within `patience`)."""
    if tls:
        return secret(port, pieces, patience, tls)
    out = []
    with socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(source, 0)) as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            pass  # Reset already: the reader tells so.
        ending = []
        reader = threading.Thread(target=lambda: ending.append(gather(sock, out, patience)), daemon=True)
        reader.start()
        try:
            play(sock, pieces)
        except OSError:
            pass  # The reader tells how it ended.
        reader.join(patience + 1)
        if RESET in pieces:
            ending = ["reset"]  # By itself.
    return b"".join(out), (ending or ["open"])[0]


class PlainUpstream:
    """Listens on a port of its own; one thread per connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.begin(None)
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, actions):
        self.actions, self.seen, self.open = actions, [], []

    def finish(self):
        """What each connection of the case has got, and how it ended."""
        for thread in self.open:
            thread.join(1.5)
        return [(b"".join(got), (ending or ["open"])[0]) for got, ending in self.seen]

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            got, ending = [], []
            self.seen.append((got, ending))
            thread = threading.Thread(target=self._serve, args=(sock, self.actions, got, ending), daemon=True)
            self.open.append(thread)
            thread.start()

    @staticmethod
    def _serve(sock, actions, got, ending):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def wait_for(count):
            while sum(map(len, got)) < count:
                sock.settimeout(2)
                data = sock.recv(65536)
                if not data:
                    raise OSError("ended")
                got.append(data)
        try:
            if actions is not None:
                play(sock, actions, wait_for)
                ending.append(gather(sock, got, 1.0))
            else:
                sock.settimeout(3)
                while data := sock.recv(65536):
                    got.append(data)
                    sock.sendall(data)
                ending.append("end")
        except TimeoutError:
            ending.append("open")
        except OSError:
            ending.append("reset")
        sock.close()
