"""A strict echo server: each message comes back, each fault is answered by a close with its code (RFC 6455)."""
import codecs
import re
import socket
import struct
import threading

import frames
from frames import BINARY, CLOSE, PING, PONG, TEXT

CODES = {*range(1000, 1004), *range(1007, 1012), *range(3000, 5000)}


class Fault(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Echo:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.burst_got = {}  # By the name in /sink/NAME: how many bytes came before the end.
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = sock.recv(1 << 16)
                if not piece:
                    return
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            key = re.search(rb"sec-websocket-key: *([^\r]+)", head, re.I)
            if not key:
                sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                return
            sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + frames.accept(key[1]) + b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            if path.startswith("/burst/"):
                sock.sendall(b"b" * int(path[7:]))  # And the end at once.
            elif path.startswith("/gone/"):
                sock.sendall(b"b" * int(path[6:]))
                return  # Both directions at once: what the proxy writes now is answered by a reset.
            elif path.startswith("/sink/"):
                got = len(rest)
                while piece := sock.recv(1 << 16):
                    got += len(piece)
                self.burst_got[path[6:]] = got
                sock.sendall(b"got %d" % got)
            else:
                Session(sock, rest).run()
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 16):  # Or what is on its way would make a reset of the end.
                pass
        except OSError:
            pass
        finally:
            sock.close()


class Session:
    def __init__(self, sock, rest):
        self.sock, self.data = sock, bytearray(rest)
        self.message, self.kind, self.decoder = [], None, None

    def run(self):
        try:
            while True:
                while (found := self.next()) is None:
                    piece = self.sock.recv(1 << 18)
                    if not piece:
                        return
                    self.data += piece
                if not self.take(*found):
                    return
        except Fault as fault:
            self.sock.sendall(frames.close(fault.code, key=b""))

    def next(self):
        """Faults are found in the head, before the payload came; of text, as soon as its bytes show them."""
        if len(self.data) < 2:
            return None
        opcode, size = self.data[0] & 15, self.data[1] & 0x7f
        if self.data[0] & 0x70 or opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG) or not self.data[1] & 0x80:
            raise Fault(1002)
        if opcode >= 8 and (size > 125 or not self.data[0] & 0x80):
            raise Fault(1002)
        if (opcode == 0 and self.kind is None) or (opcode in (TEXT, BINARY) and self.kind is not None):
            raise Fault(1002)
        found = frames.first(self.data)
        if found is not None:
            del self.data[:found[5]]
        return found

    def take(self, fin, _, opcode, __, payload, ___):
        if opcode == PING:
            self.sock.sendall(frames.frame(PONG, payload, key=b""))
        elif opcode == CLOSE:
            self.ends(payload)
            return False
        elif opcode != PONG:
            if opcode:
                self.kind, self.message = opcode, []
                self.decoder = codecs.getincrementaldecoder("utf-8")()
            self.message.append(payload)
            if self.kind == TEXT:
                try:
                    self.decoder.decode(payload, bool(fin))
                except UnicodeDecodeError:
                    raise Fault(1007) from None
            if fin:
                self.sock.sendall(frames.frame(self.kind, b"".join(self.message), key=b""))
                self.kind = None
        return True

    def ends(self, payload):
        if len(payload) == 1:
            raise Fault(1002)
        if payload:
            if struct.unpack(">H", payload[:2])[0] not in CODES:
                raise Fault(1002)
            try:
                payload[2:].decode()
            except UnicodeDecodeError:
                raise Fault(1007) from None
        self.sock.sendall(frames.frame(CLOSE, payload[:2], key=b""))
