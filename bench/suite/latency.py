"""The slowest of a thousand answers with five plugins, at half of what the slowest peer can do, for all the same rate.

Requests are due by the clock, and an answer's time counts from when its request was due. nginx and HAProxy run without
plugins, as they have none.
"""
import statistics

from suite import measure
from suite.figures import Figure
from suite.measure import Slot

PEERS = {"envoy+5": "Envoy with them", "nginx": "nginx without", "haproxy": "HAProxy without"}


def run(stand, options, slots, results, say):
    """Needs the main part's samples, of which it takes the rate."""
    names = ["get/weir+5"] + [f"get/{peer}" for peer in PEERS]
    chosen = [slot for slot in slots if slot.name in names and not slot.fault]
    if not results.has("get/weir+5", "get/envoy+5"):
        return [], None
    chosen = [slot for slot in chosen if results.has(slot.name)]
    rate = int(min(statistics.median(sample.rate for sample in results.samples(slot.name)) for slot in chosen) / 2)
    say(f"the slowest answers, at {rate} requests a second")
    fixed = [Slot(slot.name, slot.proxy, slot.load, rate) for slot in chosen]
    measured = measure.run(stand.programs, fixed, options.form.latency_rounds, options.form.latency_seconds, say)
    return figures(measured, rate), measured


def figures(measured, rate):
    out = []
    for peer, to in PEERS.items():
        values = measured.each_round(["get/weir+5", f"get/{peer}"], lambda a, b: a.microseconds["p999"] / b.microseconds["p999"])
        if not values:
            continue
        ours, theirs = (statistics.median(sample.microseconds["p999"] for sample in measured.samples(f"get/{name}")) / 1000
                        for name in ("weir+5", peer))
        out.append(Figure(f"p99.9 at {rate:,}/s, five plugins", to, 1.0 if peer in ("envoy+5", "nginx") else None, values,
                          note=f"{ours:.2f} ms to {theirs:.2f}"))
    return out
