"""Access log lines, and what is written in the same language: header values, local replies, bodies of direct responses."""
from suite.config import TYPE, proxy, to_yaml, vhost
from suite.http import chunked, get, post, raw, request
from suite.model import group
from suite.upstream import CLOSE, answer, chunks, scripted

FILE = TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog"


def log(text=None, json=None, filter=None, **more):
    """One access log, to the file whose lines are compared."""
    config = {"@type": FILE, "path": "@FOLDER@/access"}
    if text is not None:
        config["log_format"] = {"text_format_source": {"inline_string": text}, **more}
    elif json is not None:
        config["log_format"] = {"json_format": json, **more}
    return {"name": "log", "typed_config": config, **({"filter": filter} if filter else {})}


def logging(*logs, vhosts=(), clusters=(), **more):
    return proxy(*vhosts, hcm_more={"access_log": list(logs), **more}, clusters=clusters)


# What needs no leniency, one operator a line.
STEADY = """PROTOCOL UPSTREAM_PROTOCOL RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)
CONNECTION_TERMINATION_DETAILS RESPONSE_FLAGS RESPONSE_FLAGS_LONG BYTES_RECEIVED BYTES_SENT BYTES_RETRANSMITTED
PACKETS_RETRANSMITTED UPSTREAM_REQUEST_ATTEMPT_COUNT ROUTE_NAME VIRTUAL_CLUSTER_NAME LOCAL_REPLY_BODY ACCESS_LOG_TYPE
CUSTOM_FLAGS TRACE_ID SPAN_ID ROUNDTRIP_DURATION DOWNSTREAM_HANDSHAKE_DURATION UPSTREAM_HOST UPSTREAM_HOST_NAME
UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT UPSTREAM_CLUSTER
UPSTREAM_CLUSTER_RAW UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_PORT
UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(8) DOWNSTREAM_REMOTE_ADDRESS
DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(16) DOWNSTREAM_DIRECT_REMOTE_ADDRESS
DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_PORT
DOWNSTREAM_DIRECT_LOCAL_ADDRESS DOWNSTREAM_DIRECT_LOCAL_PORT DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT
DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID STREAM_ID UNIQUE_ID GRPC_STATUS GRPC_STATUS(SNAKE_STRING) GRPC_STATUS(NUMBER)
GRPC_STATUS_NUMBER REQUESTED_SERVER_NAME REQUESTED_SERVER_NAME(SNI_FIRST) REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)
DOWNSTREAM_TLS_VERSION DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_LOCAL_URI_SAN UPSTREAM_TLS_CIPHER DOWNSTREAM_PEER_CERT_V_END
FILTER_CHAIN_NAME HOSTNAME ENVIRONMENT(CONFORMANCE_HOST_KEY) ENVIRONMENT(CONFORMANCE_HOST_KEY):4 ENVIRONMENT(none)
QUERY_PARAM(q) QUERY_PARAM(none) QUERY_PARAM(e):2 PATH PATH(NQ) PATH(WQ:ORIG) PATH(NQ:PATH):3 REQ(:METHOD)
REQ(X-ENVOY-ORIGINAL-PATH?:PATH) REQ(x-none?user-agent):3 REQ(x-a) REQUEST_HEADER(:authority) RESP(:status) RESP(x-up)
RESPONSE_HEADER(content-type) TRAILER(x-t) RESPONSE_TRAILER(grpc-status) REQ(content-length):0
METADATA(ROUTE:ns) METADATA(ROUTE:ns:k) METADATA(ROUTE:ns:k):1 METADATA(ROUTE:ns:o) METADATA(ROUTE:ns:o:x) METADATA(ROUTE:none)
METADATA(CLUSTER:ns:k) METADATA(UPSTREAM_HOST:ns) METADATA(VIRTUAL_HOST:ns:k) METADATA(LISTENER:ns) CLUSTER_METADATA(ns)
UPSTREAM_METADATA(ns:k) DYNAMIC_METADATA(ns) DYNAMIC_METADATA(ns:k) FILTER_STATE(x) FILTER_STATE(x:PLAIN) UPSTREAM_FILTER_STATE(x)
COMMON_DURATION(mine:DS_TX_END:ms) UPSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_TRANSPORT_FAILURE_REASON
UPSTREAM_WIRE_BYTES_SENT UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HEADER_BYTES_RECEIVED
DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED
RESPONSE_TRAILERS_BYTES COALESCE({"operators":["TRACE_ID",{"command":"REQ","param":"x-a"}]})
COALESCE({"operators":[{"command":"REQ","param":"user-agent","max_length":4},"PROTOCOL"]}):3""".split()
META = {"filter_metadata": {"ns": {"k": "value", "n": 7, "b": True, "o": {"x": "y", "l": [1, "a"]}}}}
WEB = {"name": "web", "type": "STATIC", "connect_timeout": "1s", "metadata": {"filter_metadata": {"ns": {"k": "of the cluster"}}},
       "load_assignment": {"cluster_name": "web", "endpoints": [{"lb_endpoints": [{
           "metadata": {"filter_metadata": {"ns": {"k": "of the host"}}},
           "endpoint": {"hostname": "up.example", "address": {"socket_address": {"address": "127.0.0.1", "port_value": "@UPSTREAM@"}}}}]}]}}
