"""Requests that are wrong on purpose: framing, bytes and sizes. The upstream must never see what two parsers read differently."""
from suite.config import proxy
from suite.http import get, raw
from suite.model import group

HOST = "host: test.example\r\n"

# Envoy takes these; RFC 9112 lets or makes a server refuse them, and weir does, with 400.
STRICTER = {
    "space after a chunk size": "RFC 9112 7.1: only an extension may follow a chunk size",
    "chunk longer than said": "RFC 9112 7.1: CRLF must follow the chunk's data; Envoy drops what is there instead",
    "chunked twice": "RFC 9112 6.1: a malformed transfer coding is 400, not one that is merely unknown",
    "bad chunk size": "nothing of a request goes upstream whose first bytes already break its framing",
    "chunk size with 0x": "nothing of a request goes upstream whose first bytes already break its framing",
    "space before a chunk size": "nothing of a request goes upstream whose first bytes already break its framing",
    "empty chunk size": "nothing of a request goes upstream whose first bytes already break its framing",
    "bare LF after a chunk size": "nothing of a request goes upstream whose first bytes already break its framing",
    "bare LF in a chunk extension": "nothing of a request goes upstream whose first bytes already break its framing",
    "bare LF after a chunk": "RFC 9112 7.1: CRLF must follow the chunk's data",
    "bare CR in a value": "RFC 9112 2.2: a bare CR is invalid; Envoy removes it",
    "bare LF ends a field": "RFC 9112 2.2: weir takes no bare LF for a line's end",
    "bare LF after the request line": "RFC 9112 2.2: weir takes no bare LF for a line's end",
    "bare LF everywhere": "RFC 9112 2.2: weir takes no bare LF for a line's end",
    "folded field": "RFC 9112 5.2: a server must refuse or unfold; Envoy unfolds",
    "two hosts": "RFC 9112 3.2: a request with two Host fields must be refused; Envoy joins them by a comma",
    "host with a user": "RFC 9110 4.2.4: userinfo in an authority is an error",
    "two spaces": "RFC 9112 3: single spaces separate the parts of a request line",
    "tab for a space": "RFC 9112 3: single spaces separate the parts of a request line",
}


def stricter(name):
    return {"differs": STRICTER[name], "weir_status": 400} if name in STRICTER else {}


def post(headers, body=""):
    return raw(f"POST / HTTP/1.1\r\n{HOST}{headers}\r\n{body}", patience=1.5)


def ask(headers, host=HOST):
    return raw(f"GET / HTTP/1.1\r\n{host}{headers}\r\n", patience=1.5)


