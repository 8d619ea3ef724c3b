"""A proxy of one worker with two listeners: `good` has no plugin, `bad` has the case's; both lead to one upstream."""
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from . import sanitizers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
START = 30
TYPE = "type.googleapis.com/"


def _listener(name, port, filters):
    router = {"name": "router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}}
    manager = {"@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": name,
               "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "web"}}]}]},
               "http_filters": [*filters, router], "http_protocol_options": {"enable_trailers": True}}
    return {"name": name, "address": _address(port), "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def configuration(ports, upstream, code, policy):
    plugin = {"name": "hostile", "root_id": "root", **({"failure_policy": policy} if policy else {}),
              "vm_config": {"vm_id": "vm", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": code}}}}
    wasm = {"name": "wasm", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm", "config": plugin}}
    web = {"name": "web", "type": "STATIC", "connect_timeout": "1s", "circuit_breakers": {"thresholds": [{"max_connections": 4096, "max_requests": 4096, "max_pending_requests": 4096}]},
           "load_assignment": {"cluster_name": "web", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(upstream)}}]}]}}
    return {"admin": {"address": _address(ports[2])},
            "static_resources": {"listeners": [_listener("good", ports[0], []), _listener("bad", ports[1], [wasm])], "clusters": [web]}}


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


NOT_READY = "it is not ready after 30 s"


class Refused(Exception):
    """It did not start; the text is its log."""


class Proxy:
    def __init__(self, program, code, upstream, policy=None, flags=()):
        self.is_envoy = os.path.basename(program) == "envoy"
        self.folder = tempfile.mkdtemp(prefix="weir-hostile-")
        self.good, self.bad, self.admin = ports = free_ports(3)
        module, config = os.path.join(self.folder, "plugin.wasm"), os.path.join(self.folder, "envoy.json")
        with open(module, "wb") as file:
            file.write(code)
        with open(config, "w") as file:
            json.dump(configuration(ports, upstream, module, policy), file)
        own = [] if self.is_envoy else ["--plugin-cache", "none", "--plugin-start-ms", "2000", *flags]
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen([program, "-c", config, "--concurrency", "1", "--disable-hot-restart", "-l", "info", *own], stdout=log, stderr=log, env=sanitizers.environment(program),
                                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
        self._await_ready()

    def _await_ready(self):
        until = time.monotonic() + START
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.end()
                raise Refused(self.last_log)
            if self.page("/ready") == "LIVE\n":
                return
            time.sleep(0.02)
        self.end()
        raise Refused(f"{NOT_READY}: " + self.last_log[-500:])

    def page(self, path, timeout=1.0):
        """An admin page's text; None where there is no answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=timeout) as answer:
                return answer.read().decode()
        except (OSError, urllib.error.URLError, ValueError):
            return None

    def stat(self, name):
        text = self.page(f"/stats?filter=^{name}$") or ""
        return int(text.rsplit(": ", 1)[1]) if ": " in text else None

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024

    def descriptors(self):
        """Without the connections to upstreams, which are kept for the next request."""
        kept = self.stat("cluster.web.upstream_cx_active") or 0
        return len(os.listdir(f"/proc/{self.process.pid}/fd")) - kept

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def log_size(self):
        return os.path.getsize(self.log_path) / 1e6

    def alive(self):
        return self.process.poll() is None

    def end(self):
        """Seconds from SIGTERM to its end; None: it had to be killed, or had ended before."""
        took = None
        if self.alive():
            began = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(8)
                took = time.monotonic() - began
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.last_log = self.log()
        shutil.rmtree(self.folder, ignore_errors=True)
        return took
