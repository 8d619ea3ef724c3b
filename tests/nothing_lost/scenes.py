"""What happens to a proxy while it is under load, and how many requests that costs."""
import dataclasses
import json
import os
import random
import resource
import signal
import socket
import subprocess
import threading
import time

from tests.stand import origin, proxies
from tests.stand.proxies import tree

IN_FLIGHT = 100
LIGHT = tree.plugin(name="light", guest="bench_light", root_id="light", vm_id="light")
FILE_LOG = {"name": "envoy.access_loggers.file", "typed_config": {
    "@type": tree.TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "/dev/full"}}


@dataclasses.dataclass
class Outcome:
    sent: int
    lost: int
    note: str = ""       # What else is worth a word.
    sound: bool = True   # What must hold besides: it recovered, it ended, the change was seen.


@dataclasses.dataclass
class Scene:
    name: str
    play: object         # (Stage) -> Outcome
    lossless: bool       # None may be lost.
    by: tuple = ("weir", "envoy")


SCENES = []


def scene(name, lossless, by=("weir", "envoy")):
    def declare(play):
        SCENES.append(Scene(name, play, lossless, by))
        return play
    return declare


@dataclasses.dataclass
class Stage:
    """One proxy's name, and the load of this run."""
    name: str
    weir: str
    rate: int
    seconds: float

    def shape(self, **more):
        return proxies.Shape(plugins=[LIGHT] if self.name in ("weir", "envoy") else [], workers=2, **more)

    def start(self, service, shape):
        return proxies.start(self.name, service.port, shape, self.weir)

    def load(self, port, *flags):
        return Load([f"{origin.stand()}/bin/load", "-port", str(port), "-rate", str(self.rate), "-seconds", str(self.seconds), *flags])


class Load:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.until = time.monotonic() + float(command[command.index("-seconds") + 1])

    def running(self, before_end=0.3):
        return time.monotonic() < self.until - before_end

    def end(self):
        said, _ = self.process.communicate(timeout=90)
        return json.loads(said)


def tell(seen, *words):
    """The outcome's note out of what the load client counted."""
    out = [f"slowest {seen['max_ms']:.0f} ms", *words]
    if seen["repeated"]:
        out.append(f"{seen['repeated']} sent again")
    if seen["lost"]:
        out += [f"{count} x {what}" for what, count in {**seen["errors"], **{k: v for k, v in seen["statuses"].items() if k != "200"}}.items()]
    return ", ".join(out)


def outcome(seen, *words, sound=True):
    return Outcome(seen["sent"], seen["lost"], tell(seen, *words), sound)


@scene("nothing happens", True, proxies.NAMES)
def _(stage):
    with origin.Origin() as service, stage.start(service, stage.shape()) as proxy:
        return outcome(stage.load(proxy.port).end())


@scene(f"SIGTERM, {IN_FLIGHT} requests in flight", True, proxies.NAMES)
def _(stage):
    gentle = {"haproxy": signal.SIGUSR1, "nginx": signal.SIGQUIT}.get(stage.name, signal.SIGTERM)
    with origin.Origin() as service, stage.start(service, stage.shape(flags=("--drain-time-s", "10"))) as proxy:
        links = [socket.create_connection(("127.0.0.1", proxy.port), timeout=15) for _ in range(IN_FLIGHT)]
        for link in links:
            link.sendall(b"GET /?ms=1500 HTTP/1.1\r\nHost: h\r\n\r\n")
        until = time.monotonic() + 10
        while service.count() < IN_FLIGHT and time.monotonic() < until:
            time.sleep(0.02)
        proxy.process.send_signal(gentle)
        started, lost = time.monotonic(), sum(not whole(link) for link in links)
        for link in links:
            link.close()
        try:
            proxy.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        return Outcome(IN_FLIGHT, lost, f"by {gentle.name}; ended after {time.monotonic() - started:.1f} s", not proxy.alive())


def whole(link):
    """Whether an answer of status 200 came to its end."""
    data = b""
    try:
        while b"hello\n" not in data:
            piece = link.recv(4096)
            if not piece:
                return False
            data += piece
    except OSError:
        return False
    return data.startswith(b"HTTP/1.1 200")


