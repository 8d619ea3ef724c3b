"""A plugin that cannot be loaded costs what its failure policy says, and never the proxy's start."""
import os
import re
import shutil
import time

from suite.plain import FIN, PlainUpstream, converse

from harness import config
from harness.client import get
from harness.facts import eventually, fact, holds, same
from harness.steady import Steady
from harness.upstream import Upstream
from harness.weir import GUESTS, Weir, folder, run, slowness, written
from topics.access_log import SOON, in_folder, lines, to_file
from topics.plugin_code import settings
from topics.plugins import HEAD, plugin_of
from topics.reload import CODEC, OPTIONS, Files, rds_listener
from topics.tcp import proxy

LOGGER = config.TYPE + "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog"
SERVICE = config.TYPE + "envoy.extensions.wasm.v3.WasmService"
NETWORK = config.TYPE + "envoy.extensions.filters.network.wasm.v3.Wasm"


class Missing:
    """A plugin's file that is not there yet."""

    def __init__(self, guest="conformance"):
        self.path, self.guest = os.path.join(folder(), "plugin.wasm"), guest

    def plugin(self, name="lost", script="response_headers: set 2 x-mark here", **more):
        return config.plugin(name=name, script=script, vm={"code": {"local": {"filename": self.path}}}, **more)

    def spec(self, **more):
        return self.plugin(**more)["typed_config"]["config"]

    def comes(self):
        shutil.copy(os.path.join(GUESTS, f"{self.guest}.wasm"), self.path + ".new")
        os.rename(self.path + ".new", self.path)


def ready(weir):
    answer = weir.admin("/ready?verbose")
    same(answer.status, 200)
    same(weir.admin("/ready").text, "LIVE\n")
    return answer.text.splitlines()


@fact("with a plugin's file missing its routes answer 503 that names it, others are served, and it is told everywhere", 2)
def _():
    missing, path = Missing(), in_folder()
    listeners = [config.main_listener(plugins=[missing.plugin()], manager={"access_log": [to_file(path, "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\n")]}),
                 config.main_listener(name="other")]
    with Weir(config.bootstrap(listeners=listeners), *SOON, workers=2) as weir:
        same(get(weir.port()).status, 503)
        same(get(weir.port("other")).status, 200)
        eventually(lambda: lines(path), ["503 wasm_fail_stream{lost}"])
        why = f"Unable to create Wasm plugin lost: {missing.path}: Invalid path: {missing.path}: No such file or directory"
        assert re.search(rf"\[error\].*http_filters\[0\].*: {re.escape(why)}", weir.log()), weir.log()
        state, line = ready(weir)
        same(state, "LIVE")
        assert re.fullmatch(rf"degraded: plugin lost: .*{re.escape(why)}; its streams are refused; tried \d times?, again in \d+ s", line), line
        same(weir.stat("wasm.lost.degraded"), 1)
        assert weir.stat("wasm.lost.load_attempts") == weir.stat("wasm.lost.load_failures") >= 1
        holds(weir.admin("/stats/prometheus").text, 'envoy_wasm_degraded{wasm_plugin="lost"} 1\n')
        missing.comes()  # Nobody watches it: it is tried again by itself.
        eventually(lambda: get(weir.port()).headers.get("x-mark"), "here", seconds=6)
        same(ready(weir), ["LIVE"])
        same(weir.stat("wasm.lost.degraded"), 0)
        holds(weir.log(), "plugin lost is degraded no more")


@fact("with an open policy streams go on without it, and none is lost when it comes", 3)
def _():
    for policy in ({"failure_policy": "FAIL_OPEN"}, {"fail_open": True}):
        missing = Missing()
        with Weir(config.bootstrap(plugins=[missing.plugin(**policy)]), "--plugin-watch", workers=2) as weir:
            port = weir.port()
            same(get(port).status, 200)
            holds(ready(weir)[1], "its streams go on without it")
            with Steady(port, rate=300) as load:
                missing.comes()
                eventually(lambda: get(port).headers.get("x-mark"), "here", seconds=5)
            same(load.lost, 0, f"lost of {load.sent}: {load.errors[:3]}")
            same(ready(weir), ["LIVE"])


