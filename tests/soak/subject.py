"""One proxy of the soak: its load, its faults, its versions, and what is seen of it."""
import collections
import dataclasses
import http.client
import json
import os
import re
import statistics
import subprocess
import time

from tests.stand import origin, proxies
from tests.stand.proxies import tree

FAULTS = ("/trap", "/memory", "/recurse", "/trap", "/loop")  # In turn.
SHARE = 100  # Of so many requests one faults.
GROWTH = 1.05  # Of memory from the second quarter to the last one, and a little beside.
BESIDE = 4.0  # MiB.


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    policy: str
    flags: tuple = ()
    spared: bool = True  # Whether streams that were in the instance when it died must not notice.


SUBJECTS = (Kind("shared, open", "FAIL_OPEN"), Kind("shared, closed", "FAIL_CLOSED", spared=False),
            Kind("per stream, closed", "FAIL_CLOSED", ("--plugin-instance-per-stream", "1")))


class Subject:
    def __init__(self, kind, upstream, options):
        self.kind, self.rate, self.seconds = kind, options.rate, options.seconds
        with open(os.path.join(proxies.GUESTS, "fault.wasm"), "rb") as file:
            self.module = file.read()
        self.folder = os.path.join(os.path.dirname(proxies.certificate()), re.sub(r"\W+", "-", kind.name))
        os.makedirs(self.folder)
        self.version, self.memory, self.descriptors, self.bad = 0, [], [], collections.Counter()
        self.write_plugin()
        shape = proxies.Shape(workers=2, flags=("--plugin-watch", *kind.flags), edit=self.edit)
        self.proxy = proxies.start("weir", upstream, shape, options.weir)
        while not self.proxy.port:
            self.proxy.ready()

    # Versions ---------------------------------------------------------------------------------------------------------

    def edit(self, built):
        plugin = tree.plugin(name="fault", root_id="fault", vm_id="fault", failure_policy=self.kind.policy,
                             vm={"code": {"local": {"filename": os.path.join(self.folder, "fault.wasm")}}})
        self.listener = built["static_resources"].pop("listeners")[0]
        self.listener["address"] = tree.address(proxies.free_ports(1)[0])
        self.manager = self.listener["filter_chains"][0]["filters"][0]["typed_config"]
        self.manager["http_filters"].insert(0, plugin)
        self.write_listener()
        return {**built, "dynamic_resources": {"lds_config": {"path_config_source": {"path": os.path.join(self.folder, "lds.yaml")}}}}

    def write_listener(self):
        self.manager["route_config"]["response_headers_to_add"] = [{"header": {"key": "x-version", "value": str(self.version)}}]
        resource = {"@type": tree.TYPE + "envoy.config.listener.v3.Listener", **self.listener}
        self.put("lds.yaml", tree.fill(tree.to_yaml({"resources": [resource]}), {"GUESTS": proxies.GUESTS}).encode())

    def write_plugin(self):
        name = f"v{self.version}".encode()  # A custom section makes it another module.
        self.put("fault.wasm", self.module + bytes([0, len(name) + 1, len(name)]) + name)

    def put(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.rename(path + ".new", path)

    def renew(self):
        self.version += 1
        self.write_plugin()
        self.write_listener()

    # Traffic ----------------------------------------------------------------------------------------------------------

    def load(self):
        self.good = subprocess.Popen([f"{origin.stand()}/bin/load", "-port", str(self.proxy.port), "-rate", str(self.rate), "-seconds",
                                      str(self.seconds)], stdout=subprocess.PIPE, text=True)

    def offend(self):
        started, sent = time.monotonic(), 0
        while time.monotonic() - started < self.seconds - 2 and self.proxy.alive():
            self.bad[self.status(FAULTS[sent % len(FAULTS)])] += 1
            sent += 1
            time.sleep(max(0, started + sent * SHARE / self.rate - time.monotonic()))

    def status(self, path):
        link = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=10)
        try:
            link.request("GET", path)
            return link.getresponse().status
        except (OSError, http.client.HTTPException) as why:
            return type(why).__name__
        finally:
            link.close()

    # What is seen -----------------------------------------------------------------------------------------------------

    def look(self):
        self.memory.append(self.proxy.memory() / proxies.MIB)
        self.descriptors.append(self.proxy.descriptors())

    def finish(self):
        said, _ = self.good.communicate(timeout=120)
        self.said = json.loads(said)
        time.sleep(5)  # Replaced listeners drain for two seconds.
        self.alive = self.proxy.alive()
        self.stats = dict(re.findall(r"^([\w.]+): (\d+)$", self.proxy.admin("/stats")[1], re.M))
        self.log_mb = os.path.getsize(self.proxy.log_path) / 1e6

    def stat(self, name):
        return int(self.stats.get(name, 0))

    @staticmethod
    def quarters(looks):
        size = max(1, len(looks) // 4)
        return [statistics.median(looks[at * size:(at + 1) * size] or looks) for at in range(4)]

    def lost(self):
        """Good requests without a whole answer of status 200; those that shared an instance with a faulty one apart."""
        shared = 0 if self.kind.spared else self.said["statuses"].get("503", 0)
        return self.said["lost"] - shared, shared

    def told(self):
        lost, shared = self.lost()
        return {"good requests": self.said["sent"], "lost": lost, "in an instance that died": shared, "slowest": f"{self.said['max_ms']:.0f} ms",
                "faults": self.bad.total(), "answered": ", ".join(f"{count} x {status}" for status, count in sorted(self.bad.items(), key=str)),
                "versions of plugin and listener": self.version, "plugins taken": self.stat("wasm.fault.file_reload_success"),
                "listeners taken": self.stat("listener_manager.lds.update_success"),
                "memory, MiB, by quarters": ", ".join(f"{each:.1f}" for each in self.quarters(self.memory)),
                "descriptors, by quarters": ", ".join(f"{each:.0f}" for each in self.quarters(self.descriptors)), "log, MB": f"{self.log_mb:.2f}"}

    def facts(self):
        lost, shared = self.lost()
        wanted = {200 if self.kind.policy == "FAIL_OPEN" else 503}
        yield "no good request is lost", lost == 0, f"{lost}: {self.said['errors']} {self.said['statuses']}"
        yield "at most a stream a fault shares its instance's end", shared <= self.bad.total(), shared
        yield "each fault is answered as the policy says", set(self.bad) == wanted, dict(self.bad)
        yield "every version of the plugin is taken", self.stat("wasm.fault.file_reload_success") >= self.version - 1, self.stats
        memory, descriptors = self.quarters(self.memory), self.quarters(self.descriptors)
        yield "memory is flat", memory[3] <= memory[1] * GROWTH + BESIDE, memory
        yield "descriptors are flat", descriptors[3] <= descriptors[1] + 8, descriptors
        yield "it lives, and no instance stays", self.alive and self.stat("http.ingress.downstream_rq_active") <= 1, self.stats

    def close(self):
        self.proxy.close()
