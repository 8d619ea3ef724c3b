"""Tunnels where one side or both speak HTTP/2: RFC 8441 from clients and to upstreams, CONNECT, and CONNECT that ends here."""
from suite.config import TYPE, cluster, proxy, route, vhost
from suite.http import get, raw
from suite.http2 import h2_get, h2_request
from suite.http2_upstream import END, closes, goes, h2_answer, h2_echoing, h2_listening, h2_scripted, heads, resets, sends_trailers
from suite.model import group
from suite.plain import FIN, RESET, read
from suite.upstream import CLOSE, answer, echoing, listening, scripted, switch

STATS = (r"http\.ingress\.(downstream_cx_upgrades_total|downstream_rq_(1xx|2xx|4xx|5xx|completed|ws_on_non_ws_route))"
         r"|cluster\.(web|plain)\.upstream_(rq_(1xx|101|200|2xx|4xx|total|completed|pending_total)|cx_(total|http2_total))")
HTTP2 = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {"allow_connect": True}}}}}
TO_HTTP2 = cluster("web", "@UPSTREAM@", **HTTP2)
TAKES = {8: 1}  # SETTINGS_ENABLE_CONNECT_PROTOCOL
MANAGER = {"upgrade_configs": [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}], "http2_protocol_options": {"allow_connect": True}}
PROXIED = {"match": {"connect_matcher": {}}, "route": {"cluster": "web"}}


def extended(*pieces, path="/", protocol="websocket", more=(), **options):
    """RFC 8441 from a client by HTTP/2."""
    options.setdefault("patience", 1.5)
    fields = [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":path", path), (":authority", "test.example"), *more]
    return h2_request(fields=fields, body=list(pieces), ends=options.pop("ends", bool(pieces)), **options)


def connect2(*pieces, target="test.example:80", **options):
    options.setdefault("patience", 1.5)
    return h2_request(fields=[(":method", "CONNECT"), (":authority", target)], body=list(pieces), ends=options.pop("ends", bool(pieces)), **options)


def upgrade1(*pieces, path="/", protocol="websocket", more="", **options):
    options.setdefault("patience", 1.5)
    return raw(f"GET {path} HTTP/1.1\r\nhost: test.example\r\nconnection: Upgrade\r\nupgrade: {protocol}\r\n{more}\r\n", *pieces, **options)


def connect1(*pieces, target="test.example:80", **options):
    options.setdefault("patience", 1.5)
    return raw(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n", *pieces, method="CONNECT", **options)


FIN_ENDS = "RFC 9113 8.5: an upstream that finishes sending ends its direction of the tunnel; Envoy takes it for a lost connection and resets the stream"
HALF = "a client by HTTP/1 that finishes sending has ended its direction of the tunnel; Envoy gives up the other one, too"
ENDED = "sometimes: " + HALF
ALONE = "a malformed message resets its stream alone; Envoy closes the connection unless override_stream_error_on_invalid_http_message is set"
ASKED = "RFC 8441 3: what upstreams have not said they take is not sent to them; Envoy sends it all the same"
REFUSED = "Envoy's refusal of an extended CONNECT breaks the protocol"

ROUTES = [PROXIED, route(match="/off", upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}]),
          route(match="/late", timeout="0.4s"), route(match="/idle", idle_timeout="0.4s"), route()]
OK = dict(status="200 OK", headers=())

