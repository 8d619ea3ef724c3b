"""Header maps: reading, changing, adding trailers, odd keys and values, and which map is there in which phase."""
from suite.config import TRAILING, plugin, proxy
from suite.http import chunked, get, post, request
from suite.model import group
from suite.upstream import CLOSE, answer, chunks, echo

NO_INJECTION = "weir lets no plugin write CR, LF or NUL into a message's head; Envoy sends them as they are in an answer"
LENGTHS = "Envoy writes the body as it is, whatever content-length says: the rest begins the next message on that connection. weir never does"

g = group("plugin headers", proxy(plugins=[plugin(script="")], clusters=[TRAILING], hcm_more={"http_protocol_options": {"enable_trailers": True}}))
g.startup(logs="configure")
g.case("pairs of a request and its answer", get("/p?q", headers=[("X-B", "1"), ("x-a", "2"), ("x-b", "3"), ("user-agent", "u")], script="""
    request_headers: pairs 0
    response_headers: pairs 2"""), upstream=[answer(headers=[("X-Z", "1"), ("x-y", ""), ("x-z", "2")])], status=200, logs="pairs 2")
g.case("get", get(headers=[("x-b", "1"), ("x-b", "2"), ("x-e", ""), ("cookie", "a=1"), ("cookie", "b=2")], script="""
    request_headers: get 0 x-b; get 0 X-B; get 0 x-e; get 0 cookie; get 0 :path; get 0 :method; get 0 :authority; get 0 host; get 0 :scheme; get 0 absent; get 0 %00; get 0
    response_headers: get 2 :status; get 2 Content-Type; get 2 absent"""), status=200, logs="get 2")
g.case("set", get(headers=[("x-b", "1"), ("x-b", "2"), ("x-c", "3")], script="""
    request_headers: set 0 x-b new; set 0 X-New a%20b; set 0 x-c; set 0 :path /changed; set 0 :authority other.example; set 0 :method PUT; pairs 0
    response_headers: set 2 :status 201; set 2 server mine; set 2 X-Up Case; set 2 content-type; pairs 2"""), status=201, logs="set 2", header_order=True)
g.case("add", get(headers=[("x-b", "1"), ("user-agent", "u")], script="""
    request_headers: add 0 x-b 2; add 0 user-agent v; add 0 X-New n; add 0 :path /twice; add 0 cookie a; add 0 cookie b; pairs 0
    response_headers: add 2 content-type more; add 2 set-cookie a=1; add 2 set-cookie b=2; add 2 :status 500; pairs 2"""), logs="add 2", header_order=True)
g.case("remove", get(headers=[("x-b", "1"), ("x-b", "2"), ("user-agent", "u")], script="""
    request_headers: del 0 X-B; del 0 user-agent; del 0 absent; del 0 x-request-id; pairs 0
    response_headers: del 2 content-type; del 2 server; del 2 date; del 2 absent; pairs 2"""), status=200, logs="del 2")
g.case("content-length removed, body kept", get(script="response_headers: del 2 content-length"), status=200, logs="del 2")
g.case("content-length of a request removed", post("/", "hello", script="request_headers: del 0 content-length"), upstream=[echo()], status=200)
g.case("size", get(script="request_headers: size 0; size 1; size 2; size 6; size 9\n response_headers: del 2 x-envoy-upstream-service-time; size 2; size 3; size 0"), status=200, logs="size 2")
g.case("set pairs", get("/kept", headers={"x-gone": "1"}, script="""
    request_headers: setpairs 0 :method=GET,:path=/pairs,:authority=pairs.example,:scheme=http,X-One=1,x-two=2,x-one=3; pairs 0
    response_headers: setpairs 2 :status=202,x-only=this; pairs 2"""), status=202, logs="setpairs 2", header_order=True)