@fact("a strict start, a validation and an update refuse what a start goes on without", 3)
def _():
    missing = Missing()
    told = written(config.bootstrap(plugins=[missing.plugin()]))
    for flags in (["--mode", "validate"], ["--plugin-strict-start"]):
        done = run("-c", told, *flags)
        same(done.returncode, 1)
        assert re.search(rf"\[critical\].*http_filters\[0\].*Unable to create Wasm plugin lost: {re.escape(missing.path)}: Invalid path", done.stderr), done.stderr
        assert "degraded" not in done.stderr, done.stderr
    same(run("-c", told, "--mode", "init_only").returncode, 0)
    files = Files()
    files.put("lds", "listener", config.main_listener(config.direct("a")))
    with Weir(files.bootstrap(cds=False)) as weir:
        files.put("lds", "listener", config.main_listener(config.direct("b"), plugins=[missing.plugin()]), version="2")
        eventually(lambda: weir.stat("listener_manager.lds.update_rejected"), 1)
        same(get(weir.port()).text, "a")
        same(ready(weir), ["LIVE"])


@fact("a configuration that is wrong, and says no more than that of a plugin, is still refused")
def _():
    for more in ({"failure_policy": "FAIL_SOMEHOW"}, {"no_such_field": 1}):
        same(run("-c", written(config.bootstrap(plugins=[config.plugin(**more)]))).returncode, 1, str(more))
    same(run("-c", written(config.bootstrap(plugins=[config.plugin(vm={"runtime": "envoy.wasm.runtime.none"})]))).returncode, 1)


@fact("what files say at the start is served without the plugin, too, and can change before that has come", 3)
def _():
    files, missing = Files(), Missing()
    routes = lambda text: {"name": "r", "virtual_hosts": [config.vhost({**config.direct(text, "/plugin"), **settings(missing.plugin(name="p"))}, config.direct(text))]}
    files.put("rds", "route", routes("one"))
    files.put("lds", "listener", rds_listener(files, plugins=[config.plugin()]))
    with Weir(files.bootstrap(cds=False)) as weir:
        port = weir.port()
        same((get(port, "/plugin").status, get(port, "/").text), (503, "one"))
        holds(ready(weir)[1], "typed_per_filter_config")
        files.put("rds", "route", routes("two"), version="2")
        eventually(lambda: get(port, "/").text, "two")
        same(get(port, "/plugin").status, 503)
        missing.comes()
        eventually(lambda: get(port, "/plugin").headers.get("x-mark"), "here", seconds=8)
        same(ready(weir), ["LIVE"])


@fact("on the upstream's side, of a cluster and of the router", 3)
def _():
    with Upstream(lambda r: r.answer(b"ok")) as upstream:
        missing = Missing()
        web = config.web(upstream, typed_extension_protocol_options={OPTIONS.split("/")[1]: {
            "@type": OPTIONS, "explicit_http_config": {"http_protocol_options": {}}, "http_filters": [missing.plugin(), CODEC]}})
        other = config.cluster("other", upstream.port)
        with Weir(config.bootstrap(config.route("other", match="/other"), config.route("web"), clusters=[web, other])) as weir:
            same((get(weir.port(), "/").status, get(weir.port(), "/other").status), (503, 200))
            missing.comes()
            eventually(lambda: get(weir.port(), "/").headers.get("x-mark"), "here", seconds=6)


