"""A name server that keeps its answers until it is told to give them, and a proxy's view of the system that asks it."""
import os
import socket
import struct
import subprocess
import threading

from .facts import Skipped
from .weir import folder

ADDRESS = "127.0.0.77"  # Loopback, and not where a real one listens.


class NameServer:
    """Every name has the address 127.0.0.1. Answers wait for release()."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.sock.bind((ADDRESS, 53))
            subprocess.run(["unshare", "--mount", "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as why:
            raise Skipped(f"needs port 53 and a mount name space of its own: {why}") from None
        self.lock, self.waiting, self.released, self.asked = threading.Lock(), [], False, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def command(self):
        """What to put before a command, so that it asks this server."""
        path = os.path.join(folder(), "resolv.conf")
        with open(path, "w") as file:
            file.write(f"nameserver {ADDRESS}\n")
        return ["unshare", "--mount", "sh", "-c", f'mount --bind {path} /etc/resolv.conf && exec "$@"', "sh"]

    def release(self):
        with self.lock:
            self.released = True
            for query, peer in self.waiting:
                self.sock.sendto(self._answer(query), peer)
            self.waiting.clear()

    def _serve(self):
        while True:
            query, peer = self.sock.recvfrom(2048)
            with self.lock:
                self.asked += 1
                if self.released:
                    self.sock.sendto(self._answer(query), peer)
                else:
                    self.waiting.append((query, peer))

    @staticmethod
    def _answer(query):
        """RFC 1035 4.1: the header, the question as it came, and for type A the address; no other type has any."""
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack(">H", query[end - 4:end - 2])[0]
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\x7f\0\0\1" if kind == 1 else b""
        return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if record else 0, 0, 0) + query[12:end] + record
