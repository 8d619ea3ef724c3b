"""Fields of access logs that only some protocols and ends of connections fill: bytes of HTTP/2, TLS, close types, reasons."""
from suite.config import TYPE, cluster, proxy, route, vhost
from suite.http import get, raw
from suite.http2 import h2_get, h2_post, h2_request
from suite.model import group
from suite.tls import Authority, Client, downstream, secured, server, sign, upstream
from suite.upstream import CLOSE, answer, echo, echoing, scripted, switch

from topics.access_log import log, logging
from topics.upgrades import asks


def lines(*names):
    return "".join(f"{name.split('(')[0]} = %{name}%\n" for name in names)


# What is the same on every run: bytes that were received, and plain bytes. What is sent is compressed together with the
# date, or a random id; and how long a request took has one digit or two.
RECEIVED = ["DOWNSTREAM_WIRE_BYTES_RECEIVED", "DOWNSTREAM_HEADER_BYTES_RECEIVED", "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", "REQUEST_HEADERS_BYTES",
            "RESPONSE_TRAILERS_BYTES", "BYTES_RECEIVED", "BYTES_SENT", "PROTOCOL"]
PLAIN = ["DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "RESPONSE_HEADERS_BYTES"]
UP = ["UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", "UPSTREAM_PROTOCOL"]
H2 = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      "explicit_http_config": {"http2_protocol_options": {}}}}
ROUTES = vhost(route("far", "/far"), {"match": {"prefix": "/direct"}, "direct_response": {"status": 200, "body": {"inline_string": "said"}}}, route())
g = group("log bytes of HTTP/2", logging(log(lines(*RECEIVED, *UP)), vhosts=[ROUTES], clusters=[cluster("far", "@FENCE@", typed_extension_protocol_options=H2)]))
N = len(RECEIVED + UP)
for name, request, more in (("a request", h2_get("/hello"), {}), ("a body in frames", h2_post("/", body=["one", 0.1, "two"]), {"upstream": [echo()]}),
                            ("trailers", h2_post("/", trailers=[("x-t", "1")]), {"upstream": [echo()]}), ("an upstream by HTTP/2", h2_get("/far"), {}),
                            ("cookies", h2_get("/hello", headers=[("cookie", "a=1"), ("cookie", "b=2")]), {}),
                            ("a client by HTTP/1", get("/far"), {})):
    g.case(name, request, status=200, entries=N, **more)
g = group("log bytes of HTTP/2 without an upstream", logging(log(lines(*RECEIVED, *PLAIN)), vhosts=[ROUTES], clusters=[cluster("far", "@FENCE@")]))
N = len(RECEIVED + PLAIN)
g.case("a request", h2_get("/direct"), status=200, entries=N)
g.case("headers", h2_get("/direct", headers={"x-a": "v" * 1000, "cookie": "a=b"}), status=200, entries=N)
g.case("two requests", h2_get("/direct", wait=True), h2_get("/direct"), status=200, entries=2 * N)
g.case("an answer before the body", h2_post("/direct", body=[0.1, "x"]), status=200, entries=N, differs="Envoy writes the line before the answer's frames are made, and has sent nothing")

# --- TLS ---

CA = Authority("fields authority")
PAIR = sign(CA, "fields-server")
HANDSHAKES = lines("DOWNSTREAM_HANDSHAKE_DURATION", "COMMON_DURATION(US_CX_BEG:US_HS_END:ms)", "COMMON_DURATION(US_CX_BEG:US_CX_END:ms)", "COMMON_DURATION(US_CX_END:US_HS_END:us)",
                   "UPSTREAM_CONNECTION_POOL_READY_DURATION", "DOWNSTREAM_TRANSPORT_FAILURE_REASON", "UPSTREAM_TRANSPORT_FAILURE_REASON", "UPSTREAM_TLS_VERSION", "UPSTREAM_PEER_SUBJECT",
                   "UPSTREAM_SERVER_NAME", "RESPONSE_FLAGS")
WORDS = "the reason is OpenSSL's in BoringSSL's form"
for title, transport, ca in (("log fields of TLS", upstream(sni="a.example"), CA), ("log fields of TLS that fails", upstream(common_tls_context={"validation_context": {"trusted_ca": {"filename": Authority("fields stranger").pem}}}), CA)):
    g = group(title, secured(downstream(PAIR), hcm_more={"access_log": [log(HANDSHAKES)]}, clusters=[cluster("web", "@UPSTREAM@", transport_socket=transport)]))
    g.upstream_tls = server(PAIR)
    g.case("a request", get("/"), tls=Client(), entries=11)
    g.case("two requests", get("/", wait=True), get("/"), tls=Client(), entries=22)
