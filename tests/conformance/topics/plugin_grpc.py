"""gRPC calls and streams of plugins."""
import re

from suite.config import TYPE, cluster, plugin, proxy
from suite.http import get
from suite.model import group
from suite.upstream import answer
from suite.http2_upstream import END, closes, goes, h2_answer, h2_echoing, h2_listening, h2_scripted, heads, resets, sends_trailers

HTTP2 = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}}
CONFIG = dict(plugins=[plugin(script="")], clusters=[cluster("called", "@CALLOUT@", **HTTP2), cluster("refused", "@REFUSED@", **HTTP2), cluster("empty", **HTTP2)],
              hcm_more={"stream_idle_timeout": "1.5s"})
GRPC = ("content-type", "application/grpc")
frame = lambda message, flags=0: bytes([flags]) + len(message).to_bytes(4, "big") + message
SHOW = """
    grpc_initial: pairs 4; pairs 5; get 4 x-i; body 5 0 999; status
    grpc_message: pairs 4; pairs 5; body 5 0 999; body 5 1 2; bufstat 5; setbody 5 0 0 x; status; continue 0
    grpc_trailing: pairs 4; pairs 5; get 5 x-t; set 5 x-t 1; size 5; body 5 0 999; status
    grpc_end: pairs 4; pairs 5; body 5 0 999; status; continue 0"""


# A stream goes on after its first message.
SHOW_ALL = SHOW.replace("setbody 5 0 0 x; status; continue 0", "setbody 5 0 0 x; status")


def answers(*messages, initial=(), trailing=(), status="0", text=None, early=False):
    ends = [("grpc-status", status)] + ([("grpc-message", text)] if text is not None else []) + list(trailing)
    return h2_scripted(heads(200, GRPC, *initial), *[frame(each) for each in messages], sends_trailers(*ends), early=early)


def only_trailers(*fields, status=200):
    return h2_scripted(heads(status, GRPC, *fields, end=True))


def quoted(data):
    return "".join(chr(byte) if byte < 128 and chr(byte).isalnum() else f"%{byte:02x}" for byte in data) or "-"


ABORTS = "Envoy aborts; weir answers with a status"
TWICE = "Envoy answers 10 and then tells the end of a call whose token nobody was given; weir answers 10"
GOOGLE = "weir calls configured clusters only: google_grpc would reach any address"


# In these we reset the stream; the upstream is given time to see it.
RESET = ("a compressed message", "flags that are none", "503 without one", "503", "with a limit of messages", "timeout", "timeout after headers", "cancelled at once", "closed at once", "cancelled later", "answered before the end", "over HTTP/1",
         "counted, timeout", "counted, 503", "counted, cancelled", "a message after a broken one")


def unary(g, name, target="called", service="pkg.Service", method="Say", metadata="-", message="hello", timeout=900, more="", script=SHOW, logs="grpc", **options):
    g.case(name, get(script=f"request_headers: return 1; grpc {target} {service} {method} {metadata} {message} {timeout}{more}{script}"), status=options.pop("status", 200), logs=logs, **{"settle": 0.1 if name in RESET else 0.0, **options})


