"""Plugins that write headers as no header may be: nothing of it reaches a wire as something else."""
import re

from suite.model import case
from suite.module import drop, module

ANY = (200, 400, 403, 404, 500, 502, 503, None)


def one_request_each(seen):
    """The upstream never saw more than what was asked for, nor a head that breaks its form."""
    for head in seen:
        first, *lines = head[:-4].split(b"\r\n")
        if len(first.split(b" ")) != 3 or b"" in first.split(b" "):
            return f"a broken request line reached the upstream: {first!r}"
        if any(b":" not in line or b"\n" in line or b"\r" in line or b"\0" in line for line in lines):
            return f"a broken field reached the upstream: {head[:300]!r}"
        if b"smuggled" in first:
            return "a smuggled request reached the upstream"
    return None


def sets(kind, name, value, export):
    return module({export: drop(f"(call $proxy_replace_header_map_value (i32.const {kind}) «{name}» «{value}»)") + "(i32.const 0)"})


for name, value in (("content-length", "0"), ("content-length", "999"), ("content-length", "-1"), ("content-length", "1, 2"), ("transfer-encoding", "chunked"), ("transfer-encoding", "x"),
                    (":method", ""), (":method", "GET /smuggled HTTP/1.1"), (":method", "\\r\\n"), (":path", ""), (":path", "no slash"), (":path", "/a b"), (":path", "/ HTTP/1.1\\r\\nx: y"),
                    (":authority", ""), (":authority", "a\\r\\nb: c"), (":scheme", "\\0"), (":unknown", "x"), ("x-a", "a\\r\\nGET /smuggled HTTP/1.1\\r\\n\\r\\n"), ("x-a", "a\\0b"), ("x b", "c"),
                    ("", "x"), ("x\\r\\ny", "z"), ("connection", "close, x-given"), ("upgrade", "websocket"), ("host", "other"), ("expect", "100-continue")):
    for method, body in (("GET", b""), ("POST", b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n")):
        case(f"{name or 'no name'}: {value or 'nothing'}, {method}", sets(0, name, value, "proxy_on_request_headers"), statuses=ANY, method=method, body=body, seen=one_request_each)
for name, value in (("content-length", "0"), ("content-length", "999"), ("content-length", "x"), ("transfer-encoding", "chunked"), (":status", ""), (":status", "1"), (":status", "99999"), (":status", "101"),
                    (":status", "abc"), ("x-a", "a\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n"), ("connection", "keep-alive"), ("", "x")):
    case(f"answer's {name or 'no name'}: {value or 'nothing'}", sets(2, name, value, "proxy_on_response_headers"), statuses=(*ANY, 101, 99, 600))
for label, data in (("no pairs", r"\00\00\00\00"), ("a count that lies", r"\ff\00\00\00\01\00\00\00\01\00\00\00a\00b\00"), ("a size that lies", r"\01\00\00\00\ff\ff\ff\7f\01\00\00\00a\00b\00"),
                    ("sizes that add up to nothing", r"\01\00\00\00\ff\ff\ff\ff\01\00\00\00a\00b\00"), ("a count of 2^31", r"\00\00\00\80"), ("half a count", r"\01\00")):
    length = len(re.sub(r"\\[0-9a-f]{2}", ".", data))
    case(f"pairs: {label}", module({"proxy_on_request_headers": drop(f"(call $proxy_set_header_map_pairs (i32.const 0) (i32.const 2048) (i32.const {length}))") + "(i32.const 0)"},
                                   more=f'(data (i32.const 2048) "{data}")'), statuses=ANY, seen=one_request_each)
