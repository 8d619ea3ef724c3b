"""Routes: domains, matchers, rewrites, redirects, direct responses, and the proxy's own answers."""
from suite.config import TO_WEB, proxy, route, vhost
from suite.http import get, post, request
from suite.model import group
from suite.upstream import answer, hang


def said(text, match=None):
    """A route that says which one it is."""
    match = {"prefix": match or "/"} if not isinstance(match, dict) else match
    return {"match": match, "direct_response": {"status": 200, "body": {"inline_string": text}}}


g = group("domains", proxy(
    vhost(said("exact"), name="exact", domains=["exact.example", "other.example:8080"]),
    vhost(said("suffix"), name="suffix", domains=["*.example", "*-longer.example"]),
    vhost(said("longer suffix"), name="longer", domains=["*.deep.example"]),
    vhost(said("prefix"), name="prefix", domains=["api.*"]),
    vhost(said("any"), name="any")))
for host in ("exact.example", "EXACT.Example", "exact.example:80", "other.example:8080", "other.example", "x.example", "example", "a.deep.example",
             "x-longer.example", "api.test", "api.", "api.example", "localhost", "[::1]:80"):
    g.case(host, get(host=host), status=200)
g.case("no host at all", request(host=None))

ports = group("domains ignoring ports", proxy(vhost(said("exact"), name="exact", domains=["exact.example"]), vhost(said("any"), name="any"), route_config={"ignore_port_in_host_matching": True}))
ports.case("with a port", get(host="exact.example:81"), status=200)

strip = group("ports stripped", proxy(vhost(name="exact", domains=["exact.example"]), hcm_more={"strip_any_host_port": True}))
strip.case("with a port", get(host="exact.example:81"), status=200)
strip.case("no such host", get(host="none.example"), status=404)

m = group("matches", proxy(vhost(
    said("path", {"path": "/exact"}),
    said("separated", {"path_separated_prefix": "/sep"}),
    said("regex", {"safe_regex": {"regex": "/re/[0-9]+"}}),
    said("no case", {"prefix": "/CASE", "case_sensitive": False}),
    said("header exact", {"prefix": "/h", "headers": [{"name": "x-k", "string_match": {"exact": "v"}}]}),
    said("header contains, not case", {"prefix": "/h", "headers": [{"name": "x-k", "string_match": {"contains": "MID", "ignore_case": True}}]}),
    said("header range", {"prefix": "/h", "headers": [{"name": "x-n", "range_match": {"start": 1, "end": 10}}]}),
    said("header absent", {"prefix": "/h", "headers": [{"name": "x-must", "present_match": False}, {"name": "x-k", "present_match": True}]}),
    said("header inverted regex", {"prefix": "/h", "headers": [{"name": "x-must", "string_match": {"safe_regex": {"regex": "a+"}}, "invert_match": True}]}),
    said("method", {"prefix": "/h", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]}),
    said("query exact", {"prefix": "/q", "query_parameters": [{"name": "a", "string_match": {"exact": "1"}}]}),
    said("query present", {"prefix": "/q", "query_parameters": [{"name": "b", "present_match": True}]}),
    said("first", "/order"), said("second", "/order/longer"), said("rest", "/rest"))))
for path in ("/exact", "/exact?q=1", "/exact/", "/sep", "/sep/x", "/sep?x", "/separate", "/re/12", "/re/12?x=1", "/re/12x", "/case/x", "/order/longer", "/rest"):
    m.case(path, get(path))
m.case("header exact", get("/h", headers={"x-k": "v"}), status=200)
m.case("header contains", get("/h", headers={"x-k": "amidst"}), status=200)
m.case("header range, in and out", get("/h", headers={"x-n": "9"}, wait=True), get("/h", headers={"x-n": "10", "x-must": "a"}), status=200)
m.case("header absent", get("/h", headers={"x-k": "z"}), status=200)
m.case("header inverted regex", get("/h", headers={"x-must": "b"}), status=200)
m.case("header repeated", get("/h", headers=[("x-k", "v"), ("x-k", "w"), ("x-must", "a")]))
m.case("method", post("/h", headers={"x-must": "aa"}), status=200)
m.case("query", get("/q?a=1", wait=True), get("/q?a=2", wait=True), get("/q?a=2&b", wait=True), get("/q?b=%20&a=1"), status=200)
m.case("query repeated and encoded", get("/q?a=2&a=1", wait=True), get("/q?%61=1"))

w = group("rewrites", proxy(vhost(
    route(match="/prefix/", prefix_rewrite="/new/"),
    route(match={"path": "/whole"}, prefix_rewrite="/replaced"),
    route(match={"path_separated_prefix": "/sep"}, prefix_rewrite="/other"),
    route(match="/regex", regex_rewrite={"pattern": {"regex": "^/regex/([a-z]+)/(.*)$"}, "substitution": "/\\2/of/\\1"}),
    route(match="/host", host_rewrite_literal="new.example"),
    route(match="/auto", auto_host_rewrite=True),
    route(match="/hdr", host_rewrite_header="x-host"),
    route(match="/hpath", host_rewrite_path_regex={"pattern": {"regex": "^/hpath/(.+)$"}, "substitution": "\\1"}),
    route(match="/xfh", host_rewrite_literal="new.example", append_x_forwarded_host=True),
    route(match="/root", prefix_rewrite="/"),
    {"match": {"prefix": "/weighted"}, "route": {"weighted_clusters": {"clusters": [{"name": "web", "weight": 100}, {"name": "refused", "weight": 0}]}}},
    {"match": {"prefix": "/byheader"}, "route": {"cluster_header": "x-cluster"}},
    route(match="/missing", to="web", timeout="0.25s"))))
