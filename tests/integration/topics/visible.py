"""What plugins do can be seen: their calls, time and memory in the statistics, their part in each access log line, and
where in their source they died."""
import os
import re

from suite.plain import FIN, PlainUpstream, converse

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.weir import GUESTS, Weir, folder, run, written

from topics.access_log import SOON, in_folder, lines, to_file
from topics.tcp import proxy, tcp

CALL_MS = 300
PAGE = 65536


def series(weir, name, **labels):
    """The value of a line of Prometheus' form."""
    told = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search(rf"^{re.escape(name)}{{{re.escape(told)}}} (\d+)$", weir.admin("/stats/prometheus").text, re.M)
    return found and int(found[1])


@fact("each callback's calls, errors and times are counted, with plugin and callback as labels for Prometheus", 2)
def _():
    plugins = [config.plugin(name="bad", guest="fault"), config.plugin(name="good", guest="headers_rust", vm_id="other")]
    with Weir(config.bootstrap(plugins=plugins), "--plugin-time-calls", 1, "--plugin-call-ms", CALL_MS) as weir, Client(weir.port()) as client:
        for _ in range(9):
            same(client.get("/well").status, 200)
        for path in ("/trap", "/loop"):
            same(client.get(path).status, 503)
        headers = "wasm.bad.call.proxy_on_request_headers"
        eventually(lambda: weir.stat(f"{headers}.calls"), 11)
        same(weir.stat(f"{headers}.errors"), 2)
        eventually(lambda: weir.stat("wasm.good.call.proxy_on_response_headers.calls"), 9)
        same(weir.stat("wasm.good.call.proxy_on_response_headers.errors"), 0)
        labels = {"wasm_plugin": "bad", "wasm_callback": "proxy_on_request_headers"}
        same(series(weir, "envoy_wasm_call_calls", **labels), 11)
        same(series(weir, "envoy_wasm_call_errors", **labels), 2)
        same(series(weir, "envoy_wasm_call_time_ns_count", **labels), 11)
        took = series(weir, "envoy_wasm_call_time_ns_sum", **labels)
        assert CALL_MS * 1e6 <= took < (CALL_MS + 2000) * 1e6, f"{took} ns, of which the loop took {CALL_MS} ms"
        holds(weir.admin("/stats").text, f"\n{headers}.time_ns: P0(")
        same(series(weir, "envoy_wasm_fault_deadline", wasm_plugin="bad"), 1)


@fact("of sixteen calls one is timed, of each callback the first", 1)
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")])) as weir, Client(weir.port()) as client:
        for _ in range(32):
            same(client.get("/well").status, 200)
        labels = {"wasm_plugin": "p", "wasm_callback": "proxy_on_request_headers"}
        eventually(lambda: series(weir, "envoy_wasm_call_calls", **labels), 32)
        same(series(weir, "envoy_wasm_call_time_ns_count", **labels), 2)


@fact("the memory of a plugin's instances is a gauge that follows them: a new one where a greedy one died", 2)
def _():
    def memory():
        return weir.stat("wasm.p.memory_bytes")

    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")]), "--plugin-memory-mb", 16, workers=2) as weir, Client(weir.port()) as client:
        eventually(memory, 2 * 16 * PAGE)
        same(client.get("/memory").status, 503)
        same(client.get("/well").status, 200)
        eventually(memory, 2 * 16 * PAGE)
        same(weir.stat("wasm.vm_memory_bytes"), 2 * 16 * PAGE)


FORMAT = ("%REQ(:PATH)% %RESPONSE_CODE% %WASM_CALLS% %WASM_CALLS(first)% %WASM_CALLS(none)% %WASM_DURATION(second:ns)% %WASM_DURATION% "
          "%WASM_FAULT% %WASM_FAULT(second)%\n")


