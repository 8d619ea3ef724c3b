"""Sends each case to a proxy and judges what the client and the upstream saw."""
import base64
import dataclasses
import json
import os
import re
import socket
import subprocess
import time

import requests
import responses
from tests.stand import proxies, score
from upstream import ANSWER, MARK, Recorder

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 3.0  # Seconds without a byte after which nothing more will come.
SETTLED = 0.15  # Seconds in which what was forwarded reaches the upstream.
FOLLOWED = (b"HTTP/1.1 100", b"HTTP/1.1 103")


@dataclasses.dataclass
class Outcome:
    name: str
    kind: str        # "request" or "response".
    verdict: str
    good: bool
    seen: str        # What happened, for whoever asks why it is not good.
    refused: bool = False
    ambiguous: bool = False


def run(name, weir, text, mutations):
    cases = requests.mutations() if mutations else requests.CASES
    return [*run_requests(name, weir, [case for case in cases if text in f"{case.subject}: {case.name}"]),
            *([] if mutations else run_responses(name, weir, text))]


def run_requests(name, weir, cases):
    recorder, seen = Recorder(), []
    with proxies.start(name, recorder.port, proxies.Shape(codec="HTTP1"), weir) as proxy:
        links = []
        for case in cases:
            recorder.clear()
            link = Link(proxy.port)
            link.send(case.data)
            link.answers(len(case.requests) or 1)
            if link.text.startswith(b"HTTP/1.1 2") or not case.quick and (case.verdict != requests.REFUSE or b"smuggled" in case.data):
                time.sleep(SETTLED)
            seen.append((case, link, recorder.seen()))
            links.append(link)
            if case.quick and len(links) > 200:
                links[len(links) - 201].sock.close()
        alive = proxy.alive()
        late = [link.rest() for link in links]
    return judge_requests(seen, late, alive)


