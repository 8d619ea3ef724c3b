"""The admin pages: what people, dashboards and scripts read from them."""
import json
import re
import signal
import threading
import time

from harness import config
from harness.client import Client, get
from harness.facts import eventually, fact, holds, same
from harness.nameserver import NameServer
from harness.upstream import Upstream, hang
from harness.weir import Weir

PAGES = {"/": "text/html", "/help": "text/plain", "/ready": "text/plain", "/server_info": "application/json",
         "/stats": "text/plain", "/stats?format=json": "application/json", "/stats?filter=cluster": "text/plain",
         "/stats?usedonly": "text/plain", "/stats/prometheus": "text/plain", "/listeners": "text/plain",
         "/listeners?format=json": "application/json", "/clusters": "text/plain",
         "/clusters?format=json": "application/json", "/config_dump": "application/json"}
# Of the pages that /help must name. Those of Envoy that weir has no part for are not asked for.
HELP = ["/ready", "/server_info", "/stats", "/stats/prometheus", "/listeners", "/clusters", "/config_dump", "/logging", "/quitquitquit", "/help"]


@fact("every page answers 200 with its content type")
def _():
    with Weir(config.bootstrap(upstream=1)) as weir:
        for path, kind in PAGES.items():
            answer = weir.admin(path)
            same(answer.status, 200, f"status of {path}")
            same(answer.headers["content-type"].split(";")[0], kind, f"type of {path}")
            assert answer.text, f"{path} is empty"
            if kind == "application/json":
                json.loads(answer.text)


@fact("/help names every page")
def _():
    with Weir(config.bootstrap()) as weir:
        text = weir.admin("/help").text
        same([page for page in HELP if not re.search(rf"^\s*{re.escape(page)}(\s|:|\?|$)", text, re.M)], [], "pages not named")


@fact("an unknown page is 404, and what changes something wants a POST")
def _():
    with Weir(config.bootstrap()) as weir:
        same(weir.admin("/nothing").status, 404)
        same(weir.admin("/logging").status, 405)
        same(weir.admin("/quitquitquit").status, 405)
        same(weir.admin("/quitquitquit", "HEAD").status, 405)
        same(weir.admin("/ready").status, 200)


@fact("POST /logging changes what is logged, at once and for each component")
def _():
    plugin = config.plugin(guest="conformance", script="request_headers: log a word")
    with Weir(config.bootstrap(plugins=[plugin]), log="warning") as weir:
        def words():
            return weir.log().count("wasm log p root vm: a word")

        def asked(path):
            same(weir.admin(path, "POST").status, 200, path)
            get(weir.port())
            get(weir.port())
        get(weir.port())
        same(words(), 0, "lines at warning")
        asked("/logging?wasm=info")
        eventually(words, 2, what="lines at info")
        asked("/logging?level=error")
        same(words(), 2, "lines at error")
        asked("/logging?level=debug")
        eventually(words, 4, what="lines at debug")
        for bad in ("/logging?level=loud", "/logging?nothing=debug"):
            assert weir.admin(bad, "POST").status in (400, 404), bad


@fact("/stats?filter= is a regular expression over names")
def _():
    with Weir(config.bootstrap(upstream=1)) as weir:
        lines = weir.admin(r"/stats?filter=^cluster\.web\.upstream_(cx|rq)_total$").text.splitlines()
        same(sorted(lines), ["cluster.web.upstream_cx_total: 0", "cluster.web.upstream_rq_total: 0"])
        same(weir.admin("/stats?filter=nothing_of_this_name").text.strip(), "")


@fact("/stats?format=json holds what /stats holds")
def _():
    with Weir(config.bootstrap()) as weir:
        get(weir.port())
        numbers = {each["name"]: each["value"] for each in weir.json("/stats?format=json")["stats"] if "name" in each}
        same(numbers["http.ingress.downstream_rq_total"], 1)
        listed = set(weir.stats())
        same(listed - set(numbers), set(), "names only in the text")