g = group("malformed", proxy())
CHUNKED = "transfer-encoding: chunked\r\n"
for name, headers, body in [
    ("both lengths", "content-length: 5\r\n" + CHUNKED, "0\r\n\r\n"),
    ("two different lengths", "content-length: 5\r\ncontent-length: 6\r\n", "hello"),
    ("two equal lengths", "content-length: 5\r\ncontent-length: 5\r\n", "hello"),
    ("a list of equal lengths", "content-length: 5, 5\r\n", "hello"),
    ("length with a plus", "content-length: +5\r\n", "hello"),
    ("negative length", "content-length: -5\r\n", "hello"),
    ("length in hex", "content-length: 0x5\r\n", "hello"),
    ("empty length", "content-length: \r\n", ""),
    ("length too great", "content-length: 99999999999999999999999\r\n", "hello"),
    ("unknown transfer coding", "transfer-encoding: gzip\r\n", "hello"),
    ("chunked is not last", "transfer-encoding: chunked, gzip\r\n", "0\r\n\r\n"),
    ("gzip and chunked", "transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n"),
    ("chunked twice", CHUNKED + CHUNKED, "0\r\n\r\n"),
    ("chunked in capitals", "Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n"),
    ("identity", "transfer-encoding: identity\r\n", ""),
    ("space before the colon of a length", "content-length : 5\r\n", "hello"),
    ("bad chunk size", CHUNKED, "zz\r\nhello\r\n0\r\n\r\n"),
    ("negative chunk size", CHUNKED, "-5\r\nhello\r\n0\r\n\r\n"),
    ("chunk size with 0x", CHUNKED, "0x5\r\nhello\r\n0\r\n\r\n"),
    ("chunk size too great", CHUNKED, "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    ("space before a chunk size", CHUNKED, " 5\r\nhello\r\n0\r\n\r\n"),
    ("space after a chunk size", CHUNKED, "5 \r\nhello\r\n0\r\n\r\n"),
    ("empty chunk size", CHUNKED, "\r\nhello\r\n0\r\n\r\n"),
    ("chunk longer than said", CHUNKED, "3\r\nhello\r\n0\r\n\r\n"),
    ("bare LF after a chunk size", CHUNKED, "5\nhello\r\n0\r\n\r\n"),
    ("bare LF after a chunk", CHUNKED, "5\r\nhello\n0\r\n\r\n"),
    ("bare LF in a chunk extension", CHUNKED, "5;a\nb\r\nhello\r\n0\r\n\r\n"),
    ("space before the colon of a trailer", CHUNKED, "5\r\nhello\r\n0\r\nx-t : 1\r\n\r\n"),
]:
    g.case(name, post(headers, body), **stricter(name))
for name, headers in [
    ("space before the colon", "x-a : 1\r\n"), ("no colon", "x-a\r\n"), ("empty name", ": 1\r\n"), ("NUL in a value", "x-a: a\0b\r\n"),
    ("NUL in a name", "x-\0a: b\r\n"), ("bare CR in a value", "x-a: a\rb\r\n"), ("bare LF ends a field", "x-a: a\nx-b: b\r\n"),
    ("folded field", "x-a: a\r\n b\r\n"), ("control byte in a value", "x-a: a\x01b\r\n"), ("DEL in a value", "x-a: a\x7fb\r\n"), ("space within a name", "x a: 1\r\n"),
    ("bad character in a name", "x(a): 1\r\n"), ("underscore in a name", "x_a: 1\r\n"), ("high byte in a name", "x\xe9: 1\r\n"), ("first field folded", ""),
    ("two hosts", "host: other.example\r\n"),
]:
    g.case(name, ask(headers) if name != "first field folded" else raw(f"GET / HTTP/1.1\r\n x: 1\r\n{HOST}\r\n", patience=1.5), **stricter(name))
g.case("host with a space", ask("", host="host: a b\r\n"))
g.case("host with a user", ask("", host="host: user@test.example\r\n"), **stricter("host with a user"))
g.case("host with a slash", ask("", host="host: a/b\r\n"))
g.case("empty host", ask("", host="host: \r\n"))
g.case("no host", ask("", host=""))
for name, line in [
    ("bare LF after the request line", f"GET / HTTP/1.1\n{HOST}\r\n"), ("bare LF everywhere", "GET / HTTP/1.1\nhost: test.example\n\n"),
    ("empty lines first", f"\r\n\r\nGET / HTTP/1.1\r\n{HOST}\r\n"), ("two spaces", f"GET  / HTTP/1.1\r\n{HOST}\r\n"), ("tab for a space", f"GET\t/ HTTP/1.1\r\n{HOST}\r\n"),
    ("no version", f"GET /\r\n{HOST}\r\n"), ("version 0.9", f"GET / HTTP/0.9\r\n{HOST}\r\n"), ("version 2.0", f"GET / HTTP/2.0\r\n{HOST}\r\n"),
    ("version 1.2", f"GET / HTTP/1.2\r\n{HOST}\r\n"), ("version in small letters", f"GET / http/1.1\r\n{HOST}\r\n"), ("space in the path", f"GET /a b HTTP/1.1\r\n{HOST}\r\n"),
    ("control byte in the path", f"GET /a\x01 HTTP/1.1\r\n{HOST}\r\n"), ("path without a slash", f"GET a HTTP/1.1\r\n{HOST}\r\n"),
    ("connect", "CONNECT test.example:80 HTTP/1.1\r\nhost: test.example:80\r\n\r\n"), ("method with a bad character", f"G@T / HTTP/1.1\r\n{HOST}\r\n"),
    ("not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rest of a TLS hello\r\n\r\n"), ("no method", f" / HTTP/1.1\r\n{HOST}\r\n"),
]:
    g.case(name, raw(line, patience=1.5), **stricter(name))
g.case("a good request, then a bad one", get("/1"), raw("BAD\r\n\r\n", patience=1.5), status=200)
g.case("a field at the limit of the head", get(headers={"x-big": "v" * 58_000}), status=200)
g.case("head over 60 KiB", get(headers={"x-big": "v" * 62_000}), status=431)
g.case("path over 60 KiB", get("/" + "p" * 62_000), status=431)
g.case("101 fields", get(headers=[(f"x-{n}", "v") for n in range(101)]), status=431)
g.case("99 fields", get(headers=[(f"x-{n}", "v") for n in range(98)]), status=200)
g.case("endless head without an end", raw("GET / HTTP/1.1\r\nx-endless: " + "v" * 70_000, patience=1.5), status=431)
g.case("too many trailers", raw(f"POST / HTTP/1.1\r\n{HOST}{CHUNKED}\r\n0\r\n" + "x-t: 1\r\n" * 120 + "\r\n", patience=1.5),
       differs="trailers are counted against max_headers_count also where they are then dropped", weir_status=431)

small = group("small heads", proxy(hcm_more={"max_request_headers_kb": 1, "common_http_protocol_options": {"max_headers_count": 5}}))
small.case("over one KiB", get(headers={"x-big": "v" * 1200}), status=431)
small.case("six fields", get(headers=[(f"x-{n}", "v") for n in range(5)]), status=431)
small.case("five fields", get(headers=[(f"x-{n}", "v") for n in range(4)]), status=200)

lines = group("underscores", proxy(hcm_more={"common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"}}))
lines.case("rejected", get(headers={"x_a": "1"}), status=400)
drop = group("underscores dropped", proxy(hcm_more={"common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"}}))
drop.case("dropped", get(headers={"x_a": "1", "x-b": "2"}), status=200)
