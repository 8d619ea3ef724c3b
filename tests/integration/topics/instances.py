"""Plugins of which each stream has an instance of its own."""
import threading

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.weir import MIB, Weir, bounded

from topics.plugins import HEAD, move_into, plugin_of

PER_STREAM = ("--plugin-instance-per-stream", 1)
ACTIVE = "wasm.envoy.wasm.runtime.v8.active"


def counting(first="a", header="x-count"):
    """Says in a header which request of its instance it sees: `first`, and letters after that. The configuration sets it to `first`."""
    return (HEAD.replace("(memory", '(import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))\n  (memory', 1)
            + f'(data (i32.const 100) "{header}")'
            + f'(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.store8 (i32.const 200) (i32.const {ord(first)})) (i32.const 1))'
            + '(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)'
              f" (drop (call $add (i32.const 2) (i32.const 100) (i32.const {len(header)}) (i32.const 200) (i32.const 1)))"
              " (i32.store8 (i32.const 200) (i32.add (i32.load8_u (i32.const 200)) (i32.const 1))) (i32.const 0)))")


@fact("by default an instance serves all streams of a worker; with a flag each stream has its own, which begins configured", 2)
def _():
    for flags, wanted in (((), ["a", "b", "c"]), (PER_STREAM, ["a", "a", "a"])):
        with Weir(config.bootstrap(plugins=[plugin_of(counting(), "counter")]), *flags) as weir, Client(weir.port()) as client:
            same([client.get("/").headers.get("x-count") for _ in range(3)], wanted)
            if flags:
                same(weir.stat("wasm.counter.snapshot"), 1)
                eventually(lambda: weir.stat(ACTIVE), 0)


@fact("it can be said of one plugin by its name, in the configuration and by a flag", 2)
def _():
    plugins = [plugin_of(counting(header="x-own"), "own"), plugin_of(counting("m", "x-all"), "shared")]
    extension = {"name": "limits", "typed_config": {"@type": "type.googleapis.com/weir.plugins.v1.PluginLimits", "by_plugin": {"own": {"instance_per_stream": True}}}}
    for flags, more in ((("--plugin-limit", "own:instance-per-stream=1"), {}), ((), {"bootstrap_extensions": [extension]})):
        with Weir(config.bootstrap(plugins=plugins, more=more), *flags) as weir, Client(weir.port()) as client:
            same([client.get("/").headers.get("x-own") for _ in range(2)], ["a", "a"])
            same(client.get("/").headers.get("x-all"), "o")


@fact("plugins of every language begin configured in each stream", 12)
def _():
    for language in ("rust", "cpp", "go", "assemblyscript"):
        plugin = config.plugin(name="p", guest=f"headers_{language}", root_id="headers")
        answers = []
        for flags in ((), PER_STREAM):
            with Weir(config.bootstrap(plugins=[plugin]), *flags, ready=False) as weir:
                eventually(weir.answers, seconds=60)  # The snapshot of an official Go plugin is compiled anew at each start.
                client = Client(weir.port())
                told = [client.get("/").headers for _ in range(3)]
                answers.append([[(name, value) for name, value in each.items() if name.lower() != "date"] for each in told])
                if flags:
                    same((language, weir.stat("wasm.p.snapshot")), (language, 1))
                    eventually(lambda weir=weir: weir.stat(ACTIVE), 0)
        same(answers[1], answers[0])


@fact("one that dies takes its own stream alone: those beside it are answered", 3)
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(name="bad", guest="fault")]), *PER_STREAM, "--plugin-call-ms", 200) as weir:
        with Client(weir.port()) as client:
            for path in ("/trap", "/loop", "/memory", "/recurse"):
                same((path, client.get(path).status), (path, 503))
                same(client.get("/well").status, 200)
        same(weir.stat("wasm.bad.vm_reload_success"), 0)
        eventually(lambda: weir.stat(ACTIVE), 0)


@fact("ten thousand streams leave nothing behind", 10)
def _():
    def ask(count):
        with Client(weir.port()) as client:
            for _ in range(count):
                same(client.get("/").headers.get("x-count"), "a")

    with Weir(config.bootstrap(plugins=[plugin_of(counting(), "counter")]), *PER_STREAM, workers=2) as weir:
        ask(500)
        before = weir.memory()
        threads = [threading.Thread(target=ask, args=(2500,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eventually(lambda: weir.stat(ACTIVE), 0)
        eventually(lambda: weir.stat("wasm.counter.call.proxy_on_response_headers.calls"), 10500)
        bounded(weir.memory() - before, 16 * MIB, "what ten thousand streams leave")


@fact("beyond the limit of instances a stream gets what the failure policy says, and is counted", 2)
def _():
    pausing = (HEAD + '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1)))')
    with Weir(config.bootstrap(plugins=[plugin_of(pausing, "pausing")]), *PER_STREAM, "--plugin-instances", 2) as weir:
        clients = [Client(weir.port()) for _ in range(2)]
        for client in clients:
            client.ask("/")
        eventually(lambda: weir.stat(ACTIVE), 2)
        same(get(weir.port(), "/").status, 503)
        same(weir.stat("wasm.instances_refused"), 1)
        for client in clients:
            client.close()
        eventually(lambda: weir.stat(ACTIVE), 0)
        holds(weir.log(), "plugin pausing has no instance for a stream: 2 live on this worker, which is its limit")


@fact("a new version of the plugin's file is in the next stream", 2)
def _():
    plugin = plugin_of(counting(), "watched")
    path = plugin["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"]
    with Weir(config.bootstrap(plugins=[plugin]), *PER_STREAM, "--plugin-watch") as weir:
        same(get(weir.port(), "/").headers.get("x-count"), "a")
        move_into(path, counting("k"))
        eventually(lambda: get(weir.port(), "/").headers.get("x-count"), "k")
        same(weir.stat("wasm.watched.snapshot"), 1)
