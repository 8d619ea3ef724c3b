"""A Redis server of Debian's, as a process."""
import os
import socket
import subprocess
import time

from . import weir

START_SECONDS = 10


class RedisServer:
    """with RedisServer(user="u", password="p") as server: ...    user: with all rights; without a password there is none."""

    def __init__(self, user=None, password=None):
        self.folder, self.port = weir.folder(), 0
        self.user, self.password = user or "default", password
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Again on the port that it had, if it had one."""
        until = time.monotonic() + START_SECONDS
        while True:
            port = self.port or _free_port()
            if self._began(port, until):
                self.port = port
                return
            assert time.monotonic() < until, "no Redis server: " + self.log()

    def _began(self, port, until):
        lines = [f"port {port}", "bind 127.0.0.1", f"dir {self.folder}", 'save ""', "daemonize no", "databases 4"]
        if self.password:
            lines.append(f"user {self.user} on >{self.password} ~* +@all")
            lines += [] if self.user == "default" else ["user default off"]
        path = os.path.join(self.folder, "redis.conf")
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(os.path.join(self.folder, "log"), "ab") as out:
            self.process = subprocess.Popen(["redis-server", path], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        self.stop()  # Somebody else has taken the port, most likely.
        return False

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()[-1000:]

    def stop(self):
        self.process.kill()
        self.process.wait()

    def pause(self, stop=True):
        """Connections stay, and nothing is answered."""
        self.process.send_signal(19 if stop else 18)  # SIGSTOP, SIGCONT

    def ask(self, *words, database=0):
        """The first line of an answer that redis-cli would print whole."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link, link.makefile("rb") as file:
            before = [("AUTH", self.user, self.password)] if self.password else []
            for command in [*before, ("SELECT", str(database)), words]:
                link.sendall(f"*{len(command)}\r\n".encode() + b"".join(f"${len(w)}\r\n{w}\r\n".encode() for w in command))
                line = file.readline()
            if line.startswith(b"$") and line != b"$-1\r\n":
                line = file.readline()
            return line.decode().strip()

    def clients(self):
        """How many connections there are but the one that asks."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link, link.makefile("rb") as file:
            if self.password:
                link.sendall(f"AUTH {self.user} {self.password}\r\n".encode())
                file.readline()
            link.sendall(b"INFO clients\r\n")
            size = int(file.readline()[1:])
            text = file.read(size).decode()
        return int(text.split("connected_clients:")[1].split()[0]) - 1


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