g.case("set pairs without the pseudo headers", get(script="request_headers: setpairs 0 x-one=1; pairs 0"), logs="setpairs 0")
g.case("set pairs of an answer without a status", get(script="response_headers: setpairs 2 x-one=1"), logs="setpairs 2")
g.case("malformed pairs", get(script="request_headers: setraw 0 %05%00%00%00abc; pairs 0"), logs="setraw 0")
g.case("empty pairs for an answer's trailers", get(script="response_trailers: setraw 3 %00%00%00%00; pairs 3"), upstream=[chunks(b"a", trailers=[("x-t", "1")])], status=200, logs="setraw 3")
g.case("path removed", get(script="request_headers: del 0 :path"), logs="del 0")
g.case("method removed", get(script="request_headers: del 0 :method"), logs="del 0")
g.case("authority removed", get(script="request_headers: del 0 :authority"), logs="del 0")
g.case("status removed", get(script="response_headers: del 2 :status"), logs="del 2")
g.case("status that is no number", get(script="response_headers: set 2 :status many"), logs="set 2")
g.case("path set to nothing", get(script="request_headers: set 0 :path"), logs="set 0")
g.case("values with odd bytes", get(script="request_headers: set 0 x-tab a%09b; set 0 x-high %e9; set 0 x-blank %20; pairs 0"), logs="x-tab")
g.case("line breaks in a value", get(script="request_headers: set 0 x-a one%0d%0ax-smuggled:%20two"), logs="set 0")
g.case("line breaks in an answer's value", get(script="response_headers: set 2 x-a one%0d%0ax-smuggled:%20two"), logs="set 2", differs=NO_INJECTION)
g.case("NUL in a value", get(script="response_headers: set 2 x-a one%00two"), logs="set 2", differs=NO_INJECTION)
g.case("line breaks in a name", get(script="response_headers: set 2 x-a:%20b%0d%0ax-b one"), logs="set 2", differs=NO_INJECTION)
g.case("host header as the plugin sees it", get(script="request_headers: set 0 host changed; pairs 0"), logs="set 0")
g.case("hop-by-hop fields set by a plugin", get(script="request_headers: set 0 connection close; set 0 te gzip; set 0 upgrade h2c; set 0 keep-alive 1\n response_headers: set 2 connection close; set 2 keep-alive 1"), logs="set 2")
g.case("transfer-encoding set by a plugin", get(script="response_headers: del 2 content-length; set 2 transfer-encoding gzip"), logs="set 2")
g.case("content-length made wrong", post("/", "hello", script="request_headers: set 0 content-length 3"), upstream=[echo(then=[CLOSE])], logs="set 0", differs=LENGTHS)
g.case("maps that are not there", get(script="""
    request_headers: pairs 1; pairs 2; pairs 3; pairs 4; pairs 6; pairs 7; pairs 8; get 1 a; get 2 a; get 6 a; get 7 a; get 8 a; set 2 a b; add 2 a b; del 2 a; set 3 a b; set 6 a b; set 9 a b; del 7 a; setpairs 2 a=b; setpairs 8 a=b; setpairs 6 a=b
    response_headers: pairs 0; get 0 :path; set 0 a b; pairs 1; pairs 3; set 1 a b"""), status=200, logs="pairs 8")
g.case("maps in the log phase", chunked("/", [b"a"], trailers=[("x-rt", "1")], script="log: pairs 0; pairs 1; pairs 2; pairs 3; get 0 :path; get 1 x-rt; get 3 x-t; set 0 a b; set 2 a b; del 2 a; size 0; size 2"),
       upstream=[chunks(b"a", trailers=[("x-t", "1")])], status=200, logs="pairs 3")
g.case("maps when done and deleted", get(script="done: pairs 0; pairs 2; get 2 :status\n delete: pairs 0; log still here"), status=200, logs="still here")
g.case("request map while its headers went on", post("/", "hello", split=3, script="request_body: pairs 0; get 0 :path; set 0 x-late 1"), status=200, logs="set 0")

g.case("trailers", chunked("/", [b"a"], trailers=[("x-rt", "1"), ("x-ru", "2")], script="""
    request_trailers: pairs 1; set 1 x-rt changed; add 1 x-new 3; del 1 x-ru; pairs 1
    response_trailers: pairs 3; set 3 x-t changed; add 3 x-new 4; get 3 x-t; size 3"""), upstream=[chunks(b"a", trailers=[("x-t", "1")])], status=200, logs="pairs 3")
g.case("trailers without a body", chunked("/", [], trailers=[("x-rt", "1")], script="request_trailers: pairs 1"), status=200, logs="pairs 1")
g.case("trailers added at the body's end", chunked("/", [b"a"], script="request_body: eos? add 1 x-new 1\n response_body: eos? add 3 x-new 2"), upstream=[chunks(b"b")], status=200, logs="add 1")
g.case("trailers added to a sized body", post("/", "hello", script="request_body: eos? add 1 x-new 1; eos? pairs 1"), status=200, logs="add 1")
g.case("trailers added before the end", chunked("/", [b"a", b"b"], script="request_body: more? add 1 x-new 1; more? size 1"), status=200, logs="add 1")
g.case("trailers touched by size alone", chunked("/", [b"a"], script="request_body: eos? size 1"), status=200, logs="size 1")
g.case("trailers stopped and resumed", chunked("/", [b"a"], trailers=[("x-rt", "1")], script="""
    request_trailers: return 1; call callout :method=GET,:path=/,:authority=a - 500
    call: set 1 x-rt resumed; continue 0"""), status=200, logs="continue 0", settle=0.1)

r = group("plugin routes", proxy(plugins=[plugin(script="")], hcm_more={"route_config": {"name": "r", "virtual_hosts": [
    {"name": "canary", "domains": ["canary.example"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "canary"}}}]},
    {"name": "all", "domains": ["*"], "routes": [{"match": {"path": "/other"}, "direct_response": {"status": 200, "body": {"inline_string": "other"}}}, {"match": {"prefix": "/"}, "route": {"cluster": "web"}}]}]}}))
r.case("authority decides the route", get(script="request_headers: set 0 :authority canary.example"), status=200, logs="set 0")
r.case("path decides the route", get(script="request_headers: prop xds.route_name; set 0 :path /other; prop xds.virtual_host_name"), status=200, logs="set 0")
r.case("no effect after the headers went on", post("/", "x", split=1, script="request_body: set 0 :path /other"), status=200, logs="set 0")
r.case("after a pause", get(script="""request_headers: return 1; call callout :method=GET,:path=/,:authority=a - 500
    call: set 0 :path /other; continue 0"""), status=200, logs="continue 0")