ROUTES = vhost(
    {"match": {"prefix": "/direct"}, "name": "direct", "direct_response": {"status": 202, "body": {"inline_string": "the body"}}},
    {"match": {"prefix": "/moved"}, "name": "moved", "redirect": {"path_redirect": "/new"}},
    {"match": {"prefix": "/refused"}, "name": "refused", "route": {"cluster": "refused"}},
    {"match": {"prefix": "/empty"}, "name": "empty", "route": {"cluster": "empty"}},
    {"match": {"prefix": "/unknown"}, "name": "unknown", "route": {"cluster_header": "x-cluster"}},
    {"match": {"prefix": "/rewrite"}, "name": "rewrite", "route": {"cluster": "web", "prefix_rewrite": "/new"}},
    {"match": {"prefix": "/slow"}, "name": "slow", "route": {"cluster": "web", "timeout": "0.2s"}},
    {"match": {"prefix": "/to"}, "name": "to", "route": {"cluster": "web"}, "metadata": META},
    metadata=META)

TEXT = "".join(f"{name.split('(')[0]} = %{name}%\n" for name in STEADY)
steady = group("access log operators", logging(log(TEXT), vhosts=[ROUTES], clusters=[WEB]))
N = len(STEADY)
HEADERS = {"user-agent": "agent \"x\"", "x-a": "1"}
steady.case("a request to an upstream", get("/to/a?q=1%202&e=long&e=2", headers=HEADERS), upstream=[answer(headers=[("x-up", "yes")])], status=200, entries=N)
steady.case("a request with a body", post("/to", "hello"), upstream=[answer(body="12345")], status=200, entries=N)
steady.case("a request and an answer in chunks", chunked("/to", [b"he", b"llo"]), upstream=[chunks(b"a", b"bc")], status=200, entries=N)
steady.case("a HEAD", request("HEAD", "/to"), upstream=[answer(body="12345")], status=200, entries=N)
steady.case("an answer without a body", get("/to"), upstream=[answer(status=204, body=None)], status=204, entries=N)
steady.case("a direct response", get("/direct?x"), status=202, entries=N)
steady.case("a redirect", get("/moved"), status=301, entries=N)
steady.case("no route", get("/nothing"), status=404, entries=N, differs="without a route the virtual host is not known, nor its metadata")
steady.case("an upstream that refuses", get("/refused"), status=503, entries=N)
steady.case("a cluster without endpoints", get("/empty"), status=503, entries=N)
steady.case("an unknown cluster", get("/unknown", headers={"x-cluster": "nobody"}), status=503, entries=N)
steady.case("a rewritten path", get("/rewrite/x?q=5"), status=200, entries=N)
steady.case("an upstream that is too slow", get("/slow"), upstream=[answer(delay=0.6)], status=504, settle=0.6, entries=N)
steady.case("an upstream that closes", post("/to", "x"), upstream=[scripted([CLOSE])], status=503, entries=N)
steady.case("a gRPC call", post("/to", "", headers={"content-type": "application/grpc"}), upstream=[answer(headers=[("content-type", "application/grpc"), ("grpc-status", "5")], body="")], status=200, entries=N)
steady.case("a gRPC call without an upstream", post("/refused", "", headers={"content-type": "application/grpc"}), status=200, entries=N)
steady.case("two requests of one connection", get("/to/1", wait=True), get("/direct"), status=200, entries=2 * N)

