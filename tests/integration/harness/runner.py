"""Finds the facts in topics/, runs each in a process of its own, and prints what became of it.

A process for each keeps them apart: threads, descriptors and proxies of a fact that failed go with its process group.
"""
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import tempfile
import time
import traceback

from . import weir
from .facts import FACTS, Skipped

LIMIT = 90  # seconds that one fact may take


def main(options, topics):
    for name in sorted(os.listdir(topics)):
        if name.endswith(".py"):
            importlib.import_module(f"topics.{name[:-3]}")
    chosen = [fact for fact in FACTS if options.filter in fact.name]
    if options.list:
        print("\n".join(fact.name for fact in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="weir-integration-") as folder:
        weir.settle(options.weir, folder)
        return Run(options).all(chosen)


class Run:
    def __init__(self, options):
        self.options, self.context = options, multiprocessing.get_context("fork")
        self.passed = self.failed = 0
        self.running = {}  # The pipe's end of each fact that runs: (fact, process, started).

    def all(self, facts):
        started = time.monotonic()
        # The longest first, so that none of them is alone at the end.
        waiting = sorted(facts, key=lambda fact: -fact.seconds)
        while waiting or self.running:
            while waiting and len(self.running) < max(1, self.options.j):
                self.begin(waiting.pop(0))
            for pipe in multiprocessing.connection.wait(list(self.running), timeout=0.5):
                self.end(pipe)
            for pipe, (_, _, since) in list(self.running.items()):
                if time.monotonic() - since > LIMIT * weir.slowness():
                    self.end(pipe)
        if self.options.verbose:
            print(f"in {time.monotonic() - started:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0

    def begin(self, fact):
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=attempt, args=(fact, theirs))
        process.start()
        theirs.close()
        self.running[ours] = (fact, process, time.monotonic())

    def end(self, pipe):
        fact, process, since = self.running.pop(pipe)
        outcome, said, log = "FAIL", f"not done after {LIMIT * weir.slowness()} s", ""
        if pipe.poll():
            try:
                outcome, said, log = pipe.recv()
            except EOFError:
                said = "its process died"
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.join()
        pipe.close()
        self.report(fact, outcome, said, log, time.monotonic() - since)

    def report(self, fact, outcome, said, log, seconds):
        self.passed += outcome == "ok"
        self.failed += outcome == "FAIL"
        print(f"{outcome:5} {fact.name}" + (f"   ({seconds:.1f} s)" if self.options.verbose else ""))
        for line in said.splitlines():
            print(f"      {line}")
        if outcome == "FAIL" and self.options.verbose:
            for line in log.splitlines()[-40:]:
                print(f"      | {line[:300]}")
        sys.stdout.flush()


def attempt(fact, pipe):
    """In the process of its own. Everything that it starts is in its process group."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        fact.body()
        outcome = ("ok", "", "")
    except Skipped as why:
        outcome = ("skip", str(why), "")
    except BaseException as error:  # Whatever it is, it is the outcome.
        outcome = ("FAIL", told(error), weir.logs())
    pipe.send(outcome)
    pipe.close()
    os._exit(0)  # Threads that still wait for a peer must not keep it.


def told(error):
    """What went wrong, and the line of the topic where it did."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "/topics/" in frame.filename]
    where = f"{os.path.basename(places[-1].filename)}:{places[-1].lineno}: {places[-1].line}\n" if places else ""
    what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return where + what[:2000]
