"""The header fields that a proxy adds, removes and rewrites on its own account, and those that a route tells it to."""
from suite.config import TO_WEB, proxy, vhost
from suite.http import get, raw, request
from suite.model import group
from suite.upstream import answer

g = group("headers", proxy())
g.case("names are lower-cased, values trimmed, order kept", get(headers=[("X-B", "2 "), ("X-A", " 1"), ("x-b", "3")]),
       upstream=[answer(headers=[("X-Z", "1"), ("X-Y", "2"), ("X-Z", "3")])], status=200, header_order=True)
g.case("hop-by-hop fields", get(headers={"connection": "x-hop, keep-alive", "x-hop": "1", "keep-alive": "timeout=5", "proxy-connection": "keep-alive", "te": "gzip, trailers", "x-kept": "1"}), status=200)
g.case("connection names a host field", get(headers={"connection": "host"}))
g.case("hop-by-hop fields of an answer", get(), upstream=[answer(headers=[("connection", "x-hop"), ("x-hop", "1"), ("keep-alive", "timeout=5"), ("proxy-connection", "a")])], status=200,
    differs="RFC 9110 7.6.1: fields that connection names are removed from answers too")
g.case("upgrade is not forwarded unless configured", get(headers={"connection": "upgrade", "upgrade": "websocket"}))
g.case("server and date of the upstream", get(), upstream=[answer(headers=[("server", "theirs"), ("date", "Thu, 01 Jan 1970 00:00:00 GMT")])], status=200)
g.case("x-request-id of the client", get(headers={"x-request-id": "mine"}), status=200)
g.case("x-forwarded fields of the client", get(headers={"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https", "x-forwarded-host": "h"}), status=200)
g.case("x-forwarded-proto that is no scheme", get(headers={"x-forwarded-proto": "gopher"}))
g.case("x-envoy fields of the client", get(headers={"x-envoy-internal": "true", "x-envoy-expected-rq-timeout-ms": "1", "x-envoy-original-path": "/o", "x-envoy-external-address": "1.1.1.1", "x-envoy-decorator-operation": "d"}), status=200)
g.case("a timeout by the client is not believed", get(headers={"x-envoy-upstream-rq-timeout-ms": "200"}), upstream=[answer(delay=0.4)], status=200)
g.case("empty values and odd bytes", get(headers=[("x-empty", ""), ("x-high", "caf\xe9"), ("x-tab", "a\tb")]), status=200)
g.case("cookies keep their order", get(headers=[("cookie", "a=1"), ("cookie", "b=2")]), status=200)
g.case("set-cookie fields stay apart", get(), upstream=[answer(headers=[("set-cookie", "a=1"), ("set-cookie", "b=2")])], status=200)
g.case("repeated singular fields", get(headers=[("user-agent", "a"), ("user-agent", "b"), ("x-request-id", "1"), ("x-request-id", "2")]))
g.case("absolute form", raw("GET http://other.example:81/path?q=1 HTTP/1.1\r\nhost: test.example\r\n\r\n"), status=200)
g.case("absolute form without a path", raw("GET http://other.example HTTP/1.1\r\nhost: test.example\r\n\r\n"))
g.case("asterisk form", raw("OPTIONS * HTTP/1.1\r\nhost: test.example\r\n\r\n"))
g.case("path with a fragment", get("/a?b#c"))
g.case("path with dots and doubled slashes", get("/a/../b//c/./%2e%2e/d"))
g.case("path with bytes above 127", raw(b"GET /caf\xc3\xa9 HTTP/1.1\r\nhost: test.example\r\n\r\n"))
g.case("host with a port", get(headers={"host": "test.example:8080"}), status=200)

edge = group("edge", proxy(hcm_more={"use_remote_address": True}))
edge.case("x-forwarded-for is extended", get(headers={"x-forwarded-for": "1.2.3.4"}), status=200)
edge.case("fields that only the inside may send", get(headers={"x-envoy-upstream-rq-timeout-ms": "200", "x-envoy-retry-on": "5xx", "x-forwarded-proto": "https", "x-envoy-internal": "true"}), status=200)
edge.case("nothing from the client", get(), status=200)

hops = group("trusted hops", proxy(hcm_more={"use_remote_address": True, "xff_num_trusted_hops": 1}))
hops.case("one hop", get(headers={"x-forwarded-for": "10.9.9.9, 8.8.8.8", "x-forwarded-proto": "https"}), status=200)
hops.case("no hop given", get(), status=200)

inner = group("trusted hops inside", proxy(hcm_more={"xff_num_trusted_hops": 2, "server_name": "weird", "generate_request_id": False, "via": "me"}))
inner.case("three hops", get(headers={"x-forwarded-for": "7.7.7.7, 10.9.9.9, 8.8.8.8"}), status=200)

pathy = group("path normalisation", proxy(hcm_more={"normalize_path": True, "merge_slashes": True, "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT"}))
pathy.case("dots and slashes", get("/a/../b//c/./d?x=/../y"), status=200)
pathy.case("above the root", get("/../../a"))
pathy.case("escaped slashes", get("/a%2Fb"), status=307)
pathy.case("escaped letters", get("/%61%7e/%2e%2e/x"))

pass_server = group("server pass through", proxy(hcm_more={"server_header_transformation": "PASS_THROUGH"}))
pass_server.case("of the upstream", get(), upstream=[answer(headers=[("server", "theirs")])], status=200)
pass_server.case("none", get(), status=200)


def option(name, value, action=None, **more):
    return {"header": {"key": name, "value": value}, **({"append_action": action} if action else {}), **more}


ADDED = [option("x-appended", "new"), option("x-default", "append", "APPEND_IF_EXISTS_OR_ADD"), option("x-if-absent", "new", "ADD_IF_ABSENT"),
         option("x-overwritten", "new", "OVERWRITE_IF_EXISTS_OR_ADD"), option("x-only-if", "new", "OVERWRITE_IF_EXISTS"),
         option("x-empty-kept", "", keep_empty_value=True), option("x-empty", "")]
rules = group("header rules", proxy(
    vhost({**TO_WEB, "request_headers_to_add": ADDED, "response_headers_to_add": ADDED, "request_headers_to_remove": ["x-gone", "X-Gone-Too"], "response_headers_to_remove": ["x-gone"]},
          request_headers_to_add=[option("x-level", "vhost"), option("x-literal", "100%%")],
          response_headers_to_add=[option("x-level", "vhost")]),
    route_config={"request_headers_to_add": [option("x-level", "config")], "response_headers_to_add": [option("x-level", "config")]}))
EVERY = [("x-appended", "old"), ("x-default", "old"), ("x-if-absent", "old"), ("x-overwritten", "old"), ("x-only-if", "old"), ("x-gone", "1"), ("x-gone-too", "1")]
rules.case("on bare messages", get(), upstream=[answer(headers=[])], status=200, header_order=True)
rules.case("on messages that have them", get(headers=EVERY), upstream=[answer(headers=EVERY)], status=200, header_order=True)
rules.case("on a head request", request("HEAD", "/"), status=200)
operators = group("header operators", proxy(route_config={"response_headers_to_add": [
    option("x-code", "%RESPONSE_CODE%"), option("x-path", "%REQ(:path)%"), option("x-proto", "%PROTOCOL%")]}))
operators.case("in an added field", get(), status=200)
