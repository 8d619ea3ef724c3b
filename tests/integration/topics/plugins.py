"""Plugins are somebody else's code: what they burn and break, and how they are loaded and kept."""
import os
import re
import threading
import time

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream
from harness.weir import GUESTS, MIB, Weir, bounded, folder, is_envoy, run, slowness, written

CALL_MS = 300  # The deadline of a callback in the facts below.


def faulty(workers=1, *flags, **more):
    """A proxy whose plugin traps at /trap, loops at /loop, takes memory at /memory and recurses at /recurse."""
    own = () if is_envoy() else ("--plugin-call-ms", CALL_MS)
    return Weir(config.bootstrap(plugins=[config.plugin(guest="fault", **more)]), *own, *flags, workers=workers)


def after(path):
    with faulty() as weir, Client(weir.port()) as client:
        same(client.get("/well").status, 200)
        for _ in range(3):
            same(client.get(path).status, 503, f"status of {path}")
            same(client.get("/well").status, 200, "status of the next request")
            same(get(weir.port(), "/well").status, 200, "status on another connection")


@fact("after a trap the next request is 200")
def _():
    after("/trap")


@fact("after an endless loop the next request is 200", 2)
def _():
    after("/loop")


@fact("after a memory bomb the next request is 200", 2)
def _():
    after("/memory")


@fact("after an endless recursion the next request is 200")
def _():
    after("/recurse")


LIMITS = {"@type": "type.googleapis.com/weir.plugins.v1.PluginLimits"}


@fact("limits of a plugin's name hold for it, the command line's before the configuration's, and its faults are counted by kind")
def _():
    more = {"bootstrap_extensions": [{"name": "limits", "typed_config": {
        **LIMITS, "defaults": {"call_time": "600s"}, "by_plugin": {"small": {"memory_bytes": 2 * MIB, "call_time": "300s"}}}}]}
    flags = ("--plugin-limit", f"small:call-ms={CALL_MS}")
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault", name="small")], more=more), *flags) as weir, Client(weir.port()) as client:
        same(client.get("/loop").status, 503)
        same(client.get("/memory").status, 503)
        same(client.get("/well").status, 200)
        same(weir.stat("wasm.small.fault_deadline"), 1)
        same(weir.stat("wasm.small.fault_memory_limit"), 1)


@fact("while a plugin loops, others wait no longer than its deadline", 2)
def _():
    with faulty() as weir, Client(weir.port()) as looping, Client(weir.port()) as other:
        same(other.get("/well").status, 200)
        looping.ask("/loop")
        time.sleep(0.05)
        started = time.monotonic()
        same(other.get("/well").status, 200)
        took = time.monotonic() - started
        assert took < CALL_MS / 1000 + 1.0, f"{took} s"
        same(looping.read().status, 503)


@fact("while a plugin loops on one worker, the other serves", 2)
def _():
    with faulty(2) as weir:
        port, slow = weir.port(), []
        others = [Client(port) for _ in range(20)]
        with Client(port) as looping:
            looping.ask("/loop")
            time.sleep(0.05)
            for client in others:
                client.ask("/well")
            quick = 0
            for client in others:
                started = time.monotonic()
                same(client.read().status, 200)
                slow.append(time.monotonic() - started)
            quick = sum(each < 0.1 for each in slow)
            assert quick >= 4, f"answered after {slow}"
            same(looping.read().status, 503)


@fact("the streams that a trapped plugin held get an answer, and others on the connection go on")
def _():
    script = "request_headers: return 4"
    plugins = [config.plugin(guest="conformance", script=script), config.plugin(name="q", guest="fault", vm_id="other")]
    with Weir(config.bootstrap(plugins=plugins)) as weir, Client(weir.port()) as held, Client(weir.port()) as trap:
        held.ask("/held")
        time.sleep(0.1)
        trap.ask("/held", headers=[("x-script", "request_headers: trap")])
        same(trap.read().status, 503)
        same(held.read().status, 503)


@fact("twenty memory bombs leave memory as it was", 4)
def _():
    with faulty(1, "--plugin-memory-mb", 16) as weir:
        get(weir.port(), "/well")
        before = weir.memory()
        weir.forget_peak()
        for _ in range(20):
            same(get(weir.port(), "/memory").status, 503)
            same(get(weir.port(), "/well").status, 200)
        bounded(weir.peak() - before, 16 * MIB + 12 * MIB, "the most memory that a bomb took")
        bounded(weir.memory() - before, 12 * MIB, "memory that bombs left behind")


