"""Retries: conditions, numbers, back-off, instructions in request headers, kept bodies, and what is told of it."""
from suite.config import proxy, route, vhost
from suite.http import chunked, get, post, raw
from suite.model import group
from suite.upstream import CLOSE, answer, chunks, close, echo, hang, scripted

STATS = (r"cluster\.web\.(upstream_rq_(retry|retry_success|retry_limit_exceeded|retry_backoff_exponential|retry_backoff_ratelimited|total|503|200|completed|5xx|timeout|per_try_timeout"
         r"|per_try_idle_timeout)|retry\.upstream_rq_(503|5xx|completed)|retry_or_shadow_abandoned)")
QUICK = {"base_interval": "0.001s", "max_interval": "0.01s"}


def retrying(on, **more):
    return {"retry_on": on, "retry_back_off": QUICK, **more}


def on(path, conditions, **more):
    return route(match=path, retry_policy=retrying(conditions, **more))


g = group("retries", proxy(vhost(
    on("/5xx", "5xx"), on("/gateway", "gateway-error"), on("/connect", "connect-failure"), on("/reset-before", "reset-before-request"),
    on("/reset", "reset"), on("/4xx", "retriable-4xx"), on("/codes", "retriable-status-codes", retriable_status_codes=[418, 200]),
    on("/headers", "retriable-headers", retriable_headers=[{"name": "x-again", "string_match": {"exact": "yes"}}]),
    on("/limited", "5xx,envoy-ratelimited"), on("/unlimited", "5xx"), on("/three", "5xx", num_retries=3), on("/none", "5xx", num_retries=0),
    on("/unknown", "5xx,what-is-this"), on("/blanks", " gateway-error , retriable-4xx "),
    on("/grpc", "cancelled,deadline-exceeded,internal,resource-exhausted,unavailable"),
    on("/only", "5xx", retriable_request_headers=[{"name": "x-may", "present_match": True}]),
    on("/early", "retriable-status-codes", retriable_status_codes=[425]),
    route(match="/plain"))))
BAD = answer(503, body="no")
g.case("5xx, then an answer", get("/5xx"), upstream=[BAD, answer()], status=200, stats=STATS)
g.case("5xx twice", get("/5xx"), upstream=[BAD, answer(500, body="still no")], status=500, stats=STATS)
g.case("5xx and 404", get("/5xx"), upstream=[answer(404)], status=404, stats=STATS)
g.case("5xx, chunked answer dropped", get("/5xx"), upstream=[chunks(b"part", b"more", status=503), answer()], status=200)
g.case("5xx, closed without an answer", get("/5xx"), upstream=[close(), answer()], status=200, stats=STATS)
g.case("5xx, closed twice", get("/5xx"), upstream=[close(), close()], status=503, stats=STATS)
g.case("5xx, no HTTP twice", get("/5xx"), upstream=[scripted([b"SSH\r\n\r\n", CLOSE]), scripted([b"SSH\r\n\r\n", CLOSE])], status=502)
g.case("three", get("/three"), upstream=[BAD, BAD, BAD, answer()], status=200, stats=STATS)
g.case("four too many", get("/three"), upstream=[BAD, BAD, BAD, BAD], status=503, stats=STATS)
g.case("none allowed", get("/none"), upstream=[BAD], status=503, stats=STATS)
g.case("gateway error 502", get("/gateway"), upstream=[answer(502), answer()], status=200)
g.case("gateway error 500", get("/gateway"), upstream=[answer(500)], status=500)
g.case("retriable 4xx", get("/4xx", wait=True), get("/4xx"), upstream=[answer(409), answer(), answer(404)], status=200)
g.case("status codes", get("/codes"), upstream=[answer(418), answer(201)], status=201)
g.case("status codes of success", get("/codes"), upstream=[answer(200), answer(200, body="again")], status=200)
g.case("headers", get("/headers"), upstream=[answer(headers=[("x-again", "yes")]), answer(headers=[("x-again", "no")])], status=200)
g.case("limited by another proxy", get("/limited"), upstream=[answer(503, headers=[("x-envoy-ratelimited", "true")]), answer()], status=200)
g.case("limited by another proxy, not expected", get("/unlimited"), upstream=[answer(503, headers=[("x-envoy-ratelimited", "true")])], status=503)
g.case("an unknown condition beside", get("/unknown"), upstream=[BAD, answer()], status=200)
g.case("blanks in the list", get("/blanks"), upstream=[answer(409), answer()], status=200)
g.case("425", get("/early"), upstream=[answer(425), answer()], status=200)
g.case("425 to early data", get("/early", headers={"early-data": "1"}), upstream=[answer(425)], status=425)
g.case("reset after the request", get("/reset"), upstream=[close(), answer()], status=200)
g.case("connect failure is none", get("/connect"), upstream=[BAD], status=503)
g.case("only with a header, without", get("/only"), upstream=[BAD], status=503)
g.case("only with a header, with", get("/only", headers={"x-may": ""}), upstream=[BAD, answer()], status=200)
for status in (1, 2, 4, 8, 13, 14):
    g.case(f"grpc status {status}", post("/grpc", "", headers={"content-type": "application/grpc"}), upstream=[answer(headers=[("grpc-status", str(status))], body=""), answer(headers=[("grpc-status", "0")], body="")], status=200)