@fact("/stats counts requests, connections and bytes")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(config.route("web"), config.direct(prefix="/direct"), upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            for _ in range(3):
                same(client.get("/a").status, 200)
            wanted = {"http.ingress.downstream_cx_active": 1, "http.ingress.downstream_cx_total": 1,
                      "http.ingress.downstream_rq_total": 3, "http.ingress.downstream_rq_2xx": 3,
                      "http.ingress.downstream_rq_active": 0, "cluster.web.upstream_rq_total": 3,
                      "cluster.web.upstream_cx_active": 1, "cluster.web.upstream_rq_200": 3}
            stats = weir.stats()
            same({name: stats.get(name) for name in wanted}, wanted)
        assert stats["http.ingress.downstream_cx_rx_bytes_total"] > 100, stats
        eventually(lambda: weir.stat("http.ingress.downstream_cx_active"), 0)


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*")*\}|\{\})? (\S+)$')


def samples(text):
    """The samples of a Prometheus page, each line held to the text format: (name, labels) to value."""
    types, found, last = {}, {}, None
    for line in text.splitlines():
        if not line:
            continue
        if line.startswith("#"):
            kind = re.fullmatch(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary)", line)
            assert kind or line.startswith("# HELP "), f"no comment of the format: {line}"
            if kind:
                assert kind[1] not in types, f"typed twice: {line}"
                types[kind[1]], last = kind[2], kind[1]
            continue
        sample = SAMPLE.match(line)
        assert sample, f"no sample of the format: {line}"
        family = sample[1] if sample[1] in types else re.sub(r"_(bucket|sum|count)$", "", sample[1])
        assert family == last, f"{line} does not stand below its type, but below that of {last}"
        assert (sample[1], sample[2]) not in found, f"twice: {line}"
        found[sample[1], sample[2]] = float(sample[3])
    return types, found


@fact("/stats/prometheus is of the text format, line by line")
def _():
    plugin = config.plugin(guest="hello_rust")
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream, plugins=[plugin]), workers=2) as weir:
        for path in ("/", "/b"):
            get(weir.port(), path)
        time.sleep(0.1)
        types, found = samples(weir.admin("/stats/prometheus").text)
        same(found['envoy_http_downstream_rq_total', '{envoy_http_conn_manager_prefix="ingress"}'], 2)
        same(found['envoy_cluster_upstream_rq_total', '{envoy_cluster_name="web"}'], 2)
        same(types["envoy_http_downstream_rq_total"], "counter")
        same(types["envoy_http_downstream_cx_active"], "gauge")


@fact("histograms of /stats/prometheus add up")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        for _ in range(5):
            get(weir.port())
        name, labels = "envoy_http_downstream_rq_time", 'envoy_http_conn_manager_prefix="ingress"'

        def count():
            return samples(weir.admin("/stats/prometheus").text)[1].get((f"{name}_count", "{" + labels + "}"))
        eventually(count, 5, seconds=8)  # Envoy's appear with the flush of every five seconds.
        _, found = samples(weir.admin("/stats/prometheus").text)
        buckets = [(label, value) for (each, label), value in found.items() if each == f"{name}_bucket" and labels in label]
        values = [value for _, value in buckets]
        assert values == sorted(values), f"buckets that shrink: {buckets}"
        assert buckets and 'le="+Inf"' in buckets[-1][0] and values[-1] == 5, buckets
        assert (f"{name}_sum", "{" + labels + "}") in found, "no sum"


@fact("a plugin's metrics appear under wasmcustom, and for Prometheus by their own names and tags")
def _():
    script = "request_headers: metric 0 paint_colour=red; inc paint_colour=red 2; metric 1 depth; rec depth 7"
    tags = {"stats_config": {"stats_tags": [{"tag_name": "colour", "regex": "(_colour=([a-z]+))"}]}}
    with Weir(config.bootstrap(plugins=[config.plugin(guest="conformance", script=script)], more=tags)) as weir:
        get(weir.port())
        eventually(lambda: weir.stat("wasmcustom.paint_colour=red"), 2)
        same(weir.stat("wasmcustom.depth"), 7)
        _, found = samples(weir.admin("/stats/prometheus").text)
        same({labels: value for (name, labels), value in found.items() if name == "paint"}, {'{colour="red"}': 2})
        same({value for (name, _), value in found.items() if name == "depth"}, {7})


@fact("/listeners shows the port that port 0 became")
def _():
    with Weir(config.bootstrap(listeners=[config.main_listener(name="one"), config.main_listener(name="two")])) as weir:
        ports = {weir.port("one"), weir.port("two")}
        same((len(ports), 0 in ports), (2, False), f"ports {ports}")
        same([get(port).status for port in ports], [200, 200])
        seen = {each["name"]: each["local_address"]["socket_address"]["port_value"]
                for each in weir.json("/listeners?format=json")["listener_statuses"]}
        same(seen, {name: weir.port(name) for name in ("one", "two")})


