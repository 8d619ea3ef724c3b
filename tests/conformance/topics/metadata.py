"""METADATA frames, Envoy's extension of HTTP/2: who gets them, in which order, and what plugins are told of them."""
from suite.config import TYPE, cluster, plugin, proxy, route, vhost
from suite.http import get
from suite.http2 import h2_get, h2_post, metadata
from suite.http2_upstream import END, h2_answer, h2_scripted, heads, resets, sends_trailers
from suite.known import RESTART
from suite.model import group
from suite.upstream import answer

ALONE = "what is wrong with its METADATA resets a stream alone; Envoy closes the connection"
CUT = "what a plugin ends the stream at goes no further; Envoy still sends it"
FLAGS = "RFC 9113 4.1: flags that mean nothing are ignored; Envoy hears END_METADATA only where no other flag is set, and loses the block"
STATS = r"http\.ingress\.downstream_(rq_(total|http2_total|2xx|rx_reset|tx_reset)|cx_(total|protocol_error))|(cluster\.web\.)?http2\.[a-z_]*(metadata|flood|reset|error)[a-z_]*"
ALLOWED = {"allow_metadata": True}


def upstream(**options):
    return cluster("web", "@UPSTREAM@", typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": options}}})


def config(down=ALLOWED, up=ALLOWED, vhosts=(), **more):
    return proxy(*vhosts, clusters=[upstream(**up)], hcm_more={"http2_protocol_options": down, **more.pop("hcm_more", {})}, **more)


OK = [("content-type", "text/plain")]
A, B = metadata(("a", "1")), metadata(("b", "2"), ("c", "3"))


def big(count):
    return [metadata((f"a{i}", "x" * 16000)) for i in range(count)]


def in_frames(*pairs):
    block = metadata(*pairs).payload
    return [metadata(payload=block[at:at + 16384], flags=4 if at + 16384 >= len(block) else 0) for at in range(0, len(block), 16384)]


LONG = in_frames(*((f"n{i}", "y" * 16000) for i in range(70)))

g = group("metadata", config())
for name, parts in {
    "before its body": [A, b"hello"],
    "within its body": [b"one", 0.1, A, 0.1, b"two", 0.1, B, 0.1, b"three"],
    "behind its body": [b"one", 0.1, A, 0.1, b""],
    "of a request that has ended": [b"one", A],
    "empty": [metadata(), b"hello"],
    "empty without an end": [metadata(flags=0), b"hello"],
    "in two frames": [metadata(("a", "1"), flags=0), metadata(("b", "2")), b"hello"],
    "in two frames with a body between": [metadata(("a", "1"), flags=0), b"one", metadata(("b", "2")), 0.1, b"hello"],
    "in two frames, cut within a pair": [metadata(payload=A.payload[:3], flags=0), metadata(payload=A.payload[3:]), b"hello"],
    "never ended": [metadata(("a", "1"), flags=0), b"hello"],
    "indexed fields": [metadata(payload=b"\x82\x84"), b"hello"],
    "a table size update": [metadata(payload=b"\x20\x3e" + A.payload), b"hello"],
    "equal names": [metadata(("a", "1"), ("a", "2")), b"hello"],
    "strange names and values": [metadata(("A b", "x\r\ny"), ("", "z"), ("e", ""), (":path", "/x")), b"hello"],
    "16 kB": [metadata(("a", "x" * 16000)), b"hello"],
    "40 kB in frames": [*in_frames(("a", "x" * 40000)), b"hello"],
    "900 kB": [*big(56), b"hello"],
    "many": [metadata(("a", str(i))) for i in range(3000)] + [b"hello"],
}.items():
    g.case(f"of a request, {name}", h2_post(body=parts), upstream=[h2_answer()], status=200, stats=STATS)
g.case("of a request, before its trailers", h2_post(body=[b"one", A], trailers=[("t", "1")]), upstream=[h2_answer()], status=200, stats=STATS)
g.case("before the request", h2_post(before=[A]), upstream=[h2_answer()], status=200, stats=STATS)
g.case("not of HPACK", h2_post(body=[0.1, metadata(payload=b"\xff" * 8), 0.1, b"hello"]), upstream=[h2_answer()], differs=ALONE)
g.case("cut short", h2_post(body=[0.1, metadata(payload=A.payload[:3]), 0.1, b"hello"]), upstream=[h2_answer()], differs=ALONE)
g.case("of a table that another block filled", h2_post(body=[metadata(payload=b"\x40\x01k\x01v"), 0.1, metadata(payload=b"\xbe"), 0.1, b"hello"]), upstream=[h2_answer()], differs=ALONE)
g.case("too much in blocks", h2_post(body=[*big(70), b"hello"]), upstream=[h2_answer()], differs=ALONE)
g.case("too much in one", h2_post(body=[*LONG, b"hello"]), upstream=[h2_answer()], differs=ALONE)
g.case("a value of 70 kB", h2_post(body=[*in_frames(("a", "x" * 70000)), b"hello"]), upstream=[h2_answer()], status=200, differs="names and values have at most 64 KiB, which is the HPACK library's limit")
for flags in (5, 12, 255):
    g.case(f"flags {flags}", h2_post(body=[metadata(("a", "1"), flags=flags), b"hello"]), upstream=[h2_answer()], status=200, differs=FLAGS)

r = group("metadata of answers", config())
for name, actions in {
    "before the answer": [A, heads(200, *OK), b"hello", END],
    "long before the answer": [A, 0.1, heads(200, *OK), b"hello", END],
    "before the body": [heads(200, *OK), A, b"hello", END],
    "within the body": [heads(200, *OK), b"one", 0.1, A, 0.1, b"two", 0.1, B, 0.1, b"three", END],
    "behind the body": [heads(200, *OK), b"one", 0.1, A, 0.1, END],
    "before the trailers": [heads(200, *OK), b"one", 0.1, A, sends_trailers(("t", "1"))],
    "behind the end": [heads(200, *OK), b"one", END, A],
    "empty": [heads(200, *OK), metadata(), b"one", END],
    "not of HPACK": [heads(200, *OK), 0.1, metadata(payload=b"\xff" * 8), 0.1, b"one", END],
    "too much in blocks": [heads(200, *OK), 0.1, *big(70), b"one", 0.1, END],
    "too much in one": [heads(200, *OK), 0.1, *LONG, b"one", 0.1, END],
    "of an interim answer": [heads(103), A, heads(200, *OK), b"hello", END],
    "many": [heads(200, *OK), *[metadata(("a", str(i))) for i in range(3000)], b"hello", END],
}.items():
    r.case(name, h2_get(), upstream=[h2_scripted(*actions)], status=200, differs=ALONE if name.startswith(("not", "too")) else None)
r.case("no answer follows", h2_get(), upstream=[h2_scripted(A, 0.1, resets(2))], status=503)

small = group("metadata limited", config({**ALLOWED, "max_metadata_size": 100}, {**ALLOWED, "max_metadata_size": 100}))
small.case("to the byte", h2_post(body=[metadata(payload=b"\x10\x01a\x60" + b"x" * 96), b"hello"]), upstream=[h2_answer()], status=200, stats=STATS)
small.case("beyond", h2_post(body=[0.1, metadata(payload=b"\x10\x01a\x61" + b"x" * 97), 0.1, b"hello"]), upstream=[h2_answer()], differs=ALONE)
small.case("altogether", h2_post(body=[0.1, metadata(("a", "x" * 70)), metadata(("a", "x" * 70)), 0.1, b"hello"]), upstream=[h2_answer()], differs=ALONE)
small.case("of an answer", h2_get(), upstream=[h2_scripted(heads(200, *OK), 0.1, metadata(("a", "x" * 170)), 0.1, b"hello", END)], status=200, differs=ALONE)

for name, down, up in (("downstream alone", ALLOWED, {}), ("upstream alone", {}, ALLOWED), ("not allowed", {}, {})):
    o = group(f"metadata {name}", config(down, up))
    o.case("both ways", h2_post(body=[A, b"hello"]), upstream=[h2_scripted(heads(200, *OK), B, b"hello", END)], status=200, stats=STATS)

one = group("metadata to HTTP/1", proxy(hcm_more={"http2_protocol_options": ALLOWED}))
one.case("request", h2_post(body=[A, b"hello"]), upstream=[answer()], status=200, stats=STATS)
two = group("metadata from HTTP/1", config())
two.case("answer", get(), upstream=[h2_scripted(heads(200, *OK), B, b"hello", END)], status=200, stats=STATS)
two.case("before the answer", get(), upstream=[h2_scripted(B, heads(200, *OK), b"hello", END)], status=200, stats=STATS)

again = group("metadata and retries", config(vhosts=[vhost(route(retry_policy={"retry_on": "5xx", "num_retries": 1}))]))
again.case("of a request", h2_post(body=[A, b"hello"]), upstream=[h2_answer(503), h2_answer()], status=200, differs="it is repeated with the request; Envoy loses it")
again.case("of an answer that is not taken", h2_get(), upstream=[h2_scripted(A, heads(503, *OK), b"no", END), h2_scripted(B, heads(200, *OK), b"yes", END)], status=200, differs="it is dropped with the answer; Envoy gives it to the client")
again.case("behind the head of an answer that is not taken", h2_get(), upstream=[h2_scripted(heads(503, *OK), A, b"no", END), h2_scripted(heads(200, *OK), B, b"yes", END)], status=200, differs="sometimes: it is dropped with the answer; Envoy may give it to the client")
lost = group("metadata without an upstream", config(vhosts=[vhost(route("refused"))]))
lost.case("of a request", h2_post(body=[A, b"hello"]), status=503)

p = group("metadata seen by a plugin", config(plugins=[plugin(script="")]))
ANSWER = [heads(200, *OK), 0.05, B, 0.05, b"hello", 0.05, A, 0.05, END]
p.case("both ways", h2_post(body=[A, b"hello", 0.05, B, 0.05, b"more"]), upstream=[h2_scripted(*ANSWER)], logs="request_metadata")
MAPS = "; ".join(f"pairs {number}" for number in range(10))
p.case("maps and buffers", h2_post(body=[B, b"hello"], script=f"""
    request_metadata: {MAPS}; bufstat 0; size 0; set 0 x-a 1; get 0 :path; body 0 0 9
    response_metadata: {MAPS}; bufstat 1; size 2; set 2 x-b 1; get 2 :status; body 1 0 9"""),
    upstream=[h2_scripted(*ANSWER)], logs="request_metadata")
p.case("properties", h2_post(body=[A, b"hello"], script="""
    request_metadata: prop request.path; prop request.headers.host; prop request.size; prop request.total_size
    response_metadata: prop request.path; prop response.headers.content-type; prop response.code; prop response.size"""), upstream=[h2_scripted(*ANSWER)])
p.case("before the answer", h2_get(), upstream=[h2_scripted(A, heads(200, *OK), b"hello", 0.05, END)], logs="response_metadata")
p.case("while headers are stopped", h2_post(body=[A, b"hello", B, b"more"], script="""
    request_headers: call callout :method=GET,:path=/,:authority=a - 500; return 1
    call: continue 0"""), upstream=[h2_answer()], callout=[answer(delay=0.3)], status=200)
p.case("while the body is stopped", h2_post(body=[b"hello", 0.05, A, 0.05, b"more", 0.05, B, 0.05, b"last"], script="request_body: more? return 1"), upstream=[h2_answer()], status=200)
p.case("while an answer is stopped", h2_get(script="""
    response_headers: call callout :method=GET,:path=/,:authority=a - 500; return 1
    call: continue 1"""), upstream=[h2_scripted(heads(200, *OK), A, b"hello", B, END)], callout=[answer(delay=0.3)], status=200)
p.case("what it returns", h2_post(body=[A, b"hello"], script="""
    request_metadata: return 1
    response_metadata: return 1"""), upstream=[h2_scripted(*ANSWER)], status=200)
p.case("a local reply", h2_post(body=[A, 0.1, b"hello"], script="request_metadata: reply 403 no"), upstream=[h2_answer()], status=403)
p.case("a local reply behind the answer's headers", h2_get(script="response_metadata: reply 403 no"), upstream=[h2_scripted(heads(200, *OK), 0.05, B, 0.1, b"hello", END)], status=200, differs=CUT)
p.case("a trap", h2_post(body=[A, 0.1, b"hello"], script="request_metadata: trap"), upstream=[h2_answer()], status=503, differs=RESTART)

both = group("metadata seen by two plugins", config(plugins=[plugin(script="", allow_on_headers_stop_iteration=True), plugin("q", script="header: x-script-2", allow_on_headers_stop_iteration=True)]))
REQUEST = [0.05, A, 0.05, b"hello", 0.05, B, 0.05, b"more"]
SECOND = lambda script: {"x-script-2": script}  # noqa: E731
both.case("both ways", h2_post(body=REQUEST), upstream=[h2_scripted(*ANSWER)], status=200)
both.case("headers stopped by the first", h2_post(body=REQUEST, script="request_headers: return 1"), upstream=[h2_answer()], status=200)
both.case("headers stopped by the second", h2_post(body=REQUEST, headers=SECOND("request_headers: return 1")), upstream=[h2_answer()], status=200)
both.case("answer stopped by the first", h2_get(script="response_headers: return 1"), upstream=[h2_scripted(*ANSWER)], status=200)
both.case("answer stopped by the second", h2_get(headers=SECOND("response_headers: return 1")), upstream=[h2_scripted(*ANSWER)], status=200)
both.case("answer's body stopped by the second", h2_get(headers=SECOND("response_body: more? return 1")), upstream=[h2_scripted(*ANSWER)], status=200)
both.case("before the answer", h2_get(), upstream=[h2_scripted(A, 0.05, heads(200, *OK), 0.05, b"hello", 0.05, END)], status=200)
both.case("before the answer that never comes", h2_get(), upstream=[h2_scripted(A, 0.1, resets(2))], status=503)
both.case("before the answer, stopped by the first", h2_get(script="response_headers: return 1"), upstream=[h2_scripted(A, heads(200, *OK), 0.05, b"hello", 0.05, END)], status=200)
both.case("before the answer, stopped by the second", h2_get(headers=SECOND("response_headers: return 1")), upstream=[h2_scripted(A, heads(200, *OK), 0.05, b"hello", 0.05, END)], status=200)
both.case("continue in it", h2_post(body=[0.05, A, 0.05, b"hello"], script="request_headers: return 1|request_metadata: continue 0"), upstream=[h2_answer()], status=200)
both.case("continue in it, of the second", h2_post(body=[0.05, A, 0.05, b"hello"], headers=SECOND("request_headers: return 1|request_metadata: continue 0")), upstream=[h2_answer()], status=200)
both.case("continue in an answer's", h2_get(script="response_headers: return 1|response_metadata: continue 1"), upstream=[h2_scripted(*ANSWER)], status=200)
both.case("close in it", h2_post(body=[0.05, A, 0.05, b"hello"], script="request_metadata: close 0"), upstream=[h2_answer()])
both.case("close in an answer's", h2_get(script="response_metadata: close 1"), upstream=[h2_scripted(*ANSWER)], status=200, differs=CUT)
both.case("a callout in it", h2_post(body=[A, b"hello"], script="request_metadata: call callout :method=GET,:path=/,:authority=a - 500"), upstream=[h2_answer(delay=0.1)], status=200)

crash = group("metadata that answers before the answer", config(plugins=[plugin(script="")]))
crash.case("a local reply", h2_get(script="response_metadata: reply 403 no"), upstream=[h2_scripted(A, heads(200, *OK), b"hello", END)], differs="the reply takes the answer's place; Envoy crashes", weir_status=403)

OWN = upstream(**ALLOWED)
OWN["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["http_filters"] = [
    plugin("u", script="header: x-script-3"),
    {"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"}}]
