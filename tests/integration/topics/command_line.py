"""The command line: Envoy's flags by Envoy's names."""
import os
import re
import socket

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream
from harness.weir import Weir, folder, run, written

FLAGS = """-c --config-path --config-yaml -l --log-level --component-log-level --log-format --log-path --concurrency --mode
    --service-cluster --service-node --service-zone --drain-time-s --parent-shutdown-time-s --base-id
    --admin-address-path --allow-unknown-static-fields --restart-epoch --version --help""".split()


@fact("--help names Envoy's flags and succeeds")
def _():
    done = run("--help")
    same(done.returncode, 0, "exit code")
    missing = [flag for flag in FLAGS if not re.search(rf"(?<![\w-]){flag}(?![\w-])", done.stdout)]
    same(missing, [], "flags that the help does not name")


@fact("--version says the version and succeeds")
def _():
    done = run("--version")
    same(done.returncode, 0, "exit code")
    assert re.search(r"version: \S+", done.stdout), done.stdout


@fact("an unknown flag is refused and named")
def _():
    done = run("-c", written(config.bootstrap()), "--no-such-flag", "--mode", "validate")
    same(done.returncode, 1, "exit code")
    holds(done.stderr, "--no-such-flag")


@fact("without a configuration nothing starts")
def _():
    done = run()
    same(done.returncode, 1, "exit code")
    holds(done.stderr, "--config-yaml")


@fact("values that a flag does not know are refused and named")
def _():
    path = written(config.bootstrap())
    for flag, value in (("--mode", "dream"), ("-l", "loud"), ("--component-log-level", "wasm:loud"),
                        ("--component-log-level", "nothing:debug"), ("--concurrency", "many")):
        done = run("-c", path, flag, value, *(() if flag == "--mode" else ("--mode", "validate")))
        same(done.returncode, 1, f"exit code with {flag} {value}")
        holds(done.stderr, "nothing" if "nothing" in value else value.split(":")[-1])


@fact("a configuration file that is not there is named")
def _():
    done = run("-c", "/nowhere/envoy.yaml", "--mode", "validate")
    same(done.returncode, 1, "exit code")
    holds(done.stderr, "/nowhere/envoy.yaml")


@fact("a flag that has nothing to do says so, and is no fault")
def _():
    flags = ["--ignore-unknown-dynamic-fields", "--enable-core-dump", "--enable-mutex-tracing"]
    done = run("-c", written(config.bootstrap()), "--mode", "validate", *flags)
    same(done.returncode, 0, "exit code")
    for flag in (each for each in flags if each.startswith("--")):
        assert re.search(rf"\[warning\].*{flag}(?![\w-])", done.stderr), f"no warning about {flag}: {done.stderr}"


@fact("'--config-path FILE' may come as one argument")
def _():
    done = run("--config-path " + written(config.bootstrap()), "--mode", "validate")
    same(done.returncode, 0, "exit code: " + done.stderr)


@fact("--config-yaml goes over the file: values replace, lists grow")
def _():
    over = '{node: {id: over}, static_resources: {clusters: [{name: second, type: STATIC, connect_timeout: 1s}]}}'
    with Weir(config.bootstrap(upstream=1, more={"node": {"id": "below", "cluster": "kept"}}), "--config-yaml", over) as weir:
        node = weir.json("/server_info")["node"]
        same((node["id"], node["cluster"]), ("over", "kept"), "node")
        clusters = weir.admin("/clusters").text
        holds(clusters, "web::")
        holds(clusters, "second::")


@fact("--config-yaml alone is a configuration")
def _():
    done = run("--config-yaml", config.text(config.bootstrap()), "--mode", "validate")
    same(done.returncode, 0, "exit code: " + done.stderr)


@fact("--mode validate says OK for a good configuration")
def _():
    path = written(config.bootstrap(upstream=1, plugins=[config.plugin(guest="hello_rust")]))
    done = run("-c", path, "--mode", "validate")
    same(done.returncode, 0, "exit code: " + done.stderr)
    holds(done.stdout, f"configuration '{path}' OK")


@fact("--mode validate does not need the ports that the configuration names")
def _():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-c", written(config.bootstrap(port=port, admin=port)), "--mode", "validate")
        same(done.returncode, 0, "exit code: " + done.stderr)


FAULTY = """admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 0}}
static_resources:
  listeners:
  - name: main
    frobnicate: 1
    address: {socket_address: {address: 127.0.0.1, port_value: many}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          route_config:
            virtual_hosts:
            - name: local
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route: {cluster: web}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: web
    type: SOMETIMES
    connect_timeout: 1s
"""


