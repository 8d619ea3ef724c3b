"""Who gave up a stream, as the counters of both sides tell it."""
from suite.config import cluster, proxy, route, vhost
from suite.http import get, raw
from suite.http2 import h2_get, h2_request
from suite.http2_upstream import END, closes, h2_answer, h2_listening, h2_scripted, heads, resets
from suite.model import group
from suite.upstream import CLOSE, answer, close, hang, listening, scripted, switch

from topics.tunnels_http2 import FIN_ENDS, HTTP2, MANAGER, PROXIED, TAKES, connect2, extended, upgrade1

STATS = (r"(http\.ingress\.downstream_rq|cluster\.web\.upstream_rq)_(rx_reset|tx_reset)|(cluster\.web\.)?http2\.(rx_reset|tx_reset)"
         r"|cluster\.web\.upstream_rq_(cancelled|pending_failure_eject)")
ROUTES = vhost(PROXIED, route(match="/late", timeout="0.3s"), route(match="/again", timeout="2s", retry_policy={"retry_on": "5xx,reset", "num_retries": 1, "per_try_timeout": "0.2s"}), route())
AGAIN = "a request that is lost with a connection which was kept, before a byte of an answer, is sent again once"
GET = "GET / HTTP/1.1\r\nhost: test.example\r\n\r\n"
POST = "POST / HTTP/1.1\r\nhost: test.example\r\ncontent-length: 100\r\n\r\nhello"
CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"

one = group("resets, upstream by HTTP/1", proxy(ROUTES, hcm_more=MANAGER))
two = group("resets, upstream by HTTP/2", proxy(ROUTES, hcm_more=MANAGER, clusters=[cluster("web", "@UPSTREAM@", **HTTP2)]), h2_settings=TAKES)
for g, hangs, cuts, kills, serves, early, grants in (
        (one, hang(0.8), scripted([CUT, 0.2, CLOSE]), close(), answer(), answer(early=True), lambda *then: switch(*then)),
        (two, h2_scripted(0.8, END), h2_scripted(heads(200), b"abc", 0.2, resets(2)), h2_scripted(closes), h2_answer(), h2_scripted(heads(200), b"early", END, early=True),
         lambda *then: h2_scripted(heads(200), *then, early=True))):
    listens, last = (listening, CLOSE) if g is one else (h2_listening, END)
    for kind, asks, ask in (("HTTP/1", get, upgrade1), ("HTTP/2", h2_get, extended)):
        g.case(f"{kind}, answered", asks(), upstream=[serves], stats=STATS)
        g.case(f"{kind}, the time is over", asks("/late"), upstream=[hangs], stats=STATS)
        g.case(f"{kind}, a try's time is over", asks("/again"), upstream=[hangs, serves], stats=STATS)
        g.case(f"{kind}, the upstream gives up", asks(), upstream=[kills], stats=STATS, differs=AGAIN)
        g.case(f"{kind}, the upstream gives up within its answer", asks(), upstream=[cuts], stats=STATS)
        g.case(f"{kind}, the client leaves", h2_request(body=[0.2], ends=False, abandon=True) if kind == "HTTP/2" else raw(GET, 0.2, abandon=True),
               upstream=[hangs], settle=0.5, stats=STATS)
        g.case(f"{kind}, an answer before the request is whole", h2_request("POST", body=[b"hello"], ends=False, patience=0.5) if kind == "HTTP/2" else raw(POST, patience=0.5),
               upstream=[early], settle=0.2, stats=STATS, differs=None if g is one else "sometimes: whether the upstream saw the body depends on who was quicker")
        ends = {"ends": False} if kind == "HTTP/2" else {}
        g.case(f"{kind}, a tunnel whose client leaves", ask(0.2, b"x", 0.1, abandon=True, **ends), upstream=[grants(listens, last)], settle=0.3, stats=STATS)
        g.case(f"{kind}, a tunnel that its upstream ends", ask(0.2, b"x", 0.2, **ends), upstream=[grants(0.3, b"last words", last)], settle=0.2, stats=STATS, differs=FIN_ENDS if g is one else None)
    g.case("HTTP/2, the client resets", h2_get(reset_after=0.2), upstream=[hangs], settle=0.3, stats=STATS)
    g.case("HTTP/2, a tunnel which the client resets", extended(0.2, b"x", ends=False, reset_after=0.3), upstream=[grants(listens, last)], settle=0.3, stats=STATS)
two.case("a refused stream", get(), upstream=[h2_scripted(resets(7)), h2_answer()], stats=STATS, differs="RFC 9113 8.7: what an upstream refuses unseen is sent again once; Envoy answers 503")
two.case("a tunnel that its upstream resets", upgrade1(0.2, b"x", 0.4), upstream=[h2_scripted(heads(200), b"some", 0.3, resets(8), early=True)], settle=0.2, stats=STATS)
two.case("CONNECT that its upstream resets", connect2(0.2, b"x", 0.4, ends=False), upstream=[h2_scripted(heads(200), b"some", 0.3, resets(8), early=True)], settle=0.2, stats=STATS)
