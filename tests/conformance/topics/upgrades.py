"""Upgrades and tunnels: WebSocket and other protocols over HTTP/1, CONNECT, and what comes too early."""
from suite.config import proxy, route, vhost
from suite.http import get, raw
from suite.model import group
from suite.upstream import CLOSE, answer, echoing, listening, scripted, switch

STATS = r"http\.ingress\.(downstream_cx_upgrades_total|downstream_rq_(1xx|2xx|4xx|5xx|completed|ws_on_non_ws_route))|cluster\.web\.upstream_rq_(1xx|101|200|total|completed)"


def asks(path="/", *then, protocol="websocket", connection="Upgrade", more="", method="GET", **options):
    options.setdefault("patience", 1.5)
    head = f"{method} {path} HTTP/1.1\r\nhost: test.example\r\nconnection: {connection}\r\nupgrade: {protocol}\r\n{more}\r\n"
    return raw(head, *then, **options)


BODY = "an upgrade of a request with a body is refused: where the body ends and the other protocol begins is a matter of opinion, and Envoy passes chunks on undecoded"
WS = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
g = group("upgrades", proxy(vhost(
    route(match="/off", upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}]),
    {"match": {"prefix": "/said"}, "direct_response": {"status": 200, "body": {"inline_string": "said"}}},
    route(match="/late", timeout="0.4s"), route(match="/idle", idle_timeout="0.4s"),
    route()), hcm_more=WS))
