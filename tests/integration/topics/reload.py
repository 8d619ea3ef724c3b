"""Configuration by files: what changes while requests are under way, as a whole or not at all, and nothing is lost."""
import os
import time

from harness import config, weir as harness
from harness.client import Client, get, refused
from harness.facts import eventually, fact, holds, same
from harness.steady import Steady
from harness.upstream import Upstream, hang
from harness.weir import Weir, sanitized

TYPES = {"listener": "envoy.config.listener.v3.Listener", "cluster": "envoy.config.cluster.v3.Cluster",
         "route": "envoy.config.route.v3.RouteConfiguration", "endpoints": "envoy.config.endpoint.v3.ClusterLoadAssignment"}


class Files:
    """A folder of discovery responses, each moved into its place as people do."""

    def __init__(self):
        self.folder = harness.folder()

    def path(self, name):
        return os.path.join(self.folder, name + ".yaml")

    def put(self, name, kind, *resources, version="1"):
        self.text(name, config.text({"version_info": version,
                                     "resources": [{"@type": config.TYPE + TYPES[kind], **each} for each in resources]}))

    def text(self, name, text):
        with open(self.path(name) + ".new", "w") as file:
            file.write(text)
        os.rename(self.path(name) + ".new", self.path(name))

    def source(self, name):
        return {"resource_api_version": "V3", "path_config_source": {"path": self.path(name)}}

    def bootstrap(self, lds=True, cds=True, **more):
        dynamic = {}
        if lds:
            dynamic["lds_config"] = self.source("lds")
        if cds:
            dynamic["cds_config"] = self.source("cds")
        return config.bootstrap(listeners=more.pop("listeners", []), more={"dynamic_resources": dynamic}, **more)


def body(text):
    return [config.direct(text)]


def listener(*routes, **more):
    return config.main_listener(*routes, **more)


def rds_listener(files, name="main", plugins=(), **more):
    made = config.main_listener(name=name, plugins=plugins, **more)
    manager = made["filter_chains"][0]["filters"][-1]["typed_config"]
    manager.pop("route_config")
    manager["rds"] = {"route_config_name": "r", "config_source": files.source("rds")}
    return made


def routes(*routes, name="r"):
    return {"name": name, "virtual_hosts": [config.vhost(*routes)]}


def eds_cluster(files, name="web"):
    return {"name": name, "type": "EDS", "connect_timeout": "1s", "eds_cluster_config": {"eds_config": files.source("eds")}}


def endpoints(*upstreams, name="web"):
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [
        {"endpoint": {"address": config.address(each.port)}} for each in upstreams]}]}


@fact("listeners, routes, clusters and endpoints come from files, and follow them")
def _():
    files = Files()
    with Upstream(lambda r: r.answer(b"one")) as one, Upstream(lambda r: r.answer(b"two")) as two:
        files.put("lds", "listener", rds_listener(files))
        files.put("rds", "route", routes(config.route("web")))
        files.put("cds", "cluster", eds_cluster(files))
        files.put("eds", "endpoints", endpoints(one))
        with Weir(files.bootstrap(), workers=2) as weir:
            port = weir.port()
            same(get(port).text, "one")
            files.put("eds", "endpoints", endpoints(two), version="2")
            eventually(lambda: get(port).text, "two")
            files.put("rds", "route", routes(config.direct("routed")), version="2")
            eventually(lambda: get(port).text, "routed")
            files.put("cds", "cluster", config.web(one), version="2")
            files.put("rds", "route", routes(config.route("web")), version="3")
            eventually(lambda: get(port).text, "one")
            same(weir.stat("cluster_manager.cds.update_success"), 2)
            same(weir.stat("http.ingress.rds.r.update_success"), 3)


@fact("a listener that comes is opened, one that changes keeps its port, one that goes is closed")
def _():
    files = Files()
    files.put("lds", "listener", listener(config.direct("a")))
    with Weir(files.bootstrap(cds=False), workers=2) as weir:
        port = weir.port()
        files.put("lds", "listener", listener(config.direct("b")), listener(config.direct("c"), name="more"), version="2")
        eventually(lambda: get(port).text, "b")
        more = weir.port("more")
        same(get(more).text, "c")
        same(weir.port(), port)
        same([weir.stat(f"listener_manager.listener_{what}") for what in ("added", "modified", "removed")], [2, 1, 0])
        files.put("lds", "listener", listener(config.direct("b")), version="3")
        eventually(lambda: refused(more))
        same(get(port).text, "b")
        same([weir.stat(f"listener_manager.listener_{what}") for what in ("added", "modified", "removed")], [2, 1, 1])


