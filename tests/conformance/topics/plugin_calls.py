"""HTTP callouts and local replies."""
from suite.config import TRAILING, cluster, plugin, proxy
from suite.http import chunked, get, post
from suite.model import group
from suite.upstream import answer, by_path, chunks, close, echo, scripted

HEADERS = ":method=GET,:path=/asked?x=1,:authority=asked.example"
SHOW = "pairs 6; pairs 7; body 4 0 999; bufstat 4; get 6 :status; status; continue 0"
CONFIG = dict(plugins=[plugin(script="")], clusters=[TRAILING, {**TRAILING, **cluster("called_with_trailers", "@CALLOUT@")}], hcm_more={"stream_idle_timeout": "1.5s", "http_protocol_options": {"enable_trailers": True}})

g = group("plugin callouts", proxy(**CONFIG))
g.startup(logs="configure")
g.case("answered", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: {SHOW}"), callout=[answer(200, [("x-c", "1"), ("x-c", "2")], "said")], status=200, logs="pairs 6")
g.case("with a body and trailers", get(script="request_headers: return 1; call callout :method=POST,:path=/p,:authority=a,x-k=v,:scheme=https abc 900 x-t=1\n call: continue 0"), callout=[echo()], status=200, logs="call token")
g.case("answered in chunks with trailers", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: {SHOW}"), callout=[chunks(b"one", b"two", trailers=[("x-t", "1")])], status=200, logs="pairs 7")
g.case("trailers both ways", get(script=f"request_headers: return 1; call called_with_trailers {HEADERS} abc 900 x-t=1,x-u=2\n call: pairs 7; get 7 x-t; continue 0"), callout=[chunks(b"one", trailers=[("x-t", "1")])], status=200, logs="pairs 7")
g.case("trailers without a body", get(script=f"request_headers: return 1; call called_with_trailers {HEADERS} - 900 x-t=1\n call: continue 0"), callout=[echo()], status=200, logs="call token")
g.case("answered 404 without a body", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: {SHOW}"), callout=[answer(404, body="")], status=200, logs="call token")
g.case("answered 204", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: {SHOW}"), callout=[answer(204, body=None)], status=200, logs="call token")
g.case("head", get(script="request_headers: return 1; call callout :method=HEAD,:path=/,:authority=a - 900\n call: pairs 6; continue 0"), callout=[answer(200, body="unseen")], status=200, logs="call token")
g.case("timeout", get(script=f"request_headers: return 1; call callout {HEADERS} - 200\n call: {SHOW}"), callout=[answer(delay=0.6)], status=200, logs="call token")
g.case("refused", get(script=f"request_headers: return 1; call refused {HEADERS} - 500\n call: {SHOW}"), status=200, logs="call token")
g.case("closed without an answer", get(script=f"request_headers: return 1; call callout {HEADERS} - 500\n call: {SHOW}"), callout=[close()], status=200, logs="call token")
g.case("broken answer", get(script=f"request_headers: return 1; call callout {HEADERS} - 500\n call: {SHOW}"), callout=[scripted([b"nonsense\r\n\r\n"])], status=200, logs="call token")
g.case("closed within the body", get(script=f"request_headers: return 1; call callout {HEADERS} - 500\n call: {SHOW}"), callout=[scripted([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", close()(None)[0]])], status=200, logs="call token")
g.case("no endpoint", get(script=f"request_headers: call empty {HEADERS} - 500\n call: {SHOW}"), status=200, logs="call empty")
g.case("unknown cluster", get(script=f"request_headers: call nowhere {HEADERS} - 500"), status=200, logs="call nowhere")
g.case("no cluster", get(script=f"request_headers: call %20 {HEADERS} - 500"), status=200, logs="-> 2")
g.case("missing pseudo headers", get(script="request_headers: call callout :method=GET,:path=/ - 500; call callout :method=GET,:authority=a - 500; call callout :path=/,:authority=a - 500; call callout - - 500"), status=200, logs="call callout")
g.case("timeouts at the edges", get(script=f"request_headers: return 1; call callout {HEADERS} - 2147483648; call callout {HEADERS} - 4294967295; call callout {HEADERS} - 0\n call: continue 0"), status=200, logs="call callout")
BOTH = by_path(a=answer(200, [("x-n", "a")], delay=0.4), b=answer(200, [("x-n", "b")], delay=0.1))
g.case("two at once", get(script="""request_headers: return 1; call callout :method=GET,:path=/a,:authority=x - 900; call callout :method=GET,:path=/b,:authority=x - 900
    call: get 6 x-n; continue 0"""), callout=[BOTH, BOTH], upstream=[answer(delay=0.8)], status=200, logs="get 6")
g.case("one after the other", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: first? call callout {HEADERS} again 900; get 6 x-n; log asked"),
       callout=[answer(200, [("x-n", "1")]), answer(200, [("x-n", "2")])], status=504, logs="asked")
g.case("answered when the stream is gone", get(script=f"request_headers: call callout {HEADERS} - 900\n call: get 0 :path; continue 0; reply 200 x"), callout=[answer(delay=0.3)], status=200, logs="effective", settle=0.5)
g.case("denied by the answer", post("/", "hello", script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: reply 403 denied%0a x-why=callout"), status=403, logs="reply 403")
g.case("from the answer's phase", get(script=f"response_headers: return 1; call callout {HEADERS} - 900\n call: set 2 x-called yes; continue 1"), status=200, logs="continue 1")
g.case("from the log phase", get(script=f"log: call callout {HEADERS} - 900"), status=200, logs="call callout", settle=0.2)
g.case("repeated and odd fields", get(script="request_headers: return 1; call callout :method=PUT,:path=/x,:authority=a,X-Up=U,x-d=1,x-d=2,host=other,content-length=99,connection=close abc 900\n call: continue 0"), status=200, logs="call callout")
g.case("context of the answer without set_effective_context", get(script=f"request_headers: return 1; call callout {HEADERS} - 900\n call: effective root; get 0 :path; reply 200 lost; continue 0; effective self; continue 0"), status=200, logs="effective root")

NO_BODY = "204 and 304 have no body: Envoy writes it, and the client takes it for the next answer's beginning"
r = group("plugin replies", proxy(**CONFIG))
r.case("from request headers", get(script="request_headers: reply 403 denied%0a x-why=because,Set-Cookie=a=1 details%20here; log goes on"), status=403, logs="goes on", header_order=True)
r.case("without a body", get(script="request_headers: reply 401"), status=401, logs="reply 401")
r.case("own content type and length", get(script="request_headers: reply 200 {} content-type=application/json,content-length=99,server=mine,date=now"), status=200, logs="reply 200")
r.case("from request headers of a post", post("/", "hello", script="request_headers: reply 403 no"), status=403, logs="reply 403")
r.case("from the request body", chunked("/", [b"one", b"two"], script="request_body: reply 400 bad; return 1"), status=400, logs="reply 400")
r.case("from the request body at its end, buffered", post("/", "hello", script="request_body: more? return 1; eos? reply 400 bad"), status=400, logs="reply 400")
r.case("from request trailers", chunked("/", [b"one"], trailers=[("x-t", "1")], script="request_trailers: reply 400 bad"), logs="reply 400")
r.case("from response headers", get(script="response_headers: reply 502 replaced x-new=1"), status=502, logs="reply 502")
r.case("from the response body", get(script="response_body: first? reply 502 replaced"), upstream=[chunks(b"one", b"two")], logs="reply 502")
r.case("from the response body while its headers are held", get(script="response_headers: return 1; call callout :method=GET,:path=/,:authority=a - 500\n call: reply 502 replaced"), status=502, logs="reply 502")
r.case("from response trailers", get(script="response_trailers: reply 502 replaced"), upstream=[chunks(b"one", trailers=[("x-t", "1")])], logs="reply 502")
r.case("from the log phase", get(script="log: reply 200 late"), logs="reply 200", weir_status=200, differs="Envoy calls itself until it crashes; weir ignores a reply when the stream is over")
r.case("twice", get(script="request_headers: reply 401 first; reply 402 second"), logs="reply 402")
r.case("in the request and again in its answer", get(script="request_headers: reply 401 first\n response_headers: reply 402 second"), logs="reply 402")
r.case("changed in the answer's phase", get(script="request_headers: reply 401 first x-r=1\n response_headers: pairs 2; set 2 x-r 2; del 2 content-length\n response_body: setbody 1 0 0 >"), status=401, logs="pairs 2")
r.case("the return value does not count", get(script="request_headers: reply 401 first; return 0"), status=401, logs="reply 401")
r.case("then continue", get(script="request_headers: reply 401 first; continue 0; return 1"), status=401, logs="reply 401")
r.case("to head", get(script="request_headers: set 0 :method HEAD; reply 401 body"), status=401, logs="reply 401")
r.case("status 204 with a body", get(script="request_headers: reply 204 body"), status=204, logs="reply 204", weir_status=204, differs=NO_BODY)
r.case("status 304 with a body", get(script="request_headers: reply 304 body"), status=304, logs="reply 304", weir_status=304, differs=NO_BODY)
for status in (99, 100, 101, 199, 600, 999, 1000, 0):
    r.case(f"status {status}", get(script=f"request_headers: reply {status} body", patience=1.5), logs="reply", differs="a status outside 200..599 is no final answer: weir sends 500 instead" if status not in (600, 999) else None)
r.case("pseudo headers among the fields", get(script="request_headers: reply 200 body :status=201,:path=/x"), logs="reply 200")
r.case("odd fields", get(script="request_headers: reply 200 body X-Up=1,x-up=2,connection=close,transfer-encoding=chunked"), logs="reply 200")
r.case("line breaks in a field", get(script="request_headers: reply 200 body x-a=b%0d%0ax-smuggled:%201"), logs="reply 200", differs="weir lets no plugin write CR, LF or NUL into a message's head; Envoy sends them as they are in an answer")
r.case("for grpc", post("/s/m", "", headers={"content-type": "application/grpc"}, script="request_headers: reply 403 denied - - 7"), status=200, logs="reply 403")
r.case("for grpc without a code", post("/s/m", "", headers={"content-type": "application/grpc"}, script="request_headers: reply 403 not%20so"), status=200, logs="reply 403")
r.case("grpc code for a plain request", get(script="request_headers: reply 403 denied - - 7"), status=403, logs="reply 403")
r.case("large", get(script="request_headers: reply 200 " + "b" * 20_000), status=200, logs="reply 200")
r.case("details", get(script="request_headers: reply 200 body - some%20details\n log: prop response.code_details; prop response.code; prop response.flags"), status=200, logs="details")