@fact("an access log tells each plugin's calls and time for the request, and what it died of", 2)
def _():
    path = in_folder()
    plugins = [config.plugin(name="first", guest="headers_rust", vm_id="other"), config.plugin(name="second", guest="fault")]
    with Weir(config.bootstrap(plugins=plugins, manager={"access_log": [to_file(path, FORMAT)]}), *SOON, "--plugin-call-ms", CALL_MS) as weir:
        for each in ("/well", "/trap", "/loop"):
            get(weir.port(), each)
        eventually(lambda: len(lines(path)), 3)
        well, trap, loop = (line.split() for line in lines(path))
        same(well[:2], ["/well", "200"])
        assert int(well[2]) > int(well[3]) >= 3 and int(well[5]) > 0, well
        same((well[4], well[7], well[8]), ("-", "-", "-"), "what is not there")
        same(trap[7:], ["second:unreachable:proxy_on_request_headers", "unreachable:proxy_on_request_headers"])
        same(loop[7:], ["second:deadline:proxy_on_request_headers", "deadline:proxy_on_request_headers"])
        assert int(loop[5]) >= CALL_MS * 10**6 and int(loop[6]) >= CALL_MS * 1000, loop


@fact("an access log in JSON has them as numbers", 1)
def _():
    path = in_folder()
    log = to_file(path)
    log["typed_config"]["log_format"] = {"json_format": {"calls": "%WASM_CALLS(p)%", "us": "%WASM_DURATION(p)%", "fault": "%WASM_FAULT%"}}
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")], manager={"access_log": [log]}), *SOON) as weir:
        get(weir.port(), "/well")
        eventually(lambda: len(lines(path)), 1)
        assert re.fullmatch(r'\{"calls":\d+,"fault":null,"us":\d+\}', lines(path)[0]), lines(path)


@fact("the access log of a TCP proxy tells of the plugin before it, too", 2)
def _():
    path, upstream = in_folder(), PlainUpstream()
    network = {"name": "wasm", "typed_config": {"@type": config.TYPE + "envoy.extensions.filters.network.wasm.v3.Wasm", "config":
               config.plugin(name="net", script="downstream_data: more? trap")["typed_config"]["config"]}}
    log = to_file(path, "%WASM_CALLS(net)% %WASM_DURATION(net:ns)% %WASM_FAULT%\n")
    with Weir(proxy(upstream, network, tcp(access_log=[log])), *SOON) as weir:
        converse(weir.port(), [FIN], 3)
        converse(weir.port(), [b"hello"], 3)
        eventually(lambda: len(lines(path)), 2)
        quiet, dead = (line.split() for line in lines(path))
        assert int(quiet[0]) >= 2 and int(quiet[1]) > 0, quiet
        same((quiet[2], dead[2]), ("-", "net:unreachable:proxy_on_downstream_data"))
    upstream.stop()


@fact("a trap is logged with the plugin's functions, and with the lines of its source where the module has them", 1)
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(name="sourced", guest="debug_lines")])) as weir:
        same(get(weir.port(), "/ok").status, 200)
        same(get(weir.port(), "/too_long").status, 503)
        log = weir.log()
        holds(log, "sourced")
        frames = re.findall(r"^ *\d+:  0x[0-9a-f]+ - (\w+) at (\S+)$", log, re.M)
        same([(name, place.rsplit("/", 1)[1]) for name, place in frames],
             [("die", "debug_lines.c:24"), ("die", "debug_lines.c:25"), ("onRequestHeaders", "debug_lines.c:35")])
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")])) as weir:
        get(weir.port(), "/trap")
        assert re.search(r"^ *0:  0x[0-9a-f]+ - \S.*$", weir.log(), re.M), weir.log()


@fact("a module that is broken is refused with its plugin, its file, and the section at fault", 1)
def _():
    with open(os.path.join(GUESTS, "debug_lines.wasm"), "rb") as file:
        module = file.read()
    path = os.path.join(folder(), "broken.wasm")
    with open(path, "wb") as file:
        file.write(module[:0xe0])  # Cut off within the code.
    plugin = config.plugin(name="broken", vm={"code": {"local": {"filename": path}}})
    done = run("-c", written(config.bootstrap(plugins=[plugin])), "--mode", "validate", "--plugin-cache", "none")
    same(done.returncode, 1)
    for part in ("plugin broken", path, "in its code section"):
        holds(done.stderr, part)


@fact("with the trace log each call and host call is a line, with arguments and status", 1)
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(guest="fault")]), "--component-log-level", "wasm:trace") as weir:
        same(get(weir.port(), "/well").status, 200)
        log = weir.log()
        for part in ("[host->vm] proxy_on_request_headers(", "[vm->host] env.proxy_get_header_map_value(", "[vm<-host] env.proxy_get_header_map_value return: 0",
                     "[host<-vm] proxy_on_request_headers return: 0"):
            holds(log, part)