g.case("taken and echoed", asks("/", 0.2, "hello", 0.2, "again", 0.2, half_close=True), upstream=[switch(echoing, CLOSE)], status=101, stats=STATS)
g.case("bytes of the upstream come with its head", asks("/", 0.3), upstream=[switch(b"first words", CLOSE)], status=101)
g.case("the upstream ends after its words", asks("/", 0.3, "x"), upstream=[switch(0.2, b"last words", CLOSE)], status=101)
g.case("client speaks too early", asks("/", "too early", 0.5, half_close=True), upstream=[switch(0.2, echoing, CLOSE)], status=101)
g.case("early bytes that look like a request", asks("/", "GET /smuggled HTTP/1.1\r\nhost: test.example\r\n\r\n", 0.5, half_close=True), upstream=[switch(0.2, echoing, CLOSE)], status=101)
g.case("early bytes, and the upgrade is refused by the upstream", asks("/", "GET /smuggled HTTP/1.1\r\nhost: test.example\r\n\r\n"), upstream=[answer(403, body="no")], status=403, stats=STATS)
g.case("answered 200", asks("/"), upstream=[answer(200)], status=200, differs="Envoy drops the body of a 200 that answers an upgrade")
g.case("answered 426 without end", asks("/"), upstream=[scripted([b"HTTP/1.1 426 No\r\n\r\nno", CLOSE])], status=426)
g.case("not configured", asks("/", protocol="foo"), status=403, stats=STATS)
g.case("not configured, with early bytes", asks("/", "GET /smuggled HTTP/1.1\r\nhost: test.example\r\n\r\n", protocol="foo"), status=403)
g.case("off on the route", asks("/off"), status=403)
g.case("in capitals", asks("/", 0.2, "x", 0.2, protocol="WebSocket", half_close=True), upstream=[switch(echoing, CLOSE)], status=101)
g.case("several protocols", asks("/", protocol="websocket, foo"))
g.case("connection with more words", asks("/", 0.2, "x", 0.2, connection="keep-alive, Upgrade", half_close=True), upstream=[switch(echoing, CLOSE)], status=101)
g.case("upgrade not named by connection", asks("/", connection="keep-alive"), status=200)
g.case("upgrade named and absent", raw("GET / HTTP/1.1\r\nhost: test.example\r\nconnection: upgrade\r\n\r\n"), status=200)
g.case("h2c", asks("/", protocol="h2c", connection="Upgrade, HTTP2-Settings", more="http2-settings: AAMAAABkAAQAAP__\r\n"))
g.case("a direct response", asks("/said"))
g.case("with a length", asks("/", "hello", more="content-length: 5\r\n", method="POST"), upstream=[switch(echoing, CLOSE)], differs=BODY, weir_status=400)
g.case("with a length of zero", asks("/", 0.2, "x", 0.2, more="content-length: 0\r\n", half_close=True), upstream=[switch(echoing, CLOSE)])
g.case("chunked", asks("/", "5\r\nhello\r\n0\r\n\r\n", more="transfer-encoding: chunked\r\n", method="POST"), upstream=[switch(echoing, CLOSE)], differs=BODY, weir_status=400)
g.case("the route's timeout does not end it", asks("/late", 0.8, "x", 0.2, half_close=True), upstream=[switch(echoing, CLOSE)], status=101)
g.case("the idle timeout does", asks("/idle", 1.0), upstream=[switch(echoing, CLOSE)], status=101)
g.case("the upstream's 101 says another protocol", asks("/", 0.2, "x", 0.2, half_close=True), upstream=[switch(echoing, CLOSE, headers=(("connection", "upgrade"), ("upgrade", "other")))])
g.case("101 with a length", asks("/", 0.2, "x", 0.2, half_close=True), upstream=[switch(b"abc", echoing, CLOSE, headers=(("connection", "upgrade"), ("upgrade", "websocket"), ("content-length", "3")))])
g.case("103 before 101", asks("/", 0.3, "x", 0.2, half_close=True), upstream=[scripted([b"HTTP/1.1 103 Early\r\n\r\n", 0.1, b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", echoing, CLOSE])])
g.case("the client goes", asks("/", 0.2, "x", 0.1, abandon=True), upstream=[switch(listening, CLOSE)], settle=0.3)
g.case("much both ways", asks("/", 0.2, "y" * 300_000, 0.3, half_close=True), upstream=[switch(echoing, CLOSE)], status=101)

off = group("no upgrades", proxy(vhost(route(match="/on", upgrade_configs=[{"upgrade_type": "websocket"}]), route())))
off.case("refused", asks("/", "GET /smuggled HTTP/1.1\r\nhost: test.example\r\n\r\n"), status=403)
off.case("on by the route", asks("/on", 0.2, "x", 0.2, half_close=True), upstream=[switch(echoing, CLOSE)], status=101)

dis = group("upgrades off by default", proxy(vhost(route(match="/on", upgrade_configs=[{"upgrade_type": "websocket"}]), route()), hcm_more={"upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}]}))
dis.case("refused", asks("/"), status=403)
dis.case("on by the route", asks("/on", 0.2, "x", 0.2, half_close=True), upstream=[switch(echoing, CLOSE)], status=101)


def connects(target="test.example:80", *then, more="", **options):
    options.setdefault("patience", 1.5)
    return raw(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{more}\r\n", *then, method="CONNECT", **options)


PROXIED = {"match": {"connect_matcher": {}}, "route": {"cluster": "web"}}
c = group("connect proxied", proxy(vhost(PROXIED, route()), hcm_more={"upgrade_configs": [{"upgrade_type": "CONNECT"}]}))
OK = dict(status="200 OK", headers=())
c.case("taken", connects("test.example:80", 0.2, "x", 0.2, half_close=True), upstream=[switch(echoing, CLOSE, **OK)])
c.case("refused by the upstream", connects(), upstream=[answer(403, body="no")])
c.case("early bytes", connects("test.example:80", "early", 0.4, half_close=True), upstream=[switch(0.2, echoing, CLOSE, **OK)])
c.case("without a port", connects("test.example"))
c.case("with a path", connects("/path"))
c.case("a get beside it", get(), status=200)
n = group("connect without a route", proxy(vhost(route()), hcm_more={"upgrade_configs": [{"upgrade_type": "CONNECT"}]}))
n.case("no route", connects())
m = group("connect not configured", proxy(vhost(PROXIED, route())))
m.case("refused", connects("test.example:80", "GET / HTTP/1.1\r\nhost: test.example\r\n\r\n"))
