"""The order of things: what is installed, the interleaved rounds, what is measured apart, the report."""
import dataclasses
import math
import signal
import sys
import tempfile
import time

from suite import cases, growth, latency, machine, measure, once, options as command_line, peers, report, workers
from suite.measure import Results
from suite.process import Stand
from suite.setups import MIB, WrongAnswer


@dataclasses.dataclass
class Run:
    """What has been gathered for the report."""
    form: object
    machine: str
    versions: dict
    busy: float
    slots: list = dataclasses.field(default_factory=list)
    results: Results = dataclasses.field(default_factory=Results)
    figures: list = dataclasses.field(default_factory=list)
    fixed: list = dataclasses.field(default_factory=list)  # Figures at a fixed rate.
    rates: dict = dataclasses.field(default_factory=dict)  # That rate, by load.
    curves: list = dataclasses.field(default_factory=list)
    left_out: list = dataclasses.field(default_factory=list)  # Topics of growth for which there was no time.
    faults: dict = dataclasses.field(default_factory=dict)
    table: str = ""

    @property
    def noisy(self):
        return self.busy > machine.QUIET


class Clock:
    """say(): a line with the minutes since the start."""

    def __init__(self):
        self.started = time.monotonic()

    def minutes(self):
        return (time.monotonic() - self.started) / 60

    def __call__(self, text):
        seconds = int(time.monotonic() - self.started)
        print(f"[{seconds // 60:2}:{seconds % 60:02}] {text}", flush=True)


def main(text):
    options = command_line.parse(text)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    programs = peers.find(options)
    machine.prepare()
    say = Clock()
    run = Run(options.form, machine.describe(), peers.versions(programs), machine.busy())
    say(f"{run.machine}; {', '.join(f'{name} {version}' for name, version in run.versions.items())}")
    if not options.partial:
        say(f"the {run.form.name} form takes about {run.form.estimate():.0f} min")
    if run.noisy:
        say(f"the machine is not quiet: others use {run.busy:.0%} of it")
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        stand = Stand(programs, folder)
        try:
            gather(stand, options, run, say)
        finally:
            stand.close()
    run.table = report.table(run.figures, run.fixed)
    print("\n" + report.contenders(run.slots, run.results) + "\n\n" + run.table + "\n")
    for slot, fault in run.faults.items():
        print(f"WRONG ANSWER: {slot}: {fault}")
    if options.write:
        report.write(options.write, run)
        say(f"written: {options.write}")
    say("done")
    return 1 if run.faults else 0


def gather(stand, options, run, say):
    """Part after part. A part in which a proxy does not do what it should is told as a fault; the others go on."""
    parts = {"rounds": lambda: rounds(stand, options, run, say),
             "workers": lambda: run.figures.extend(workers.run(stand, options, say)),
             "memory": lambda: run.figures.extend(once.memory(stand, options, say)),
             "start": lambda: run.figures.extend(once.starts(stand, options, say)),
             "growth": lambda: growth.run(stand, options, run, say)}
    for name, part in parts.items():
        if name == "rounds" or part_wanted(options, name):
            try:
                part()
            except WrongAnswer as fault:
                run.faults[name] = str(fault)
            finally:
                stand.end()


def part_wanted(options, name):
    """What is measured apart belongs to the whole run, or is asked for by its name."""
    return name in options.cases.split(",") or not options.partial


def rounds(stand, options, run, say):
    """The main part: saturation, a fixed rate in the long form, the slowest answers."""
    form = options.form
    run.slots = cases.start(stand, options)
    if not run.slots:
        return
    say(f"{len(run.slots)} loads in {form.rounds} rounds of {form.seconds:g} s each: {minutes(len(run.slots) * form.rounds * (form.seconds + 0.15))}")
    run.results = measure.run(stand.programs, run.slots, form.rounds, form.seconds, say)
    run.figures = cases.figures(run.results)
    measured = [run.results]
    if form.fixed_rate:
        fixed = cases.fixed_rate(run.slots, run.results)
        say(f"{len(fixed)} loads at fixed rates: {minutes(len(fixed) * form.rounds * (form.seconds + 0.15))}")
        measured.append(measure.run(stand.programs, fixed, form.rounds, form.seconds, say, warm=False))
        run.fixed = cases.figures(measured[-1])
        run.rates = {slot.name.split("/")[0]: slot.rate for slot in fixed}
    if part_wanted(options, "latency"):
        figures, slowest = latency.run(stand, options, run.slots, run.results, say)
        run.figures += figures
        measured += [slowest] if slowest else []
    for each in measured:
        run.faults.update(each.faults)
    for slot in [each for each in run.slots if not each.fault]:
        slot.memory = slot.proxy.resident_bytes() / MIB
        check_again(slot, run.faults)


def check_again(slot, faults):
    """The plugins still do what they are for, after the load as before."""
    try:
        slot.proxy.check()
    except WrongAnswer as fault:
        faults[slot.name] = f"after the load: {fault}"


def minutes(seconds):
    return f"about {math.ceil(seconds / 60)} min"
