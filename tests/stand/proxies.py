"""The proxies that are compared, each started as a process in front of one upstream, by one shape of configuration."""
import dataclasses
import functools
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "conformance")]
from suite import config as tree  # noqa: E402

NAMES = ("weir", "envoy", "haproxy", "nginx")
START_SECONDS = 30
MIB = 1 << 20
GUESTS = os.environ.get("WEIR_GUESTS", os.path.join(ROOT, "build", "guests"))
OPTIONS = tree.TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
TLS = tree.TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"


# A runner that is told to end still ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Absent(Exception):
    """The proxy is not on this machine, or does not take this shape; the text says which."""


@dataclasses.dataclass
class Shape:
    """What is asked of a proxy beyond forwarding everything to its upstream."""
    http2: bool = False           # Its clear-text clients speak HTTP/2 by prior knowledge (HAProxy must be told).
    upstream_http2: bool = False
    tls: bool = False             # One more listener, with TLS and ALPN.
    upgrades: bool = False        # WebSocket.
    host: str = ""                # What the upstream gets as Host, if not the client's.
    codec: str = "AUTO"
    manager: dict = dataclasses.field(default_factory=dict)   # Fields of Envoy's connection manager.
    plugins: list = dataclasses.field(default_factory=list)
    bootstrap: dict = dataclasses.field(default_factory=dict)
    workers: int = 1
    flags: tuple = ()
    port: int = 0                 # Of weir and Envoy; 0: any.
    edit: typing.Callable = None  # Changes the tree of weir's and Envoy's configuration.


@functools.cache
def program(name, weir=None):
    """The path of a proxy's program. Absent where there is none."""
    if name == "weir":
        path = os.path.abspath(weir or os.path.join(ROOT, "build", "weir"))
        if not os.path.exists(path):
            raise SystemExit(f"there is no {path}: build it first (make build)")
        return path
    if name == "envoy":
        said = subprocess.run([os.path.join(ROOT, "tests/conformance/install")], capture_output=True, text=True)
        if said.returncode:
            raise Absent("Envoy could not be installed")
        return said.stdout.strip().splitlines()[-1]
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise Absent(f"{name} is not installed (tools/install test)")
    return path


@functools.cache
def certificate():
    """The path of a file with a key and a certificate for localhost, made for this run."""
    folder = tempfile.mkdtemp(prefix="weir-certificate-")
    pem = os.path.join(folder, "pem")
    make_certificate(pem)
    return pem


def make_certificate(pem):
    """Writes key and certificate into one file, by a rename."""
    fresh = pem + ".fresh"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", fresh + ".key", "-out", fresh], check=True, capture_output=True)
    with open(fresh, "a") as out, open(fresh + ".key") as key:
        out.write(key.read())
    os.remove(fresh + ".key")
    os.rename(fresh, pem)


