"""Bodies and return actions: sizes and end of stream as delivered, buffering, rewriting, limits, resuming."""
from suite.config import TRAILING, plugin, proxy
from suite.http import chunked, get, post
from suite.model import group
from suite.upstream import CLOSE, answer, chunks, echo

ALL = "body 0 0 999999"
CALL = "call callout :method=GET,:path=/,:authority=a - 900"
TRAILERS = {"http_protocol_options": {"enable_trailers": True}}

LENGTHS = "Envoy writes the body as it is, whatever content-length says: too much begins the next message on that connection, too little hangs the reader. weir never does"
# The callout (0.55 s) ends between the halves.
HALVES = chunked("/", [b"one", b"two"], script=f"request_headers: return 1; {CALL}\n call: continue 0")
HALVES.pieces[1:4:2] = [0.1, 1.0]

CASES = {
    "sizes of a sized body": (post("/", "0123456789", script=f"request_body: {ALL}; bufstat 0"), echo()),
    "sizes of a sized body in pieces": (post("/", "0123456789", split=4, script=f"request_body: {ALL}"), echo()),
    "sizes of an empty body": (post("/", ""), echo()),
    "sizes of a chunked body": (chunked("/", [b"one", b"three"], script=f"request_body: {ALL}"), echo()),
    "sizes of a chunked body at once": (chunked("/", [b"one", b"three"], pause=None, script=f"request_body: {ALL}"), echo()),
    "sizes of an empty chunked body": (chunked("/", []), echo()),
    "sizes before trailers": (chunked("/", [b"one"], trailers=[("x-t", "1")]), chunks(b"two", trailers=[("x-u", "1")])),
    "sizes before trailers at once": (chunked("/", [b"one"], trailers=[("x-t", "1")], pause=None), echo()),
    "sizes of a chunked answer": (get(script="response_body: body 1 0 99; bufstat 1"), chunks(b"one", b"three")),
    "sizes of an answer without a body": (get(), answer(204, body=None)),
    "sizes of an empty answer": (get(), answer(200, body="")),
    "parts of a body": (post("/", "0123456789", script="request_body: body 0 2 3; body 0 9 9; body 0 10 1; body 0 11 1; body 0 0 0; body 0 -1 5; body 0 0 -1"), echo()),
    "buffers that are not there": (post("/", "abc", script="""request_headers: body 0 0 9; body 1 0 9; body 4 0 9; body 5 0 9; body 6 0 9; body 7 0 9; body 8 0 9; body 9 0 9; bufstat 0; bufstat 1; bufstat 4; bufstat 7; bufstat 9
        request_body: body 1 0 9; setbody 1 0 0 x; setbody 6 0 0 x; setbody 7 0 0 x; setbody 4 0 0 x; setbody 9 0 0 x
        response_headers: body 0 0 9; body 1 0 9; setbody 0 0 0 x
        log: body 0 0 9; body 1 0 9"""), echo()),
    "replace": (post("/", "hello", script="request_headers: del 0 content-length\n request_body: more? return 1; eos? setbody 0 0 999 replaced by more; eos? bufstat 0"), echo()),
    "prepend and append": (chunked("/", [b"middle"], script=f"request_body: more? setbody 0 0 0 before-; more? setbody 0 999 0 -after; {ALL}"), echo()),
    "replace the start": (chunked("/", [b"0123456789"], script=f"request_body: more? setbody 0 0 4 abc; {ALL}"), echo()),
    "edit the middle": (chunked("/", [b"0123456789"], script=f"request_body: more? setbody 0 2 4 abc; {ALL}"), echo()),
    "append at the exact end": (chunked("/", [b"0123456789"], script=f"request_body: more? setbody 0 10 0 abc; {ALL}"), echo()),
    "empty the body": (chunked("/", [b"0123456789"], script=f"request_body: setbody 0 0 999; {ALL}"), echo()),
    "append at the end of stream": (chunked("/", [b"0123"], script="request_body: eos? setbody 0 99 0 end"), echo()),
    "answer replaced": (get(script="response_headers: del 2 content-length\n response_body: more? return 1; eos? body 1 0 99; eos? setbody 1 0 999 another text"), answer()),
    "answer's chunks changed one by one": (get(script="response_body: setbody 1 0 0 >"), chunks(b"one", b"two")),
    "buffer until the end": (chunked("/", [b"one", b"two", b"three"], script=f"request_body: {ALL}; more? return 1"), echo()),
    "buffer a sized body": (post("/", "0123456789", split=4, script=f"request_body: {ALL}; more? return 1"), echo()),
    "buffer, let go in the middle": (chunked("/", [b"one", b"two", b"three"], script=f"request_body: {ALL}; first? return 1"), echo()),
    "buffer with trailers": (chunked("/", [b"one", b"two"], trailers=[("x-t", "1")], script=f"request_body: {ALL}; return 1\n request_trailers: {ALL}; setbody 0 999 0 !"), echo()),
    "buffer an answer": (get(script="response_body: body 1 0 99; more? return 1"), chunks(b"one", b"two", b"three")),
    "buffer an answer with trailers": (get(script="response_body: return 1\n response_trailers: body 1 0 99"), chunks(b"one", b"two", trailers=[("x-t", "1")])),
    "watermark until the end": (chunked("/", [b"one", b"two", b"three"], script=f"request_body: {ALL}; more? return 2"), echo()),
    "no buffer": (chunked("/", [b"one", b"two", b"three"], script=f"request_body: {ALL}; more? return 3"), echo()),
    "no buffer, the last returned": (chunked("/", [b"one", b"two"], script="request_body: more? return 3; eos? setbody 0 0 0 instead"), echo()),
    "body action 4": (chunked("/", [b"one", b"two"], script="request_body: more? return 4"), echo()),
    "body action 99": (chunked("/", [b"one", b"two"], script="request_body: more? return 99"), echo()),
    "answer's body held by no buffer": (get(script="response_body: more? return 3"), chunks(b"one", b"two")),
    "answer's body held by watermark": (get(script="response_body: body 1 0 99; more? return 2"), chunks(b"one", b"two")),
    "headers action 2": (get(script="request_headers: return 2\n response_headers: return 2"), answer()),
    "headers action 2 with a body": (post("/", "hello", script="request_headers: return 2\n response_headers: return 2"), answer()),
    "headers stopped, continued in the same callback": (get(script="request_headers: continue 0; return 1"), answer()),
    "headers stopped by 1, a callout resumes": (post("/", "hello", script=f"request_headers: return 1; {CALL}\n call: pairs 0; set 0 x-call 1; continue 0"), echo()),
    "headers stopped by 3, a callout resumes": (chunked("/", [b"one", b"two"], script=f"request_headers: return 3; {CALL}\n call: {ALL}; continue 0\n request_body: {ALL}"), echo()),
    "headers stopped by 4, a callout resumes": (chunked("/", [b"one", b"two"], script=f"request_headers: return 4; {CALL}\n call: {ALL}; continue 0"), echo()),
    "headers action 99": (post("/", "hello", script=f"request_headers: return 99; {CALL}\n call: continue 0"), echo()),
    "headers stopped by 1 while a chunked body comes": (chunked("/", [b"one", b"two", b"three"], script=f"request_headers: return 1; {CALL}\n call: {ALL}; bufstat 0; continue 0\n request_body: {ALL}"), echo()),
    "headers stopped by 1 while a body with trailers comes": (chunked("/", [b"one", b"two"], trailers=[("x-t", "1")], script=f"request_headers: return 1; {CALL}\n call: continue 0"), echo()),
    "headers stopped by 1 while half of the body comes": (HALVES, echo()),
    "answer's headers stopped by 1 while its chunks come": (get(script=f"response_headers: return 1; {CALL}\n call: body 1 0 99; continue 1\n response_body: body 1 0 99"), chunks(b"one", b"two", b"three")),
    "body stopped, a callout resumes": (chunked("/", [b"one", b"two"], script=f"request_body: eos? {CALL}; return 1\n call: {ALL}; setbody 0 999 0 !; continue 0"), echo()),
    "answer's headers stopped, a callout resumes": (get(script=f"response_headers: return 1; {CALL}\n call: pairs 2; set 2 x-call 1; continue 1"), answer()),
    "answer's body stopped, a callout resumes": (get(script=f"response_headers: del 2 content-length\n response_body: eos? {CALL}; return 1\n call: body 1 0 99; setbody 1 0 99 changed; continue 1"), answer()),
    "continue in a body that goes on": (chunked("/", [b"one", b"two"], script="request_body: continue 0"), echo()),
    "continue in a body that stops": (chunked("/", [b"one", b"two"], script="request_body: continue 0; return 1"), echo()),
    "continue the answer in a body that goes on": (get(script="response_body: continue 1"), chunks(b"one", b"two")),
    "continue a connection": (get(script="request_headers: continue 2; continue 3; continue 4; close 4"), answer()),
    "request map after continue": (get(script=f"request_headers: return 1; {CALL}\n call: continue 0; get 0 :path; set 0 x-a b; pairs 0"), answer()),
    "answer before the request was let go": (post("/", "hello", split=2, script="request_body: return 1\n log: pairs 2"), echo()),
    "close the request": (get(script="request_headers: close 0; log after"), answer()),
    "close the answer": (get(script="response_headers: close 1"), answer()),
    "close in the answer's body": (get(script="response_body: close 1"), chunks(b"one", b"two")),
}