# Envoy's default line, but for its durations.
default = group("access log default format", logging(log(
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% '
    '%BYTES_SENT% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'), vhosts=[ROUTES]))
default.case("usual requests", get("/to", wait=True), post("/to/b?x", "abc", headers={"x-forwarded-for": "1.2.3.4"}, wait=True), get("/nothing"), entries=3)
default.case("a malformed request", raw("GET / HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n"), status=400, entries=1)
default.case("a malformed start line", raw("GARBAGE\r\n\r\n"), status=400, entries=1)
default.case("an unfinished head", raw("GET / HTTP/1.1\r\nhost: x\r\n", abandon=True), entries=0, settle=0.1)
default.case("a client that goes", request("GET", "/to", abandon=True), upstream=[answer(delay=0.5)], entries=1, settle=0.7,
             differs="sometimes: a client that is gone before the request was sent upstream costs the upstream nothing here")
default.case("without a host", raw("GET / HTTP/1.1\r\n\r\n"), status=400, entries=1,
             differs="a request without Host is refused while its head is read: the line has no headers of it")
default.case("HTTP/1.0", raw("GET / HTTP/1.0\r\n\r\n"), status=426, entries=1)
default.case("two at once", get("/to/1"), get("/to/2"), entries=2)
default.case("headers too large", get("/to", headers={"x-big": "a" * 70000}), status=431, entries=1)

VALUES = {"z": "%RESPONSE_CODE%", "absent": "%REQ(x-none)%", "mixed": "x %REQ(x-none)% %RESPONSE_CODE%", "quoted": '%RESP(x-up)%"\\', "number": 5,
          "fraction": 1.25, "truth": True, "nil": None, "object": {"k2": "%BYTES_SENT%", "k1": "%METADATA(ROUTE:ns)%"},
          "list": ["%PROTOCOL%", {"y": "%BYTES_RECEIVED%", "x": 1}, 3, "%REQ(x-none)%", None, []], "among text": "pre %METADATA(ROUTE:ns:o)% post",
          "key": "%METADATA(ROUTE:ns:k)%", "truth of metadata": "%METADATA(ROUTE:ns:b)%", "number of metadata": "%METADATA(ROUTE:ns:n)%",
          "flags": "%RESPONSE_FLAGS%", "reply": "%LOCAL_REPLY_BODY%", "grpc": "%GRPC_STATUS_NUMBER%", "empty": "", "percent": "100%%",
          "port": "%DOWNSTREAM_LOCAL_PORT%", "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "escaped": "\u00e9\u0001/<>", "cut": "%REQ(user-agent):2%",
          "bytes": "%REQ(x-bytes)%", "path": "%PATH%", "two": "%PROTOCOL%%RESPONSE_CODE%", "no object": {}, "flags cut": "%REQ(x-none?user-agent):3%"}
RAW = {"user-agent": 'a"b\\c', "x-bytes": "\xe9\xff\"\\\\/\t\xc3\xa9<"}
for name, more in (("json", {}), ("json without empty values", {"omit_empty_values": True}), ("json sorted", {"json_format_options": {"sort_properties": True}})):
    g = group(f"access log {name}", logging(log(json=VALUES, **more), vhosts=[ROUTES], clusters=[WEB]))
    g.case("a request to an upstream", get("/to?a", headers=RAW), upstream=[answer(headers=[("x-up", 'yes "q"')])], status=200, entries=1)
    g.case("a direct response", get("/direct"), status=202, entries=1)
    g.case("no route", post("/nothing", "abc"), status=404, entries=1)

omit = group("access log without empty values", logging(log("[%REQ(none)%] [%PROTOCOL%] [%UPSTREAM_HOST%] [%RESPONSE_FLAGS%] [%LOCAL_REPLY_BODY%] [%ROUTE_NAME%]\n", omit_empty_values=True), vhosts=[ROUTES]))
omit.case("a request to an upstream", get("/to"), status=200, entries=1)
omit.case("no route", get("/nothing"), status=404, entries=1)