@scene("hot restart", True)
def _(stage):
    version = subprocess.run([proxies.program(stage.name, stage.weir), "--hot-restart-version"], capture_output=True, text=True)
    if version.returncode:
        raise proxies.Absent("hot restart is not implemented in weir")
    base = ("--base-id", str(random.randrange(1 << 20, 1 << 24)), "--parent-shutdown-time-s", "3", "--drain-time-s", "2")
    shape = stage.shape(port=proxies.free_ports(1)[0], flags=base)
    with origin.Origin() as service, stage.start(service, shape) as proxy:
        load, old = stage.load(proxy.port), proxy.process
        time.sleep(stage.seconds / 4)
        proxy.run(proxy.command(proxy.config, ("--restart-epoch", "1")))
        said = load.end()
        try:
            old.wait(10)
        except subprocess.TimeoutExpired:
            old.kill()
            return outcome(said, "the old process did not end", sound=False)
        return outcome(said, sound=proxy.alive() and proxy.ready())


@scene("a new certificate every second", True)
def _(stage):
    folder = os.path.dirname(proxies.certificate())
    path = os.path.join(folder, f"sds-{stage.name}.yaml")

    def rotate():
        pem = os.path.join(folder, f"pem-{stage.name}")
        proxies.make_certificate(pem)
        with open(pem) as file:
            both = {"inline_string": file.read()}
        replace(path, {"resources": [{"@type": tree.TYPE + "envoy.extensions.transport_sockets.tls.v3.Secret", "name": "cert",
                                      "tls_certificate": {"certificate_chain": both, "private_key": both}}]})

    def edit(built):
        context = built["static_resources"]["listeners"][1]["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]
        del context["tls_certificates"]
        context["tls_certificate_sds_secret_configs"] = [{"name": "cert", "sds_config": {"path_config_source": {"path": path}}}]
        return built
    rotate()
    with origin.Origin() as service, stage.start(service, stage.shape(tls=True, edit=edit)) as proxy:
        load, seen = stage.load(proxy.tls_port, "-tls", "-each", "20"), {peer_certificate(proxy.tls_port)}
        while load.running(1.0):
            time.sleep(1)
            rotate()
        said = load.end()
        seen.add(peer_certificate(proxy.tls_port))
        return outcome(said, f"{said['connections']} handshakes", sound=len(seen) == 2)


def peer_certificate(port):
    said = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], input="", capture_output=True, text=True, timeout=20).stdout
    return said[said.find("BEGIN CERT"):said.find("END CERT")]


def replace(path, content):
    """As operators do: written aside, then moved."""
    with open(path + ".new", "w") as file:
        file.write(tree.fill(tree.to_yaml(content), {"GUESTS": proxies.GUESTS}))
    os.rename(path + ".new", path)


@scene("new routes, clusters and listeners by file every second", True)
def _(stage):
    folder = os.path.dirname(proxies.certificate())
    paths = {kind: os.path.join(folder, f"{kind}-{stage.name}.yaml") for kind in ("lds", "cds", "rds")}
    kept = {}

    def write(version):
        listener, web = kept["listener"], kept["cluster"]
        name = f"web{version % 2}"
        clusters = [{"@type": tree.TYPE + "envoy.config.cluster.v3.Cluster", **web, "name": each, "load_assignment": {**web["load_assignment"], "cluster_name": each}}
                    for each in ("web0", "web1")]
        clusters[version % 2]["connect_timeout"] = f"{1 + version}s"
        replace(paths["cds"], {"resources": clusters})
        replace(paths["rds"], {"resources": [{
            "@type": tree.TYPE + "envoy.config.route.v3.RouteConfiguration", "name": "routes",
            "response_headers_to_add": [{"header": {"key": "x-version", "value": str(version)}}], "virtual_hosts": [tree.vhost(tree.route(name))]}]})
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager.pop("route_config", None)
        manager["rds"] = {"route_config_name": "routes", "config_source": {"path_config_source": {"path": paths["rds"]}}}
        manager["stat_prefix"] = f"listener{version // 2}"
        replace(paths["lds"], {"resources": [{"@type": tree.TYPE + "envoy.config.listener.v3.Listener", **listener}]})

    def edit(built):
        static = built.pop("static_resources")
        kept["listener"], kept["cluster"] = static["listeners"][0], static["clusters"][0]
        write(0)
        return {**built, "dynamic_resources": {
            f"{kind}_config": {"path_config_source": {"path": paths[kind]}} for kind in ("lds", "cds")}}
    with origin.Origin() as service, stage.start(service, stage.shape(port=proxies.free_ports(1)[0], edit=edit)) as proxy:
        while not proxy.port:
            proxy.ready()
        load, version = stage.load(proxy.port), 0
        while load.running(1.0):
            time.sleep(1)
            version += 1
            write(version)
        said, seen = load.end(), served_version(proxy.port)
        return outcome(said, f"{version} times, the last one {'served' if seen == str(version) else 'NOT served'}", sound=seen == str(version))


