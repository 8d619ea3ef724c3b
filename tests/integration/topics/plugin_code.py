"""Plugins of routes, and plugin code that comes from elsewhere: fetched, checked, kept for the next start."""
import hashlib
import os
import subprocess
import time

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream
from harness.weir import GUESTS, Weir, folder, run, written
from topics.reload import Files

FILTER_CONFIG = config.TYPE + "envoy.config.route.v3.FilterConfig"
WASM = config.TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm"


def saying(word, name="p", **more):
    """A plugin that adds a header to the answer."""
    return config.plugin(name, guest="conformance", script=f"header: x-none\n response_headers: set 2 x-said {word}", **more)


def settings(plugin):
    """The plugin as a route's own for the filter of that name."""
    return {"typed_per_filter_config": {plugin["name"]: plugin["typed_config"]}}


def said(port, path, host=None):
    return get(port, path if host is None else f"http://{host}{path}").headers.get("x-said")


# ---- a plugin of a route's own

@fact("a route, a virtual host and a configuration have plugins of their own, and the most specific one runs")
def _():
    own = {**config.direct("route\n", "/route"), **settings(saying("route"))}
    wrapped = {**config.direct("wrapped\n", "/wrapped"), "typed_per_filter_config": {"wasm.p": {"@type": FILTER_CONFIG, "config": saying("wrapped")["typed_config"]}}}
    on = {**config.direct("on\n", "/on"), "typed_per_filter_config": {"wasm.p": {"@type": FILTER_CONFIG, "config": {}}}}
    off = {**config.direct("off\n", "/off"), "typed_per_filter_config": {"wasm.p": {"@type": FILTER_CONFIG, "disabled": True}}}
    host = {**config.vhost(own, wrapped, on, off, config.direct("host\n"), name="a", domains=["a"]), **settings(saying("host"))}
    manager = config.hcm([host, config.vhost(config.direct("other\n"), name="b")], [saying("filter")], {}, settings(saying("configuration")))
    with Weir(config.bootstrap(listeners=[config.listener("main", 0, manager)])) as weir:
        port = weir.port()
        for path, word in (("/route", "route"), ("/wrapped", "wrapped"), ("/on", "host"), ("/", "host"), ("/off", None)):
            same(said(port, path, host="a"), word, path)
        same(said(port, "/", host="b"), "configuration")


@fact("equal plugins of several routes share a VM, and other ones have roots of their own in it")
def _():
    routes = [{**config.direct("x\n", f"/{i}"), **settings(saying("same" if i < 5 else f"other{i}"))} for i in range(10)]
    with Weir(config.bootstrap(*routes, config.direct(), plugins=[saying("filter")])) as weir:
        for i in range(10):
            same(said(weir.port(), f"/{i}"), "same" if i < 5 else f"other{i}")
        same(said(weir.port(), "/none"), "filter")
        same(weir.stat("wasm.envoy.wasm.runtime.v8.active"), 1)


@fact("a plugin of a route that cannot be refuses the configuration by its path")
def _():
    bad = {**config.direct(), **settings(config.plugin("p", guest="conformance", script="configure: return 0"))}
    done = run("--mode", "validate", "-c", written(config.bootstrap(bad, plugins=[saying("filter")])))
    same(done.returncode, 1)
    holds(done.stdout + done.stderr, "routes[0].typed_per_filter_config[\"wasm.p\"]")


@fact("routes that come by a file bring their plugins, and one that cannot be refuses them", 2)
def _():
    files = Files()

    def put(word, script=None):
        plugin = saying(word) if script is None else config.plugin("p", guest="conformance", script=script)
        files.put("rds", "route", {"name": "r", "virtual_hosts": [config.vhost({**config.direct(), **settings(plugin)})]}, version=word)

    put("one")
    manager = config.hcm([], [saying("filter")], {})
    manager["typed_config"].pop("route_config")
    manager["typed_config"]["rds"] = {"route_config_name": "r", "config_source": files.source("rds")}
    with Weir(config.bootstrap(listeners=[config.listener("main", 0, manager)])) as weir, Client(weir.port()) as client:
        same(client.get("/").headers.get("x-said"), "one")
        put("two")
        eventually(lambda: client.get("/").headers.get("x-said"), "two")
        put("three", script="configure: return 0")
        eventually(lambda: weir.stat("http.ingress.rds.r.update_rejected"), 1)
        same(client.get("/").headers.get("x-said"), "two")


# ---- native code that a plugin carries

@fact("native code that weir compile embeds is used where it is allowed and signed, and else compiled as if there were none", 4)
def _():
    where = folder()
    for name in ("ours", "other"):
        key = os.path.join(where, name)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key + ".key"], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key + ".key", "-pubout", "-out", key + ".pub"], check=True, capture_output=True)
    carrying = os.path.join(where, "native.wasm")
    done = run("compile", "--key", os.path.join(where, "ours.key"), os.path.join(GUESTS, "conformance.wasm"), carrying)
    same(done.returncode, 0, done.stderr)

    def started(allowed, *flags):
        vm = {"code": {"local": {"filename": carrying}}, "allow_precompiled": allowed}
        with Weir(config.bootstrap(plugins=[saying("here", vm=vm)]), *flags, cache="none") as weir:
            same(said(weir.port(), "/"), "here")
            return "native code is not used" in weir.log()

    ours = ("--plugin-native-key", os.path.join(where, "ours.pub"))
    same(started(True, *ours), False, "refused, with the key")
    same(started(False, *ours), False, "refused, not allowed")
    same(started(True, "--plugin-native-key", os.path.join(where, "other.pub")), True, "refused, with another key")
    same(started(True), True, "refused, without a key")
    same(run("compile", "--key", os.path.join(where, "ours.pub"), carrying, carrying).returncode, 1)