class Link:
    """A client's connection: what it sent, and every byte that came back."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.text, self.ended = b"", False

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            pass  # Refused before all of it was read.

    def read(self):
        try:
            data = self.sock.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        self.text += data
        self.ended = self.ended or not data
        return bool(data)

    def answers(self, count):
        """Reads until so many answers are whole, one of them is an error, or nothing comes any more."""
        while count_answers(self.text) < count and not re.match(rb"HTTP/1.1 [45].*?\r\n\r\n", self.text, re.S):
            if not self.read():
                return

    def rest(self):
        """What came later; closes."""
        if self.sock.fileno() < 0:
            return b""
        self.sock.settimeout(0.01)
        before = len(self.text)
        while not self.ended and self.read():
            pass
        self.sock.close()
        return self.text[before:]


def count_answers(text):
    """Whole final answers (with a length, or chunked and ended) in the bytes."""
    count = at = 0
    while (end := text.find(b"\r\n\r\n", at)) >= 0:
        head = text[at:end]
        if head.startswith(FOLLOWED):
            at = end + 4
            continue
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        if b"chunked" in head.lower():
            stop = text.find(b"\r\n0\r\n\r\n", end)
            if stop < 0:
                break
            at = stop + 7
        else:
            at = end + 4 + (int(length[1]) if length else 0)
        if at > len(text):
            break
        count += 1
    return count


def reparse(streams):
    """Each stream as h11 and as Go read it: two lists of readings."""
    stand = subprocess.run([os.path.join(HERE, "..", "stand", "install")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    lines = "".join(base64.b64encode(each).decode() + "\n" for each in streams)
    programs = ([f"{stand}/python/bin/python3", os.path.join(HERE, "reparse_h11.py")], [f"{stand}/bin/reparse"])
    return [[json.loads(line) for line in subprocess.run(program, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout.rstrip("\n").split("\n") if line]
            for program in programs]


def judge_requests(seen, late, alive):
    streams = [stream for _, _, forwarded in seen for stream in forwarded]
    h11, go = reparse(streams)
    readings, at = [], 0
    for case, link, forwarded in seen:
        readings.append((h11[at:at + len(forwarded)], go[at:at + len(forwarded)]))
        at += len(forwarded)
    return [judge_request(case, link, rest, alive, *both) for (case, link, _), rest, both in zip(seen, late, readings)]


def judge_request(case, link, rest, alive, by_h11, by_go):
    def whole(readings):
        return [(each["method"], each["target"], each["body"].encode("latin-1"), each["host"], each["fields"])
                for reading in readings for each in reading["requests"]]
    one, other = whole(by_h11), whole(by_go)
    errors = [reading["error"] for reading in by_h11 + by_go if reading["error"]]
    # A request that was cut short is none: it counts only where one parser holds it whole and the other does not.
    ambiguous = one != other or bool(errors)
    reached = [each[:3] for each in other]
    status = link.text[:link.text.find(b"\r\n")].decode("latin-1") if link.text else ("closed" if link.ended else "silence")
    smuggled = any(target == "/smuggled" for _, target, _ in reached) and ("GET", "/smuggled", b"") not in case.requests
    refused = not reached and MARK not in link.text + rest
    if case.verdict == requests.REFUSE:
        good = refused and not ambiguous
    elif case.verdict == requests.ACCEPT:
        good = reached == case.requests and not ambiguous
    else:
        good = reached == case.requests[:len(reached)] and not ambiguous
    return Outcome(f"{case.subject}: {case.name}", "request", case.verdict, good and not smuggled and alive,
                   f"{status}; upstream saw {reached!r:.300}" + (f", h11 and Go differ: {one!r:.200} {errors}" if ambiguous else ""),
                   refused, ambiguous or smuggled)


def run_responses(name, weir, text):
    cases = [case for case in responses.ANSWERS if text in f"response: {case.name}"]
    by_target = {f"/r{number}".encode(): case for number, case in enumerate(cases)}

    def answers(target):
        case = by_target.get(target)
        return (ANSWER, False) if case is None else (case.data, case.ends)
    recorder, outcomes = Recorder(answers), []
    with proxies.start(name, recorder.port, proxies.Shape(codec="HTTP1"), weir) as proxy:
        for target, case in by_target.items():
            link = Link(proxy.port)
            link.send(case.method + b" " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            while not answered(link.text, case.method) and link.read():
                pass
            link.rest()
            after = Link(proxy.port)
            after.send(b"GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            after.answers(1)
            after.rest()
            outcomes.append(judge_response(case, link, after.text, proxy.alive()))
    return outcomes


def answered(text, method):
    if method == b"HEAD" or re.match(rb"HTTP/1.1 (204|304)", text):
        return b"\r\n\r\n" in text
    return count_answers(text) > 0


def judge_response(case, link, after, alive):
    text = link.text
    while text.startswith(FOLLOWED) and b"\r\n\r\n" in text:
        text = text[text.index(b"\r\n\r\n") + 4:]
    status = text[9:12].decode("latin-1") if text.startswith(b"HTTP/1.1 ") else ("closed" if not text else "no HTTP")
    refused = status in ("502", "503", "closed")
    evil = case.never in text
    clean = MARK in after and after.startswith(b"HTTP/1.1 200") and b"evil" not in after
    whole = answered(text, case.method)
    if case.verdict == responses.BAD:
        good = refused
    elif case.verdict == responses.CUT:
        good = refused or not whole
    else:
        good = status in ("200", "304") and (whole or link.ended)
    return Outcome(f"response: {case.name}", "response", case.verdict, good and not evil and clean and alive,
                   f"{status}{', and what it must not' if evil else ''}{'' if clean else f'; the next request got {after[:60]!r}'}; {text[:120]!r}",
                   refused, evil or not clean)


def summary(runs):
    """The table of scores."""
    def share(outcomes, wanted):
        chosen = [each for each in outcomes if wanted(each)]
        return f"{sum(each.good for each in chosen)}/{len(chosen)}"
    def of(kind, verdict):
        return lambda each: each.kind == kind and each.verdict == verdict
    rows = []
    for label, wanted in (("must be refused, refused", of("request", requests.REFUSE)), ("well-formed, forwarded as they are", of("request", requests.ACCEPT)),
                          ("free to choose, nothing read otherwise", of("request", requests.EITHER)),
                          ("bad responses kept from the client", of("response", responses.BAD)), ("cut responses seen as cut", of("response", responses.CUT)),
                          ("responses with more behind them, relayed clean", of("response", responses.FINE))):
        rows.append([label, *(share(outcomes, wanted) for outcomes in runs.values())])
    rows.append(["(of all requests, refused)", *(f"{sum(each.refused for each in of)}/{len(of)}" for of in (
        [each for each in outcomes if each.kind == "request"] for outcomes in runs.values()))])
    rows.append(["requests forwarded that two parsers read differently, or smuggled",
                 *(sum(each.ambiguous for each in outcomes if each.kind == "request") for outcomes in runs.values())])
    rows.append(["responses that reached the wrong reader", *(sum(each.ambiguous for each in outcomes if each.kind == "response") for outcomes in runs.values())])
    return score.table(["HTTP/1", *runs], [row for row in rows if any(cell != "0/0" for cell in row[1:])])