def declare(name, **more):
    g = group(name, proxy(plugins=[plugin(script="", **more)], clusters=[TRAILING], hcm_more={**TRAILERS, "stream_idle_timeout": "1.5s"}))
    for title, (request, behaviour) in CASES.items():
        # Where the body is to arrive during the callout, the callout takes its time.
        callout = [answer(delay=0.55)] if " while " in title else []
        g.case(title, request, upstream=[behaviour], callout=callout, logs="request_headers", settle=0.1 if "stopped" in title else 0)
    return g


body = declare("plugin body")
for title, request, behaviour in [
    ("shorter than its length", post("/", "hello", script="request_body: more? setbody 0 0 999 abc", patience=1.0), answer(early=True, then=[CLOSE])),
    ("longer than its length", post("/", "hello", script="request_body: more? setbody 0 0 999 abcdefgh"), echo(then=[CLOSE])),
    ("answer shorter than its length", get(script="response_body: more? setbody 1 0 999 short", patience=1.0), answer()),
    ("answer longer than its length", get(script="response_body: eos? setbody 1 0 0 more"), answer()),
]:
    body.case(title, request, upstream=[behaviour], logs="setbody", differs=LENGTHS)
OVER = "Envoy crashes or answers nothing; weir ignores what is asked out of its phase"
EARLY = "Envoy does what was asked before the callback's own answer, and is left confused; weir resumes what the callback stopped, and ignores the rest"
body.case("continue in the headers that go on", post("/", "hello", script="request_headers: continue 0"), upstream=[echo()], logs="continue", differs=EARLY + " (Envoy sends the request twice)")
body.case("continue the answer in its headers", get(script="response_headers: continue 1; return 1"), upstream=[chunks(b"one")], logs="continue", differs=EARLY + " (the body never follows)")
body.case("continue the answer before there is one", get(script="request_headers: continue 1"), logs="continue", weir_status=200, differs=OVER)
body.case("continue in the log phase", get(script="log: continue 0; continue 1"), logs="continue", weir_status=200, differs=OVER)
body.case("close in the log phase", get(script="log: close 0"), logs="close", weir_status=200, differs=OVER)
body.case("close when done", get(script="done: close 0"), logs="close", weir_status=200, differs=OVER)

