"""When the system has no more to give: descriptors, room for the log."""
import time

from harness import config
from harness.client import Client, get
from harness.facts import Skipped, eventually, fact, same
from harness.upstream import Upstream
from harness.weir import Weir, sanitized


def exhausted(weir, clients, more=30):
    """Lets the proxy have a few descriptors more than it has, and takes them all by idle connections."""
    if sanitized():
        raise Skipped("UBSan looks at memory through a pipe, and sees faults where it cannot have one")
    weir.limit_descriptors(weir.descriptors() + 10)
    port = weir.port()
    clients += [Client(port) for _ in range(more)]
    time.sleep(0.3)
    return port


@fact("without descriptors it does not spin, serves those who are connected, and recovers", 3)
def _():
    with Weir(config.bootstrap()) as weir, Client(weir.port()) as known:
        same(known.get().status, 200)
        clients = []
        port = exhausted(weir, clients)
        late = Client(port)  # Connected by the kernel, and waiting there.
        late.ask()
        before = weir.cpu()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            same(known.get().status, 200, "a request on the open connection")
            time.sleep(0.1)
        spent = weir.cpu() - before
        assert spent < 0.4, f"{spent} s of CPU in 1.5 s"
        for client in clients:
            client.close()
        same(late.read().status, 200, "the connection that waited")
        late.close()
        for _ in range(20):
            same(get(port).status, 200)
        same(known.get().status, 200)


@fact("without descriptors for the upstream a request is 503, and the next one is served once there are some", 2)
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir, Client(weir.port()) as known:
        clients = []
        port = exhausted(weir, clients)
        same(known.get().status, 503)
        for client in clients:
            client.close()
        eventually(lambda: known.get().status, 200)
        same(get(port).status, 200)


@fact("the admin listener recovers too when it had no descriptors", 2)
def _():
    with Weir(config.bootstrap()) as weir:
        clients = []
        exhausted(weir, clients)
        slow = [Client(weir.admin_port(), seconds=2) for _ in range(5)]
        before = weir.cpu()
        time.sleep(1)
        assert weir.cpu() - before < 0.3, f"{weir.cpu() - before} s of CPU in a second of nothing"
        for client in clients + slow:
            client.close()

        def ready():
            try:
                return weir.admin("/ready").status
            except OSError:
                return None
        eventually(ready, 200)


@fact("the log on a full disk does not stop the service")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log a line")
    with open("/dev/full", "wb") as full, Weir(config.bootstrap(plugins=[plugin]), stderr=full, log="trace") as weir:
        for _ in range(50):
            same(get(weir.port()).status, 200)


@fact("--log-path on a full disk does not stop the service")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log a line")
    with Weir(config.bootstrap(plugins=[plugin]), "--log-path", "/dev/full", log="trace") as weir:
        for _ in range(50):
            same(get(weir.port()).status, 200)
