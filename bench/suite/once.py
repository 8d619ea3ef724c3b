"""What is measured apart from rounds: memory, and how long a start takes. Each repetition has processes of its own."""
import os
import random
import statistics
import tempfile

from suite import configs, machine, setups
from suite.figures import Figure
from suite.load import Held, Http1
from suite.setups import MIB, Setup

IDLE = 10000


def memory(stand, options, say):
    """Three figures: at start, with one plugin, and of an idle connection that has had one answer."""
    seen = {}
    idle = min(IDLE, machine.descriptors() - 1000)
    for number in range(options.form.repetitions):
        for program in random.sample(["weir", "envoy", "haproxy", "nginx"], 4):
            plugin = [Setup((setups.LIGHT,))] if program in ("weir", "envoy") else []
            for setup in [Setup(many_connections=True)] + plugin:
                proxy = started(stand, program, setup)
                at_start = proxy.memory_bytes()
                seen.setdefault((program, "plugin" if setup.plugins else "start"), []).append(at_start)
                if setup.many_connections:
                    with Held(Http1(idle).command(stand.programs["load"], proxy, 0, 0)):
                        seen.setdefault((program, "idle"), []).append((proxy.memory_bytes() - at_start) / idle)
                stand.end([proxy])
        say(f"memory, {number + 1} of {options.form.repetitions}")
    return memory_figures(seen, idle)


def memory_figures(seen, idle):
    def mib(program, what):
        return statistics.median(seen[program, what]) / MIB

    out = []
    for what, title in (("start", "memory at start"), ("plugin", "memory with one plugin")):
        values = [a / b for a, b in zip(seen["weir", what], seen["envoy", what])]
        note = f"{mib('weir', what):.1f} MiB to {mib('envoy', what):.1f}"
        if what == "start":
            note += f"; HAProxy {mib('haproxy', what):.1f}, nginx {mib('nginx', what):.1f}"
        out.append(Figure(title, "Envoy", 0.25, values, note=note))
    others = ", ".join(f"{name} {statistics.median(seen[program, 'idle']) / 1024:.2f}"
                       for program, name in (("envoy", "Envoy"), ("haproxy", "HAProxy"), ("nginx", "nginx")))
    out.append(Figure(f"memory of an idle connection, of {idle:,}", "absolute", 4, [each / 1024 for each in seen["weir", "idle"]], " KiB", note=others))
    return out


def starts(stand, options, say):
    """From the start of the process to its first answer, with an official Go plugin."""
    times = {"envoy": [], "cold": [], "warm": []}
    for number in range(options.form.repetitions):
        with tempfile.TemporaryDirectory(dir=stand.folder) as cache:
            for kind in ("cold", "warm"):  # The first start fills the cache of the second.
                times[kind].append(start_seconds(stand, "weir", Setup((setups.GO_JSON,), cache=cache)))
        times["envoy"].append(start_seconds(stand, "envoy", Setup((setups.GO_JSON,))))
        say(f"starts, {number + 1} of {options.form.repetitions}")
    size = os.path.getsize(os.path.join(configs.GUESTS, setups.GO_JSON.guest + ".wasm")) / MIB
    title = f"start with a Go plugin of {size:.1f} MiB"
    cold, envoy = (statistics.median(times[kind]) for kind in ("cold", "envoy"))
    return [Figure(f"{title}, compiled before", "absolute", 100, [1000 * each for each in times["warm"]], " ms"),
            Figure(f"{title}, never compiled", "Envoy", 1.0, [a / b for a, b in zip(times["cold"], times["envoy"])],
                   note=f"{cold:.2f} s to {envoy:.2f} s")]


def start_seconds(stand, program, setup):
    proxy = stand.start(program, setup)
    try:
        seconds = proxy.await_answer()
        proxy.check()
        return seconds
    finally:
        stand.end([proxy])


def started(stand, program, setup):
    proxy = stand.start(program, setup)
    proxy.await_answer()
    proxy.check()
    return proxy
