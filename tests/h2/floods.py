"""Runs the attacks against a proxy while a bystander, in a process of its own, keeps asking on another connection."""
import dataclasses
import multiprocessing
import time

import frames
from attacks import ATTACKS
from tests.stand import proxies, score

BOUND = 10 * proxies.MIB
LIMIT = 6.0      # Seconds for one attack.
PAUSE = 0.01     # Seconds between a bystander's requests.


@dataclasses.dataclass
class Outcome:
    attack: object
    sent: int            # Frames until the end.
    ended: str           # What ended it: "GOAWAY name", "closed", "reads no more", or "" when it went through.
    grown: int           # Bytes of memory at the highest, more than before.
    asked: int           # By the bystander.
    unanswered: int
    slowest: float       # In milliseconds.
    reached: int         # Requests of the attack that reached the origin.
    alive: bool


def run(name, service, shape, options):
    outcomes = []
    with proxies.start(name, service.port, shape, options.weir) as proxy:
        warm(proxy.port)
        for attack in ATTACKS:
            if options.filter in attack.name:
                outcomes.append(one(proxy, service, attack, 0.33 if options.short else 1.0))
                if not outcomes[-1].alive:
                    break
    return outcomes


def warm(port):
    """The first requests of a process cost memory that is no attack's."""
    link = frames.Link(port)
    for stream in range(1, 400, 2):
        link.send(frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, frames.request(path=b"/?bytes=20000")))
        link.answer(stream)
    link.close()


def one(proxy, service, attack, share):
    ours, theirs = multiprocessing.Pipe()
    bystander = multiprocessing.get_context("fork").Process(target=stand_by, args=(proxy.port, theirs))
    bystander.start()
    ours.recv()  # It has had its first answer.
    before_count = service.count()
    proxy.forget_peak()
    before = proxy.memory()
    sent, ended = assault(proxy.port, attack, share)
    grown = max(0, proxy.peak() - before)
    ours.send("enough")
    asked, unanswered, slowest = ours.recv() if ours.poll(15) else (0, 1, 0.0)
    bystander.kill()
    bystander.join()
    return Outcome(attack, sent, ended, grown, asked, unanswered, slowest, max(0, service.count() - before_count - asked), proxy.alive())


def assault(port, attack, share):
    link, sent, until = frames.Link(port, first=attack.first), 0, time.monotonic() + LIMIT
    ended = ""
    for at, (piece, count) in enumerate(attack.pieces()):
        if not link.send(piece):
            ended = "closed" if link.closed else "reads no more"
            break
        sent += count
        if at % 20 == 0 and not link.look():
            ended = "closed"
            break
        if time.monotonic() > until or sent > share * 120000:
            break
    else:
        time.sleep(attack.holds)
    for _ in range(40):  # A peer that decides later still decides.
        if not link.look() or not attack.closes or ended:
            break
        time.sleep(0.05)
    ended = "closed" if link.closed else ended
    if link.goaway is not None:
        ended = "GOAWAY " + frames.NAMES.get(link.goaway, str(link.goaway))
    link.close()
    return sent, ended


def stand_by(port, pipe):
    """Asks again and again; (asked, unanswered, slowest in ms) when told that it is enough."""
    asked = unanswered = 0
    slowest, link, stream = 0.0, None, 1
    while not pipe.poll():
        started = time.monotonic()
        if link is None:
            link, stream = frames.Link(port), 1
        asked += 1
        link.send(frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, frames.request()))
        if not link.answer(stream):
            unanswered += 1
            link.close()
            link = None
        slowest = max(slowest, (time.monotonic() - started) * 1000)
        stream += 2
        if asked == 1:
            pipe.send("ready")
            slowest = 0.0
        time.sleep(PAUSE)
    pipe.send((asked, unanswered, slowest))


def faults(outcome):
    found = []
    if not outcome.alive:
        found.append("the proxy died")
    if outcome.attack.closes and not outcome.ended:
        found.append(f"{outcome.sent} frames and still open")
    if outcome.attack.kept_out and outcome.reached > 1:
        found.append(f"{outcome.reached} of them reached the origin")
    if outcome.grown > BOUND:
        found.append(f"memory grew by {outcome.grown / proxies.MIB:.1f} MiB")
    if outcome.unanswered or not outcome.asked:
        found.append(f"{outcome.unanswered} of a bystander's {outcome.asked} requests were not answered")
    return found


def judge(outcomes, tally):
    for outcome in outcomes:
        found = faults(outcome)
        tally.case(f"flood: {outcome.attack.name}", not found, "; ".join(found))


def summary(by_proxy):
    def cell(outcome):
        return (f"{outcome.sent}{' ' + outcome.ended if outcome.ended else ', open'}; {outcome.reached} reached; +{outcome.grown / proxies.MIB:.1f} MiB; "
                f"{outcome.slowest:.0f} ms" + (f"; {outcome.unanswered} unanswered" if outcome.unanswered else "") + ("" if outcome.alive else "; DIED"))
    names = list(dict.fromkeys(outcome.attack.name for outcomes in by_proxy.values() for outcome in outcomes))
    rows = []
    for name in names:
        cells = [next((cell(each) for each in outcomes if each.attack.name == name), "") for outcomes in by_proxy.values()]
        rows.append([name, *cells])
    well = ["ended in time or held within bounds", *(f"{sum(not faults(each) for each in outcomes)}/{len(outcomes)}" for outcomes in by_proxy.values())]
    worst = ["most memory; slowest answer; not answered"]
    for outcomes in by_proxy.values():
        worst.append(f"+{max(each.grown for each in outcomes) / proxies.MIB:.1f} MiB; {max(each.slowest for each in outcomes):.0f} ms; "
                     f"{sum(each.unanswered for each in outcomes)}")
    return score.table(["flood: frames until the end; requests that reached the origin; memory; a bystander's slowest answer", *by_proxy], [*rows, well, worst])