g = group("plugin grpc call", proxy(**CONFIG))
unary(g, "answered", metadata="x-md=1,x-md=2", callout=[answers(b"well", initial=[("x-i", "1")], trailing=[("x-t", "2")])], logs="grpc_message")
unary(g, "an empty answer", callout=[answers(b"")], logs="grpc_")
unary(g, "an empty request", message="-", callout=[answers(b"well")])
unary(g, "large both ways", message="f200000", callout=[answers(b"w" * 300_000)])
unary(g, "no message in the answer", callout=[answers()])
unary(g, "two messages in the answer", callout=[answers(b"one", b"two")])
unary(g, "a message cut short", callout=[h2_scripted(heads(200, GRPC), frame(b"well")[:-1], sends_trailers(("grpc-status", "0")))])
unary(g, "a compressed message", callout=[h2_scripted(heads(200, GRPC), frame(b"well", 1), 0.2, sends_trailers(("grpc-status", "0")))])
unary(g, "flags that are none", callout=[h2_scripted(heads(200, GRPC), frame(b"well", 4), 0.2, sends_trailers(("grpc-status", "0")))])
unary(g, "in pieces", callout=[h2_scripted(heads(200, GRPC), frame(b"well")[:2], 0.1, frame(b"well")[2:6], 0.1, frame(b"well")[6:], sends_trailers(("grpc-status", "0")))])
unary(g, "no trailers", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), END)])
unary(g, "trailers without a status", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), sends_trailers(("x-t", "1")))])
unary(g, "a status that is no number", callout=[answers(b"well", status="x")])
unary(g, "a status that is unknown", callout=[answers(b"well", status="77", text="odd")])
unary(g, "a negative status", callout=[answers(b"well", status="-1")])
unary(g, "failed after a message", callout=[answers(b"well", status="5", text="not%20found%zz %e4%bd")])
unary(g, "failed with trailers alone", callout=[only_trailers(("grpc-status", "7"), ("grpc-message", "no"))])
unary(g, "trailers alone without a status", callout=[only_trailers()])
unary(g, "trailers alone of success", callout=[only_trailers(("grpc-status", "0"))])
unary(g, "503 with a gRPC status", callout=[only_trailers(("grpc-status", "3"), status=503)])
unary(g, "503 without one", callout=[h2_scripted(heads(503), b"no", 0.2, END)])
unary(g, "404", callout=[h2_answer(404, body=b"")])
unary(g, "another content type", callout=[h2_answer(200, body=frame(b"well"), trailers=[("grpc-status", "0")])])
unary(g, "reset before headers", callout=[h2_scripted(resets(8))])
unary(g, "refused stream", callout=[h2_scripted(resets(7))])
unary(g, "reset after headers", callout=[h2_scripted(heads(200, GRPC), 0.05, resets(2))])
unary(g, "reset after a message", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), 0.05, resets(2))])
unary(g, "connection cut", callout=[h2_scripted(0.05, closes)])
unary(g, "connection refused", target="refused")
unary(g, "unknown cluster", target="nowhere", status=504, logs="grpc nowhere")
unary(g, "bytes that are no target", target="%ff%00%0a", status=504, logs="-> ")
unary(g, "over HTTP/1", target="callout")
unary(g, "timeout", timeout=200, callout=[h2_scripted(0.6, early=True)])
unary(g, "timeout after headers", timeout=200, callout=[h2_scripted(heads(200, GRPC), 0.6)])
unary(g, "no timeout", timeout=0, callout=[answers(b"well")])
unary(g, "a timeout beyond 31 bits", timeout=4294967295, callout=[answers(b"well")])
unary(g, "no service and no method", service="-", method="-", callout=[answers(b"well")])
unary(g, "odd names", service="a/b", method="d?e", callout=[answers(b"well")])
unary(g, "a blank in a name", service="a%20b", callout=[answers(b"well")], weir_status=504, differs="a path with a blank is not sent")
unary(g, "odd metadata", metadata="X-Up=U,a-bin=%00%ff,content-type=text/plain,:path=/other,grpc-timeout=1S,host=h,user-agent=me", callout=[answers(b"well")])
unary(g, "cancelled at once", more="; gcancel; gcancel", callout=[answers(b"well")], status=504)
unary(g, "closed at once", more="; gclose; gclose", callout=[answers(b"well")], status=504)
g.case("cancelled later", get(script="request_headers: grpc called pkg.Service Say - hello 900\n response_headers: gcancel; gcancel; gclose"), upstream=[answer(delay=0.3)], callout=[h2_scripted(0.8, early=True)], status=200, logs="gcancel -> 0")
unary(g, "a message sent to a call", more="; gsend x 1", callout=[answers(b"well")])
unary(g, "tokens of nobody", more="; gsend x 1 0; gsend x 1 1; gsend x 1 2; gsend x 1 3; gsend x 1 666; gcancel 1; gcancel 2; gcancel 3; gcancel 4; gclose 1; gclose 2; gclose 3; gclose 4", callout=[answers(b"well")])
unary(g, "answered when the stream is gone", callout=[h2_scripted(0.3, heads(200, GRPC), frame(b"well"), sends_trailers(("grpc-status", "0")), early=True)], script=SHOW, more="; return 0", settle=0.5)
unary(g, "two at once", differs="sometimes: which answer comes first is left to the two connections", more="; grpc called pkg.Service Other - two 900", callout=[answers(b"well"), answers(b"well")])
unary(g, "denied by the answer", script="\n grpc_message: reply 403 denied", status=403, callout=[answers(b"no")])
g.case("from the log phase", get(script="log: grpc called pkg.Service Say - hello 900"), callout=[answers(b"well")], status=200, logs="grpc called", settle=0.2)
g.case("from the answer's phase", get(script="response_headers: return 1; grpc called pkg.Service Say - hello 900\n grpc_message: set 2 x-said 1; continue 1"), callout=[answers(b"well")], status=200, logs="grpc_message")