times = group("access log times", logging(log("%START_TIME% %EMIT_TIME% %START_TIME_LOCAL% [%START_TIME(%Y)%] [%START_TIME(%E1 %Q x%%)%] [%START_TIME(text)%]\n"
                                                "%COMMON_DURATION(DS_RX_BEG:mine:us)% %DOWNSTREAM_PEER_CERT_V_START(%Y)%\n")))
times.case("formats", get(), status=200, entries=2)

started = group("access log at the start", logging(log("%ACCESS_LOG_TYPE% %RESPONSE_CODE% %REQ(:path)% %ROUTE_NAME% %BYTES_SENT% %RESP(:status)% %UPSTREAM_HOST%\n"), vhosts=[ROUTES],
                access_log_options={"flush_access_log_on_new_request": True}))
started.case("two lines", get("/to"), status=200, entries=2)
started.case("a direct response", get("/direct"), status=202, entries=2)
periodic = group("access log from time to time", logging(log("%ACCESS_LOG_TYPE% %RESPONSE_CODE% %REQ(:path)%\n"), vhosts=[ROUTES],
                 access_log_options={"access_log_flush_interval": "1s"}))
periodic.case("a long request", get("/to"), upstream=[answer(delay=1.4)], status=200, entries=2)

SHORT = "%RESPONSE_CODE% %RESPONSE_FLAGS% %REQ(:path)%\n"


def compare(field, op, value):
    return {field: {"comparison": {"op": op, "value": {"default_value": value, "runtime_key": "key"}}}}


def filtered(name, condition, requests, entries, **more):
    g = group(f"access log filter {name}", logging(log(SHORT, filter=condition), vhosts=[ROUTES]))
    g.case("entries", connections=[[request] for request in requests], entries=entries, **more)


USUAL = [get("/to"), get("/direct"), get("/nothing"), get("/refused"), get("/moved", headers={"x-a": "1"})]
filtered("status at least", compare("status_code_filter", "GE", 400), USUAL, 2)
filtered("status equal", compare("status_code_filter", "EQ", 202), USUAL, 1)
filtered("status at most", compare("status_code_filter", "LE", 202), USUAL, 2)
filtered("status not equal", compare("status_code_filter", "NE", 404), USUAL, 4)
filtered("duration", compare("duration_filter", "GE", 3000), USUAL, 0)
filtered("any flag", {"response_flag_filter": {}}, USUAL, 2)
filtered("a flag", {"response_flag_filter": {"flags": ["NR", "UH"]}}, USUAL, 1)
filtered("header", {"header_filter": {"header": {"name": "x-a", "string_match": {"exact": "1"}}}}, USUAL, 1)
filtered("no health checks", {"not_health_check_filter": {}}, USUAL, 5)
filtered("and", {"and_filter": {"filters": [compare("status_code_filter", "GE", 300), {"response_flag_filter": {}}]}}, USUAL, 2)
filtered("or", {"or_filter": {"filters": [compare("status_code_filter", "EQ", 301), compare("status_code_filter", "EQ", 404)]}}, USUAL, 2)
filtered("all sampled", {"runtime_filter": {"runtime_key": "k", "percent_sampled": {"numerator": 100}}}, USUAL, 5)
filtered("none sampled", {"runtime_filter": {"runtime_key": "k"}}, USUAL, 0)
IDS = [get("/to", headers={"x-request-id": f"{n:08x}-7807-45b4-9183-cd0d0aaca6b8"}) for n in (0x00000000, 0x000003e7, 0x00000032, 0x7fffffff, 0x89abcdef, 0x00000005)]
filtered("sampled by id", {"runtime_filter": {"runtime_key": "k", "percent_sampled": {"numerator": 30}}}, IDS, 2)
filtered("type", {"log_type_filter": {"types": ["DownstreamEnd"]}}, USUAL, 5)
filtered("not the type", {"log_type_filter": {"types": ["DownstreamEnd"], "exclude": True}}, USUAL, 0)
GRPC = [post("/to", "", headers={"content-type": "application/grpc"}), post("/refused", "", headers={"content-type": "application/grpc"}), get("/nothing")]
filtered("gRPC status", {"grpc_status_filter": {"statuses": ["UNAVAILABLE"]}}, GRPC, 1)
filtered("not the gRPC status", {"grpc_status_filter": {"statuses": ["UNAVAILABLE"], "exclude": True}}, GRPC, 2)
filtered("no metadata", {"metadata_filter": {"matcher": {"filter": "ns", "path": [{"key": "k"}], "value": {"string_match": {"exact": "x"}}}}}, USUAL, 5)
filtered("no metadata, not found", {"metadata_filter": {"match_if_key_not_found": False, "matcher": {"filter": "ns", "path": [{"key": "k"}], "value": {"bool_match": True}}}}, USUAL, 0)

