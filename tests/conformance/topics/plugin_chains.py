"""Several plugins in one chain: their order, who sees what when one stops, answers or fails."""
from suite.config import TRAILING, plugin, proxy
from suite.http import chunked, get, post
from suite.model import group
from suite.upstream import answer, chunks, echo

CALL = "call callout :method=GET,:path=/,:authority=a - 900"


def scripts(one="", two="", three=""):
    given = {"x-script-1": one, "x-script-2": two, "x-script-3": three}
    return {name: "|".join(line.strip() for line in text.splitlines()) for name, text in given.items()}


THREE = [plugin("one", script="header: x-script-1", vm_id="v1"), plugin("two", script="header: x-script-2", vm_id="v2"), plugin("three", script="header: x-script-3", vm_id="v1")]
g = group("plugin chains", proxy(plugins=THREE, clusters=[TRAILING], hcm_more={"http_protocol_options": {"enable_trailers": True}, "stream_idle_timeout": "1.5s"}))
g.startup(logs="configure")
g.case("order of callbacks", chunked("/", [b"a", b"b"], trailers=[("x-t", "1")], headers=scripts()), upstream=[chunks(b"c", trailers=[("x-u", "1")])], status=200, logs="response_trailers")
g.case("changes add up", get(headers=scripts("request_headers: set 0 x-a 1\nresponse_headers: get 2 x-r", "request_headers: get 0 x-a; set 0 x-a 2\nresponse_headers: set 2 x-r 2; get 2 x-q", "request_headers: get 0 x-a\nresponse_headers: set 2 x-q 3; set 2 x-r 3")), status=200, logs="get 0 x-a")
g.case("the second stops, a callout resumes", post("/", "hello", headers=scripts(two=f"request_headers: return 1; {CALL}\ncall: continue 0")), upstream=[echo()], status=200, logs="continue 0")
g.case("the second buffers the body", chunked("/", [b"one", b"two"], headers=scripts(two="request_body: body 0 0 99; more? return 1; eos? setbody 0 0 99 changed", three="request_body: body 0 0 99")), upstream=[echo()], status=200, logs="changed")
g.case("all buffer the body", chunked("/", [b"one", b"two"], headers=scripts(*["request_body: body 0 0 99; more? return 1; eos? setbody 0 0 0 >"] * 3)), upstream=[echo()], status=200, logs="setbody")
g.case("all buffer the answer", get(headers=scripts(*["response_body: body 1 0 99; more? return 1; eos? setbody 1 0 0 >"] * 3)), upstream=[chunks(b"one", b"two")], status=200, logs="setbody")
g.case("the second answers", get(headers=scripts(two="request_headers: reply 403 denied x-by=two\nresponse_headers: set 2 x-seen two", one="response_headers: set 2 x-seen one", three="response_headers: set 2 x-seen three")), status=403, logs="reply 403")
g.case("the second answers in the body", post("/", "hello", headers=scripts(two="request_body: reply 403 denied")), status=403, logs="reply 403")
g.case("the second replaces the answer", get(headers=scripts(two="response_headers: reply 502 replaced")), status=502, logs="reply 502")
g.case("the first empties the body", chunked("/", [b"one"], headers=scripts(one="request_body: setbody 0 0 99")), upstream=[echo()], status=200, logs="setbody")
g.case("the first adds trailers", chunked("/", [b"one"], headers=scripts(one="request_body: eos? add 1 x-t 1", two="request_trailers: pairs 1")), upstream=[echo()], status=200, logs="add 1")
g.case("the last adds a body", get(headers=scripts(three="request_headers: setbody 0 0 0 body")), status=200, logs="setbody")
g.case("the second traps", get(headers=scripts(two="request_headers: trap")), status=503, logs="request_headers")

off = [plugin("off", script="") | {"disabled": True}, plugin("on", script="")]
d = group("plugin disabled", proxy({"name": "v", "domains": ["*"], "routes": [
    {"match": {"prefix": "/enabled"}, "route": {"cluster": "web"}, "typed_per_filter_config": {"wasm.off": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}},
    {"match": {"prefix": "/none"}, "route": {"cluster": "web"}, "typed_per_filter_config": {"wasm.on": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}}},
    {"match": {"prefix": "/"}, "route": {"cluster": "web"}}]}, plugins=off))
d.case("by default", get("/"), status=200, logs="request_headers")
d.case("enabled by the route", get("/enabled"), status=200, logs="wasm log off")
d.case("disabled by the route", get("/none"), status=200)
