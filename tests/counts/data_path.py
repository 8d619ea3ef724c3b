"""Counts of a worker's data path without sockets: build/data_path (bench/data_path), alone and under callgrind."""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests", "conformance")]
from suite import config as tree  # noqa: E402

PROGRAM = os.path.join(ROOT, "build", "data_path")
GUESTS = os.environ.get("WEIR_GUESTS", os.path.join(ROOT, "build", "guests"))
REQUESTS = 2000
REQUESTS_OF_CALLGRIND = 500
TRACED = 100  # Requests whose calls are written down (bench/data_path/main.cc).


def light(number):
    """bench_light: per request one header read, one set, one added."""
    return tree.plugin(name=f"light{number}", guest="bench_light", root_id="light", vm_id=f"light{number}")


def bootstrap(plugins):
    """The configuration with so many plugins; ports are for the look of it."""
    manager = tree.hcm([tree.vhost()], [light(i) for i in range(plugins)], {})
    built = {"static_resources": {"listeners": [tree.listener("main", 10000, manager)], "clusters": [tree.cluster("web", 8000)]}}
    return tree.fill(tree.to_yaml(built), {"GUESTS": GUESTS})


class Source:
    """One configuration of the path. names: what count() gives."""

    def __init__(self, program, title, plugins, flags=()):
        self.program, self.title, self.plugins, self.flags = program, title, plugins, flags
        units = ["allocations", "instructions"] + (["guest calls", "host calls"] if plugins else [])
        self.names = [f"{title}: {unit}" for unit in units]

    def count(self):
        with tempfile.TemporaryDirectory(prefix="weir-counts-") as folder:
            config, calls = os.path.join(folder, "config.yaml"), os.path.join(folder, "calls")
            with open(config, "w") as file:
                file.write(bootstrap(self.plugins))
            cache = os.path.join(folder, "cache")  # Plugins are not compiled again under valgrind.
            command = [self.program, "-c", config, "--cache", cache, *self.flags]
            said = run([*command, "--requests", str(REQUESTS), "--calls", calls])
            found = {"allocations": float(re.search(r"^allocations (\S+)", said, re.M)[1]),
                     "instructions": self.instructions(command, folder)}
            if self.plugins:
                with open(calls) as file:
                    trace = file.read()
                found["guest calls"] = trace.count("[host->vm]") / TRACED
                found["host calls"] = trace.count("[vm->host]") / TRACED
            return {f"{self.title}: {unit}": value for unit, value in found.items()}

    def instructions(self, command, folder):
        """Of user space, per request."""
        out = os.path.join(folder, "callgrind")
        run([*callgrind(out), *command, "--requests", str(REQUESTS_OF_CALLGRIND)])
        with open(out) as file:
            return round(int(re.search(r"^totals: (\d+)", file.read(), re.M)[1]) / REQUESTS_OF_CALLGRIND)


def callgrind(out):
    # Compiled plugins are code that was written at run time.
    return ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", "--smc-check=all-non-file",
            f"--callgrind-out-file={out}"]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def sources(program):
    return [Source(program, "no plugin", 0), Source(program, "1 plugin", 1), Source(program, "5 plugins", 5),
            Source(program, "no plugin, HTTP/2", 0, ("--http2",)), Source(program, "1 plugin, HTTP/2", 1, ("--http2",))]