u = group("metadata seen by a plugin upstream", proxy(clusters=[OWN], hcm_more={"http2_protocol_options": ALLOWED}, plugins=[plugin(script="")]))
THIRD = lambda script: {"x-script-3": script}  # noqa: E731
WHOLE = [0.05, A, 0.05, b"hello", 0.05, B, 0.05, b""]
EARLY = [A, 0.05, heads(200, *OK), 0.05, B, 0.05, b"hello", 0.05, A, 0.05, END]
u.case("both ways", h2_post(body=WHOLE), upstream=[h2_scripted(*EARLY)], status=200, logs="u root vm: [c3] request_metadata")
u.case("stopped", h2_post(body=[A, b"hello", B, b""], headers=THIRD("request_headers: call callout :method=GET,:path=/,:authority=a - 500; return 1|call: continue 0")),
       upstream=[h2_scripted(*EARLY)], callout=[answer(delay=0.2)], status=200)
u.case("an answer stopped", h2_post(body=WHOLE, headers=THIRD("response_headers: call callout :method=GET,:path=/,:authority=a - 500; return 1|call: continue 1")),
       upstream=[h2_scripted(A, heads(200, *OK), B, b"hello", A, END)], callout=[answer(delay=0.2)], status=200)
u.case("a local reply", h2_post(body=WHOLE, headers=THIRD("request_metadata: reply 403 no")), upstream=[h2_answer()], status=403)
