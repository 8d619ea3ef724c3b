"""Plugin code that is fetched (vm_config.code.remote): where it comes from, what is checked, what happens meanwhile and without it."""
from suite.config import CLUSTERS, cluster, plugin, proxy
from suite.http import get
from suite.model import group
from suite.upstream import answer

CODE = cluster("code", "@CODE@")
QUICK = {"num_retries": 2, "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.02s"}}


def remote(path="/plugin.wasm", to="code", sha256="@DIGEST@", uri=None, timeout="2s", retry_policy=None):
    return {"remote": {"http_uri": {"uri": uri or f"http://code.example{path}", "cluster": to, "timeout": timeout}, "sha256": sha256, **({"retry_policy": retry_policy} if retry_policy else {})}}


def fetched(name, code=None, vm=None, serves=None, clusters=(CODE,), **more):
    made = plugin("p", script="", vm={"code": code or remote(), **(vm or {})}, **more)
    return group(f"plugin remote {name}", proxy(plugins=[made], clusters=list(clusters)), code=serves if serves is not None else {"/plugin.wasm": "conformance.wasm"})


STATS = ["/stats?filter=^wasm.remote_load"]
ok = fetched("code")
ok.startup(logs="configure")
ok.case("a request", get(script="request_headers: log here"), status=200, logs="here", admin=STATS)

late = fetched("after a failure", remote(retry_policy=QUICK), serves={"/plugin.wasm": [answer(503), answer(404), "conformance.wasm"]})
late.case("a request", get(script="request_headers: log here"), status=200, logs="here", admin=STATS)

GONE = {"/plugin.wasm": answer(404)}
for name, more, status in (("closed", {}, 503), ("open", {"failure_policy": "FAIL_OPEN"}, 200), ("reload", {"failure_policy": "FAIL_RELOAD"}, 503), ("fail_open", {"fail_open": True}, 200)):
    none = fetched(f"never, {name}", remote(retry_policy=QUICK), serves=GONE, **more)
    none.case("a request", get(script="request_headers: log here"), status=status, admin=STATS)

for name, code, serves, more in (
    ("wrong digest", remote(sha256="0" * 64, retry_policy=QUICK), None, {}),
    ("empty answer", remote(retry_policy=QUICK), {"/plugin.wasm": answer(body="")}, {}),
    ("no module", remote(sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", retry_policy=QUICK), {"/plugin.wasm": answer(body="test")}, {}),
    ("refused", remote(to="refused", retry_policy=QUICK), None, {}),
    ("no cluster", remote(to="nobody", retry_policy=QUICK), None, {}),
    ("too slow", remote(timeout="0.1s", retry_policy={"num_retries": 0}), {"/plugin.wasm": answer(delay=1.0)}, {}),
):
    bad = fetched(name, code, serves=serves)
    bad.case("a request", get(script="request_headers: log here"), status=503, admin=STATS)

two = group("plugin remote twice", proxy(plugins=[plugin("one", script="header: x-one", vm={"code": remote()}), plugin("two", script="header: x-two", vm={"code": remote()})], clusters=[CODE]), code={"/plugin.wasm": "conformance.wasm"})
two.case("a request", get(headers={"x-one": "request_headers: log one", "x-two": "request_headers: log two"}), admin=STATS,
         differs="code that is being fetched is not fetched again for another plugin: both get it")