@fact("a bad file is refused as a whole, with the reason in log, stats and config_dump; what was in force stays")
def _():
    files = Files()
    files.put("lds", "listener", listener(config.direct("a")))
    with Weir(files.bootstrap(cds=False)) as weir:
        port = weir.port()
        bad = listener(config.route("nobody"), name="bad")
        files.put("lds", "listener", listener(config.direct("b")), bad, version="2")
        eventually(lambda: weir.stat("listener_manager.lds.update_rejected"), 1)
        same(get(port).text, "a")
        holds(weir.log(), "unknown cluster 'nobody'")
        holds(weir.admin("/config_dump").text, "unknown cluster 'nobody'")
        files.text("lds", "resources: [")
        eventually(lambda: weir.stat("listener_manager.lds.update_failure"), 1)
        same(get(port).text, "a")
        files.put("lds", "listener", listener(config.direct("c")), version="3")
        eventually(lambda: get(port).text, "c")
        same(weir.stat("listener_manager.lds.update_success"), 2)


@fact("a plugin that does not start refuses the listener that names it, and the old one serves on")
def _():
    files = Files()
    files.put("lds", "listener", listener(config.direct("a")))
    with Weir(files.bootstrap(cds=False)) as weir:
        broken = config.plugin(guest="no_such_guest")
        files.put("lds", "listener", listener(config.direct("b"), plugins=[broken]), version="2")
        eventually(lambda: weir.stat("listener_manager.lds.update_rejected"), 1)
        same(get(weir.port()).text, "a")