# ---- code that is fetched

def guest():
    with open(os.path.join(GUESTS, "conformance.wasm"), "rb") as file:
        return file.read()


def remote(server, sha256=None, **more):
    return {"code": {"remote": {"http_uri": {"uri": "http://code/p.wasm", "cluster": "code", "timeout": "5s"},
                                "sha256": sha256 or hashlib.sha256(guest()).hexdigest(),
                                "retry_policy": {"num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}}}}, **more}


def fetching(server, cluster=None, **more):
    return config.bootstrap(plugins=[saying("fetched", vm=remote(server, **more))],
                            clusters=[config.cluster("code", server.port, **(cluster or {}))])


def closed_folder():
    """For what is fetched: nobody else may write there."""
    made = folder()
    os.chmod(made, 0o700)
    return made


def serving(code):
    return lambda request: request.answer(code)


@fact("code is fetched before the first request is taken, and kept for the next start", 2)
def _():
    cache = closed_folder()
    with Upstream(serving(guest())) as server:
        with Weir(fetching(server), cache=cache) as weir:
            same(said(weir.port(), "/"), "fetched")
            same(weir.stat("wasm.remote_load_fetch_successes"), 1)
        same(server.requests, 1)
        with Weir(fetching(server), cache=cache) as weir:
            same(said(weir.port(), "/"), "fetched")
            same(weir.stat("wasm.remote_load_cache_hits"), 1)
        same(server.requests, 1)


@fact("code comes over HTTPS as its cluster says, and from nobody whom the cluster does not trust", 8)
def _():
    from topics.tls import authority, upstream_tls
    trusted = upstream_tls(common_tls_context={"validation_context": {"trusted_ca": {"filename": authority().pem}}})
    with Upstream(serving(guest()), tls=authority().sign("code", "DNS:code", rsa=True)) as server:
        with Weir(fetching(server, {"transport_socket": trusted}), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "fetched")
            same(weir.stat("cluster.code.ssl.handshake"), 1)
        stranger = upstream_tls(common_tls_context={"validation_context": {"trusted_ca": {"filename": authority().pem},
                                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "somebody.else"}}]}})
        with Weir(fetching(server, {"transport_socket": stranger}), cache=closed_folder()) as weir:
            same(get(weir.port(), "/").status, 503)
            holds(weir.log(), "Plugin p has no code")
            assert weir.stat("cluster.code.ssl.fail_verify_san") >= 1
        same(server.requests, 1)


@fact("kept code that somebody changed is fetched again", 2)
def _():
    cache = closed_folder()
    with Upstream(serving(guest())) as server:
        with Weir(fetching(server), cache=cache) as weir:
            same(said(weir.port(), "/"), "fetched")
        kept = os.path.join(cache, "fetched", hashlib.sha256(guest()).hexdigest() + ".wasm")
        same(os.stat(kept).st_mode & 0o777, 0o600)
        with open(kept, "r+b") as file:
            file.seek(1000)
            file.write(b"\0\0\0\0")
        with Weir(fetching(server), cache=cache) as weir:
            same(said(weir.port(), "/"), "fetched")
        same(server.requests, 2)


@fact("while the code is fetched nobody is served, and without it the failure policy holds until it comes", 15)
def _():
    answers = {"code": None}

    def behave(request):
        return request.answer(answers["code"]) if answers["code"] else request.answer(status=503)

    with Upstream(behave) as server:
        with Weir(fetching(server), cache=folder()) as weir:
            same(get(weir.port(), "/").status, 503)
            holds(weir.log(), "Plugin p has no code")
            answers["code"] = guest()
            eventually(lambda: get(weir.port(), "/").status, 200, seconds=14)
            same(said(weir.port(), "/"), "fetched")


@fact("a listener of a file waits for its code while others go on; with nack_on_code_cache_miss it is refused until it is there", 3)
def _():
    files = Files()
    with Upstream(serving(guest())) as server:
        plugin = saying("fetched", vm=remote(server, nack_on_code_cache_miss=True))
        quiet = config.main_listener(config.direct("quiet\n"), name="quiet")
        files.put("lds", "listener", quiet)
        with Weir(files.bootstrap(cds=False, clusters=[config.cluster("code", server.port)]), cache=folder()) as weir:
            asking = config.main_listener(config.direct("asking\n"), name="asking", plugins=[plugin])
            files.put("lds", "listener", quiet, asking, version="2")
            eventually(lambda: weir.stat("listener_manager.lds.update_rejected"), 1)
            eventually(lambda: weir.stat("wasm.remote_load_fetch_successes"), 1)
            same(get(weir.port("quiet"), "/").status, 200)
            files.put("lds", "listener", quiet, asking, version="3")
            eventually(lambda: weir.stat("listener_manager.lds.update_success"), 2)
            same(said(weir.port("asking"), "/"), "fetched")


@fact("a slow fetch of a file's listener leaves the listener before it in place", 4)
def _():
    files, slow = Files(), 1.0

    def behave(request):
        time.sleep(slow)
        return request.answer(guest())

    with Upstream(behave) as server:
        files.put("lds", "listener", config.main_listener(config.direct("old\n")))
        with Weir(files.bootstrap(cds=False, clusters=[config.cluster("code", server.port)]), cache=folder()) as weir:
            plugin = saying("fetched", vm=remote(server))
            files.put("lds", "listener", config.main_listener(config.direct("new\n"), plugins=[plugin]), version="2")
            eventually(lambda: weir.stat("listener_manager.total_listeners_warming"), 1)
            same(get(weir.port(), "/").text, "old\n")
            eventually(lambda: get(weir.port(), "/").text, "new\n")
            same(said(weir.port(), "/"), "fetched")
            same(weir.stat("listener_manager.total_listeners_warming"), 0)
