"""HTTP/2 from clients, with prior knowledge: messages, header rules, limits, resets; and what a plugin sees of it."""
from suite.config import TRAILING, plugin, proxy
from suite.http import get
from suite.http2 import h2_get, h2_post, h2_request
from suite.model import group
from suite.upstream import answer, chunks, echo, scripted

STREAM = "a malformed message resets its stream alone; Envoy closes the connection unless override_stream_error_on_invalid_http_message is set"
TRAILING_STATS = r"http\.ingress\.downstream_(rq_(total|http2_total|2xx)|cx_(total|http2_total))|http2\.(trailers|rx_reset|tx_reset|header_overflow)"

g = group("http2", proxy(clusters=[TRAILING]))
g.case("get", h2_get("/hello?a=b"), status=200, stats=TRAILING_STATS)
g.case("head", h2_request("HEAD"), upstream=[answer(body="nobody sees this")], status=200)
g.case("post", h2_post(), upstream=[echo()], status=200)
g.case("post with a length", h2_post(headers={"content-length": "5"}), upstream=[echo()], status=200)
g.case("post in frames", h2_post(body=["one", 0.1, "two", 0.1, "three"]), upstream=[echo()], status=200)
g.case("a large post", h2_post(body="x" * 300_000), upstream=[echo()], status=200)
g.case("a large answer", h2_get(), upstream=[chunks(b"y" * 200_000, b"z" * 100_000)], status=200)
g.case("request trailers", h2_post(trailers=[("x-t", "1")]), upstream=[echo()], status=200, stats=TRAILING_STATS)
g.case("response trailers", h2_get(headers={"te": "trailers"}), upstream=[chunks(b"one", trailers=[("grpc-status", "0")])], status=200)
g.case("204 and 304", h2_get(wait=True), h2_get(), upstream=[answer(204, body=None), answer(304, [("etag", "\"x\"")], body=None)], status=204)
g.case("several requests", h2_get("/1", wait=True), h2_get("/2", wait=True), h2_post("/3"), status=200)
g.case("an upstream that closes", h2_get(), upstream=[scripted([b""])])
g.case("connection fields of the upstream", h2_get(), upstream=[answer(headers=[("connection", "close"), ("keep-alive", "timeout=5")])], status=200)
g.case("unknown method", h2_request("FROBNICATE"), status=200)
g.case("cookies are joined", h2_get(headers=[("cookie", "a=1"), ("x-b", "1"), ("cookie", "b=2")]), status=200, header_order=False)
g.case("host beside authority", h2_get(headers={"host": "other"}), status=200)
g.case("host alone", h2_request(fields=[(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "other")]), status=200)
g.case("repeated fields", h2_get(headers=[("accept", "a"), ("accept", "b"), ("x-z", "1"), ("x-z", "2"), ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]), status=200)
g.case("te", h2_get(headers={"te": "trailers"}), status=200)
g.case("scheme https", h2_get(scheme="https"), status=200)
g.case("a fragment in the path", h2_get("/a#b"), status=400)
g.case("100 fields", h2_get(headers=[(f"x-{i}", "v") for i in range(90)]), status=200)
g.case("101 fields", h2_get(headers=[(f"x-{i}", "v") for i in range(97)]), stats=TRAILING_STATS)
g.case("many bytes of headers", h2_get(headers=[(f"x-{i}", "v" * 6300) for i in range(10)]))
g.case("a large field", h2_get(headers={"x-a": "v" * 30_000}), status=200)
g.case("expect 100-continue", h2_post(headers={"expect": "100-continue"}), upstream=[echo()], status=200)
g.case("connect without a route for it", h2_request(fields=[(":method", "CONNECT"), (":authority", "a:1")]), status=404)
g.case("content-length too long", h2_post(body="123", headers={"content-length": "5"}), differs="sometimes: weir sends nothing upstream for a request that is reset in the same turn")
g.case("no content", h2_post(body="", headers={"content-length": "0"}), upstream=[answer(delay=0.05)], status=200)  # Later than the end, which comes by itself.
g.case("a bystander by HTTP/1", connections=[[h2_get()], [get()]], status=200)

BASE = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "test.example")]
BAD = {
    "an upper-case name": BASE + [("X-Upper", "1")],
    "connection": BASE + [("connection", "close")],
    "transfer-encoding": BASE + [("transfer-encoding", "chunked")],
    "te gzip": BASE + [("te", "gzip")],
    "a NUL in a value": BASE + [("x-a", "a\0b")],
    "a line break in a value": BASE + [("x-a", "a\nb")],
    "a blank in a name": BASE + [("x a", "b")],
    "an empty path": BASE[:2] + [(":path", ""), BASE[3]],
    "a relative path": BASE[:2] + [(":path", "x"), BASE[3]],
    "no path": BASE[:2] + BASE[3:],
    "no method": BASE[1:],
    "no scheme": BASE[:1] + BASE[2:],
    "two paths": BASE + [(":path", "/b")],
    "an unknown pseudo header": BASE + [(":x", "1")],
    "a pseudo header behind fields": BASE[:3] + [("x-a", "1"), BASE[3]],
    "a blank in the authority": BASE[:3] + [(":authority", "a b")],
    "a blank in the method": [(":method", "G T")] + BASE[1:],
}
bad = group("http2 malformed", proxy(hcm_more={"http2_protocol_options": {"override_stream_error_on_invalid_http_message": True}}))
for name, block in BAD.items():
    bad.case(name, h2_request(fields=block, patience=1.5))
default = group("http2 malformed by default", proxy())
default.case("an upper-case name", h2_request(fields=BAD["an upper-case name"], patience=1.5), h2_get(), differs=STREAM)

options = group("http2 alone", proxy(hcm_more={"codec_type": "HTTP2"}))
options.case("get", h2_get(), status=200)
options.case("a request by HTTP/1", get(), differs="weir's own preface is on the way when the client's is found wrong, and GOAWAY behind it")

seen = group("http2 seen by a plugin", proxy(plugins=[plugin(script="")]))
seen.case("headers", h2_get("/a?b"), status=200)
seen.case("body and trailers", h2_post(body=["one", 0.1, "two"], trailers=[("x-t", "1")]), upstream=[echo()], status=200)
seen.case("end of stream in the last frame", h2_post(body=["one", 0.1, "two"]), upstream=[echo()], status=200)
