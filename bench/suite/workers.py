"""Two workers against one.

On two cores the client and the origin must live beside the workers. So that they take little of it, the proxy is given
work: the plugin that hashes 10 KB for each request. What is left of the client's part shows as less than twice.
"""
from suite import machine, measure, setups
from suite.figures import Figure
from suite.load import Http1
from suite.measure import Slot
from suite.setups import Setup

CASE = "two workers, with a plugin that hashes 10 KB: throughput"


def run(stand, options, say):
    cpus = machine.CPUS[:2]
    if len(cpus) < 2:
        return []
    slots = []
    for program in ("weir", "envoy"):
        for workers in (1, 2):
            proxy = stand.start(program, Setup((setups.SHA256,), workers=workers), cpus[:workers])
            slots.append(Slot(f"workers/{program} {workers}", proxy, Http1(options.connections)))
    for slot in slots:
        slot.proxy.await_answer()
        slot.proxy.check()
    say("two workers and one")
    measured = measure.run(stand.programs, slots, options.form.rounds, options.form.seconds, lambda text: None)
    stand.end([slot.proxy for slot in slots])
    shared = "the client on a core of its own" if len(machine.CPUS) > 2 else "the client shares the second core"
    out = []
    for program, target in (("weir", 1.8), ("envoy", None)):
        names = [f"workers/{program} 2", f"workers/{program} 1"]
        values = measured.each_round(names, lambda two, one: two.rate / one.rate)
        costs = measured.each_round(names, lambda two, one: two.cost / one.cost)
        if values:
            costs.sort()
            out.append(Figure(CASE if program == "weir" else "the same of Envoy", "one worker", target, values, at_least=True,
                              note=f"{shared}; CPU a request {costs[len(costs) // 2]:.2f}"))
    return out