@fact("three hundred traps leave neither memory nor descriptors behind", 3)
def _():
    with faulty() as weir, Client(weir.port()) as client:
        def go(times):
            for _ in range(times):
                client.ask("/trap")
                status = client.read().status
                assert status == 503, status
                client.get("/well")
        go(50)
        before, descriptors = weir.memory(), weir.descriptors()
        go(250)
        bounded(weir.memory() - before, 4 * MIB, "memory that traps left behind")
        same(weir.descriptors(), descriptors, "descriptors")


@fact("wasm.* counts instances and their replacements")
def _():
    with faulty(workers=2) as weir, Client(weir.port()) as client:
        before = weir.stats(r"wasm\..*")
        active, created = "wasm.envoy.wasm.runtime.v8.active", "wasm.envoy.wasm.runtime.v8.created"
        assert before[active] >= 2 and before[created] >= before[active], before
        same([client.get(path).status for path in ("/trap", "/well")], [503, 200])
        stats = weir.stats(r"wasm\..*")
        same((stats[active], stats[created] - before[created]), (before[active], 1), "active, and newly created")
        same(stats["wasm.p.vm_reload_success"], 1)


@fact("a failing plugin is logged with its name and what it did")
def _():
    with faulty(name="culprit") as weir:
        get(weir.port(), "/trap")
        get(weir.port(), "/loop")
        eventually(lambda: len([line for line in weir.log().splitlines() if "culprit" in line and "[error]" in line]) >= 2,
                   what=weir.log())


# Modules as text: what weir takes beside binary ones, and enough for odd shapes.
HEAD = """(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
"""


def plugin_of(text, name="p"):
    path = os.path.join(folder(), f"{name}.wat")
    with open(path, "w") as file:
        file.write(text)
    return config.plugin(name=name, vm={"code": {"local": {"filename": path}}})


def refused(plugin, *parts, flags=()):
    """Neither validated nor served where all plugins must be there, for a reason that has all the parts."""
    path = written(config.bootstrap(plugins=[plugin]))
    for mode in (["--mode", "validate"], ["--plugin-strict-start"]):
        done = run("-c", path, "--plugin-cache", "none", *mode, *flags)
        same(done.returncode, 1, f"exit code {mode}")
        for part in parts:
            holds(done.stderr, part)


@fact("a plugin that loops in its start ends a strict start, by name and in time", 2)
def _():
    loop = HEAD + '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) (loop $l (br $l)) (i32.const 1)))'
    started = time.monotonic()
    refused(plugin_of(loop, "looper"), "looper", flags=("--plugin-start-ms", 400))
    assert time.monotonic() - started < (2 * 0.4 + 4) * slowness(), "it took its time"


@fact("a plugin that loops in its configuration, or in its first function, does not hang the start either", 3)
def _():
    configure = HEAD + '(func (export "proxy_on_configure") (param i32 i32) (result i32) (loop $l (br $l)) (i32.const 1)))'
    refused(plugin_of(configure, "looper"), "looper", flags=("--plugin-start-ms", 300))
    first = HEAD + "(func $first (loop $l (br $l))) (start $first))"
    refused(plugin_of(first, "looper"), "looper", flags=("--plugin-start-ms", 300))


def versioned(number):
    """A plugin that says its number, of one digit, in x-version."""
    return (HEAD.replace("(memory", '(import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))\n  (memory', 1)
            + f'(data (i32.const 100) "x-version{number}")'
            + '(func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)'
              " (drop (call $add (i32.const 2) (i32.const 100) (i32.const 9) (i32.const 109) (i32.const 1))) (i32.const 0)))")


