"""Everything at once: peers and plugins that break off, stall, reset and trap, at random. What goes right must go right
beside it, and nothing may be left over. The seeds are fixed; the interleaving is not."""
import random
import signal
import threading
import time

from harness import config
from harness.client import Client, Cut, get
from harness.facts import eventually, fact, same
from harness.upstream import CLOSE, RESET, Upstream
from harness.weir import MIB, Weir, bounded

SECONDS = 4
CLIENTS = 8
ROUTES = [config.route("web", match="/late", timeout="0.05s"), config.route("web")]


def behave(request):
    """The path says what the upstream does; /good is the path of requests that must be answered."""
    how = request.path.split("/")[1]
    if how == "early":
        request.answer("early", status=413, headers=["connection: close"])  # A POST must not run into the end of it.
        return CLOSE
    body = b"" if how == "deaf" else request.body()
    if how == "good":
        request.answer(request.path.encode() + body)
    elif how == "chunked":
        request.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        time.sleep(0.002)
        request.send(b"6\r\nsecond\r\n0\r\n\r\n")
    elif how == "late":
        time.sleep(0.1)
        request.answer("late")
    elif how == "half":
        request.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        return random.choice([CLOSE, RESET])
    elif how == "head":
        request.send(b"HTTP/1.1 200 OK\r\ncontent-le")
        return RESET
    elif how == "big":
        request.answer(b"x" * 300_000)
    elif how == "until":
        request.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        return CLOSE
    elif how == "nonsense":
        request.send(b"nonsense\r\n\r\n")
        return CLOSE
    elif how == "extra":
        request.send(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nenoughHTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\npoisoned")
    elif how == "interim":
        request.send(b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n")
        request.answer("final")
    else:
        return random.choice([CLOSE, RESET])


HOWS = ["early", "deaf", "chunked", "late", "half", "head", "big", "until", "nonsense", "extra", "interim", "close"]
CALL = ":method=GET,:path=/{},:authority=a"
SCRIPTS = [
    "request_headers: trap", "response_headers: trap", "request_body: trap", "response_body: trap", "log: trap", "done: trap",
    "request_headers: reply 403 no - -1 denied", "response_headers: reply 500 no - -1 denied", "response_body: reply 500 no - -1 denied",
    "request_headers: close 0", "response_headers: close 1", "request_headers: return 1", "response_headers: return 1",
    f"request_headers: return 1; call web {CALL.format('good')} - 500|call: continue 0",
    f"request_headers: return 1; call web {CALL.format('half')} - 500|call: continue 0",
    f"request_headers: return 1; call web {CALL.format('late')} - 20|call: continue 0",
    f"request_headers: return 1; call web {CALL.format('good')} - 500|call: trap",
    f"request_headers: return 1; call web {CALL.format('good')} - 500|call: reply 403 no - -1 denied",
    f"response_headers: return 1; call web {CALL.format('good')} - 500|call: continue 1",
    f"request_headers: call web {CALL.format('good')} - 500; call web {CALL.format('close')} - 500",
    "request_body: return 1", "response_body: return 1", "request_body: eos? setbody 0 0 9999 changed", "response_body: setbody 0 0 9999 -",
    "request_headers: set 0 content-length 3", "request_headers: setpairs 0 a=b", "request_headers: del 0 :path",
]


class Party:
    """Clients that do at random what clients do, until the time is over."""

    def __init__(self, weir, scripts=(), may_fail=()):
        self.port, self.scripts, self.allowed = weir.port(), scripts, {200, *may_fail}
        self.until, self.good, self.wrong = time.monotonic() + SECONDS, 0, []
        self.threads = [threading.Thread(target=self.client, args=(seed,), daemon=True) for seed in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def finish(self):
        for thread in self.threads:
            thread.join(SECONDS + 15)
            assert not thread.is_alive(), "a client waits for ever"
        same(self.wrong[:3], [], f"of {self.good} good requests")

    def client(self, seed):
        rng = random.Random(seed)
        while time.monotonic() < self.until:
            try:
                with Client(self.port, seconds=8) as client:
                    self.talk(rng, client)
            except (OSError, Cut, ValueError, IndexError) as broken:
                if isinstance(broken, TimeoutError):
                    self.wrong.append("no answer for eight seconds")
                if isinstance(broken, ConnectionRefusedError):
                    return

    def talk(self, rng, client):
        for _ in range(rng.randrange(1, 6)):
            if rng.random() < 0.5:
                self.well(rng, client)
            elif not self.ill(rng, client):
                return

    def well(self, rng, client):
        """Two pipelined requests that must be answered, with what was sent."""
        body = rng.randbytes(rng.choice([0, 10, 20_000]))
        paths = [f"/good/{rng.random()}" for _ in range(2)]
        for path in paths:
            client.ask(path, "POST", body=body)
        for path in paths:
            try:
                answer = client.read()
            except Cut:
                if 503 not in self.allowed:
                    self.wrong.append(f"{path}: cut")
                raise
            self.good += 1
            if answer.status not in self.allowed:
                self.wrong.append(f"{path}: {answer.status} {answer.text[:80]}")
            if answer.status == 200 and answer.body != path.encode() + body:
                self.wrong.append(f"{path}: the body is another: {answer.body[:60]!r}")
            if answer.headers.get("connection") == "close":
                raise Cut(b"")

    def ill(self, rng, client):
        """Something that goes wrong somewhere. False if the connection is of no more use."""
        headers = [("x-script", rng.choice(self.scripts))] if self.scripts and rng.random() < 0.7 else []
        path = "/" + rng.choice(HOWS)
        kind = rng.randrange(5)
        if kind == 0:
            client.ask(path, headers=headers)
        elif kind == 1:
            client.ask(path, "POST", headers=headers, body=b"y" * rng.choice([1, 5000, 100_000]))
        elif kind == 2:
            client.ask(path, "POST", headers=[*headers, ("transfer-encoding", "chunked")])
            client.send(b"5\r\nhello\r\n")
            client.send(rng.choice([b"0\r\n\r\n", b"zz\r\n", b""]))
        elif kind == 3:
            client.ask(path, "POST", headers=[*headers, ("content-length", "100000")])
            client.send(b"z" * 500)
        else:
            client.send(rng.randbytes(50))
        end = rng.randrange(4)
        if end == 0 or kind == 3:
            client.reset()
            return False
        if end == 1:
            client.sock.shutdown(1)
        waits = bool(self.scripts) or kind in (2, 4)  # A script may hold its request, and half a request is none.
        client.sock.settimeout(0.3 if waits else 8)
        try:
            answer = client.read()
        except TimeoutError:
            if not waits:
                self.wrong.append(f"{path}: no answer")
            return False
        return answer.headers.get("connection") != "close" and end != 1


def quiet(weir):
    names = ["http.ingress.downstream_rq_active", "http.ingress.downstream_cx_active", "cluster.web.upstream_rq_active"]
    eventually(lambda: {name: weir.stat(name) for name in names}, {name: 0 for name in names}, seconds=8)


@fact("peers that break off at random harm nobody else, and leave nothing behind", SECONDS + 2)
def _():
    with Upstream(behave) as upstream, Weir(config.bootstrap(*ROUTES, upstream=upstream), workers=2, log="warning") as weir:
        before = weir.memory()
        party = Party(weir)
        party.finish()
        assert party.good > 100, party.good
        quiet(weir)
        same(get(weir.port(), "/good").text, "/good")
        bounded(weir.memory() - before, 40 * MIB, "memory")


@fact("plugins that trap, hold, answer and call at random harm nobody else, and leave nothing behind", SECONDS + 2)
def _():
    plugins = [config.plugin(name="one", guest="conformance", script=""),
               config.plugin(name="two", guest="conformance", script="header: x-script-2", vm_id="other")]
    with Upstream(behave) as upstream:
        tree = config.bootstrap(*ROUTES, upstream=upstream, plugins=plugins, manager={"stream_idle_timeout": "2s"})
        with Weir(tree, workers=2, log="off") as weir:
            before = weir.memory()
            party = Party(weir, SCRIPTS, may_fail={503})  # Of streams that were in a plugin when it trapped.
            party.finish()
            quiet(weir)
            eventually(lambda: get(weir.port(), "/good").text, "/good")
            bounded(weir.memory() - before, 60 * MIB, "memory")


@fact("an end in the midst of it all is in order", SECONDS)
def _():
    plugins = [config.plugin(guest="conformance", script="")]
    with Upstream(behave) as upstream:
        with Weir(config.bootstrap(*ROUTES, upstream=upstream, plugins=plugins), "--drain-time-s", "2", workers=2, log="off") as weir:
            party = Party(weir, SCRIPTS, may_fail={503})
            time.sleep(1)
            weir.signal(signal.SIGTERM)
            same(weir.wait(6), 0, "exit code")
            party.until = 0