def start(name, upstream, shape=Shape(), weir=None):
    """A running proxy, ready. Absent where it is not on this machine."""
    return (Envoyish if name in ("weir", "envoy") else Haproxy if name == "haproxy" else Nginx)(name, upstream, shape, weir)


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Proxy:
    """with start("envoy", port) as proxy: ...    It has port, and with TLS tls_port."""

    def __init__(self, name, upstream, shape, weir):
        self.name, self.shape, self.program = name, shape, program(name, weir)
        self.folder = tempfile.mkdtemp(prefix=f"weir-{name}-")
        self.log_path = os.path.join(self.folder, "log")
        self.port = self.tls_port = None
        try:
            self.launch(upstream)
            self.await_ready()
        except BaseException:
            self.close()
            raise

    def run(self, command, **more):
        self.out = open(self.log_path, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out, **more)
        self.pid = self.process.pid

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def await_ready(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise Absent(f"{self.name} ended with {self.process.returncode}: {self.log()[-1500:]}")
            if self.ready():
                return
            time.sleep(0.02)
        raise Absent(f"{self.name} is not ready after {START_SECONDS} s: {self.log()[-1500:]}")

    def ready(self):
        return all(accepts(port) for port in (self.port, self.tls_port) if port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if getattr(self, "process", None) is not None:
            if self.process.poll() is None:
                self.process.send_signal(self.STOP)
                try:
                    self.process.wait(8)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            self.out.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self):
        return self.process.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def pids(self):
        """The process and its children: nginx and HAProxy fork."""
        found, at = [self.pid], 0
        while at < len(found):
            try:
                with open(f"/proc/{found[at]}/task/{found[at]}/children") as file:
                    found += map(int, file.read().split())
            except OSError:
                pass
            at += 1
        return found

    def _sum(self, field):
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/status") as file:
                    total += int(re.search(rf"^{field}:\s+(\d+)", file.read(), re.M)[1]) * 1024
            except (OSError, TypeError):
                pass
        return total

    def memory(self):
        return self._sum("VmRSS")

    def peak(self):
        """The most memory since forget_peak(), of all its processes."""
        return self._sum("VmHWM")

    def forget_peak(self):
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/clear_refs", "w") as file:
                    file.write("5")
            except OSError:
                pass

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    STOP = signal.SIGTERM


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Envoyish(Proxy):
    """weir and Envoy, by the same file. Their listeners have port 0; the admin pages say which they got."""

    def launch(self, upstream):
        self.admin_path = os.path.join(self.folder, "admin")
        self.upstream = upstream
        built = self.tree()
        if self.shape.edit:
            built = self.shape.edit(built)
        self.config = self.write("envoy.yaml", tree.fill(tree.to_yaml(built), {"GUESTS": GUESTS}))
        self.run(self.command(self.config))

    def command(self, config, hot_restart=()):
        command = [self.program, "-c", config, "--admin-address-path", self.admin_path, "-l", "warning",
                   "--concurrency", str(self.shape.workers), *self.shape.flags, *hot_restart]
        if "--drain-time-s" not in command:
            command += ["--drain-time-s", "2"]
        if self.name == "envoy" and "--base-id" not in command:
            command.append("--disable-hot-restart")
        return command

    def tree(self):
        shape = self.shape
        more = {"codec_type": shape.codec, **shape.manager}
        if shape.upgrades:
            more["upgrade_configs"] = [{"upgrade_type": "websocket"}]
        if shape.http2:
            more.setdefault("http2_protocol_options", {"allow_connect": True} if shape.upgrades else {})
        route = tree.route("web", **({"host_rewrite_literal": shape.host} if shape.host else {}))
        manager = tree.hcm([tree.vhost(route)], shape.plugins, more)
        listeners = [tree.listener("main", shape.port, manager)]
        if shape.tls:
            listeners.append(tree.listener("secure", 0, manager))
            listeners[1]["filter_chains"][0]["transport_socket"] = {
                "name": "envoy.transport_sockets.tls", "typed_config": {"@type": TLS, "common_tls_context": self.tls_context()}}
        options = {"http2_protocol_options": {}} if shape.upstream_http2 else {"http_protocol_options": {}}
        web = tree.cluster("web", self.upstream)
        if shape.upstream_http2:
            web["typed_extension_protocol_options"] = {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": OPTIONS, "explicit_http_config": options}}
        return {"node": {"id": "stand", "cluster": "stand"}, "admin": {"address": tree.address(0)}, **shape.bootstrap,
                "static_resources": {"listeners": listeners, "clusters": [web]}}

    @staticmethod
    def tls_context():
        pem = {"filename": certificate()}
        return {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [{"certificate_chain": pem, "private_key": pem}]}

    def ready(self):
        try:
            if self.admin("/ready")[0] != 200:
                return False
            listed = dict(re.findall(r"^(\w+)::[^\n]*:(\d+)$", self.admin("/listeners")[1], re.M))
            self.port, self.tls_port = int(listed.get("main", 0)), int(listed["secure"]) if self.shape.tls else None
            return True
        except (OSError, ValueError, IndexError, KeyError, http.client.HTTPException):
            return False

    def admin(self, path, method="GET"):
        """Status and text of an admin page."""
        with open(self.admin_path) as file:
            port = int(file.read().rsplit(":", 1)[1])
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request(method, path)
            answer = link.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            link.close()


class Haproxy(Proxy):
    STOP = signal.SIGTERM  # At once; SIGUSR1 is its gentle end.

    def launch(self, upstream):
        shape = self.shape
        self.port, self.tls_port = (*free_ports(2),) if shape.tls else (free_ports(1)[0], None)
        secure = f"  bind 127.0.0.1:{self.tls_port} ssl crt {certificate()} alpn h2,http/1.1\n" if shape.tls else ""
        self.run([self.program, "-db", "-f", self.write("haproxy.cfg", f"""
global
  maxconn 8000
  nbthread {shape.workers}
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 5s
  timeout tunnel 60s
  http-reuse always
frontend f
  bind 127.0.0.1:{self.port}{" proto h2" if shape.http2 else ""}
{secure}  default_backend b
backend b
{f"  http-request set-header Host {shape.host}" if shape.host else ""}
  server s 127.0.0.1:{upstream}{" proto h2" if shape.upstream_http2 else ""}
""")])


class Nginx(Proxy):
    STOP = signal.SIGTERM

    def launch(self, upstream):
        shape = self.shape
        self.port, self.tls_port = (*free_ports(2),) if shape.tls else (free_ports(1)[0], None)
        secure = f"""
    listen 127.0.0.1:{self.tls_port} ssl http2;
    ssl_certificate {certificate()}; ssl_certificate_key {certificate()};""" if shape.tls else ""
        upgrade = """proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 60s;""" if shape.upgrades else 'proxy_set_header Connection ""; proxy_read_timeout 5s;'
        onward = f"grpc_pass grpc://127.0.0.1:{upstream};" if shape.upstream_http2 else f"proxy_pass http://origin; proxy_http_version 1.1; {upgrade}"
        self.run([self.program, "-e", self.log_path, "-c", self.write("nginx.conf", f"""
daemon off;
worker_processes {shape.workers};
pid {self.folder}/nginx.pid;
events {{ worker_connections 8000; }}
http {{
  access_log off;
  client_body_temp_path {self.folder}; proxy_temp_path {self.folder}; fastcgi_temp_path {self.folder};
  uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream origin {{ server 127.0.0.1:{upstream} max_fails=0; keepalive 64; }}
  server {{
    listen 127.0.0.1:{self.port}{" http2" if shape.http2 else ""} backlog=4096;{secure}
    client_max_body_size 0;
    location / {{ {f"proxy_set_header Host {shape.host};" if shape.host else ""} {onward} }}
  }}
}}
""")])
