"""Runs a case on a proxy, and says what was seen and what of it is wrong."""
import dataclasses
import subprocess
import tempfile
import time

from . import sanitizers
from .proxy import Proxy, Refused

BYSTANDERS = 1000
MOST_GROWTH = 110  # MiB: an instance's cap, what the host keeps for it, and what a thousand connections leave behind.
MOST_GROWTH_SANITIZED = 2 * MOST_GROWTH + sanitizers.QUARANTINE  # What surrounds each allocation, and the freed ones.
MOST_LOG = 24  # MB: three requests, a second's budget of 8 MiB at once.
MOST_DESCRIPTORS = 2  # Connections to the admin endpoint.
SLOWEST = 3.0  # Seconds, of a bystander: a thousand at once on one worker, and guests that take their whole time.


@dataclasses.dataclass
class Seen:
    started: bool = False
    refusal: str = ""  # Of a strict start too.
    ready: str = ""  # What /ready?verbose says.
    bad: list = dataclasses.field(default_factory=list)  # (status, seconds)
    lost: int = 0  # Bystanders, of all phases.
    slowest: float = 0.0
    growth: float = 0.0
    peak: float = 0.0
    descriptors: int = 0  # More than before.
    active: int = 0  # Requests that the bad listener still has.
    log_mb: float = 0.0
    log: str = ""
    alive: bool = True
    end: float = None
    most_growth: int = MOST_GROWTH
    report: str = ""  # Of a sanitizer.
    wrong: list = dataclasses.field(default_factory=list)


def compiled(case):
    """The module's bytes; Envoy takes no text."""
    if case.code is not None:
        return case.code
    with tempfile.NamedTemporaryFile("w", suffix=".wat") as text, tempfile.NamedTemporaryFile(suffix=".wasm") as binary:
        text.write(case.wat)
        text.flush()
        done = subprocess.run(["wat2wasm", "--enable-all", "--no-check", text.name, "-o", binary.name], capture_output=True, text=True)
        assert done.returncode == 0, f"{case.name}: {done.stderr}"
        return binary.read()


def request_of(case, number):
    lines = [f"{case.method} /bad/{number} HTTP/1.1", "host: bad.example", "x-given: yes"]
    if case.trailers:
        lines += ["transfer-encoding: chunked", "te: trailers"]
        body = b"%x\r\n%s\r\n0\r\nx-trailer: yes\r\n\r\n" % (len(case.body), case.body)
    else:
        body = case.body
        lines += [f"content-length: {len(body)}"] if body else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def run(case, program, traffic, bystanders=BYSTANDERS, flags=()):
    seen = Seen(most_growth=MOST_GROWTH_SANITIZED if sanitizers.within(program) else MOST_GROWTH)
    traffic.seen.clear()
    code = compiled(case)
    try:
        if case.refused is not None and not program.endswith("envoy"):
            _start_strictly(program, code, traffic, case, seen, flags)
        proxy = Proxy(program, code, traffic.port, case.policy, [*case.flags, *flags])
    except Refused as why:
        seen.refusal = str(why)
        seen.report = sanitizers.report(seen.refusal)
        return seen
    seen.started = True
    try:
        _meet(case, proxy, traffic, bystanders, seen)
    finally:
        seen.end = proxy.end()
        seen.log = proxy.last_log
        seen.report = sanitizers.report(seen.refusal + seen.log)
    return seen


def _start_strictly(program, code, traffic, case, seen, flags):
    try:
        Proxy(program, code, traffic.port, case.policy, [*case.flags, *flags, "--plugin-strict-start"]).end()
    except Refused as why:
        seen.refusal = str(why)


def _meet(case, proxy, traffic, count, seen):
    traffic.bystanders(proxy.good, count)  # Buffers and tables of a busy worker are there from here on.
    _add(seen, traffic.bystanders(proxy.good, count))
    memory, descriptors = proxy.memory(), proxy.descriptors()
    seen.ready = proxy.page("/ready?verbose", 5) or ""
    requests = [request_of(case, number) for number in range(case.requests)]
    seen.bad, beside = traffic.offend(proxy.bad, requests, case.patience, proxy.good, count)
    _add(seen, beside)
    seen.alive = proxy.alive()
    if not seen.alive:
        return
    _add(seen, traffic.bystanders(proxy.good, count))
    _settle(proxy, descriptors)
    seen.growth, seen.peak = _grown(proxy, memory, seen.most_growth), proxy.peak() - memory
    seen.descriptors = max(0, proxy.descriptors() - descriptors)
    seen.active = proxy.stat("http.bad.downstream_rq_active") or 0
    seen.log_mb = proxy.log_size()


def _settle(proxy, descriptors):
    until = time.monotonic() + 10
    while time.monotonic() < until and (proxy.descriptors() > descriptors + MOST_DESCRIPTORS or proxy.stat("http.bad.downstream_rq_active")):
        time.sleep(0.05)


def _grown(proxy, before, most):
    """What stays when the proxy has had the time to give memory back: it looks every five seconds."""
    until = time.monotonic() + 7
    while (grown := proxy.memory() - before) > most and time.monotonic() < until:
        time.sleep(0.1)
    return grown


def _add(seen, outcome):
    lost, slowest = outcome
    seen.lost += lost
    seen.slowest = max(seen.slowest, slowest)


def judge(case, seen, traffic):
    """What of it weir must not do."""
    wrong = seen.wrong
    if seen.report:
        wrong.append(f"a sanitizer says: {seen.report}")
    if not seen.started:
        wrong.append(f"it does not start: {seen.refusal[-400:]}")
        return wrong
    if case.refused is not None:
        _judge_degraded(case, seen)
    for status, seconds in seen.bad:
        if status not in ((503,) if case.refused is not None else case.statuses):
            wrong.append(f"a bad request got {status} after {seconds:.2f} s")
        elif seconds > case.patience:
            wrong.append(f"a bad request took {seconds:.2f} s")
    _judge_proxy(seen)
    if case.log and case.log not in seen.log:
        wrong.append(f"the log does not say '{case.log}': {seen.log[-600:]}")
    if case.seen and (why := case.seen(list(traffic.seen))):
        wrong.append(why)
    return wrong


def _judge_degraded(case, seen):
    if not seen.refusal:
        seen.wrong.append("it runs")
    for what, text in (("refusal", seen.refusal), ("log", seen.log)):
        if "Unable to create Wasm plugin hostile: " not in text or case.refused not in text:
            seen.wrong.append(f"its {what} does not say '{case.refused}': {text[-400:]}")
    if not seen.ready.startswith("LIVE\ndegraded: plugin hostile: "):
        seen.wrong.append(f"/ready says: {seen.ready}")


def _judge_proxy(seen):
    for holds, what in ((seen.alive, "the proxy is gone"), (seen.lost == 0, f"{seen.lost} bystanders lost"),
                        (seen.slowest < SLOWEST, f"a bystander waited {seen.slowest:.2f} s"), (seen.growth < seen.most_growth, f"{seen.growth:.0f} MiB stay"),
                        (seen.descriptors <= MOST_DESCRIPTORS, f"{seen.descriptors} descriptors stay"), (seen.active == 0, f"{seen.active} requests stay"),
                        (seen.log_mb < MOST_LOG, f"{seen.log_mb:.1f} MB of log"), (seen.end is not None, "SIGTERM does not end it")):
        if not holds:
            seen.wrong.append(what)
