"""A service that keeps every byte that reaches it, and answers what it can read as whole requests."""
import re
import socket
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 2\r\n\r\nok"
MARK = b"x-upstream: yes"


class Recorder:
    """`answers(target)` gives the bytes to answer with, and whether the connection ends there."""

    def __init__(self, answers=lambda target: (ANSWER, False)):
        self.answers, self.lock = answers, threading.Lock()
        self.links = []  # One bytearray a connection: what came since clear().
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def clear(self):
        with self.lock:
            for link in self.links:
                link.clear()

    def seen(self):
        """The bytes of each connection since clear()."""
        with self.lock:
            return [bytes(link) for link in self.links if link]

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        link, rest = bytearray(), b""
        with self.lock:
            self.links.append(link)
        try:
            while data := sock.recv(1 << 16):
                with self.lock:
                    link += data
                rest += data
                while (found := whole(rest)) is not None:
                    target, size = found
                    rest = rest[size:]
                    answer, ends = self.answers(target)
                    sock.sendall(answer)
                    if ends:
                        return
        except OSError:
            pass
        finally:
            sock.close()
            with self.lock:
                if not link:
                    self.links.remove(link)


def whole(data):
    """The target and the size of the first whole request in the bytes, read leniently; else None."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, at = data[:end + 2], end + 4
    words = head.split(b"\r\n", 1)[0].split(b" ")
    target = words[1] if len(words) > 1 else b""
    if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", head, re.I):
        while True:
            stop = data.find(b"\r\n", at)
            if stop < 0:
                return None
            try:
                size = int(data[at:stop].split(b";")[0], 16)
            except ValueError:
                return None
            at = stop + 2 + size + 2
            if size == 0:
                at -= 2
                while (stop := data.find(b"\r\n", at)) > at:
                    at = stop + 2
                return (target, at + 2) if stop == at else None
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
    at += int(length[1]) if length else 0
    return (target, at) if len(data) >= at else None
