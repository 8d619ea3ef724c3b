"""Timeouts of route, stream and connection manager, what gRPC asks for, and what upstreams are told of it."""
from suite.config import proxy, route, vhost
from suite.http import chunked, get, post, raw
from suite.model import group
from suite.upstream import answer, chunks, hang

STATS = (r"cluster\.web\.upstream_rq_(timeout|504|completed|5xx|total)|http\.ingress\.downstream_rq_(max_duration_reached|idle_timeout|timeout|header_timeout|4xx|5xx|completed)")
GRPC = {"content-type": "application/grpc"}
g = group("timeouts", proxy(vhost(
    route(match="/short", timeout="0.3s"), route(match="/none", timeout="0s", idle_timeout="0.4s"), route(match="/idle", idle_timeout="0.4s"),
    route(match="/max", max_stream_duration={"max_stream_duration": "0.4s"}), route(match="/lifted", max_stream_duration={"max_stream_duration": "0s"}),
    route(match="/empty", max_stream_duration={}), route(match="/header", max_stream_duration={"grpc_timeout_header_max": "0.4s"}),
    route(match="/any", max_stream_duration={"grpc_timeout_header_max": "0s"}), route(match="/offset", max_stream_duration={"grpc_timeout_header_max": "2s", "grpc_timeout_header_offset": "0.2s"}),
    route(match="/both", max_stream_duration={"max_stream_duration": "5s", "grpc_timeout_header_max": "0.4s"}),
    route(match="/oldany", max_grpc_timeout="0s"), route(match="/oldoffset", max_grpc_timeout="2s", grpc_timeout_offset="0.2s"), route(match="/old", max_grpc_timeout="0.4s"),
    route(match="/plain"))))
SLOW = [hang(1.2)]
g.case("of the route", get("/short"), upstream=SLOW, status=504, stats=STATS)
g.case("of the route, for a post", post("/short", "hello"), upstream=SLOW, status=504)
g.case("of the route, within the answer", get("/short"), upstream=[chunks(b"a", b"b", pause=0.4)], status=200)
g.case("of the route, counted from the request's end", chunked("/short", [b"a", b"b"], pause=0.25), status=200)
g.case("of the route, gRPC", post("/short", "", headers=GRPC), upstream=SLOW, status=200)
g.case("of silence", get("/idle"), upstream=SLOW, status=504, stats=STATS)
g.case("of silence, without another", get("/none"), upstream=SLOW, status=504)
g.case("of a request's silence", raw("POST /idle HTTP/1.1\r\nhost: test.example\r\ncontent-length: 10\r\n\r\nhello", patience=2.0), status=408, stats=STATS)
g.case("of silence within the answer", get("/idle"), upstream=[chunks(b"a", pause=0.7)], status=200)
g.case("of duration", get("/max"), upstream=SLOW, status=504, stats=STATS)
g.case("of duration, gRPC", post("/max", "", headers=GRPC), upstream=SLOW, status=200)
g.case("of duration, within the answer", get("/max"), upstream=[chunks(b"a", b"b", pause=0.25)], status=200)
g.case("of duration, within the request", raw("POST /max HTTP/1.1\r\nhost: test.example\r\ncontent-length: 10\r\n\r\nhello", patience=2.0), status=408)
g.case("of duration, lifted", get("/lifted"), status=200)
g.case("of duration, without a number", get("/empty"), status=200)
g.case("of duration, with a timeout that does not count", get("/empty"), upstream=[answer(delay=0.3)], status=200)
for path in ("/header", "/any", "/offset", "/both", "/old", "/oldany", "/oldoffset", "/plain", "/empty"):
    for asked in ("300m", "1S", None, "wrong", "0S"):
        fields = {**GRPC, **({"grpc-timeout": asked} if asked else {})}
        g.case(f"gRPC {path}, asking for {asked}", post(path, "", headers=fields), upstream=[answer(headers=[("grpc-status", "0")], body="", delay=0.05)], status=200,
               differs="sometimes: nothing goes upstream of a request whose time is over before it began" if asked == "0S" and path in ("/header", "/any", "/offset", "/both") else None)
g.case("gRPC /header, late", post("/header", "", headers={**GRPC, "grpc-timeout": "10S"}), upstream=SLOW, status=200, stats=STATS)
g.case("gRPC /offset, late", post("/offset", "", headers={**GRPC, "grpc-timeout": "500m"}), upstream=SLOW, status=200)
g.case("gRPC /old, late", post("/old", "", headers={**GRPC, "grpc-timeout": "10S"}), upstream=SLOW, status=200, stats=STATS)
g.case("grpc-timeout of another content type", post("/old", "", headers={"grpc-timeout": "300m"}), upstream=[answer(delay=0.1)], status=200)

m = group("timeouts of the manager", proxy(vhost(route(match="/longer", idle_timeout="5s", max_stream_duration={"max_stream_duration": "5s"}), route(match="/lifted", max_stream_duration={"max_stream_duration": "0s"}), route()),
                                           hcm_more={"common_http_protocol_options": {"max_stream_duration": "0.6s"}, "stream_idle_timeout": "0.4s", "request_timeout": "0.5s", "request_headers_timeout": "0.3s"}))
m.case("headers that do not come", raw("GET / HTTP/1.1\r\nhost: test.example\r\n", patience=2.0), status=408, stats=STATS)
m.case("a body that does not come", raw("POST /longer HTTP/1.1\r\nhost: test.example\r\ncontent-length: 10\r\n\r\nhello", patience=2.0), status=408, stats=STATS)
m.case("a silent stream", get(), upstream=SLOW, status=504, stats=STATS)
m.case("a long stream", get(), upstream=[chunks(b"a", b"b", b"c", b"d", pause=0.25)], status=200, stats=STATS)
m.case("the route allows more", get("/longer"), upstream=[answer(delay=0.9)], status=200)
m.case("the route allows any", get("/lifted"), upstream=[chunks(b"a", b"b", b"c", b"d", pause=0.25)], status=200)