g = group("log fields of a plain connection", logging(log(HANDSHAKES)))
g.case("a request", get("/"), status=200, entries=11)
g.case("an upstream that closes", get("/", wait=True), get("/"), upstream=[answer(), scripted([b"nonsense", CLOSE])], status=200, entries=22)
g = group("log fields of a refused connection", logging(log(HANDSHAKES), vhosts=[vhost(route("refused"))]))
g.case("a request", get("/"), status=503, entries=11)

# --- How connections end ---

ENDS = lines("RESPONSE_CODE", "RESPONSE_FLAGS", "RESPONSE_CODE_DETAILS", "CONNECTION_TERMINATION_DETAILS", "DOWNSTREAM_DETECTED_CLOSE_TYPE", "DOWNSTREAM_LOCAL_CLOSE_REASON", "ACCESS_LOG_TYPE")
OWN_WORDS = "what is wrong with a request is said in words of our own"
LINGER = "Envoy's own timer closes the connection a second later, and is the reason; here it is the fault itself, or nothing"
for title, tree in (("log ends of requests", logging(log(ENDS), vhosts=[vhost(route())])),
                    ("log ends of connections", proxy(listener_more={"access_log": [log(ENDS)]}, hcm_more={"common_http_protocol_options": {"idle_timeout": "0.4s", "max_requests_per_connection": 3}}))):
    g = group(title, tree)
    of_requests = "requests" in title
    g.case("a request", get("/"), status=200, entries=7)
    g.case("a client that goes", get("/", abandon=True), upstream=[answer(delay=0.4)], settle=0.6, entries=7)
    g.case("a malformed request", raw("GET / HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n"), status=400, entries=7, settle=1.3, differs=None if of_requests else OWN_WORDS)
    g.case("no HTTP", raw("nonsense\r\n\r\n"), status=400, entries=7, settle=1.3, differs=None if of_requests else OWN_WORDS)
    g.case("an upstream that breaks off", get("/"), upstream=[scripted([b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", 0.1, CLOSE])], status=200, entries=7, settle=0.2,
           differs="an end within a body is a lost connection (UC); Envoy's parser calls it a protocol error (UPE)" if of_requests else LINGER)
    g.case("HTTP/2", h2_get("/"), status=200, entries=7)
    g.case("HTTP/2 with a bad request", h2_request(fields=[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), ("X-Upper", "1")]), entries=7,
           differs="a malformed message resets its stream alone; Envoy closes the connection unless override_stream_error_on_invalid_http_message is set")
    g.case("HTTP/2 of which the client resets a stream", h2_get("/", reset_after=0.1), upstream=[answer(delay=0.4)], entries=7, settle=0.5)
    g.case("HTTP/2 that is none", raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense" * 3), entries=7 if not of_requests else 0, settle=1.3, differs="each tells its own settings before it says what is wrong")
    if not of_requests:
        g.case("a client that says nothing", raw("", 1.0), entries=7, linger=0.1)
        g.case("the last of three requests", get("/", wait=True), get("/", wait=True), get("/"), status=200, entries=7, settle=1.2)
g = group("log ends of handshakes", secured(downstream(PAIR), listener_more={"access_log": [log(ENDS)]}))
g.config["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket_connect_timeout"] = "0.4s"
g.case("a client that says nothing", raw("", 0.9), entries=7, linger=0.1)

# --- Tunnels ---

TUNNEL = "%ACCESS_LOG_TYPE% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST% %RESPONSE_CODE_DETAILS%\n"
CONNECTS = {"match": {"connect_matcher": {}}, "route": {"cluster": "web", "upgrade_configs": [{"upgrade_type": "CONNECT"}]}}
for flag in (False, True):
    g = group(f"log of tunnels {flag}", logging(log(TUNNEL), vhosts=[vhost(CONNECTS, route())], access_log_options={"flush_log_on_tunnel_successfully_established": flag},
                                                upgrade_configs=[{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]))
    n = 1 + flag
    ENDED = "a client that ends its direction of a tunnel has not gone: that is passed on, and the tunnel ends in its time"
    g.case("a WebSocket", asks("/", 0.2, "hello", 0.2, half_close=True), upstream=[switch(echoing, CLOSE)], status=101, entries=n, differs=ENDED)
    g.case("a WebSocket refused", asks("/"), upstream=[answer(403, body="no")], status=403, entries=1)
    g.case("a request", get("/"), status=200, entries=1)
    g.case("CONNECT", raw("CONNECT a.example:1 HTTP/1.1\r\nhost: a.example:1\r\n\r\n", 0.2, "hello", 0.2, half_close=True, method="CONNECT"),
           upstream=[switch(echoing, CLOSE, status="200 OK", headers=())], entries=n, differs=ENDED)
