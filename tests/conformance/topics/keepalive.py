"""connection_keepalive: pings that look whether the peer by HTTP/2 is still there, and what becomes of its requests if not."""
from suite.config import TYPE, cluster, fill, proxy, to_yaml
from suite.http import get, raw
from suite.http2 import h2_get
from suite.http2_upstream import h2_answer, h2_scripted
from suite.model import group
from suite.upstream import answer, hang

PINGS = {"interval": "0.2s", "timeout": "0.3s", "interval_jitter": {"value": 0}}
STATS = (r"http2\.(keepalive_timeout|goaway_sent|tx_reset)|http\.ingress\.downstream_(cx_destroy.*|rq_(2xx|5xx|rx_reset|tx_reset))"
         r"|cluster\.web\.(http2\.keepalive_timeout|upstream_cx_destroy.*|upstream_rq_(rx_reset|tx_reset|completed|5xx|2xx))")
LOG = {"access_log": [{"name": "file", "typed_config": {"@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "@FOLDER@/access",
                       "log_format": {"text_format_source": {"inline_string": "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n"}}}}]}


def of(name, client=None, upstream=None, **more):
    web = [cluster("web", "@UPSTREAM@", http2_protocol_options={"connection_keepalive": upstream})] if upstream else []
    hcm = {"http2_protocol_options": {"connection_keepalive": client}} if client else {}
    return group(f"keepalive {name}", proxy(hcm_more={**hcm, **LOG}, clusters=web), **more)


g = of("of clients", client=PINGS)
g.case("one that answers stays", h2_get(), upstream=[answer(delay=1.2)], status=200, stats=STATS, entries=1)
g.case("one that does not is closed", h2_get(deaf=True, patience=2.0), upstream=[hang(1.5)], stats=STATS, entries=1, linger=0.2, settle=0.3)
g.case("an idle one that does not is closed", h2_get(deaf=True), status=200, linger=1.2, stats=STATS, entries=1)
g.case("HTTP/1 has no pings", get(), upstream=[answer(delay=1.0)], status=200)
u = of("of upstreams", upstream=PINGS)
u.case("one that answers stays", get(), upstream=[h2_scripted(1.2, *h2_answer()(None))], status=200, stats=STATS, entries=1)
d = of("of deaf upstreams", upstream=PINGS, h2_deaf=True)
d.case("is closed", get(), upstream=[h2_scripted(1.5)], status=503, stats=STATS, entries=1)
d.case("an idle one, too", get(), settle=1.0, status=200, stats=STATS, entries=1)
i = of("after silence", upstream={"timeout": "0.3s", "connection_idle_interval": "0.3s"}, h2_deaf=True)
i.case("a ping goes ahead of the stream", get(wait=True), upstream=[h2_answer(), h2_scripted(1.5)], status=200)
i.case("and the connection is closed", raw(0.6, "GET / HTTP/1.1\r\nhost: test.example\r\n\r\n"), upstream=[h2_scripted(1.5)], status=503,
       differs="a request that is lost with a connection which was kept, before a byte of an answer, is sent again once")

v = group("keepalive by configuration")
PORTS = {name: 1000 + number for number, name in enumerate(("LISTEN", "ADMIN", "FENCE", "UPSTREAM", "CALLOUT", "REFUSED"))}
yaml = lambda keepalive: fill(to_yaml(proxy(clusters=[cluster("web", "@UPSTREAM@", http2_protocol_options={"connection_keepalive": keepalive})])), PORTS)
v.validation("whole", yaml({**PINGS, "connection_idle_interval": "1s"}), True)
v.validation("without a timeout", yaml({"interval": "1s"}), False)
v.validation("with an interval of nothing", yaml({"interval": "0s", "timeout": "1s"}), False)