g.case("reset within the body", get("/5xx"), upstream=[scripted([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", CLOSE])], status=200)

b = group("retries with bodies", proxy(vhost(
    route(match="/small", retry_policy=retrying("5xx")) | {"request_body_buffer_limit": 10},
    route(match="/zero", retry_policy=retrying("5xx")) | {"request_body_buffer_limit": 0},
    on("/b", "5xx"), request_body_buffer_limit=100_000), listener_more={"per_connection_buffer_limit_bytes": 20_000}))
b.case("a post", post("/b", "hello"), upstream=[BAD, echo()], status=200, stats=STATS)
b.case("a chunked post", chunked("/b", [b"one", b"two"]), upstream=[BAD, echo()], status=200)
b.case("more than the route keeps", post("/small", "hello, world"), upstream=[BAD], status=503, stats=STATS)
b.case("as much as the route keeps", post("/small", "0123456789"), upstream=[BAD, echo()], status=200)
b.case("nothing is kept", post("/zero", "0123456789"), upstream=[BAD, echo()], status=503)
b.case("more than the connection keeps", post("/b", "x" * 50_000), upstream=[BAD, echo()], status=200, stats=STATS)
b.case("more than the virtual host keeps", post("/b", "x" * 150_000), upstream=[BAD, echo()], status=503, stats=STATS)
b.case("answered before the body's end", raw("POST /b HTTP/1.1\r\nhost: test.example\r\ncontent-length: 10\r\n\r\n", 0.2, "01234", 0.3, "56789"),
       upstream=[answer(503, early=True), echo()])

h = group("retry instructions of clients", proxy(vhost(route(match="/policy", retry_policy=retrying("5xx")), route())))
ON = {"x-envoy-retry-on": "5xx"}
h.case("are not read", get(headers={**ON, "x-envoy-max-retries": "3"}), upstream=[BAD], status=503, stats=STATS)
h.case("do not change a policy", get("/policy", headers={"x-envoy-max-retries": "0"}), upstream=[BAD, answer()], status=200)
h.case("on time are not read", get(headers={"x-envoy-upstream-rq-timeout-ms": "100", "x-envoy-upstream-rq-per-try-timeout-ms": "50"}), upstream=[answer(delay=0.3)], status=200)
h.case("on other things do not go upstream", get(headers={"x-envoy-hedge-on-per-try-timeout": "true", "x-envoy-upstream-alt-stat-name": "alt", "x-envoy-expected-rq-timeout-ms": "3", "x-envoy-decorator-operation": "op"}), status=200)


def told(path, policy=None, **fields):
    """A route that gives the router instructions by headers of its own."""
    added = [{"header": {"key": "x-envoy-" + name.replace("_", "-"), "value": value}} for name, value in fields.items()]
    return {**route(match=path, **({"retry_policy": policy} if policy else {})), "request_headers_to_add": added}


i = group("retry instructions of routes", proxy(vhost(
    told("/on", retry_on="5xx"), told("/unknown", retry_on="nonsense"), told("/max", retry_on="5xx", max_retries="2"),
    told("/none", policy=retrying("5xx"), max_retries="0"), told("/nan", retry_on="5xx", max_retries="many"),
    told("/codes", retry_on="retriable-status-codes", retriable_status_codes="418, 419,x"),
    told("/names", retry_on="retriable-headers", retriable_header_names="x-a, X-Again"), told("/grpc", retry_grpc_on="unavailable"),
    told("/beside", policy=retrying("5xx"), retry_on="retriable-4xx"), told("/hedge", retry_on="5xx", hedge_on_per_try_timeout="true"))))
i.case("retry-on", get("/on"), upstream=[BAD, answer()], status=200, stats=STATS)
i.case("retry-on, unknown", get("/unknown"), upstream=[BAD], status=503)
i.case("max-retries", get("/max"), upstream=[BAD, BAD, answer()], status=200)
i.case("max-retries of none", get("/none"), upstream=[BAD], status=503)
i.case("max-retries that is no number", get("/nan"), upstream=[BAD, answer()], status=200)
i.case("status codes", get("/codes"), upstream=[answer(419), answer()], status=200)
i.case("header names", get("/names"), upstream=[answer(headers=[("x-again", "")]), answer()], status=200)
i.case("grpc", get("/grpc"), upstream=[answer(headers=[("grpc-status", "14")]), answer()], status=200)
i.case("beside a policy", get("/beside"), upstream=[answer(409), answer()], status=200)
i.case("hedging is taken off", get("/hedge"), upstream=[BAD, answer()], status=200)

a = group("attempt counts", proxy(vhost(on("/5xx", "5xx", num_retries=2), route(match="/late", timeout="0.3s"), include_request_attempt_count=True,
                                include_attempt_count_in_response=True, include_is_timeout_retry_header=True)))
a.case("once", get("/5xx"), status=200)
a.case("thrice", get("/5xx"), upstream=[BAD, BAD, answer()], status=200)
a.case("thrice and failed", get("/5xx"), upstream=[BAD, close(), close()], status=503)
a.case("too late", get("/late"), upstream=[hang()], status=504)

v = group("retries of a virtual host", proxy(vhost(route(match="/own", retry_policy=retrying("retriable-4xx")), route(), retry_policy=retrying("5xx", num_retries=2))))
v.case("by the host", get(), upstream=[BAD, BAD, answer()], status=200)
v.case("the route's own", get("/own"), upstream=[answer(409), answer()])

c = group("retries of connections", proxy(vhost(
    route("refused", "/refused", retry_policy=retrying("connect-failure", num_retries=2)), route("refused", "/plain"), route("empty", "/empty", retry_policy=retrying("5xx,connect-failure")),
    route("refused", "/before", retry_policy=retrying("reset-before-request")))))
REFUSED = STATS.replace("web", "refused")
c.case("refused", get("/refused"), status=503, stats=REFUSED)
c.case("refused, without a policy", get("/plain"), status=503)
c.case("refused before the request", get("/before"), status=503, stats=REFUSED)
c.case("no endpoint", get("/empty"), status=503)

l = group("retries asked for later", proxy(vhost(route(retry_policy=retrying("5xx", rate_limited_retry_back_off={
    "reset_headers": [{"name": "retry-after", "format": "SECONDS"}, {"name": "x-reset", "format": "UNIX_TIMESTAMP"}], "max_interval": "5s"})))))
l.case("in a second", get(patience=8.0), upstream=[answer(503, headers=[("retry-after", "1")]), answer()], status=200, stats=STATS)
l.case("too late", get(), upstream=[answer(503, headers=[("retry-after", "100")]), answer()], status=200, stats=STATS)
l.case("in no time", get(), upstream=[answer(503, headers=[("retry-after", "soon")]), answer()], status=200, stats=STATS)
l.case("in the past", get(), upstream=[answer(503, headers=[("x-reset", "1000")]), answer()], status=200, stats=STATS)

p = group("tries timed", proxy(vhost(
    route(match="/try", timeout="3s", retry_policy=retrying("5xx", per_try_timeout="0.3s")),
    route(match="/reset", timeout="3s", retry_policy=retrying("reset", per_try_timeout="0.3s")),
    route(match="/connect", timeout="3s", retry_policy=retrying("connect-failure", per_try_timeout="0.3s")),
    route(match="/only", timeout="3s", retry_policy={"per_try_timeout": "0.3s"}),
    route(match="/idle", timeout="3s", retry_policy=retrying("5xx", per_try_idle_timeout="0.3s")),
    route(match="/longer", timeout="0.3s", retry_policy=retrying("5xx", per_try_timeout="0.5s")),
    route(match="/whole", timeout="0.5s", retry_policy=retrying("5xx", num_retries=5, per_try_timeout="0.2s")))))
p.case("late, then an answer", get("/try"), upstream=[hang(), answer()], status=200, stats=STATS)
p.case("late twice", get("/try"), upstream=[hang(), hang()], status=504, stats=STATS)
p.case("late, by reset", get("/reset"), upstream=[hang(), answer()], status=200)
p.case("late is no connect failure", get("/connect"), upstream=[hang()], status=504)
p.case("late without conditions", get("/only"), upstream=[hang()], status=504, stats=STATS)
p.case("silent", get("/idle"), upstream=[hang(), answer()], status=200, stats=STATS)
p.case("silent twice", get("/idle"), upstream=[hang(), hang()], status=504, stats=STATS)
p.case("silent within the body", get("/idle"), upstream=[chunks(b"a", pause=0.8)], status=200)
p.case("slow, but never silent", get("/idle"), upstream=[chunks(b"a", b"b", b"c", pause=0.2)], status=200)
p.case("a slow body after headers in time", get("/try"), upstream=[chunks(b"a", b"b", pause=0.4)], status=200)
p.case("longer than the whole", get("/longer"), upstream=[hang()], status=504, stats=STATS)
p.case("the whole ends it", get("/whole"), upstream=[hang(), hang(), hang()], status=504)