# RFC 8441 from clients, to upstreams by HTTP/1.
e1 = group("extended connect", proxy(vhost(*ROUTES), hcm_more=MANAGER))
e1.case("taken and echoed", extended(0.2, b"hello", 0.2, b"again", 0.2, b""), upstream=[switch(echoing, CLOSE)], stats=STATS, differs=FIN_ENDS)
e1.case("bytes come with the head", extended(ends=False), upstream=[switch(b"first words", CLOSE)], differs=FIN_ENDS)
e1.case("the upstream ends", extended(0.2, b"x", ends=False), upstream=[switch(0.3, b"last words", CLOSE)], differs=FIN_ENDS)
e1.case("the client ends first", extended(0.2, b"x", 0.1, b""), upstream=[switch(listening, b"and the answer", CLOSE)], settle=0.3, differs=FIN_ENDS)
e1.case("client speaks too early", extended(b"too early", 0.6, b""), upstream=[switch(0.2, echoing, CLOSE)], differs=FIN_ENDS)
e1.case("refused by the upstream", extended(ends=False), upstream=[answer(403, body="no")], status=403, stats=STATS)
e1.case("answered 200", extended(ends=False), upstream=[answer(200)], differs="Envoy drops the body of a 200 that answers an upgrade")
e1.case("another protocol", extended(ends=False, protocol="foo"), stats=STATS, differs=REFUSED)
e1.case("in capitals", extended(0.2, b"x", 0.2, b"", protocol="WebSocket"), upstream=[switch(echoing, CLOSE)], differs=FIN_ENDS)
e1.case("off on the route", extended(ends=False, path="/off"), differs=REFUSED)
e1.case("the client resets", extended(0.2, b"x", ends=False, reset_after=0.3), upstream=[switch(listening, CLOSE)], settle=0.3, stats=STATS)
e1.case("the client goes", extended(0.2, b"x", 0.1, ends=False, abandon=True), upstream=[switch(listening, CLOSE)], settle=0.3)
e1.case("the route's timeout does not end it", extended(0.8, b"x", 0.2, b"", path="/late"), upstream=[switch(echoing, CLOSE)], differs=FIN_ENDS)
e1.case("the idle timeout does", extended(0.2, ends=False, path="/idle"), upstream=[switch(echoing, CLOSE)], status=200)
e1.case("much both ways", extended(0.2, b"y" * 200_000, 0.2, b""), upstream=[switch(echoing, CLOSE)], differs=FIN_ENDS)
e1.case("two beside a request", extended(0.2, b"a", 0.3, b""), extended(0.1, b"b", 0.1, b""), h2_get("/3"), upstream=[switch(echoing, CLOSE), switch(echoing, CLOSE), answer()], differs=FIN_ENDS)
e1.case("ends with its headers", h2_request(fields=[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"), (":authority", "test.example")]), upstream=[switch(b"words", CLOSE)], differs=FIN_ENDS)
e1.case("with a length", extended(0.2, b"hello", 0.2, b"", more=[("content-length", "5")]), upstream=[switch(echoing, CLOSE)], differs="sometimes: " + FIN_ENDS)
e1.case("trailers", h2_request(fields=[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"), (":authority", "test.example")], body=[0.2, b"x"], trailers=[("x-t", "1")], patience=1.5), upstream=[switch(echoing, CLOSE)], differs="sometimes: " + FIN_ENDS)
e1.case("a get with a protocol", h2_request(fields=[(":method", "GET"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"), (":authority", "test.example")], patience=1.5), differs=ALONE)
e1.case("without a path", h2_request(fields=[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "test.example")], patience=1.5, ends=False), differs=ALONE)

not_allowed = group("extended connect not allowed", proxy(vhost(*ROUTES), hcm_more={"upgrade_configs": [{"upgrade_type": "websocket"}]}))
not_allowed.case("is malformed", extended(ends=False), h2_get(), differs=ALONE)

# To upstreams by HTTP/2.
u2 = group("upgrade to HTTP/2", proxy(vhost(*ROUTES), hcm_more=MANAGER, clusters=[TO_HTTP2]), h2_settings=TAKES)
TAKEN = h2_scripted(heads(200), h2_echoing, early=True)
for kind, asks, ask_more in (("from HTTP/1", upgrade1, None), ("from HTTP/2", extended, {})):
    http1 = ask_more is None
    last, kept = ((), {}) if http1 else ((b"",), {"ends": False})
    u2.case(f"{kind}, taken and echoed", asks(0.2, b"hello", 0.2, b"again", 0.2, *last), upstream=[TAKEN], stats=STATS, differs=ENDED if http1 else None)
    u2.case(f"{kind}, bytes come with the head", asks(0.3, **kept), upstream=[h2_scripted(heads(200), b"first words", END, early=True)])
    u2.case(f"{kind}, the upstream ends", asks(0.2, b"x", 0.3, **kept), upstream=[h2_scripted(heads(200), 0.3, b"last words", END, early=True)])
    u2.case(f"{kind}, the client ends first", asks(0.2, b"x", 0.1, *last, **({"half_close": True} if http1 else {})), upstream=[h2_scripted(heads(200), h2_listening, b"and the answer", END, early=True)], settle=0.3, differs=HALF if http1 else None)
    u2.case(f"{kind}, client speaks too early", asks(b"too early", 0.6, *last), upstream=[h2_scripted(0.2, heads(200), h2_echoing, early=True)], differs=ENDED if http1 else None)
    u2.case(f"{kind}, refused", asks(0.3, **kept), upstream=[h2_scripted(heads(403), b"no", END, early=True)], status=403, stats=STATS)
    u2.case(f"{kind}, answered 201", asks(0.3, **kept), upstream=[h2_scripted(heads(201), b"made", END, early=True)])
    u2.case(f"{kind}, answered 101", asks(0.3, **kept), upstream=[h2_scripted(heads(101), b"made", END, early=True)], differs="sometimes: weir resets the stream; Envoy closes the connection")
    u2.case(f"{kind}, answered 200 and ended", asks(0.3, **kept), upstream=[h2_scripted(heads(200, end=True), early=True)])
    u2.case(f"{kind}, reset before an answer", asks(0.3, **kept), upstream=[h2_scripted(resets(2), early=True)], stats=STATS)
    u2.case(f"{kind}, reset within", asks(0.2, b"x", 0.4, **kept), upstream=[h2_scripted(heads(200), b"some", 0.3, resets(8), early=True)], stats=STATS)
    u2.case(f"{kind}, the connection is lost", asks(0.2, b"x", 0.4, **kept), upstream=[h2_scripted(heads(200), b"some", 0.3, closes, early=True)])
    u2.case(f"{kind}, the client goes", asks(0.2, b"x", 0.1, abandon=True, **kept), upstream=[h2_scripted(heads(200), h2_listening, early=True)], settle=0.3, stats=STATS)
    u2.case(f"{kind}, much both ways", asks(0.2, b"y" * 200_000, 0.4, *last), upstream=[TAKEN], differs=ENDED if http1 else None)
    u2.case(f"{kind}, the route's timeout does not end it", asks(0.8, b"x", 0.2, *last, path="/late"), upstream=[TAKEN], differs=ENDED if http1 else None)
    u2.case(f"{kind}, the idle timeout does", asks(1.0, path="/idle", **kept), upstream=[TAKEN])
    u2.case(f"{kind}, trailers of the upstream", asks(0.4, **kept), upstream=[h2_scripted(heads(200), b"words", sends_trailers(("x-t", "1")), early=True)])
u2.case("from HTTP/2, the client resets", extended(0.2, b"x", ends=False, reset_after=0.3), upstream=[h2_scripted(heads(200), h2_listening, early=True)], settle=0.3, stats=STATS)
u2.case("from HTTP/1, another protocol", upgrade1(protocol="foo"), status=403)
u2.case("a request beside it", h2_get(), upstream=[h2_answer()], status=200)

wary = group("upgrade to HTTP/2 that does not take it", proxy(vhost(*ROUTES), hcm_more=MANAGER, clusters=[TO_HTTP2]))
wary.case("from HTTP/1", upgrade1(0.3), upstream=[TAKEN], differs=ASKED)
wary.case("from HTTP/2", extended(ends=False), upstream=[TAKEN], differs=ASKED)
unset = group("upgrade to HTTP/2 without allow_connect", proxy(vhost(*ROUTES), hcm_more=MANAGER, clusters=[cluster("web", "@UPSTREAM@", http2_protocol_options={})]), h2_settings=TAKES)
unset.case("from HTTP/1", upgrade1(0.2, b"x", 0.2), upstream=[TAKEN], differs=ENDED)

# CONNECT.
c1 = group("connect by HTTP/2", proxy(vhost(*ROUTES), hcm_more=MANAGER))
c1.case("taken and echoed", connect2(0.2, b"hello", 0.2, b""), upstream=[switch(echoing, CLOSE, **OK)], stats=STATS, differs=FIN_ENDS)
c1.case("refused", connect2(ends=False), upstream=[answer(403, body="no")])
c1.case("early bytes", connect2(b"early", 0.5, b""), upstream=[switch(0.2, echoing, CLOSE, **OK)], differs=FIN_ENDS)
c1.case("the upstream ends", connect2(0.2, b"x", ends=False), upstream=[switch(0.3, b"last words", CLOSE, **OK)], differs=FIN_ENDS)
c1.case("the client resets", connect2(0.2, b"x", ends=False, reset_after=0.3), upstream=[switch(listening, CLOSE, **OK)], settle=0.3)
c1.case("with a path", h2_request(fields=[(":method", "CONNECT"), (":path", "/"), (":authority", "test.example:80")], ends=False, patience=1.5), differs=ALONE)
c1.case("ends with its headers", h2_request(fields=[(":method", "CONNECT"), (":authority", "test.example:80")], patience=1.5), upstream=[switch(b"words", CLOSE, **OK)], differs=FIN_ENDS)
c2 = group("connect to HTTP/2", proxy(vhost(*ROUTES), hcm_more=MANAGER, clusters=[TO_HTTP2]))
for kind, asks, ask_more in (("from HTTP/1", connect1, None), ("from HTTP/2", connect2, {})):
    http1 = ask_more is None
    last, kept = ((), {}) if http1 else ((b"",), {"ends": False})
    c2.case(f"{kind}, taken and echoed", asks(0.2, b"hello", 0.2, *last), upstream=[TAKEN], stats=STATS, differs=ENDED if http1 else None)
    c2.case(f"{kind}, refused", asks(0.3, **kept), upstream=[h2_scripted(heads(403), b"no", END, early=True)])
    c2.case(f"{kind}, early bytes", asks(b"early", 0.5, *last), upstream=[h2_scripted(0.2, heads(200), h2_echoing, early=True)], differs=ENDED if http1 else None)
    c2.case(f"{kind}, the upstream ends", asks(0.2, b"x", 0.3, **kept), upstream=[h2_scripted(heads(200), 0.3, b"last words", END, early=True)])
    c2.case(f"{kind}, reset within", asks(0.2, b"x", 0.4, **kept), upstream=[h2_scripted(heads(200), b"some", 0.3, resets(8), early=True)])

# CONNECT that ends here: the tunnel's bytes are the connection's.
ENDS = {"match": {"connect_matcher": {}}, "route": {"cluster": "plain", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}}
POSTS = {"match": {"prefix": "/post"}, "route": {"cluster": "plain", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {"allow_post": True}}]}}
DEAD = {"match": {"connect_matcher": {}}, "route": {"cluster": "refused", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}}
t = group("connect ends here", proxy(vhost(ENDS, POSTS, route()), hcm_more={"http2_protocol_options": {"allow_connect": True}}, clusters=[cluster("plain", "@PLAIN@")]))
t.case("from HTTP/1", connect1(0.2, b"hello", 0.2, half_close=True), stats=STATS)
t.case("from HTTP/2", connect2(0.2, b"hello", 0.2, b""), stats=STATS)
t.case("early bytes", connect1(b"early", 0.3, half_close=True))
t.case("early bytes by HTTP/2", connect2(b"early", 0.3, b""))
t.case("the client goes", connect1(0.2, b"x", 0.1, abandon=True), settle=0.3)
t.case("the client resets", connect2(0.2, b"x", ends=False, reset_after=0.3), settle=0.3)
t.case("much both ways", connect1(0.2, b"y" * 200_000, 0.3, half_close=True))
t.case("much both ways by HTTP/2", connect2(0.2, b"y" * 200_000, 0.3, b""))
t.case("a get beside it", get(), status=200)
t.case("a post", raw("POST /post HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello", patience=1.5))
t.case("a get that may not", raw("GET /post HTTP/1.1\r\nhost: a\r\n\r\n", patience=1.5))
d = group("connect ends at nobody", proxy(vhost(DEAD), hcm_more={"http2_protocol_options": {"allow_connect": True}}))
d.case("from HTTP/1", connect1(0.2), status=503, stats=r"cluster\.refused\.upstream_(rq|cx)_.*")
d.case("from HTTP/2", connect2(ends=False), status=503)
