"""What the worker asks of the kernel for a request: the real weir on loopback, its worker's thread under strace."""
import os
import re
import signal
import socket
import subprocess
import time

from tests.stand import origin, proxies

REQUEST = b"GET / HTTP/1.1\r\nhost: counts\r\n\r\n"
# The ways of moving bytes; what else the worker does is waiting.
TRANSFERS = ("recvfrom", "sendmsg", "recvmsg", "sendto", "read", "write", "readv", "writev")


class Source:
    """So many keep-alive connections, each of which asks so often."""

    def __init__(self, weir, connections, rounds):
        self.weir, self.connections, self.rounds = weir, connections, rounds
        plural = "" if connections == 1 else "s"
        self.title = f"no plugin, {connections} connection{plural}"
        self.names = [f"{self.title}: transfers", f"{self.title}: syscalls"]

    def count(self):
        with origin.Origin() as service, proxies.start("weir", service.port, proxies.Shape(), self.weir) as proxy:
            links = [socket.create_connection(("127.0.0.1", proxy.port), timeout=30) for _ in range(self.connections)]
            for link in links:
                link.sendall(REQUEST)
            for link in links:  # Connections to the origin are made meanwhile.
                answer(link)
            tracer = Tracer(worker_thread(proxy.pid), os.path.join(proxy.folder, "strace"))
            for _ in range(self.rounds):
                for link in links:
                    link.sendall(REQUEST)
                for link in links:
                    answer(link)
            calls = tracer.finish()
            for link in links:
                link.close()
        requests = self.connections * self.rounds
        transfers = sum(calls.get(name, 0) for name in TRANSFERS)
        return {self.names[0]: transfers / requests, self.names[1]: sum(calls.values()) / requests}


def answer(link):
    """Reads one. They are not all of one length: a header tells milliseconds."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += receive(link)
    length = int(re.search(rb"content-length: (\d+)", text, re.I)[1])
    while len(text) < text.index(b"\r\n\r\n") + 4 + length:
        text += receive(link)
    if not text.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"not answered: {text!r}")


def receive(link):
    got = link.recv(65536)
    if not got:
        raise SystemExit("weir has closed a connection")
    return got


def worker_thread(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm") as file:
            if file.read().startswith("weir:worker_0"):
                return int(task)
    raise SystemExit("weir has no worker")


class Tracer:
    """strace of one thread, from now to finish()."""

    def __init__(self, thread, path):
        self.path = path
        self.process = subprocess.Popen(["strace", "-c", "-U", "calls,name", "-o", path, "-p", str(thread)],
                                        stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        if "attached" not in said:
            raise SystemExit(f"strace: {said}")
        time.sleep(0.2)  # The call that it was attached in returns with the next request.

    def finish(self):
        time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        with open(self.path) as file:
            return {name: int(calls) for calls, name in re.findall(r"^\s*(\d+)\s+(\w+)$", file.read(), re.M) if name != "total"}


def sources(weir):
    return [Source(weir, 1, 1000), Source(weir, 64, 50)]
