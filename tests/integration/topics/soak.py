"""Many requests: none may fail, and memory must stay where it is."""
from harness import config
from harness.client import load
from harness.facts import eventually, fact, same
from harness.upstream import QuickUpstream
from harness.weir import MIB, Weir, bounded

REQUESTS = 20_000


def soak(plugins, requests=REQUESTS, workers=2):
    with QuickUpstream() as upstream, Weir(config.bootstrap(upstream=upstream, plugins=plugins), workers=workers, log="off") as weir:
        port, counts = weir.port(), {}

        def go(number):
            for status, times in load(port, number, connections=16).items():
                counts[status] = counts.get(status, 0) + times
        go(requests // 10)
        before, descriptors = weir.memory(), weir.descriptors()
        for _ in range(9):
            go(requests // 10)
        same(counts, {200: requests}, "answers")
        bounded(weir.memory() - before, 4 * MIB, "memory that it grew by")
        eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 0)
        assert weir.descriptors() <= descriptors + 16, f"{weir.descriptors()} descriptors after {descriptors}"


@fact("20,000 requests without a plugin: none fails, memory stays", 4)
def _():
    soak([])


@fact("20,000 requests through hello_rust and two workers: none fails, memory stays", 6)
def _():
    soak([config.plugin(guest="hello_rust")])


@fact("20,000 requests through a plugin in Go: none fails, memory stays", 10)
def _():
    soak([config.plugin(guest="headers_go", configuration=config.string("response add x-served-by weir"))])


@fact("10,000 requests of which every tenth traps the plugin: the others are served, memory stays", 4)
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")]), workers=2, log="off") as weir:
        port, paths = weir.port(), ["/well"] * 9 + ["/trap"]
        same(load(port, 2000, depth=10, paths=paths), {200: 1800, 503: 200}, "answers while it warms up")
        before = weir.memory()
        same(load(port, 8000, depth=10, paths=paths), {200: 7200, 503: 800}, "answers")
        bounded(weir.memory() - before, 6 * MIB, "memory that it grew by")
