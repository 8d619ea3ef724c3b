"""Interleaved rounds: each loads every slot once, in random order, so that what changes on the machine hits all alike."""
import dataclasses
import random

from suite import machine
from suite.process import Proxy
from suite.setups import WrongAnswer


@dataclasses.dataclass
class Slot:
    """One proxy under one load. Its name is "case/contender", as get/weir+1."""
    name: str
    proxy: Proxy
    load: object
    rate: float = 0
    fault: str = ""
    memory: float = 0  # Resident, MiB, after the rounds.


class Results:
    """Samples by slot and round, without the rounds in which the machine's host took its CPUs away."""

    def __init__(self):
        self.rounds, self.dropped, self.faults = [], 0, {}

    def has(self, *names):
        return all(any(name in each for each in self.rounds) for name in names)

    def samples(self, name):
        return [each[name] for each in self.rounds if name in each]

    def each_round(self, names, compute):
        """compute(samples of these slots) for each round that has them all."""
        return [compute(*(each[name] for name in names)) for each in self.rounds if all(name in each for name in names)]


def run(programs, slots, rounds, seconds, say, warm=True):
    results = Results()
    if warm:
        for slot in slots:
            attempt(programs, slot, min(seconds, 0.3))
    stolen = []
    for number in range(rounds):
        before, samples = machine.times(), {}
        for slot in random.sample(slots, len(slots)):
            if not slot.fault:
                sample = attempt(programs, slot, seconds)
                if sample:
                    samples[slot.name] = sample
        steal = machine.share(before, machine.times(), 2)
        (stolen if steal > machine.STEAL else results.rounds).append(samples)
        say(f"round {number + 1} of {rounds}" + (f": {steal:.1%} stolen by the host" if steal > machine.STEAL else ""))
    results.dropped = len(stolen)
    if not results.rounds:
        results.rounds, results.dropped = stolen, 0
        say("every round had more than 1% stolen: all are kept")
    results.faults = {slot.name: slot.fault for slot in slots if slot.fault}
    return results


def attempt(programs, slot, seconds):
    """A sample, or nothing where an answer was wrong; such a slot is not loaded again."""
    if slot.fault:
        return None
    try:
        return slot.load.run(programs, slot.proxy, seconds, slot.rate)
    except WrongAnswer as fault:
        slot.fault = str(fault) or "wrong answer"
        print(f"bench: WRONG ANSWER of {slot.name}: {slot.fault}", flush=True)
        return None