OPTIONS = config.TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
CODEC = {"name": "envoy.filters.http.upstream_codec",
         "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}}


def marking(upstream, mark, guest="conformance"):
    """The cluster `web` with a plugin of its own that puts its mark on each answer."""
    plugin = config.plugin(name="up", guest=guest, script=f"response_headers: set 2 x-mark {mark}", vm_id=mark)
    return config.web(upstream, typed_extension_protocol_options={OPTIONS.split("/")[1]: {
        "@type": OPTIONS, "explicit_http_config": {"http_protocol_options": {}}, "http_filters": [plugin, CODEC]}})


@fact("a cluster's own plugin comes, changes and goes with the cluster, and no request is lost", 2)
def _():
    files = Files()
    with Upstream(lambda r: r.answer(b"ok")) as upstream:
        files.put("cds", "cluster", marking(upstream, "a"))
        files.put("lds", "listener", listener(config.route("web")))
        with Weir(files.bootstrap(), workers=2) as weir:
            port = weir.port()
            same(get(port).headers.get("x-mark"), "a")
            with Steady(port, rate=200) as load:
                files.put("cds", "cluster", marking(upstream, "b"), version="2")
                eventually(lambda: get(port).headers.get("x-mark"), "b")
                files.put("cds", "cluster", config.web(upstream), version="3")
                eventually(lambda: get(port).headers.get("x-mark"), None)
                files.put("cds", "cluster", marking(upstream, "c"), version="4")
                eventually(lambda: get(port).headers.get("x-mark"), "c")
            same(load.lost, 0, f"lost of {load.sent}: {load.errors[:3]}")


@fact("a cluster whose plugin does not start is refused, and the old one serves on")
def _():
    files = Files()
    with Upstream(lambda r: r.answer(b"ok")) as upstream:
        files.put("cds", "cluster", marking(upstream, "a"))
        files.put("lds", "listener", listener(config.route("web")))
        with Weir(files.bootstrap()) as weir:
            files.put("cds", "cluster", marking(upstream, "b", guest="no_such_guest"), version="2")
            eventually(lambda: weir.stat("cluster_manager.cds.update_rejected"), 1)
            same(get(weir.port()).headers.get("x-mark"), "a")


@fact("a request under way ends on the configuration it began with", 2)
def _():
    files = Files()
    with Upstream(hang(1.0)) as upstream:
        files.put("cds", "cluster", config.web(upstream))
        files.put("lds", "listener", listener(config.route("web")))
        with Weir(files.bootstrap()) as weir:
            port = weir.port()
            with Client(port) as client:
                client.ask("/under-way")
                eventually(lambda: upstream.requests, 1)
                files.put("lds", "listener", listener(config.direct("new")), version="2")
                eventually(lambda: get(port).text, "new")
                files.put("cds", "cluster", version="2")
                eventually(lambda: weir.stat("cluster_manager.cluster_removed"), 1)
                answer = client.read()
                same((answer.status, answer.text), (200, "/under-way"))


def swaps(which, seconds=6, rate=1000, **bootstrap):
    """A change of `which` each second under load; gives the load when it is over."""
    files = Files()
    plugin = config.plugin(guest="conformance", script="request_headers: set 0 x-a 1")
    with Upstream(lambda r: r.answer(b"ok")) as upstream, Upstream(lambda r: r.answer(b"ok")) as other:
        files.put("cds", "cluster", eds_cluster(files))
        files.put("eds", "endpoints", endpoints(upstream))
        files.put("rds", "route", routes(config.route("web")))
        files.put("lds", "listener", rds_listener(files, plugins=[plugin]))
        with Weir(files.bootstrap(), "--drain-strategy", "immediate", workers=2, log="warning") as weir:
            with Steady(weir.port(), rate=rate, new_each=50) as load:
                for at in range(seconds):
                    time.sleep(1)
                    version = str(at + 2)
                    if "lds" in which:
                        changed = config.plugin(guest="conformance", script=f"request_headers: set 0 x-a {at}")
                        files.put("lds", "listener", rds_listener(files, plugins=[changed]), version=version)
                    if "rds" in which:
                        files.put("rds", "route", routes(config.route("web", timeout=f"{at + 5}s")), version=version)
                    if "cds" in which:
                        files.put("cds", "cluster", {**eds_cluster(files), "connect_timeout": f"{at + 2}s"}, version=version)
                    if "eds" in which:
                        files.put("eds", "endpoints", endpoints(other if at % 2 else upstream), version=version)
            for name, stat in (("lds", "listener_manager.lds"), ("cds", "cluster_manager.cds"), ("rds", "http.ingress.rds.r"),
                               ("eds", "cluster.web")):
                if name in which:
                    same(weir.stat(f"{stat}.update_success") >= seconds, True, f"{name}: {weir.stats(stat + '.update.*')}")
    return load


def nothing_lost(which, rate=1000):
    load = swaps(which, rate=200 if sanitized() else rate)
    assert load.lost == 0, f"{load.lost} of {load.sent} lost: {load.errors[:5]}"
    assert load.sent > 300, f"only {load.sent} requests were made"  # A busy machine makes fewer than were asked for.


@fact("a listener with a plugin swapped every second: no request is lost", 8)
def _():
    nothing_lost(["lds"])


@fact("clusters, endpoints and routes swapped every second: no request is lost", 8)
def _():
    nothing_lost(["cds", "eds", "rds"])


@fact("everything swapped every second: no request is lost", 8)
def _():
    nothing_lost(["lds", "cds", "eds", "rds"])


@fact("swaps leave no descriptors and little memory behind", 8)
def _():
    files = Files()
    files.put("lds", "listener", listener(config.direct("0")))
    with Weir(files.bootstrap(cds=False), "--drain-strategy", "immediate", workers=2) as weir:
        port = weir.port()
        def swap(first, last):
            for at in range(first, last):
                files.put("lds", "listener", listener(config.direct(str(at))), version=str(at))
                eventually(lambda at=at: get(port).text, str(at))
        swap(1, 20)
        eventually(lambda: weir.stat("listener_manager.total_listeners_draining"), 0)
        descriptors, memory = weir.descriptors(), weir.memory()
        swap(20, 80)
        eventually(lambda: weir.stat("listener_manager.total_listeners_draining"), 0)
        eventually(lambda: weir.descriptors() <= descriptors, True)
        if not sanitized():
            assert weir.memory() - memory < 8 << 20, f"{(weir.memory() - memory) >> 10} KiB more"


@fact("/drain_listeners?graceful asks clients to go, and closes the listeners when the drain time is over", 4)
def _():
    with Weir(config.bootstrap(), "--drain-strategy", "immediate", "--drain-time-s", "1") as weir, Client(weir.port()) as client:
        port = weir.port()
        same(client.get().status, 200)
        same(weir.admin("/drain_listeners?graceful", "POST").status, 200)
        time.sleep(0.2)
        same(client.get().headers.get("connection"), "close")
        same(get(port).status, 200)
        eventually(lambda: refused(port), seconds=3)


@fact("/healthcheck/fail asks clients to go, and ok ends that")
def _():
    with Weir(config.bootstrap(), "--drain-strategy", "immediate") as weir:
        port = weir.port()
        weir.admin("/healthcheck/fail", "POST")
        eventually(lambda: get(port).headers.get("connection"), "close")
        weir.admin("/healthcheck/ok", "POST")
        eventually(lambda: Client(port).get().headers.get("connection"), None)
