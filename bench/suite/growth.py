"""What a request costs against the number of connections, routes, clusters, plugins and headers.

Each topic has rounds of its own, in which all its proxies are up. A point is the CPU time of a request.
"""
import dataclasses
import statistics

from suite import machine, measure, setups
from suite.figures import Figure
from suite.load import Http1
from suite.measure import Slot
from suite.setups import Setup

FLAT = 1.2  # What "flat" is taken for: the last point costs at most so much more than the first.


@dataclasses.dataclass(frozen=True)
class Topic:
    name: str
    what: str        # The axis.
    points: tuple
    programs: tuple
    setup: object    # Of a point: Setup.
    load: object     # Of a point: Http1.
    flat: bool = False


def topics(form):
    most = machine.descriptors() - 8000
    return [
        Topic("connections", "connections, all busy", tuple(each for each in form.connections if each < most), ("weir", "envoy", "haproxy"),
              lambda n: Setup(many_connections=True), Http1),
        Topic("routes", "routes, used in turn", form.routes, ("weir", "envoy"), lambda n: Setup(routes=n),
              lambda n: Http1(path="/r%/" if n > 1 else "/", paths=n), flat=True),
        Topic("clusters", "clusters, used in turn", form.clusters, ("weir", "envoy"), lambda n: Setup(clusters=n),
              lambda n: Http1(headers=("x-cluster: c%",), paths=n), flat=True),
        Topic("plugins", "plugins (bench_light)", form.plugins, ("weir", "envoy"), lambda n: Setup((setups.LIGHT,) * n), lambda n: Http1()),
        Topic("headers", "request headers more", form.headers, ("weir", "envoy", "haproxy"), lambda n: Setup(many_headers=True),
              lambda n: Http1(headers=tuple(f"x-header-{i}: a value of usual length" for i in range(n)))),
    ]


def run(stand, options, run, say):
    """Gives the run curves, by topic and program [(point, microseconds of CPU)], and figures."""
    for topic in topics(options.form):
        if say.minutes() > options.form.minutes:
            say(f"growth: {topic.name} is left out, time is over")
            run.left_out.append(topic.name)
            continue
        say(f"growth: {topic.name}")
        slots, running = [], {}
        for program in topic.programs:
            for point in topic.points:
                setup = topic.setup(point)
                if (program, setup) not in running:
                    running[program, setup] = stand.start(program, setup)
                slots.append(Slot(f"{topic.name}/{program} {point}", running[program, setup], topic.load(point)))
        for proxy in running.values():
            proxy.await_answer()
            proxy.check()
        measured = measure.run(stand.programs, slots, options.form.growth_rounds, options.form.growth_seconds, lambda text: None)
        stand.end(running.values())
        run.faults.update(measured.faults)
        run.curves.append((topic, curve(topic, measured)))
        run.figures += growth(topic, measured)


def curve(topic, measured):
    out = {}
    for program in topic.programs:
        points = [(point, measured.samples(f"{topic.name}/{program} {point}")) for point in topic.points]
        out[program] = [(point, 1e6 * statistics.median(each.cost for each in samples)) for point, samples in points if samples]
    return out


def growth(topic, measured):
    """The worst point beside Envoy's at the same place; and how much the last costs more than the first, where that is to be flat."""
    def slots(program):
        return [f"{topic.name}/{program} {point}" for point in topic.points]

    count = len(topic.points)
    worst = measured.each_round(slots("weir") + slots("envoy"), lambda *each: max(a.cost / b.cost for a, b in zip(each[:count], each[count:])))
    if not worst:
        return []
    grown = {program: measured.each_round(slots(program), lambda *each: each[-1].cost / each[0].cost) for program in topic.programs}
    ours, theirs = statistics.median(grown["weir"]), statistics.median(grown["envoy"])
    title = f"{topic.points[0]:,} to {topic.points[-1]:,} {topic.name}"
    out = [Figure(f"{title}: the worst point", "Envoy's there", 1.0, worst, note=f"grows {ours:.2f} times, Envoy's {theirs:.2f}")]
    if topic.flat:
        out.append(Figure(f"{title}: the last", "the first", FLAT, grown["weir"]))
    return out