s = group("plugin grpc stream", proxy(**CONFIG))


def stream(name, ops="gsend hello 1", target="called", metadata="-", script=SHOW_ALL, logs="gstream", **options):
    s.case(name, get(script=f"request_headers: return 1; gstream {target} pkg.Service Talk {metadata}; {ops}{script}"), status=options.pop("status", 200), logs=logs, **{"settle": 0.1 if name in RESET else 0.0, **options})


stream("answered", metadata="x-md=1", callout=[answers(b"well", initial=[("x-i", "1")], trailing=[("x-t", "2")])])
stream("several messages both ways", ops="gsend one 0; gsend two 0; gsend - 0; gsend three 1", callout=[answers(b"a", b"", b"c")])
stream("answered before the end", ops="gsend one 0", callout=[answers(b"well", early=True)])
stream("both by turns", ops="gsend one 0", script="\n grpc_message: body 5 0 99; first? gsend two 1\n grpc_end: status; continue 0", callout=[h2_scripted(heads(200, GRPC), h2_echoing, early=True)])
stream("half closed", ops="gsend one 0; gclose; gsend two 0; gclose", callout=[answers(b"well")])
stream("closed without a message", ops="gclose", callout=[answers(b"well")])
stream("sent after its end", ops="gsend one 1; gsend two 0; gsend three 1", callout=[answers(b"well")])
stream("cancelled at once", ops="gcancel; gcancel; gsend x 0; gclose", status=504, callout=[answers(b"well")])
stream("cancelled later", ops="gsend one 0", script="\n grpc_initial: gcancel; gsend x 0; continue 0", callout=[h2_scripted(heads(200, GRPC), 0.1, h2_listening, early=True)], settle=0.2)
stream("cancelled in a message", ops="gsend one 0", script="\n grpc_message: gcancel; gsend x 0; gclose; continue 0", callout=[h2_scripted(heads(200, GRPC), frame(b"well") + frame(b"again"), 0.1, h2_listening, early=True)], settle=0.2)
stream("closed in a message", ops="gsend one 0", script="\n grpc_message: gclose\n grpc_end: continue 0", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), h2_listening, sends_trailers(("grpc-status", "0")), early=True)], settle=0.2)
stream("failed with trailers alone", callout=[only_trailers(("grpc-status", "7"), ("grpc-message", "no"))])
stream("trailers alone of success", callout=[only_trailers(("grpc-status", "0"))])
stream("failed in the trailers", callout=[answers(b"well", status="9", text="late")])
stream("503", callout=[h2_scripted(heads(503), b"no", 0.2, END)])
stream("503 with a gRPC status", callout=[only_trailers(("grpc-status", "3"), status=503)])
stream("another content type", callout=[h2_answer(200, body=frame(b"well"), trailers=[("grpc-status", "0")])])
stream("no trailers", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), END)])
stream("trailers without a status", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), sends_trailers(("x-t", "1")))])
stream("a status that is unknown", callout=[answers(b"well", status="77", text="odd")])
stream("a compressed message", callout=[h2_scripted(heads(200, GRPC), frame(b"well", 1), 0.2, sends_trailers(("grpc-status", "0")))])
stream("flags that are none", callout=[h2_scripted(heads(200, GRPC), frame(b"well", 4), 0.2, sends_trailers(("grpc-status", "0")))])
stream("a message cut short", callout=[h2_scripted(heads(200, GRPC), frame(b"well")[:-1], sends_trailers(("grpc-status", "0")))])
stream("reset before headers", callout=[h2_scripted(resets(8))])
stream("reset after a message", callout=[h2_scripted(heads(200, GRPC), frame(b"well"), 0.05, resets(2))])
stream("connection cut", callout=[h2_scripted(0.05, closes)])
stream("connection refused", target="refused")
stream("unknown cluster", target="nowhere", ops="log none", status=504)
stream("large messages", ops="gsend f200000 0; gsend f100000 1", callout=[answers(b"w" * 300_000, b"x" * 100)])
stream("unknown operations", ops="gsend x 0 5; gsend x 0 1002; gcancel 1002; gclose 1002; gsend one 1", callout=[answers(b"well")])
stream("goes on when its stream is gone", ops="gsend one 0; return 0", callout=[h2_scripted(0.3, heads(200, GRPC), frame(b"well"), sends_trailers(("grpc-status", "0")), early=True)], settle=0.6)