@fact("before a TCP proxy: closed, or open", 3)
def _():
    for policy, answer in (("FAIL_CLOSED", b""), ("FAIL_OPEN", b"hello")):
        upstream, missing = PlainUpstream(), Missing()
        network = {"name": "wasm", "typed_config": {"@type": NETWORK, "config": missing.spec(failure_policy=policy, script="new_connection: log seen")}}
        with Weir(proxy(upstream, network, *proxy(upstream)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"])) as weir:
            same(converse(weir.port(), [b"hello", 0.05, FIN], 3)[0], answer)
            missing.comes()
            eventually(lambda: ready(weir), ["LIVE"], seconds=6)
            same(converse(weir.port(), [b"again", 0.05, FIN], 3)[0], b"again")
            holds(weir.log(), "seen")
        upstream.stop()


@fact("as an access log and as a service of the bootstrap: they begin when they can", 3)
def _():
    logger, service = Missing(), Missing()
    log = {"name": "wasm", "typed_config": {"@type": LOGGER, "config": logger.spec(name="logger", script="log: log an entry")}}
    more = {"bootstrap_extensions": [{"name": "envoy.bootstrap.wasm", "typed_config": {
        "@type": SERVICE, "singleton": True, "config": service.spec(name="service", script="configure: log it begins")}}]}
    with Weir(config.bootstrap(manager={"access_log": [log]}, more=more), workers=2) as weir:
        same(get(weir.port()).status, 200)
        same(len(ready(weir)), 3)
        logger.comes(), service.comes()
        eventually(lambda: ready(weir), ["LIVE"], seconds=6)
        same(get(weir.port()).status, 200)
        eventually(lambda: "an entry" in weir.log() and "it begins" in weir.log())


@fact("code that is corrupt, of another ABI, that says no, traps or loops in its start, stops no start either", 6)
def _():
    body = '(func (export "proxy_on_configure") (param i32 i32) (result i32) %s))'
    for text, says in ((HEAD[:60], ""), (HEAD.replace("_0_2_1", "_7_7_7") + ")", "ABI version"), (HEAD + body % "(i32.const 0)", "proxy_on_configure returned false"),
                       (HEAD + body % "unreachable", "proxy_on_configure failed"), (HEAD + body % "(loop $l (br $l)) (i32.const 1)", "time limit")):
        plugin, began = plugin_of(text, "bad"), time.monotonic()
        listeners = [config.main_listener(plugins=[plugin]), config.main_listener(name="other")]
        with Weir(config.bootstrap(listeners=listeners), "--plugin-start-ms", 400) as weir:
            assert time.monotonic() - began < 4 * slowness(), "it took its time"
            same((get(weir.port()).status, get(weir.port("other")).status), (503, 200))
            holds(ready(weir)[1], says)
            path = plugin["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"]
            with open(path + ".new", "w") as file:
                file.write(HEAD + ")")
            os.rename(path + ".new", path)
            eventually(lambda: get(weir.port()).status, 200, seconds=12)


@fact("a registry that is down is told as well, until it answers", 4)
def _():
    answers = {}
    with Upstream(lambda r: r.answer(answers["code"]) if answers else r.answer(b"", status=500)) as server:
        vm = {"code": {"remote": {"http_uri": {"uri": "http://code.example/p.wasm", "cluster": "code", "timeout": "1s"}, "sha256": "0" * 64,
                                  "retry_policy": {"num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}}}}}
        with Weir(config.bootstrap(plugins=[config.plugin("far", vm=vm)], clusters=[config.cluster("code", server.port)])) as weir:
            same(get(weir.port()).status, 503)
            line = ready(weir)[1]
            holds(line, "degraded: plugin far: Plugin far has no code: it could not be fetched from http://code.example/p.wasm")
            holds(line, "its code is being fetched")
            same(weir.stat("wasm.far.degraded"), 1)


@fact("calls that loop open the breaker, also between good ones and where each stream has an instance of its own: others are served", 8)
def _():
    for flags in ((), ("--plugin-instance-per-stream", 1)):
        listeners = [config.main_listener(plugins=[config.plugin(name="looping", guest="fault")]), config.main_listener(name="other")]
        with Weir(config.bootstrap(listeners=listeners), *flags, workers=1) as weir:
            for _ in range(30):
                get(weir.port(), path="/loop")
                same(get(weir.port("other")).status, 200)
                if weir.stat("wasm.looping.breaker_open"):
                    break
                same(get(weir.port(), path="/good").status, 200)
            same(weir.stat("wasm.looping.breaker_opened"), 1)
            same(get(weir.port(), path="/good").status, 503)
            holds(weir.log(), "plugin looping: its breaker is open on this worker, as calls have run into their deadline for ")
            eventually(lambda weir=weir: get(weir.port(), path="/good").status, 200)
            eventually(lambda weir=weir: weir.stat("wasm.looping.breaker_open"), 0)


@fact("instances that die one after the other open the breaker, which is told, and closes when one is of use", 4)
def _():
    listeners = [config.main_listener(plugins=[config.plugin("dying", guest="fault")]), config.main_listener(name="other")]
    with Weir(config.bootstrap(listeners=listeners)) as weir:
        same(weir.stat("wasm.dying.breaker_open"), 0)
        for _ in range(202):
            same(get(weir.port(), "/trap").status, 503)
        same((weir.stat("wasm.dying.breaker_open"), weir.stat("wasm.dying.breaker_opened")), (1, 1))
        made = weir.stat("wasm.envoy.wasm.runtime.v8.created")
        same((get(weir.port(), "/well").status, get(weir.port("other")).status), (503, 200))
        same(weir.stat("wasm.envoy.wasm.runtime.v8.created"), made)
        holds(weir.log(), "plugin dying: its breaker is open on this worker, as 201 instance(s) in a row died without being of use")
        line = ready(weir)[1]
        holds(line, "breaker open: plugin dying: on 1 worker, its instances die: Function: proxy_on_request_headers failed")
        holds(weir.admin("/stats/prometheus").text, 'envoy_wasm_breaker_open{wasm_plugin="dying"} 1\n')
        eventually(lambda: get(weir.port(), "/well").status, 200)
        eventually(lambda: weir.stat("wasm.dying.breaker_open"), 0)
        same(ready(weir), ["LIVE"])
        holds(weir.log(), "plugin dying: its breaker is closed again on this worker")
