"""The command line, and what the two forms differ in."""
import argparse
import dataclasses
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclasses.dataclass(frozen=True)
class Form:
    """How much is measured. Times are seconds."""
    name: str
    minutes: float           # Growth is cut short when so many are over.
    rounds: int
    seconds: float
    fixed_rate: bool         # All loads of HTTP/1 once more, at a rate that all can do.
    latency_rounds: int
    latency_seconds: float
    repetitions: int         # Of starts and of memory.
    growth_rounds: int
    growth_seconds: float
    connections: tuple
    routes: tuple
    clusters: tuple
    plugins: tuple
    headers: tuple

    def estimate(self):
        """Minutes on a quiet machine, by what is measured and what goes by in between."""
        def rounds(loads, rounds, seconds, before=0.5):
            return loads * (rounds * (seconds + 0.15) + before)
        seconds = rounds(42, self.rounds, self.seconds) + rounds(4, self.rounds, self.seconds)
        seconds += rounds(31, self.rounds, self.seconds, 0) if self.fixed_rate else 0
        seconds += rounds(4, self.latency_rounds, self.latency_seconds, 0)
        seconds += self.repetitions * (9 + 10)  # Memory of six processes; three starts, of which Envoy's is the longest.
        points = 3 * len(self.connections) + 2 * len(self.routes + self.clusters + self.plugins) + 3 * len(self.headers)
        return (seconds + rounds(points, self.growth_rounds, self.growth_seconds + 0.15, 0.8) + 25) / 60


SHORT = Form("short", 9, 5, 1, False, 3, 3, 3, 2, 1,
             (1, 100, 10000), (1, 10000), (1, 5000), (1, 50), (0, 100))
LONG = Form("long", 90, 9, 4, True, 8, 8, 5, 5, 2,
            (1, 10, 100, 1000, 10000), (1, 10, 1000, 10000), (1, 100, 5000), (1, 10, 50, 200), (0, 10, 25, 50, 100))


def parse(text):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--rounds", type=int, help="rounds of the main part")
    parser.add_argument("--seconds", type=float, help="length of each load in them")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="", help="names of contenders, or how they begin: weir,envoy+1")
    parser.add_argument("--cases", default="", help="get, body, h2, tls, full, resumed, mib; and latency, workers, memory, start, growth")
    parser.add_argument("--plugin", default="bench_light", help="for +1 and +5: bench_light (default), headers_cpp, headers_go, tinygo_2021, ...")
    parser.add_argument("--header", default="x-bench", help="the response header by which such a plugin's effect is seen")
    parser.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build/weir")))
    parser.add_argument("--envoy", help="its program; default: what tests/conformance/install puts there")
    parser.add_argument("--floor", default=os.path.join(ROOT, "build/floor"))
    parser.add_argument("--load", default=os.path.join(ROOT, "build/load"))
    parser.add_argument("--write", help="where the report goes; plots in a folder of its name beside it")
    options = parser.parse_args()
    form = LONG if options.long else SHORT
    options.form = dataclasses.replace(form, rounds=options.rounds or form.rounds, seconds=options.seconds or form.seconds)
    options.partial = bool(options.only or options.cases or options.plugin != "bench_light")
    if options.write is None and not options.partial:
        options.write = os.path.join(ROOT, "docs/benchmarks.md")
    return options


def wanted(options, case):
    return not options.cases or case in options.cases.split(",")


def takes_part(options, name):
    return not options.only or any(name.startswith(each) for each in options.only.split(","))