CALLED = quoted(b"\x0a\x08\x0a\x06called")
STATS = r"cluster\.called\.(upstream_rq_(completed|\dxx|\d\d\d|timeout|total|rx_reset|tx_reset|pending_overflow|cancelled)|grpc\..*)"
unary(g, "binary fields in the answer", callout=[answers(b"well", initial=[("a-bin", "AP8=")], trailing=[("b-bin", "AP8")])], script="\n grpc_message: get 4 x; get 5 x; continue 0")
unary(g, "counted, answered", callout=[answers(b"well")], stats=STATS)
unary(g, "counted, failed", callout=[answers(status="5")], stats=STATS)
unary(g, "counted, timeout", timeout=200, callout=[h2_scripted(0.6, early=True)], stats=STATS)
unary(g, "counted, reset", callout=[h2_scripted(resets(8))], stats=STATS)
unary(g, "counted, 503", callout=[h2_scripted(heads(503), b"no", 0.2, END)], stats=STATS)
unary(g, "counted, cancelled", more="; gcancel; return 0", callout=[answers(b"well")], stats=STATS)
stream("binary fields", metadata="c-bin=%00%01", callout=[answers(b"well", initial=[("a-bin", "AP8=")], trailing=[("b-bin", "AP8")])], script="\n grpc_initial: pairs 4; get 5 x\n grpc_message: get 4 x; get 5 x; add 4 x 1\n grpc_trailing: pairs 5; get 4 x\n grpc_end: get 4 x; get 5 x; pairs 5; continue 0")
stream("two at once, told to their own", differs="sometimes: which answer comes first is left to the two connections", ops="gsend one 1; gstream called pkg.Service Other -; gsend two 1", callout=[answers(b"well"), answers(b"well")], script="\n grpc_message: body 5 0 99\n grpc_end: log ended; continue 0")
stream("acted on in its end", script="\n grpc_end: gsend x 0; gclose; gcancel; gcancel; gsend x 0; continue 0", callout=[answers(b"well")])
stream("acted on in its trailing metadata", script="\n grpc_trailing: gsend x 0; gclose; gcancel; gcancel; gsend x 0; continue 0", callout=[answers(b"well")])
stream("metadata of other phases", script="\n grpc_initial: body 5 0 99; setbody 5 0 0 x\n grpc_message: setbody 5 0 2 x; body 5 0 99; setbody 5 9 0 y; body 5 0 99; effective root; body 5 0 99; effective self\n grpc_end: continue 0", callout=[answers(b"well")])
unary(g, "acted on in its answer", script="\n grpc_message: gcancel; gclose; gsend x 0; continue 0", callout=[answers(b"well")])
unary(g, "acted on in its failure", script="\n grpc_end: gcancel; gclose; gsend x 0; continue 0", callout=[answers(status="5")])
stream("counted", callout=[answers(b"well")], stats=STATS)
stream("an empty compressed message", callout=[h2_scripted(heads(200, GRPC), frame(b"", 1), frame(b"well"), sends_trailers(("grpc-status", "0")))])
stream("a message after a broken one", callout=[h2_scripted(heads(200, GRPC), frame(b"well") + frame(b"x", 1) + frame(b"well"), 0.2, sends_trailers(("grpc-status", "0")))])
stream("headers twice", callout=[h2_scripted(heads(100), heads(200, GRPC), frame(b"well"), sends_trailers(("grpc-status", "0")))])
stream("a connection that goes away", callout=[h2_scripted(goes(0), heads(200, GRPC), frame(b"well"), sends_trailers(("grpc-status", "0")))])
s.case("closed with a local reply", get(script="request_headers: return 1; gstream called pkg.Service Talk -; gsend one 0; reply 403 no"), callout=[h2_scripted(heads(200, GRPC), 0.1, h2_listening, early=True)], status=403, logs="reply", settle=0.2)

