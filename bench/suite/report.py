"""The table, and docs/benchmarks.md with its plots."""
import os
import statistics
import time

from suite import growth, plots
from suite.figures import interval, number

HEAD = """# Benchmarks

Written by `make bench` ({form} form, {date}); do not edit. {machine}. {versions}.

What counts is ratios: all proxies are up for the whole run, a round loads each of them once in random order, each proxy is
pinned alone on one core, client and origin share another one, and the CPU time that a proxy uses for a request is
compared with another's of the same round. Absolute figures change with the machine. How it is done: [bench/README.md](../bench/README.md).
"""


def table(figures, fixed):
    """The targets. fixed: the figures at a fixed rate, in the long form."""
    rates = {(each.case, each.to): each for each in fixed}
    lines = ["| case | to | target | measured (95% interval) | met |" + (" at a fixed rate | met |" if rates else ""),
             "|---|---|---|---|---|" + ("---|---|" if rates else "")]
    last = None
    for each in figures:
        case = "" if each.case == last else each.case
        last = each.case
        row = f"| {case} | {each.to} | {each.target_text()} | {each.measured_text()} | {each.met_text()} |"
        if rates:
            again = rates.get((each.case, each.to))
            row += f" {again.measured_text()} | {again.met_text()} |" if again else " | |"
        lines.append(row)
    return "\n".join(lines)


def contenders(slots, results):
    """Each load with its contenders: cost to the floor where that takes part, else to the cheapest."""
    lines = ["| load | proxy | CPU to the floor | us of CPU a request | requests/s | its core busy | MiB |", "|---|---|---|---|---|---|---|"]
    last = None
    for slot in slots:
        samples = results.samples(slot.name)
        if not samples:
            continue
        case, name = slot.name.split("/", 1)
        ratios = results.each_round([slot.name, f"{case}/floor"], lambda a, b: a.cost / b.cost)
        ratio = f"{statistics.median(ratios):.2f} ({' to '.join(number(each) for each in interval(ratios))})" if ratios else ""
        median = {what: statistics.median(getattr(each, what) for each in samples) for what in ("cost", "rate", "busy")}
        lines.append(f"| {'' if case == last else case} | {name} | {ratio} | {1e6 * median['cost']:.1f} | {median['rate']:,.0f} | "
                     f"{median['busy']:.0%} | {slot.memory:.0f} |")
        last = case
    return "\n".join(lines)


def bars(slots, results):
    rows = []
    for slot in slots:
        case, name = slot.name.split("/", 1)
        ratios = results.each_round([slot.name, "get/floor"], lambda a, b: a.cost / b.cost) if case == "get" else []
        if ratios:
            rows.append((name, slot.proxy.program, statistics.median(ratios), *interval(ratios)))
    return plots.bars("CPU of a keep-alive GET, to a forwarder that reads nothing", rows) if rows else None


def draw(folder, slots, results, curves):
    """Writes the plots, and returns their names with what they show."""
    os.makedirs(folder, exist_ok=True)
    drawn = []
    pictures = [("cost.svg", "CPU of a keep-alive GET to the floor", bars(slots, results))]
    for topic, lines in curves:
        if any(lines.values()):
            title = f"A request's cost against {topic.name}"
            pictures.append((f"{topic.name}.svg", title, plots.curves(title, topic.what, lines, topic.points[0] > 0)))
    for name, title, picture in pictures:
        if picture:
            with open(os.path.join(folder, name), "w") as file:
                file.write(picture)
            drawn.append((name, title))
    return drawn


def write(path, run):
    """run: what main has gathered."""
    folder = os.path.splitext(path)[0]
    drawn = draw(folder, run.slots, run.results, run.curves)
    name = os.path.basename(folder)
    versions = ", ".join(f"{each} {version}" for each, version in run.versions.items())
    parts = [HEAD.format(form=run.form.name, date=time.strftime("%Y-%m-%d", time.gmtime()), machine=run.machine, versions=versions)]
    parts += [f"**The machine was not quiet: others used {run.busy:.0%} of it. These figures are worth little.**\n"] if run.noisy else []
    parts += ["## Targets\n", explanation(run), run.table + "\n"]
    parts += [f"There was no time for growth with {', '.join(run.left_out)}.\n"] if run.left_out else []
    parts += ["**Wrong answers:**\n\n" + "\n".join(f"- {slot}: {' '.join(fault.split())}" for slot, fault in run.faults.items()) + "\n"] if run.faults else []
    for picture, title in drawn:
        parts.append(f"![{title}]({name}/{picture})\n")
        if picture == "cost.svg":
            parts += ["## All loads\n", LOADS, contenders(run.slots, run.results) + "\n", "## Growth\n", GROWTH.format(flat=growth.FLAT)]
    with open(path, "w") as file:
        file.write("\n".join(parts))


LOADS = """At saturation: each connection sends its next request when it has its answer. "get": 64 connections; "body": a POST of 10 KB
answered by 10 KB; "mib": 1 MiB each way on 8 connections; "h2": 8 connections with 32 streams each, clear text; "tls": 64
connections with TLS 1.3; "full", "resumed": a connection and a TLS handshake for each request. "+1", "+5": with one and five of the light plugin
(`bench_light`); the others are named by their plugins in `tests/guests`. MiB: resident after the run.
"""

GROWTH = """64 busy connections, and what the axis says. "Flat" is taken for: the last point costs at most {flat} times the first. Up to 1,024 upstream connections;
beyond them requests wait for one.
"""


def explanation(run):
    form = run.form
    text = (f"CPU time of a request as a ratio, at saturation, unless the line says otherwise: medians of {len(run.results.rounds)} rounds of "
            f"{form.seconds:g} s with the interval that the bootstrap gives. A question mark: the interval has the target within it.")
    if run.fixed:
        rates = ", ".join(f"{case} {rate:,}" for case, rate in run.rates.items())
        text += f" At a fixed rate: half of what the slowest of the load can do, the same for all ({rates} requests a second)."
    if run.results.dropped:
        text += f" {run.results.dropped} more rounds are left out, in which the machine's host took more than 1% of the CPU time away."
    return text + "\n"