# ---- Header values

VALUES_OF_HEADERS = ["%PROTOCOL%", "%REQ(x-a)%", "[%REQ(x-none)%]", "%REQ(x-none)%", "100%% %RESPONSE_CODE%", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "%ROUTE_NAME%",
                     "%METADATA(ROUTE:ns:k)% %CLUSTER_METADATA(ns:k)%", "%HOSTNAME% %RESPONSE_FLAGS%", "%PATH(NQ)%", "%QUERY_PARAM(q)%", "%UPSTREAM_CLUSTER% %UPSTREAM_HOST%", "%RESP(x-up)%"]


def headers_to_add(prefix, **more):
    return [{"header": {"key": f"{prefix}{number}", "value": value}, **more} for number, value in enumerate(VALUES_OF_HEADERS)]


HEADER_ROUTES = vhost(
    {"match": {"prefix": "/to"}, "name": "to", "route": {"cluster": "web"}, "metadata": META, "request_headers_to_add": headers_to_add("x-rq-"),
     "response_headers_to_add": headers_to_add("x-rs-")},
    {"match": {"prefix": "/kept"}, "route": {"cluster": "web"}, "request_headers_to_add": headers_to_add("x-rq-", keep_empty_value=True),
     "response_headers_to_add": headers_to_add("x-rs-", keep_empty_value=True, append_action="OVERWRITE_IF_EXISTS_OR_ADD")},
    {"match": {"prefix": "/direct"}, "name": "d", "direct_response": {"status": 200, "body": {"inline_string": "x"}}, "response_headers_to_add": headers_to_add("x-rs-")},
    {"match": {"prefix": "/weighted"}, "name": "w", "route": {"weighted_clusters": {"clusters": [{"name": "web", "weight": 1, "request_headers_to_add": headers_to_add("x-rq-"),
     "response_headers_to_add": headers_to_add("x-rs-")}]}}},
    request_headers_to_add=[{"header": {"key": "x-host", "value": "%REQ(:authority)%"}}], response_headers_to_add=[{"header": {"key": "x-code", "value": "%RESPONSE_CODE%"}}])
values = group("operators in headers", proxy(HEADER_ROUTES, clusters=[WEB], route_config={"request_headers_to_add": [{"header": {"key": "x-id", "value": "%STREAM_ID%"}}]}))
for path in ("to", "kept", "direct", "weighted"):
    values.case(path, get(f"/{path}/a?q=5", headers={"x-a": "1"}), upstream=[answer(headers=[("x-up", "yes")])], status=200)

# ---- Direct responses and local replies

def direct(name, body, **format):
    return {"match": {"prefix": f"/{name}"}, "name": name, "direct_response": {"status": 200, **({"body": {"inline_string": body}} if body else {}), "body_format": format}}


bodies = group("formats of direct responses", proxy(vhost(
    direct("text", "given", text_format_source={"inline_string": "<%LOCAL_REPLY_BODY%> %RESPONSE_CODE% %REQ(:path)% %ROUTE_NAME%"}),
    direct("json", "given", json_format={"body": "%LOCAL_REPLY_BODY%", "path": "%REQ(:path)%"}),
    direct("typed", "given", text_format_source={"inline_string": "<p>%LOCAL_REPLY_BODY%</p>"}, content_type="text/html; charset=UTF-8"),
    direct("alone", None, text_format_source={"inline_string": "made [%LOCAL_REPLY_BODY%]"}))))