@scene("a new version of the plugin's file every second", True, by=("weir",))
def _(stage):
    with open(os.path.join(proxies.GUESTS, "bench_light.wasm"), "rb") as file:
        module = file.read()
    path = os.path.join(os.path.dirname(proxies.certificate()), "light.wasm")

    def write(version):
        name = f"v{version}".encode()
        with open(path + ".new", "wb") as file:  # A custom section makes it another module.
            file.write(module + bytes([0, len(name) + 1, len(name)]) + name)
        os.rename(path + ".new", path)

    write(0)
    light = tree.plugin(name="light", root_id="light", vm_id="light", vm={"code": {"local": {"filename": path}}})
    shape = dataclasses.replace(stage.shape(), plugins=[light], flags=("--plugin-watch",))
    with origin.Origin() as service, stage.start(service, shape) as proxy:
        load, version = stage.load(proxy.port), 0
        while load.running(1.0):
            time.sleep(1)
            version += 1
            write(version)
        said = load.end()
        taken = int(proxy.admin("/stats?filter=wasm.light.file_reload_success")[1].rpartition(": ")[2] or 0)
        return outcome(said, f"{taken} of {version} taken", sound=version - 1 <= taken <= version)


def served_version(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        text = link.makefile("rb").read().decode("latin-1").lower()
    return text.partition("x-version: ")[2].partition("\r")[0]


@scene("the upstream killed for a second", False, proxies.NAMES)
def _(stage):
    service = origin.Origin()
    with stage.start(service, stage.shape()) as proxy:
        load = stage.load(proxy.port)
        time.sleep(stage.seconds / 4)
        port = service.port
        service.kill()
        time.sleep(1)
        with origin.Origin(port):
            said = load.end()
            time.sleep(0.2)
            after = Stage(stage.name, stage.weir, 100, 0.5).load(proxy.port).end()
    return outcome(said, f"afterwards {after['lost']} of {after['sent']}", sound=after["lost"] == 0)


@scene("the access log's disk is full", True)
def _(stage):
    with origin.Origin() as service, stage.start(service, stage.shape(manager={"access_log": [FILE_LOG]})) as proxy:
        return outcome(stage.load(proxy.port).end())


@scene("no descriptors left for a second", False)
def _(stage):
    with origin.Origin() as service, stage.start(service, stage.shape()) as proxy:
        load, pid = stage.load(proxy.port), proxy.pids()[-1]
        time.sleep(stage.seconds / 4)
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        most = max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))
        held = []
        knock = threading.Thread(target=lambda: held.extend(map(quietly, [proxy.port] * 40)))
        knock.start()
        time.sleep(1)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        knock.join()
        said = load.end()
        for link in filter(None, held):
            link.close()
        after = Stage(stage.name, stage.weir, 100, 0.5).load(proxy.port).end()
        return outcome(said, f"afterwards {after['lost']} of {after['sent']}", sound=after["lost"] == 0)


def quietly(port):
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=1)
    except OSError:
        return None