for path in ("/prefix/a?b=c", "/whole?x=1", "/sep", "/sep/a", "/regex/abc/d/e?f=g", "/regex/ABC", "/host", "/hpath/from.path?x", "/xfh", "/root", "/root/a", "/weighted"):
    w.case(path, get(path), status=200)
w.case("host from a header", get("/hdr", headers={"x-host": "named.example"}, wait=True), get("/hdr"), status=200)
w.case("auto host of an address", get("/auto"), status=200)
w.case("cluster from a header", get("/byheader", headers={"x-cluster": "web"}, wait=True), get("/byheader", headers={"x-cluster": "none"}, wait=True), get("/byheader"), status=200)


def moved(prefix, **redirect):
    return {"match": {"prefix": prefix}, "redirect": redirect}


r = group("redirects", proxy(vhost(
    moved("/https", https_redirect=True), moved("/scheme", scheme_redirect="ftp"), moved("/host", host_redirect="new.example"), moved("/port", port_redirect=8443),
    moved("/path", path_redirect="/fixed"), moved("/query", path_redirect="/fixed?a=b"), moved("/prefix", prefix_rewrite="/renamed"),
    moved("/regex", regex_rewrite={"pattern": {"regex": "/regex/(.*)"}, "substitution": "/r/\\1"}),
    moved("/stripprefix", prefix_rewrite="/renamed", strip_query=True), moved("/strip", path_redirect="/fixed", strip_query=True),
    moved("/302", host_redirect="a", response_code="FOUND"), moved("/303", host_redirect="a", response_code="SEE_OTHER"),
    moved("/307", host_redirect="a", response_code="TEMPORARY_REDIRECT"), moved("/308", host_redirect="a", response_code="PERMANENT_REDIRECT"),
    moved("/all", https_redirect=True, host_redirect="b.example", port_redirect=444, path_redirect="/p"))))
for path in ("/https/x?a=b", "/scheme", "/host/x?q", "/port", "/path?keep=1", "/query?lost=1", "/prefix/x?a=b", "/regex/x?a=b", "/strip?gone", "/stripprefix/x?gone", "/302", "/303", "/307", "/308", "/all/x?y"):
    r.case(path, get(path, headers={"host": "test.example:8080"} if path == "/https/x?a=b" else None))
r.case("of a post with a body", post("/host", "body"), status=301)
r.case("of a default port", get("/https", headers={"host": "test.example:80"}), status=301)

ADD = [{"header": {"key": "x-added", "value": "yes"}}]
d = group("direct", proxy(vhost(
    {**said("hello\n", "/body"), "response_headers_to_add": ADD}, {"match": {"prefix": "/status"}, "direct_response": {"status": 204}},
    {"match": {"prefix": "/teapot"}, "direct_response": {"status": 418, "body": {"inline_bytes": "c2hvcnQ="}}},
    {**said("<p>", "/typed"), "response_headers_to_add": [{"header": {"key": "content-type", "value": "text/html"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]})))
d.case("body", get("/body"), status=200, header_order=True)
d.case("head", request("HEAD", "/body"), status=200)
d.case("status alone", get("/status"), status=204)
d.case("bytes", get("/teapot"), status=418)
d.case("content type", get("/typed"), status=200)
d.case("post with a body, then another request", post("/body", "x" * 1000), get("/body"), status=200)

RESPONSES = r"cluster\.(refused|empty|web)\.(upstream_rq_(timeout|total|completed|5xx)|upstream_cx_(connect_fail|none_healthy))|http\.ingress\.(no_route|downstream_rq_[45]xx)"
f = group("failures", proxy(vhost(
    route("refused", "/refused"), route("empty", "/empty"), route("web", "/slow", timeout="0.3s"), route("gone", "/gone"),
    route("web", "/never", timeout="0s", idle_timeout="0.3s"), route("web", "/ok")), route_config={"validate_clusters": False}))
f.case("no route", get("/nothing"), status=404, stats=RESPONSES)
f.case("no route for a post with a body", post("/nothing", "abc"), get("/nothing"), status=404)
f.case("no route for head", request("HEAD", "/nothing"), status=404)
f.case("refused", get("/refused"), status=503, stats=RESPONSES)
f.case("refused with a body", post("/refused", "abc"), status=503)
f.case("no endpoint", get("/empty"), status=503, stats=RESPONSES)
f.case("no such cluster", get("/gone"), status=503)
f.case("timeout", get("/slow"), upstream=[answer(delay=0.8)], status=504, stats=RESPONSES)
f.case("closed before the timeout", get("/slow"), upstream=[hang(0.1)], status=503)
f.case("idle timeout", get("/never"), upstream=[answer(delay=0.8)], status=504)
f.case("grpc request without a route", get("/nothing", headers={"content-type": "application/grpc"}), status=200)
f.case("grpc request to nobody", post("/empty", "", headers={"content-type": "application/grpc"}), status=200)

tls = group("require tls", proxy(vhost(TO_WEB, require_tls="ALL")))
tls.case("plain request", get("/a?b"), status=301)

told = group("direct responses that tell where", proxy(vhost(*({"match": {"prefix": f"/{status}"}, "direct_response": {"status": status}} for status in (200, 201, 202, 300, 301, 302, 303, 304, 307, 308)),
                                                             {"match": {"prefix": "/own"}, "direct_response": {"status": 201}, "response_headers_to_add": [{"header": {"key": "location", "value": "/here"}}]})))
for path in ("200", "201", "202", "300", "301", "302", "303", "304", "307", "308", "own"):
    told.case(path, get(f"/{path}/a?b=c"), differs="a location of the route's own stands alone; Envoy joins the two by a comma" if path == "own" else None)