t = group("plugin grpc target", proxy(**CONFIG))
field = lambda number, data: bytes([number << 3 | 2, len(data)]) + data
envoy = lambda *more: field(1, field(1, b"called") + b"".join(more))


def target(name, data, timeout=900, status=200, **options):
    unary(t, name, target=quoted(data), timeout=timeout, status=status, callout=[answers(b"well")], logs=options.pop("logs", "grpc "), **options)


target("a cluster", envoy())
target("with an authority", envoy(field(2, b"other.example")))
target("with metadata", envoy() + field(5, field(1, b"x-added") + field(2, b"1")) + field(5, field(1, b"x-added") + field(2, b"2")))
target("with metadata and the call's own", envoy() + field(5, field(1, b"x-md") + field(2, b"1")), metadata="x-md=2")
target("with metadata of operators", envoy() + field(5, field(1, b"x-a") + field(2, b"%PROTOCOL%")))
target("with a timeout", envoy() + field(3, b"\x10\x80\xc2\xd7\x2f"))
target("with fields that are unknown", envoy() + field(15, b"x"))
unary(t, "with a limit of messages", target=quoted(envoy(field(4, b"\x08\x02"))), callout=[h2_scripted(heads(200, GRPC), frame(b"well"), 0.2, sends_trailers(("grpc-status", "0")))])
target("with a limit that suffices", envoy(field(4, b"\x08\x09")))
target("with a shorter timeout of its own", envoy() + field(3, b"\x10\x80\x84\xaf\x5f"))
target("without x-envoy headers", envoy(b"\x28\x01"))
target("with an unknown cluster", field(1, field(1, b"nowhere")), status=504, differs=TWICE)
target("with no cluster", field(1, b""), status=504, differs=TWICE)

h = group("plugin grpc google", proxy(**{**CONFIG, "plugins": [plugin(script="""
    configure: tick 80
    tick: tick 0; grpc %12%14%0a%0f127.0.0.1:@CALLOUT@%22%01p pkg.Service Say x-md=1 hello 900
    grpc_message: pairs 4; body 5 0 99; status
    grpc_end: status""")]}))
h.case("live", get(), differs=GOOGLE, callout=[answers(b"well"), answers(b"well")], settle=0.6)
r = group("plugin grpc from root", proxy(**{**CONFIG, "plugins": [plugin(script="""
    configure: tick 80
    tick: tick 0; grpc called pkg.Service Say - hello 900; gstream called pkg.Service Talk -; gsend one 1; grpc nowhere a b - c 100
    grpc_initial: pairs 4
    grpc_message: body 5 0 99; reply 403 lost; get 0 :path
    grpc_trailing: pairs 5
    grpc_end: status""")]}))
r.case("tick", get(), differs="callouts of the trial are sent by Envoy, and take answers; weir sends none", callout=[answers(b"well"), answers(b"well")], settle=0.5)

# Each costs Envoy its life, and the tokens begin anew.
a = group("plugin grpc aborts", proxy(**CONFIG))
for label, words in (("call without an endpoint", "grpc empty pkg.Service Say - hello 900"), ("stream without an endpoint", "gstream empty pkg.Service Talk -; gsend hello 1"), ("no target", "grpc - pkg.Service Say - hello 900"),
                     ("a target that says nothing", f"grpc {quoted(field(5, field(1, b'x-added')))} a b - hello 900"), ("a target of a timeout alone", f"grpc {quoted(field(3, bytes([8, 1])))} a b - hello 900")):
    a.case(label, get(script=f"request_headers: {words}"), weir_status=200, differs=ABORTS)
u = group("plugin grpc trap", proxy(**CONFIG))
u.case("a trap ends it", get(script="request_headers: return 1; gstream called pkg.Service Talk -; gsend one 0\n grpc_initial: trap"), callout=[h2_scripted(heads(200, GRPC), 0.1, h2_listening, early=True)], logs="grpc_initial", differs="weir starts the plugin anew at once after a trap, and the log shows it", settle=0.2)
o = group("plugin grpc google's client", proxy(**CONFIG))
o.case("by a stream", get(script=f"request_headers: grpc {quoted(field(2, field(1, b'127.0.0.1:1') + field(4, b'p')))} a b - hello 900"), status=200, logs="grpc ", differs=GOOGLE, settle=0.1)
