"""Hot restart: a new process takes over from the one that runs, and no request is lost."""
import os
import random
import time

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.steady import Steady
from harness.upstream import Upstream, hang
from harness.weir import Weir, run, sanitized, written


def base_id():
    return str(random.randrange(1000, 2**30))


def process(tree, base, epoch, *flags, **more):
    return Weir(tree, "--base-id", base, "--restart-epoch", str(epoch), *flags, **more)


@fact("the new process has the port of the old one, its counters and its admin endpoint; the old one ends", 4)
def _():
    base = base_id()
    with Upstream() as upstream:
        old = process(config.bootstrap(upstream=upstream), base, 0)
        port, admin = old.port(), old.admin_port()
        for _ in range(5):
            same(get(port).status, 200)
        with process(config.bootstrap(upstream=upstream), base, 1, "--parent-shutdown-time-s", "1", workers=2) as new:
            same((new.port(), new.admin_port()), (port, admin))
            same(new.stat("http.ingress.downstream_rq_2xx"), 5)
            same(get(port).status, 200)
            same(old.wait(5), 0, "exit code of the old one")
            same(new.stat("http.ingress.downstream_rq_2xx"), 6)
            holds(new.log(), "took over")
            same(new.json("/server_info")["command_line_options"]["restart_epoch"], 1)


@fact("requests under way in the old process are answered there", 3)
def _():
    base = base_id()
    with Upstream(hang(1.5)) as upstream:
        old = process(config.bootstrap(upstream=upstream), base, 0)
        with Client(old.port()) as client:
            client.ask("/old")
            eventually(lambda: upstream.requests, 1)
            with process(config.bootstrap(config.direct("new")), base, 1) as new:
                same(get(new.port()).text, "new")
                same(client.read().text, "/old")
                old.stop()


def restarts(rate):
    base = base_id()
    plugin = config.plugin(guest="conformance", script="request_headers: set 0 x-a 1")
    with Upstream(lambda r: r.answer(b"ok")) as upstream:
        tree = config.bootstrap(upstream=upstream, plugins=[plugin])
        flags = ["--drain-strategy", "immediate", "--parent-shutdown-time-s", "2"]
        now = process(tree, base, 0, *flags, workers=2)
        old = []
        with Steady(now.port(), rate=rate, new_each=20) as load:
            for epoch in range(1, 4):
                time.sleep(1.5)
                old.append(now)
                now = process(tree, base, epoch, *flags, workers=1 + epoch % 3)
            time.sleep(3)
        for each in old:
            same(each.wait(10), 0, "exit code")
        now.stop()
    return load


@fact("three hot restarts under load, with a plugin and other numbers of workers: no request is lost", 12)
def _():
    load = restarts(200 if sanitized() else 1000)
    assert load.lost == 0, f"{load.lost} of {load.sent} lost: {load.errors[:5]}"
    assert load.sent > 300, f"only {load.sent} requests were made"  # A busy machine makes fewer than were asked for.


@fact("a new process that cannot start leaves the old one serving")
def _():
    base = base_id()
    with process(config.bootstrap(), base, 0) as old:
        port = old.port()
        broken = config.bootstrap(plugins=[config.plugin(guest="no_such_guest")])
        done = run("-c", written(broken), "--base-id", base, "--restart-epoch", "1")
        same(done.returncode, 1)
        same(get(port).status, 200)
        same(old.admin("/ready").status, 200)


def text_of(port):
    try:
        return get(port).text
    except OSError:  # Nobody listens for a moment: workers open their sockets each on its own.
        return None


@fact("a new process that is killed after it took over gives the port back", 3)
def _():
    base = base_id()
    with process(config.bootstrap(config.direct("old")), base, 0) as old:
        port = old.port()
        new = process(config.bootstrap(config.direct("new")), base, 1)
        same(get(port).text, "new")
        new.kill()
        eventually(lambda: old.log().count("serving again"), 1)
        eventually(lambda: text_of(port), "old")


@fact("without a process to take over from, an epoch above 0 is refused, or starts alone where that is asked for")
def _():
    base = base_id()
    done = run("-c", written(config.bootstrap()), "--base-id", base, "--restart-epoch", "1")
    same(done.returncode, 1)
    holds(done.stderr, "hot restart to epoch 1")
    with process(config.bootstrap(), base, 1, "--skip-hot-restart-on-no-parent") as weir:
        same(get(weir.port()).status, 200)


@fact("a base id that is taken is an error; one that is chosen is written down")
def _():
    base = base_id()
    with process(config.bootstrap(), base, 0) as weir:
        done = run("-c", written(config.bootstrap()), "--base-id", base)
        same(done.returncode, 1)
        path = os.path.join(weir.folder, "base")
        with Weir(config.bootstrap(), "--use-dynamic-base-id", "--base-id-path", path):
            with open(path) as file:
                chosen = file.read()
            with process(config.bootstrap(), chosen, 1) as new:
                same(get(new.port()).status, 200)


@fact("--hot-restart-version and /hot_restart_version tell the same; disabled, both say so")
def _():
    same(run("--hot-restart-version", "--disable-hot-restart").stdout.strip(), "disabled")
    version = run("--hot-restart-version").stdout.strip()
    with process(config.bootstrap(), base_id(), 0) as weir:
        same(weir.admin("/hot_restart_version").text, version)
    with Weir(config.bootstrap(), "--disable-hot-restart") as weir:
        same(weir.admin("/hot_restart_version").text, "disabled")
