"""Plugins that serve no stream: bootstrap services, one for the process or one per worker, and the sink of statistics."""
from suite.config import TYPE, plugin, proxy, string
from suite.http import get
from suite.model import group
from topics.plugin_host import props


def service(*arguments, singleton=True, **more):
    config = plugin(*arguments, **more)["typed_config"]["config"]
    return {"name": "envoy.bootstrap.wasm", "typed_config": {"@type": TYPE + "envoy.extensions.wasm.v3.WasmService", "config": config, **({"singleton": True} if singleton else {})}}


def sink(*arguments, **more):
    config = plugin(*arguments, **more)["typed_config"]["config"]
    return {"name": "envoy.stat_sinks.wasm", "typed_config": {"@type": TYPE + "envoy.extensions.stat_sinks.wasm.v3.Wasm", "config": config}}


NODE = {"node": {"id": "the-node", "cluster": "the-cluster"}}
for name, single in (("singleton", True), ("of each worker", False)):
    twice = None if single else "Envoy runs a service of each worker on its main thread, too"

    def one(script, **more):
        return proxy(bootstrap={"bootstrap_extensions": [service("s", script=script, singleton=single, **more)], **NODE})
    group(f"plugin service {name} ticks", one("configure: tick 300\n tick: log ticking; tick 0")).case("a tick of its own", get(), status=200, logs="ticking", settle=0.5)
    group(f"plugin service {name} calls", one("configure: tick 300\n tick: call callout :method=POST,:path=/from-a-service,:authority=a body 500; tick 0\n call: get 6 :status; body 4 0 99")).case(
        "a callout from a tick", get(), status=200, logs="get 6 :status -> 0", settle=0.5, differs=twice)
    group(f"plugin service {name} properties", one(f"configure: tick 250\n tick: {props('plugin_name', 'plugin_root_id', 'plugin_vm_id', 'xds.node.id', 'request.path', 'connection.id', 'xds.listener_direction')}; setprop a b; reply 200; continue 0; close 2; pairs 0; body 0 0 9; tick 0; done; status; loglevel")).case(
        "what is there", get(), status=200, logs="plugin_name", settle=0.4)
    group(f"plugin service {name} queue", one("configure: tick 250; qreg work\n tick: qput work job; shset k v 0; shget k; tick 0\n queue: qget work; qget work")).case("a queue of its own", get(), status=200, logs='qget work -> 0 "job"', settle=0.4, differs=twice and "sometimes: " + twice)

S = {"stats_sinks": [sink("k", script="configure: metric 0 seen_by_sink; metric 1 level_by_sink; tick 50\n tick: inc seen_by_sink 3; rec level_by_sink 7; tick 0\n stats: stat wasmcustom.seen_by_sink; first? stat wasmcustom.level_by_sink")], "stats_flush_interval": "0.2s"}
k = group("plugin stats sink", proxy(bootstrap=S))
k.case("counters and gauges", get(), status=200, logs="wasmcustom", settle=1.5, differs="Envoy 1.40 gives sizes that are wrong: its gauges cannot be read")
k2 = group("plugin stats sink of requests", proxy(bootstrap={"stats_sinks": [sink("k", script="stats: stat http.ingress.downstream_rq_total http.ingress.downstream_rq_2xx cluster.web.upstream_rq_200 listener.nothing")], "stats_flush_interval": "0.2s"}))
k2.case("by their growth", get(), status=200, logs="stat http.ingress.downstream_rq_total kind=1", settle=1.5)
