"""What a proxy is asked to do beyond forwarding, and how the effect of its plugins is seen."""
import dataclasses
import hashlib
import http.client
import typing

BODY = 10 * 1024
MIB = 1 << 20
HELLO = b"hello world\n"


class WrongAnswer(Exception):
    """A proxy did not do what it was asked to. The run's result is a failure, whatever the figures are."""


def fetch(port, method="GET", path="/", body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer, answer.read()
    finally:
        connection.close()


def must(condition, what):
    if not condition:
        raise WrongAnswer(what)


# Each looks once at what `count` plugins do, through the proxy's port.

def sees_light(port, count):
    _, answer, _ = fetch(port)
    must(answer.headers.get_all("x-bench") == ["light"] * count, f"x-bench is not there {count} times")
    _, _, head = fetch(port, path="/head")
    must(b"x-bench-path: /head" in head, "the request has no x-bench-path")


def sees_header(name):
    def check(port, count):
        _, answer, _ = fetch(port)
        must(answer.headers.get(name), f"the response has no {name}")
    return check


def sees_60(port, count):
    status, _, head = fetch(port, path="/head", headers={"x-bench-7": "is removed with the plugin's own"})
    must(status == 200 and b"x-bench-" not in head, "the twenty headers are not removed")


def sees_body(port, count):
    _, _, body = fetch(port, path="/?body=100")
    must(body == b"X" * 100, "the response's body is not rewritten")
    _, _, body = fetch(port, "POST", "/echo", b"abc" * 100)
    must(body == b"abc" * 100, "the request's body is not rewritten")


def sees_go(port, count):
    _, answer, _ = fetch(port, headers={"x-bench-count": "yes"})
    must(int(answer.headers.get("x-bench-count", 0)) >= 3, "the headers are not read")
    must(int(answer.headers.get("x-bench-bytes", 0)) >= 50, "the headers are not read whole")


def sees_hash(port, count):
    _, answer, _ = fetch(port)
    must(answer.headers.get("x-bench-result") == hashlib.sha256(b"x" * BODY).hexdigest(), "the hash is wrong")


def sees_json(port, count):
    _, answer, _ = fetch(port)
    must(BODY - 200 < int(answer.headers.get("x-bench-result", 0)) <= BODY, "the JSON has not its length")


@dataclasses.dataclass(frozen=True)
class Plugin:
    guest: str
    configuration: str = ""
    check: typing.Callable = sees_light


LIGHT = Plugin("bench_light")
CALLS_60 = Plugin("bench_60", check=sees_60)
BOTH_BODIES = Plugin("bench_body", check=sees_body)
GO = Plugin("bench_go", check=sees_go)
GO_JSON = Plugin("bench_go_json", '{"header": "x-bench", "value": "go", "paths": ["^/"]}', sees_header("x-bench"))
SHA256 = Plugin("bench_compute", "sha256", sees_hash)
JSON = Plugin("bench_compute", "json", sees_json)


def other(guest, header):
    """Any plugin that sets a header on the response, with the rules of examples/headers as its configuration."""
    return Plugin(guest, "request add x-bench-request yes\nresponse add x-bench yes", sees_header(header))


@dataclasses.dataclass(frozen=True)
class Setup:
    plugins: tuple = ()
    fresh: bool = False         # weir: an instance of the plugin for each stream.
    cache: str = ""             # weir: the folder of compiled plugins; its usual one if empty.
    workers: int = 1
    fronts: bool = False        # Listeners for TLS and for HTTP/2 as well.
    many_connections: bool = False
    many_headers: bool = False
    routes: int = 1             # Above 1: /r0/ to /rN-1/.
    clusters: int = 1           # Above 1: named by the header x-cluster, c0 to cN-1.

    def check(self, port):
        headers = {"x-cluster": "c0"} if self.clusters > 1 else {}
        path = "/r0/" if self.routes > 1 else "/"
        status, _, body = fetch(port, path=path, headers=headers)
        must(status == 200, f"status {status}")
        if BOTH_BODIES not in self.plugins:
            must(body == HELLO, f"another body: {body[:100]}")
        for plugin in set(self.plugins):
            plugin.check(port, self.plugins.count(plugin))