for path in ("text", "json", "typed", "alone"):
    bodies.case(path, get(f"/{path}"), status=200)


def mapper(condition, **more):
    return {"filter": condition, **more}


REPLIES = {"mappers": [
    mapper(compare("status_code_filter", "EQ", 404), status_code=410, body={"inline_string": "gone: %RESPONSE_CODE%"}, headers_to_add=[{"header": {"key": "x-why", "value": "%RESPONSE_CODE_DETAILS%"}}]),
    mapper({"response_flag_filter": {"flags": ["UF"]}}, body_format_override={"json_format": {"code": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%", "body": "%LOCAL_REPLY_BODY%"}}),
    mapper(compare("status_code_filter", "EQ", 503), body_format_override={"text_format_source": {"inline_string": "<p>%LOCAL_REPLY_BODY%</p>"}, "content_type": "text/html"}, status_code=500),
    mapper({"header_filter": {"header": {"name": "x-a", "present_match": True}}}, headers_to_add=[{"header": {"key": "server-was", "value": "%PROTOCOL%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]),
]}
for name, config in (("local replies", REPLIES), ("local replies with a format", {**REPLIES, "body_format": {"text_format_source": {"inline_string": "%RESPONSE_CODE%: %LOCAL_REPLY_BODY% (%REQ(:path)%)\n"}}})):
    g = group(name, logging(log("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_SENT%\n"), vhosts=[ROUTES], local_reply_config=config))
    g.case("no route", get("/nothing"), status=410, entries=1)
    g.case("an upstream that refuses", get("/refused"), status=503, entries=1)
    g.case("a cluster without endpoints", get("/empty"), status=500, entries=1)
    g.case("a direct response", get("/direct"), status=202, entries=1)
    g.case("a redirect with the header", get("/moved", headers={"x-a": "1"}), status=301, entries=1)
    g.case("a HEAD", request("HEAD", "/nothing"), status=410, entries=1)
    g.case("an upstream's own 404", get("/to"), upstream=[answer(status=404)], status=404, entries=1)
    g.case("a malformed request", raw("GET / HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n"), status=400, entries=1)
    g.case("gRPC", post("/refused", "", headers={"content-type": "application/grpc"}), status=200, entries=1)

# ---- What the configuration refuses

def check(name, text, accepted, **more):
    refusals.validation(name, to_yaml(logging(log(text))), accepted, **more)


refusals = group("access log formats refused")
for name, text in (("an unknown operator", "%FOO%"), ("no parameter", "%REQ%"), ("an empty parameter", "%REQ()%"), ("unbalanced", "x %REQ( y"), ("a lone percent", "100% sure"),
                   ("two alternatives", "%REQ(a?b?c)%"), ("a length that is none", "%REQ(a):x%"), ("a parameter too much", "%DURATION(x)%"), ("a length too much", "%DURATION:3%"),
                   ("a newline in times", "%START_TIME(%n)%"), ("a precision", "%COMMON_DURATION(a:b:s)%"), ("a path option", "%PATH(X)%"), ("a kind of metadata", "%METADATA(X:y)%"),
                   ("a form of gRPC status", "%GRPC_STATUS(X)%"), ("a header name", "%REQ(a b)%"), ("a blank", "% DURATION%"), ("a length of times", "%START_TIME(abc):3%"),
                   ("an option of the server name", "%REQUESTED_SERVER_NAME(X)%"), ("lower case", "%duration%")):
    check(name, text, False)
for name, text in (("percents", "%% %PROTOCOL%%%"), ("nothing", ""), ("a first alternative", "%REQ(?a)%"), ("length zero", "%REQ(a):0%"), ("two points", "%COMMON_DURATION(a:b)%")):
    check(name, text, True)
refusals.validation("a file that cannot be", to_yaml(proxy(hcm_more={"access_log": [{"name": "x", "typed_config": {"@type": FILE, "path": ""}}]})), False)
refusals.validation("an operator in a header", to_yaml(proxy(vhost({"match": {"prefix": "/"}, "route": {"cluster": "web"}, "request_headers_to_add": [{"header": {"key": "x", "value": "%FOO%"}}]}))), False)
