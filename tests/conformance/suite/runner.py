"""Runs the chosen groups, judges each case, and prints what the reader needs.

Time is real here, and the machine may be busy: a case that was judged a failure runs again when all the others are over, and
alone. Only what fails again has failed; the others are printed as unsteady, with what differed. A proxy that dies, or does
not start, gets no second chance.
"""
import concurrent.futures
import difflib
import importlib
import os
import re
import subprocess
import tempfile
import threading
import time

from . import validate
from .model import GROUPS, Talk, Validation
from .stand import NotStarted, Stand

PRINTING = threading.Lock()
DEAD = re.compile("^(did not start|no connection|after SIGTERM the proxy ended)")


def main(options, here):
    for name in sorted(os.listdir(os.path.join(here, "topics"))):
        if name.endswith(".py"):
            importlib.import_module(f"topics.{name[:-3]}")
    chosen = [(group, [case for case in group.cases if options.filter in case.name]) for group in GROUPS]
    chosen = [(group, cases) for group, cases in chosen if cases]
    if options.list or options.differences:
        return show(chosen, options.differences)
    return Run(options, here).all(chosen)


def show(chosen, differences):
    for _, cases in chosen:
        for case in cases:
            if differences and case.differs:
                print(f"| `{case.name}` | {case.differs} |")
            elif not differences:
                print(case.name)
    return 0


class Run:
    def __init__(self, options, here):
        self.options = options
        self.guests = os.path.normpath(os.path.join(here, "../../build/guests"))
        envoy = "" if options.proxy == "weir" else subprocess.run([os.path.join(here, "install")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        subprocess.run([os.path.join(here, "build_guest")], check=True)
        weir = envoy if options.weir == "envoy" else os.path.abspath(options.weir)
        self.itself = weir == envoy
        self.sides = [side for side in (("envoy", envoy), ("weir", weir)) if options.proxy in (side[0], "both")]
        self.passed = self.failed = 0
        self.doubtful = []  # Cases to run again, as (group, case, faults).
        self.again = False

    def all(self, chosen):
        started = time.monotonic()
        # The longest first: the last group to end decides how long all take.
        chosen = sorted(chosen, key=lambda pair: -len(pair[1]))
        with concurrent.futures.ThreadPoolExecutor(max(1, self.options.j)) as pool:
            for done in concurrent.futures.as_completed([pool.submit(self.group, *pair) for pair in chosen]):
                done.result()
        self.again = True
        for group, case, faults in self.doubtful:
            before = self.failed
            self.group(group, [case])
            if self.failed == before:
                print(f"unsteady: {case.name}: the first of two runs differed\n" + indented(faults), flush=True)
        print(f"{self.passed} passed, {self.failed} failed   ({time.monotonic() - started:.0f} s)" if self.options.verbose
              else f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0

    def group(self, group, cases):
        outcomes = {name: self.side(group, cases, program) for name, program in self.sides}
        for case in cases:
            self.judge(group, case, {name: outcome[case.name] for name, outcome in outcomes.items()})

    def side(self, group, cases, program):
        """Every case's outcome on one proxy; where the proxy does not start, that is the outcome of all."""
        outcomes = {}
        with tempfile.TemporaryDirectory(prefix="weir-conformance-") as folder:
            stand = None if isinstance(cases[0], Validation) else Stand(group, program, self.guests, folder)
            for case in cases:
                try:
                    outcomes[case.name] = stand.run(case) if stand else validate.run(case, program, self.guests, folder)
                except NotStarted as why:
                    outcomes.update({each.name: ([f"did not start: {why}"], None, "") for each in cases if each.name not in outcomes})
                    break
                except OSError as why:
                    outcomes[case.name] = ([f"no connection: {why}"], None, "")
            code = stand.stop() if stand else 0
            if code:  # Also what a sanitiser finds at the end of a group shows here.
                outcomes[cases[-1].name][0].append(f"after SIGTERM the proxy ended with code {code}: {stand.log(0)[-1500:]}")
        return outcomes

    def judge(self, group, case, outcomes):
        faults = []
        if "envoy" in outcomes:
            faults += expectations(case, *outcomes["envoy"])
        elif case.differs is None:
            faults += expectations(case, *outcomes["weir"])
        if len(outcomes) == 2:
            faults += self.compare(case, outcomes["envoy"], outcomes["weir"])
        if faults and not self.again and not any(DEAD.search(line) for outcome in outcomes.values() for line in outcome[0]):
            self.doubtful.append((group, case, faults))
            return
        with PRINTING:
            self.passed, self.failed = self.passed + (not faults), self.failed + bool(faults)
            if faults:
                print(f"FAILED {case.name}\n" + indented(faults), flush=True)
            if self.options.verbose:
                print(f"{'failed' if faults else 'passed'} {case.name}", flush=True)
                for name, outcome in outcomes.items():
                    if name == "weir" and outcomes.get("envoy", ([],))[0] == outcome[0]:
                        continue
                    print("\n".join(f"    {name}| {line}" for line in outcome[0]))

    def compare(self, case, envoy, weir):
        same = envoy[0] == weir[0]
        if case.differs is None:
            return [] if same else ["\n".join(difflib.unified_diff(envoy[0], weir[0], "envoy", "weir", lineterm="", n=2))]
        if self.itself:
            return []  # Some of these crash Envoy, or race: it need not even agree with itself.
        if case.differs.startswith("sometimes: "):
            return []
        if same:
            return [f"no longer differs, although listed: {case.differs}"]
        wanted = getattr(case, "weir_status", None)
        return [f"weir answered {weir[1]}, should be {wanted}: {case.differs}"] if wanted and weir[1] != wanted else []


def indented(faults):
    return "\n".join(f"    {line}" for fault in faults for line in fault.splitlines())


def expectations(case, lines, result, log):
    """What the case itself says of Envoy's outcome."""
    if isinstance(case, Validation):
        return [] if result == case.accepted else ["accepted" if result else f"rejected: {log[-1500:]}"]
    if isinstance(case, Talk):
        wrong = case.ends and result != case.ends or lines[0].startswith(("did not", "no connection"))
        if case.logs and not any(case.logs in line for line in log):
            return [f"nothing in the plugin's log holds {case.logs!r}\n" + "\n".join(lines)]
        return [f"ended with {result}, expected {case.ends}\n" + "\n".join(lines)] if wrong else []
    faults = []
    if case.status is not None and result != case.status:
        faults.append(f"status {result}, expected {case.status}")
    if case.logs and not any(case.logs in line for line in log):
        faults.append(f"nothing in the plugin's log holds {case.logs!r}")
    return faults + ([lines[0]] if lines and lines[0].startswith(("did not", "no connection")) else []) + (["\n".join(lines)] if faults else [])