@fact("--mode validate tells every fault, with file, line and path")
def _():
    path = written(FAULTY)
    done = run("-c", path, "--mode", "validate")
    same(done.returncode, 1, "exit code")
    faults = [r":6:\d+: static_resources\.listeners\[0\]\.frobnicate: ",
              r":7:\d+: static_resources\.listeners\[0\]\.address\.socket_address\.port_value: ",
              r":26:\d+: static_resources\.clusters\[0\]\.type: .*SOMETIMES"]
    for fault in faults:
        assert re.search(re.escape(path) + fault, done.stderr), f"no {fault}: {done.stderr}"
    assert "OK" not in done.stdout, done.stdout


@fact("a configuration with faults is not served either")
def _():
    done = run("-c", written(FAULTY))
    same(done.returncode, 1, "exit code")
    holds(done.stderr, "frobnicate")


@fact("unknown fields are a notice with --allow-unknown-static-fields")
def _():
    text = config.text(config.bootstrap()) + "frobnicate: 1\n"
    same(run("-c", written(text), "--mode", "validate").returncode, 1, "exit code without the flag")
    done = run("-c", written(text), "--mode", "validate", "--allow-unknown-static-fields")
    same(done.returncode, 0, "exit code: " + done.stderr)
    holds(done.stderr, "frobnicate")


@fact("--mode init_only ends with 0 when it could have served")
def _():
    done = run("-c", written(config.bootstrap(plugins=[config.plugin(guest="hello_rust")])), "--mode", "init_only")
    same(done.returncode, 0, "exit code: " + done.stderr)


@fact("--log-path takes the log, and standard error stays empty")
def _():
    path = os.path.join(folder(), "weir.log")
    with Weir(config.bootstrap(), "--log-path", path) as weir:
        get(weir.port())
        weir.stop()
        with open(path) as file:
            assert re.search(r"^\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\]\[info\]\[\w+\] ", file.read(), re.M)
        same(weir.log(), "", "standard error")


@fact("a log path that cannot be written stops the start and is named")
def _():
    done = run("-c", written(config.bootstrap()), "--log-path", "/proc/nowhere/weir.log", "--mode", "validate")
    same(done.returncode, 1, "exit code")
    holds(done.stderr, "/proc/nowhere/weir.log")


@fact("--log-format %v leaves only the texts")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log hello from the plugin")
    with Weir(config.bootstrap(plugins=[plugin]), "--log-format", "%v") as weir:
        get(weir.port())
        eventually(lambda: "wasm log p root vm: hello from the plugin" in weir.log().splitlines())


@fact("log lines have Envoy's form")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log hello")
    with Weir(config.bootstrap(plugins=[plugin])) as weir:
        get(weir.port())
        form = r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]\[\d+\]\[info\]\[wasm\] \[\S+:\d+\] wasm log p root vm: hello$"
        eventually(lambda: re.search(form, weir.log(), re.M) is not None)


@fact("--component-log-level wasm:debug is about that component only")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: level 1 a word at debug")
    with Weir(config.bootstrap(plugins=[plugin]), "--component-log-level", "wasm:debug,http:warning") as weir:
        get(weir.port())
        eventually(lambda: "wasm log p root vm: a word at debug" in weir.log())
        others = [line for line in weir.log().splitlines() if "[debug]" in line and "[wasm]" not in line]
        same(others, [], "debug lines of others")


@fact("-l off says nothing, from start to end")
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(guest="hello_rust")]), log="off") as weir:
        same(get(weir.port()).status, 200)
        weir.stop()
        same(weir.log(), "", "standard error")


@fact("--admin-address-path gets the address that the admin listener really has")
def _():
    with Weir(config.bootstrap()) as weir:
        with open(weir.admin_path) as file:
            text = file.read()
        assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", text), text
        same(weir.admin("/ready").text, "LIVE\n")


@fact("--service-node, --service-cluster and --service-zone name the node")
def _():
    with Weir(config.bootstrap(), "--service-node", "n1", "--service-cluster", "c1", "--service-zone", "z1") as weir:
        node = weir.json("/server_info")["node"]
        same((node["id"], node["cluster"], node["locality"]["zone"]), ("n1", "c1", "z1"), "node")


@fact("--concurrency 2 is two workers, and connections come to both")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream), workers=2) as weir:
        same(weir.stat("server.concurrency"), 2, "server.concurrency")
        port, clients = weir.port(), []
        for _ in range(40):
            clients.append(Client(port))
            same(clients[-1].get().status, 200)
        # One after another: each worker needs one connection, and keeps it.
        same(upstream.connections, 2, "connections to the upstream")
        for client in clients:
            client.close()


@fact("without --concurrency there is a worker for each CPU that the process may use")
def _():
    one = {min(os.sched_getaffinity(0))}
    mask = os.sched_getaffinity(0)
    os.sched_setaffinity(0, one)
    try:
        weir = Weir(config.bootstrap(), workers=None)
    finally:
        os.sched_setaffinity(0, mask)
    with weir:
        same(weir.stat("server.concurrency"), 1, "server.concurrency")