@fact("/clusters shows each endpoint with its counters")
def _():
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream), workers=2) as weir:
        with Client(weir.port()) as client:
            same([client.get().status for _ in range(4)], [200] * 4)
            lines = weir.admin("/clusters").text.splitlines()
        endpoint = f"web::127.0.0.1:{upstream.port}::"
        for line in ("cx_active::1", "cx_total::1", "rq_total::4", "rq_error::0", "health_flags::healthy"):
            assert endpoint + line in lines, f"no {endpoint}{line} in {lines}"
        same(weir.json("/clusters?format=json")["cluster_statuses"][0]["name"], "web")


@fact("/config_dump holds the configuration, with the listener")
def _():
    with Weir(config.bootstrap(upstream=1, name="the-front-door")) as weir:
        dump = weir.json("/config_dump")
        kinds = [each["@type"].rsplit(".", 1)[1] for each in dump["configs"]]
        assert "BootstrapConfigDump" in kinds, kinds
        holds(json.dumps(dump), '"name": "the-front-door"')
        holds(json.dumps(dump), '"stat_prefix": "ingress"')


@fact("/server_info tells state, version, uptime and command line")
def _():
    with Weir(config.bootstrap(), workers=2) as weir:
        info = weir.json("/server_info")
        same((info["state"], info["command_line_options"]["concurrency"]), ("LIVE", 2))
        assert re.search(r"\d+\.\d+\.\d+", info["version"]) and re.fullmatch(r"\d+s", info["uptime_current_epoch"]), info


@fact("/ready is 503 until the names of the clusters are known, then 200", 2)
def _():
    names = NameServer()
    with Upstream() as upstream:
        cluster = config.cluster("web", upstream.port, type="STRICT_DNS", dns_lookup_family="V4_ONLY")
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"]["address"] = "service.test"
        tree = config.bootstrap(config.route("web"), clusters=[cluster])
        with Weir(tree, ready=False, before=names.command()) as weir:
            eventually(lambda: names.asked > 0, what="was the name server asked")

            def ready():
                try:
                    answer = weir.admin("/ready")
                    return answer.status, answer.text
                except OSError:
                    return None
            eventually(lambda: ready() is not None)
            same(ready(), (503, "PRE_INITIALIZING\n"))
            names.release()
            eventually(ready, (200, "LIVE\n"))
            same(get(weir.port()).status, 200)


@fact("/ready is 503 while it drains, and the other pages go on", 2)
def _():
    with Upstream(hang(1.5)) as upstream, Weir(config.bootstrap(upstream=upstream)) as weir:
        with Client(weir.port()) as client:
            client.ask()
            eventually(lambda: upstream.requests, 1)
            weir.signal(signal.SIGTERM)
            eventually(lambda: weir.admin("/ready").status, 503, seconds=1)
            same(weir.json("/server_info")["state"], "DRAINING")
            same(weir.stat("http.ingress.downstream_rq_active"), 1)
            same(client.read().status, 200)
        same(weir.wait(), 0, "exit code")


@fact("a slow or silly client of the admin listener does not keep others from it")
def _():
    with Weir(config.bootstrap()) as weir:
        slow = [Client(weir.admin_port()) for _ in range(20)]
        for client in slow[:10]:
            client.send("GET /stats HTTP/1.1\r\nhost:")
        for client in slow[10:15]:
            client.send(b"\x16\x03\x01 not http\r\n\r\n")
        started = time.monotonic()
        same(weir.admin("/ready").status, 200)
        assert time.monotonic() - started < 1, "it waited for them"
        for client in slow:
            client.close()


@fact("the admin listener answers while requests are under way, from many at once", 2)
def _():
    plugin = config.plugin(guest="hello_rust")
    with Upstream() as upstream, Weir(config.bootstrap(upstream=upstream, plugins=[plugin]), workers=2, log="off") as weir:
        port, wrong, until = weir.port(), [], time.monotonic() + 1

        def read(paths):
            while time.monotonic() < until:
                for path in paths:
                    if weir.admin(path).status != 200:
                        wrong.append(path)

        def ask():
            with Client(port) as client:
                while time.monotonic() < until:
                    if client.get().status != 200:
                        wrong.append("request")
        threads = [threading.Thread(target=read, args=(list(PAGES),)) for _ in range(3)]
        threads += [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        same(wrong, [])


@fact("pipelined admin requests are answered in order, and HEAD without a body")
def _():
    with Weir(config.bootstrap()) as weir, Client(weir.admin_port()) as client:
        client.send("GET /ready HTTP/1.1\r\nhost: a\r\n\r\nHEAD /ready HTTP/1.1\r\nhost: a\r\n\r\nGET /nothing HTTP/1.1\r\nhost: a\r\n\r\n")
        same((client.read().text, client.read(no_body=True).status, client.read().status), ("LIVE\n", 200, 404))
