"""A proxy that runs, pinned: how it is started, what it uses, how it ends."""
import glob
import os
import random
import re
import socket
import subprocess
import tempfile
import time

from suite import configs, machine
from suite.setups import WrongAnswer

START_SECONDS = 120  # Two hundred plugins, or an official Go plugin that was never compiled, take their time.


def usable_ports():
    """Free ports, none twice, below those that the kernel gives to the connections of all these proxies."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        below = int(file.read().split()[0])
    ports = list(range(10000, below)) if below > 12000 else list(range(10000, 65000))
    random.shuffle(ports)
    for port in ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


PORTS = usable_ports()


def make_certificate(openssl, folder):
    """A file with a key (P-256) and a certificate of its own."""
    pem, key = os.path.join(folder, "pem"), os.path.join(folder, "key")
    subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", pem], check=True, capture_output=True)
    with open(pem, "a") as out, open(key) as file:
        out.write(file.read())
    return pem


def tree(pid):
    """The process and its children, because nginx forks."""
    out = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path) as file:
            for child in file.read().split():
                out += tree(int(child))
    return out


class Stand:
    """What all proxies of a run have in common: programs, the origin, a certificate, a folder for their files."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, folder
        self.pem = make_certificate(programs["openssl"], folder)
        self.origin_port = next(PORTS)
        self.origin = subprocess.Popen([programs["floor"], "origin", str(self.origin_port)])
        self.proxies = []

    def start(self, program, setup, cpus=None):
        proxy = Proxy(self, program, setup, cpus or [machine.PROXY_CPU])
        self.proxies.append(proxy)
        return proxy

    def end(self, proxies=None):
        ending = list(self.proxies if proxies is None else proxies)
        for proxy in ending:
            proxy.process.terminate()
        for proxy in ending:
            proxy.end()
            self.proxies.remove(proxy)

    def close(self):
        self.end()
        self.origin.kill()
        self.origin.wait()


class Proxy:
    def __init__(self, stand, program, setup, cpus):
        self.program, self.setup = program, setup
        self.ports = {name: next(PORTS) for name in ("plain", "tls", "h2", "admin")}
        if program in ("weir", "envoy"):
            self.ports["h2"] = self.ports["plain"]  # They tell HTTP/2 by its first bytes.
        self.folder = tempfile.mkdtemp(dir=stand.folder)
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        command = ["taskset", "-c", ",".join(map(str, cpus))] + self.command(stand)
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def command(self, stand):
        setup, origin, program = self.setup, stand.origin_port, stand.programs[self.program]
        if self.program == "floor":
            return [program, "forward", str(self.ports["plain"]), str(origin)]
        if self.program == "haproxy":
            return [program, "-f", self.write("cfg", configs.haproxy(setup, self.ports, origin, stand.pem))]
        if self.program == "nginx":
            return [program, "-c", self.write("conf", configs.nginx(setup, self.ports, origin, stand.pem, self.folder))]
        command = [program, "-c", self.write("config.json", configs.envoy(setup, self.ports, origin, stand.pem)),
                   "--concurrency", str(setup.workers), "-l", "error", "--use-dynamic-base-id", "--disable-hot-restart"]
        if self.program == "weir":
            command += ["--plugin-strict-start"]
            command += ["--plugin-instance-per-stream", "1"] if setup.fresh else []
            command += ["--plugin-cache", setup.cache] if setup.cache else []
            command += ["--max-connections", "12000"] if setup.many_connections else []  # Else half of the descriptors.
        return command

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def await_answer(self):
        """Seconds from the start of the process to its first answer."""
        headers = "x-cluster: c0\r\n" if self.setup.clusters > 1 else ""
        request = f"GET {'/r0/' if self.setup.routes > 1 else '/'} HTTP/1.1\r\nhost: bench\r\n{headers}\r\n".encode()
        while time.monotonic() - self.started < START_SECONDS:
            try:
                with socket.create_connection(("127.0.0.1", self.ports["plain"]), timeout=START_SECONDS) as client:
                    client.sendall(request)
                    if client.recv(4096).startswith(b"HTTP/1.1 200"):
                        return time.monotonic() - self.started
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.002)
        raise WrongAnswer(f"{self.program} did not come up: {self.said()}")

    def check(self):
        """The answers are right, and the plugins do what they are for."""
        try:
            self.setup.check(self.ports["plain"])
        except (OSError, ValueError, TypeError) as fault:
            raise WrongAnswer(f"{fault!r}; {self.said()}") from fault

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-1500:].strip()

    def cpu_seconds(self):
        """User and system time of all threads of all processes, as the scheduler counts it: in nanoseconds, not in ticks."""
        total = 0
        for pid in tree(self.process.pid):
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    with open(path) as file:
                        total += int(file.read().split()[0])
                except FileNotFoundError:
                    pass  # A thread that has just ended.
        return total / 1e9

    def resident_bytes(self):
        """As ps shows it, with what it shares with others."""
        return self.kib("status", "VmRSS") * 1024

    def memory_bytes(self):
        """Proportional set size: pages of its own, and its share of those that it has in common with others."""
        return self.kib("smaps_rollup", "Pss") * 1024

    def kib(self, name, field):
        """The sum of a field of that file in /proc, over all processes."""
        total = 0
        for pid in tree(self.process.pid):
            with open(f"/proc/{pid}/{name}") as file:
                total += int(re.search(rf"^{field}:\s+(\d+)", file.read(), re.M).group(1))
        return total

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