def move_into(path, text):
    """As operators do: written aside, then moved."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


@fact("with --plugin-watch a plugin's file is exchanged under load without a request lost; a broken one changes nothing", 8)
def _():
    plugin = plugin_of(versioned(0), "watched")
    path, over, seen, failed = plugin["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"], threading.Event(), set(), []

    def ask():
        with Client(weir.port()) as client:
            while not over.is_set():
                answer = client.get("/")
                seen.add(answer.headers.get("x-version"))
                if answer.status != 200:
                    failed.append(answer.status)

    with Weir(config.bootstrap(plugins=[plugin]), "--plugin-watch", workers=2) as weir:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, 10):
                move_into(path, versioned(number))
                eventually(lambda: get(weir.port(), "/").headers.get("x-version"), str(number))
                move_into(path, versioned(number)[:200])
                eventually(lambda number=number: weir.stat("wasm.watched.file_reload_failure"), number)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        same(failed, [])
        same(seen, {str(number) for number in range(10)})
        same(weir.stat("wasm.watched.file_reload_success"), 9)
        holds(weir.log(), f"plugin watched stays as it is, the new {path} cannot be used")
        eventually(lambda: weir.stat("wasm.envoy.wasm.runtime.v8.active"), 2)


@fact("a plugin that traps in its start is refused by name")
def _():
    refused(plugin_of(HEAD + '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) unreachable))', "trapper"), "trapper")


@fact("a plugin file that is not there is named, with its place in the configuration")
def _():
    refused(config.plugin(name="ghost", guest="nowhere"), "http_filters[0]", f"{GUESTS}/nowhere.wasm", "No such file")


@fact("a plugin file that is no module is named, with its plugin")
def _():
    for content in (b"not wasm at all", b"", b"\0asm\1\0\0\0" + b"\xff" * 50, b"\0asm\2\0\0\0"):
        path = os.path.join(folder(), "garbage.wasm")
        with open(path, "wb") as file:
            file.write(content)
        refused(config.plugin(name="trash", vm={"code": {"local": {"filename": path}}}), "trash", path)


@fact("a missing import is named, with its plugin and file")
def _():
    refused(config.plugin(name="barista", guest="unknown_import"), "barista", f"{GUESTS}/unknown_import.wasm", "env.proxy_make_coffee")


@fact("a missing import that is never called is a warning, and one that is called ends the request that does so")
def _():
    plugin = config.plugin(name="barista", guest="uncalled_import")
    with Weir(config.bootstrap(plugins=[plugin])) as weir:
        holds(weir.log(), "plugin barista imports env.proxy_make_coffee, which weir does not have")
        same(get(weir.port()).status, 200)
        same(get(weir.port(), headers=[(f"x-{i}", "1") for i in range(30)]).status, 503)
        holds(weir.log(), "called a missing import: env.proxy_make_coffee")
        same(get(weir.port()).status, 200)


@fact("each of several bad plugins is told, with its place in the configuration")
def _():
    plugins = [config.plugin(name="first", guest="bad_signature"), config.plugin(name="second", guest="unknown_import")]
    done = run("-c", written(config.bootstrap(plugins=plugins)), "--mode", "validate")
    same(done.returncode, 1, "exit code")
    for at, name in enumerate(("first", "second")):
        assert re.search(rf"http_filters\[{at}\].*{name}", done.stderr), f"nothing about {name}: {done.stderr}"


@fact("a module that asks for more memory than it may have is refused by name")
def _():
    huge = HEAD.replace('(memory (export "memory") 1)', '(memory (export "memory") 2048)') + ")"
    refused(plugin_of(huge, "glutton"), "glutton", flags=("--plugin-memory-mb", 16))


@fact("two workers have an instance each", 1)
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log a word")
    with Weir(config.bootstrap(plugins=[plugin]), workers=2) as weir:
        port = weir.port()
        for _ in range(40):
            same(get(port).status, 200)
        words = lambda: re.findall(r"\]\[(\d+)\]\[info\]\[wasm\].*: a word$", weir.log(), re.M)
        eventually(lambda: len(words()), 40)
        same(len(set(words())), 2, "threads that ran the plugin")
        assert weir.stat("wasm.envoy.wasm.runtime.v8.active") >= 2, weir.stats(r"wasm\..*")


@fact("plugins of one VM identity share an instance, others do not")
def _():
    def count(weir):
        return weir.stat("wasm.envoy.wasm.runtime.v8.active")

    def two(second):
        return config.bootstrap(plugins=[config.plugin(name="a", guest="hello_rust"), config.plugin(name="b", guest="hello_rust", vm_id=second)])
    with Weir(two("vm")) as shared, Weir(two("other")) as apart:
        assert count(apart) == 2 * count(shared), (count(apart), count(shared))


@fact("a lock in shared data is held by one of all workers, and ends by itself", 3)
def _():
    def asked(name, message):
        quoted = "".join(f"%{byte:02x}" for byte in message)
        return f"request_headers: foreign {name} {quoted}"

    lock = asked("weir_set_shared_data", b"\x0a\x04lock\x12\x02me\x20\xe8\x07\x28\x01")  # key, value, a second, only_new
    listed = asked("weir_list_shared_data", b"\x0a\x01l")
    with Weir(config.bootstrap(plugins=[config.plugin(guest="conformance", script="")]), workers=2) as weir:
        answers = lambda name: re.findall(rf"foreign {name} -> (\d+)", weir.log())

        def ask(script):
            same(get(weir.port(), headers=[("x-script", script)]).status, 200)
        for _ in range(20):
            ask(lock)
        eventually(lambda: sorted(answers("weir_set_shared_data")), ["0"] + ["8"] * 19)
        ask(listed)
        eventually(lambda: r"weir_list_shared_data -> 0 \x0a" in weir.log())

        def taken_again():
            ask(lock)
            return answers("weir_set_shared_data").count("0")
        eventually(taken_again, 2, seconds=5)
        same(len(set(re.findall(r"\]\[(\d+)\]\[info\]\[wasm\].*foreign", weir.log()))), 2, "threads that asked")


# The cache of compiled modules.

def entries(cache):
    """Size and time of each compiled module in the cache."""
    found = {}
    for at, _, names in os.walk(cache):
        for name in names:
            status = os.stat(os.path.join(at, name))
            if status.st_size > 100_000:
                found[os.path.join(at, name)] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found


def hello_go(cache):
    """Starts with the Go plugin and says how much CPU that took, and what was logged as a warning."""
    with Weir(config.bootstrap(plugins=[config.plugin(guest="hello_go")]), cache=cache) as weir:
        same(get(weir.port()).status, 200)
        eventually(lambda: "OnHttp" in weir.log() or ":path: /" in weir.log())
        return weir.cpu(), [line for line in weir.log().splitlines() if "[warning]" in line]


@fact("the second start of a big plugin takes it from the cache", 6)
def _():
    cache = os.path.join(folder(), "modules")
    first, _ = hello_go(cache)
    kept = entries(cache)
    assert kept, "nothing was kept"
    second, warnings = hello_go(cache)
    same({path: size for path, (size, _, _) in entries(cache).items()}, {path: size for path, (size, _, _) in kept.items()}, "entries")
    same(warnings, [])
    assert second < first / 2, f"{second} s of CPU after {first} s"


@fact("a damaged entry of the cache is reported and replaced, and the plugin runs", 8)
def _():
    cache = os.path.join(folder(), "modules")
    hello_go(cache)
    [(path, _)] = entries(cache).items()
    with open(path, "r+b") as file:
        whole = file.read()
        file.seek(len(whole) // 2)
        file.write(bytes(byte ^ 0xFF for byte in whole[len(whole) // 2:len(whole) // 2 + 64]))
    with open(path, "rb") as file:
        damaged = file.read()
    _, warnings = hello_go(cache)
    assert any("damaged" in line for line in warnings), f"no word about it: {warnings}"
    with open(path, "rb") as file:
        replaced = file.read()
    assert replaced != damaged and len(replaced) == len(whole), "it was not replaced"
    same(hello_go(cache)[1], [], "warnings of the next start")


@fact("a cache that cannot be written, or that others could write, is a warning and no more", 3)
def _():
    open_to_all = os.path.join(folder(), "modules")
    os.mkdir(open_to_all)
    os.chmod(open_to_all, 0o777)
    for cache in ("/proc/modules-of-weir", open_to_all):
        with Weir(config.bootstrap(plugins=[config.plugin(guest="hello_rust")]), cache=cache) as weir:
            same(get(weir.port()).status, 200)
            assert re.search(r"\[warning\]\[wasm\].*compiled modules are not kept", weir.log()), weir.log()
    same(os.listdir(open_to_all), [])


@fact("--plugin-cache none keeps nothing")
def _():
    home = folder()
    with Weir(config.bootstrap(plugins=[config.plugin(guest="hello_rust")]), cache="none", env={"HOME": home, "XDG_CACHE_HOME": home}) as weir:
        same(get(weir.port()).status, 200)
    same(os.listdir(home), [])


# Chains and big bodies.

@fact("a chain of five plugins changes requests and answers in order")
def _():
    def names(request):
        request.answer(request.headers.get("x-order", "none"))
    plugins = [config.plugin(name=f"p{at}", guest="conformance", vm_id=f"vm{at}",
                             script=f"request_headers: add 0 x-order {at}\nresponse_headers: add 2 x-back {at}") for at in range(5)]
    with Upstream(names) as upstream, Weir(config.bootstrap(upstream=upstream, plugins=plugins)) as weir:
        answer = get(weir.port())
        same(answer.status, 200)
        eventually(lambda: [line.split("wasm log ")[1].split(" ")[0] for line in weir.log().splitlines() if "add 0 x-order" in line],
                   [f"p{at}" for at in range(5)])


@fact("a plugin that looks at bodies lets 32 MiB through whole, in bounded memory", 4)
def _():
    block = os.urandom(MIB)
    with Upstream() as upstream:
        tree = config.bootstrap(upstream=upstream, plugins=[config.plugin(guest="conformance", script="request_body: bufstat 0")])
        with Weir(tree, log="off") as weir, Client(weir.port(), seconds=30) as client:
            client.get()
            before = weir.memory()
            weir.forget_peak()
            client.ask("/", "POST", headers=[("content-length", str(32 * MIB))])
            writer = threading.Thread(target=lambda: [client.send(block) for _ in range(32)], daemon=True)
            writer.start()
            same(client.read().body == b"/\n" + block * 32, True, "body as sent")
            bounded(weir.peak() - before, 24 * MIB, "memory")