knob = group("plugin body with headers stop iteration", proxy(plugins=[plugin(script="", allow_on_headers_stop_iteration=True)], clusters=[TRAILING], hcm_more={**TRAILERS, "stream_idle_timeout": "1.5s"}))
for title, request, behaviour in [
    ("headers changed after the body", chunked("/", [b"one", b"two"], script=f"request_headers: return 1\n request_body: {ALL}; more? return 1; eos? set 0 x-late 1; eos? set 0 :path /late"), echo()),
    ("headers of a request without a body", get(script=f"request_headers: return 1; {CALL}\n call: continue 0"), answer()),
    ("headers let go by the first body", chunked("/", [b"one", b"two"], script="request_headers: return 1"), echo()),
    ("headers let go by trailers", chunked("/", [b"one"], trailers=[("x-t", "1")], script="request_headers: return 1\n request_body: return 1\n request_trailers: set 0 x-late 1"), echo()),
    ("answer's headers changed after the body", get(script="response_headers: return 1; del 2 content-length\n response_body: more? return 1; eos? body 1 0 99; eos? set 2 :status 202; eos? set 2 x-late 1"), answer()),
    ("answer's headers stopped for ever", get(script="response_headers: return 1\n response_body: return 1"), answer()),
    ("stopped by 4", chunked("/", [b"one"], script=f"request_headers: return 4; {CALL}\n call: continue 0"), echo()),
]:
    knob.case(title, request, upstream=[behaviour], logs="request_headers")

small = group("plugin body limits", proxy(plugins=[plugin(script="")], listener_more={"per_connection_buffer_limit_bytes": 1024}, clusters=[TRAILING], hcm_more={"stream_idle_timeout": "1.5s"}))
BIG = "x" * 5000
small.case("request over the limit, buffered", post("/", BIG, script="request_body: return 1"), status=413, logs="request_headers")
small.case("request over the limit, headers stopped by 3", post("/", BIG, script="request_headers: return 3"), status=413, logs="request_headers")
small.case("request grown over the limit by the plugin", post("/", "x", script="request_body: fillbody 0 0 0 5000; return 1"), logs="request_body")
small.case("request over the limit, not buffered", post("/", BIG), upstream=[echo()], status=200, logs="request_headers")
small.case("answer over the limit, buffered", get(script="response_body: return 1"), upstream=[chunks(b"y" * 900, b"z" * 900)], status=200, logs="response_body")
small.case("answer over the limit, headers stopped by 3", get(script="response_headers: return 3"), upstream=[chunks(b"y" * 900, b"z" * 900)], status=500, logs="response_headers")
small.case("answer over the limit, stopped by 1 at the headers", get(script=f"response_headers: return 1; {CALL}\n call: continue 1"), upstream=[chunks(b"y" * 5000)], status=200, logs="response_headers", settle=0.1)
