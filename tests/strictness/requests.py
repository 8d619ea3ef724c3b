"""The table of requests: bytes as a client may send them, and what must become of them.

A verdict is REFUSE (no complete request of it may reach the upstream), ACCEPT (it reaches the upstream as the requests
listed) or EITHER (a proxy may choose; what it forwards must still be the requests listed, where any are).
"""
import dataclasses

REFUSE, ACCEPT, EITHER = "refuse", "accept", "either"


@dataclasses.dataclass
class Case:
    subject: str
    name: str
    data: bytes
    verdict: str
    requests: list  # (method, target, body) as the upstream may see them; empty for REFUSE.
    quick: bool = False  # One of very many: the upstream is only waited for where the client got an answer from there.


CASES = []
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ONE = [("GET", "/", b"")]
HELLO = [("POST", "/", b"hello")]
EMPTY = [("POST", "/", b"")]


def table(subject, rows):
    for name, data, verdict, *requests in rows:
        CASES.append(Case(subject, name, data, verdict, requests[0] if requests else []))


def get(fields=b""):
    return GET + fields + b"\r\n"


def post(fields, body=b"hello"):
    return POST + fields + b"\r\n" + body


def line(text):
    return text + b"\r\nHost: h\r\n\r\n"


def host(value):
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def length(value):
    """A length that some read as 5 and others do not; what follows is a request to whoever reads 0."""
    return post(b"Content-Length: " + value + b"\r\n", b"hello")


def coding(value, body=b"0\r\n\r\n"):
    return post(b"Transfer-Encoding:" + value + b"\r\n", body)


def chunks(body):
    return CHUNKED + body


table("length", [
    ("one", length(b"5"), ACCEPT, HELLO),
    ("zero", post(b"Content-Length: 0\r\n", b""), ACCEPT, EMPTY),
    ("of a GET", GET + b"Content-Length: 5\r\n\r\nhello", ACCEPT, [("GET", "/", b"hello")]),
    ("blanks around it", length(b" \t5 \t"), ACCEPT, HELLO),
    ("leading zeros", length(b"005"), EITHER, HELLO),
    ("none, and no body", post(b"", b""), ACCEPT, EMPTY),
    ("none, and a request behind", post(b"", SMUGGLED), ACCEPT, [*EMPTY, ("GET", "/smuggled", b"")]),
    ("and chunked", post(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\nX"), REFUSE),
    ("behind chunked", post(b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", b"0\r\n\r\nX"), REFUSE),
    ("and chunked, a request within", post(b"Content-Length: 42\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED), REFUSE),
    ("and an unknown coding", post(b"Content-Length: 5\r\nTransfer-Encoding: x\r\n"), REFUSE),
    ("two that are equal", post(b"Content-Length: 5\r\nContent-Length: 5\r\n"), REFUSE),
    ("two that differ", post(b"Content-Length: 5\r\nContent-Length: 0\r\n"), REFUSE),
    ("two that differ, small letters", post(b"content-length: 0\r\nContent-Length: 5\r\n"), REFUSE),
    ("list of equal ones", length(b"5, 5"), REFUSE),
    ("list of different ones", length(b"5, 0"), REFUSE),
    ("with an empty member", length(b"5,"), REFUSE),
    ("plus", length(b"+5"), REFUSE),
    ("minus", length(b"-5"), REFUSE),
    ("hexadecimal", length(b"0x5"), REFUSE),
    ("underscore", length(b"0_5"), REFUSE),
    ("point", length(b"5.0"), REFUSE),
    ("exponent", length(b"5e0"), REFUSE),
    ("blank within", length(b"0 5"), REFUSE),
    ("quoted", length(b'"5"'), REFUSE),
    ("parameter", length(b"5;x"), REFUSE),
    ("empty", length(b""), REFUSE),
    ("a word", length(b"five"), REFUSE),
    ("2^63", length(b"9223372036854775808"), REFUSE),
    ("2^64 + 5", length(b"18446744073709551621"), REFUSE),
    ("2^32 + 5 as thirty digits", length(b"000000000000000000004294967301x"), REFUSE),
    ("vertical tab", length(b"\x0b5"), REFUSE),
    ("form feed behind", length(b"5\x0c"), REFUSE),
    ("NUL behind", length(b"5\x00"), REFUSE),
    ("digits of another script", length(b"\xd9\xa5"), REFUSE),
    ("blank before the colon", post(b"Content-Length : 5\r\n"), REFUSE),
    ("folded", post(b"Content-Length:\r\n 5\r\n"), REFUSE),
    ("underscore in the name", post(b"Content_Length: 5\r\n", b""), EITHER, EMPTY),
])

table("coding", [
    ("chunked", coding(b" chunked"), ACCEPT, EMPTY),
    ("capitals", post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"0\r\n\r\n"), ACCEPT, EMPTY),
    ("blanks around", coding(b" \tchunked \t"), ACCEPT, EMPTY),
    ("gzip", coding(b" gzip"), REFUSE),
    ("identity", coding(b" identity"), REFUSE),
    ("chunked, then gzip", coding(b" chunked, gzip"), REFUSE),
    ("gzip, then chunked", coding(b" gzip, chunked"), EITHER),
    ("chunked twice in a list", coding(b" chunked, chunked"), REFUSE),
    ("chunked twice in two fields", coding(b" chunked\r\nTransfer-Encoding: chunked"), REFUSE),
    ("chunked, then identity in a field", coding(b" chunked\r\nTransfer-Encoding: identity"), REFUSE),
    ("identity, then chunked in a field", coding(b" identity\r\nTransfer-Encoding: chunked"), REFUSE),
    ("empty", coding(b""), REFUSE),
    ("empty, then chunked", coding(b"\r\nTransfer-Encoding: chunked"), REFUSE),
    ("comma behind", coding(b" chunked,"), REFUSE),
    ("comma before", coding(b" ,chunked"), REFUSE),
    ("parameter", coding(b" chunked;q=1"), REFUSE),
    ("quoted", coding(b' "chunked"'), REFUSE),
    ("single quotes", coding(b" 'chunked'"), REFUSE),
    ("xchunked", coding(b" xchunked"), REFUSE),
    ("chunkedx", coding(b" chunkedx"), REFUSE),
    ("chunk", coding(b" chunk"), REFUSE),
    ("vertical tab before", coding(b" \x0bchunked"), REFUSE),
    ("vertical tab behind", coding(b" chunked\x0b"), REFUSE),
    ("form feed before", coding(b" \x0cchunked"), REFUSE),
    ("NUL behind", coding(b" chunked\x00"), REFUSE),
    ("no-break space before", coding(b" \xa0chunked"), REFUSE),
    ("long s and k of another script", coding(b" chun\xe2\x84\xaaed"), REFUSE),
    ("folded", coding(b"\r\n chunked"), REFUSE),
    ("folded behind", coding(b" chunked\r\n "), REFUSE),
    ("blank before the colon", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), REFUSE),
    ("tab before the colon", post(b"Transfer-Encoding\t: chunked\r\n", b"0\r\n\r\n"), REFUSE),
    ("NUL before the colon", post(b"Transfer-Encoding\x00: chunked\r\n", b"0\r\n\r\n"), REFUSE),
    ("blank before the name", GET + b" Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSE),
    ("behind a bare LF in a value", post(b"Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked\r\n"), REFUSE),
    ("behind a bare CR in a value", post(b"Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked\r\n"), REFUSE),
    ("underscore in the name", post(b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n"), EITHER, HELLO),
    ("of HTTP/1.0", b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REFUSE),
    ("te, not transfer-encoding", post(b"Content-Length: 5\r\nTE: chunked\r\n"), EITHER, HELLO),
])

table("chunk", [
    ("two", chunks(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), ACCEPT, HELLO),
    ("letters of both cases", chunks(b"aA\r\n" + b"x" * 170 + b"\r\n0\r\n\r\n"), ACCEPT, [("POST", "/", b"x" * 170)]),
    ("leading zeros", chunks(b"0005\r\nhello\r\n000\r\n\r\n"), EITHER, HELLO),
    ("extension", chunks(b"5;name=value\r\nhello\r\n0;x\r\n\r\n"), EITHER, HELLO),
    ("quoted extension", chunks(b'5;name="a;b"\r\nhello\r\n0\r\n\r\n'), EITHER, HELLO),
    ("trailer", chunks(b"5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), ACCEPT, HELLO),
    ("a request behind", chunks(b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED), ACCEPT, [*HELLO, ("GET", "/smuggled", b"")]),
    ("no size", chunks(b"\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("no hexadecimal digit", chunks(b"5g\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("plus", chunks(b"+5\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("minus", chunks(b"-5\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("minus zero", chunks(b"5\r\nhello\r\n-0\r\n\r\n"), REFUSE),
    ("0x", chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("underscore", chunks(b"0_5\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("blank before", chunks(b" 5\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("blank behind", chunks(b"5 \r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("tab before an extension", chunks(b"5\t;x\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("2^64 + 5", chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("2^32 + 5", chunks(b"100000005\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("2^63", chunks(b"8000000000000000\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("sixteen f", chunks(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("a hundred zeros", chunks(b"5\r\nhello\r\n" + b"0" * 100 + b"\r\n\r\n"), EITHER, HELLO),
    ("bare LF behind the size", chunks(b"5\nhello\r\n0\r\n\r\n"), REFUSE),
    ("bare CR behind the size", chunks(b"5\rhello\r\n0\r\n\r\n"), REFUSE),
    ("CR CR LF behind the size", chunks(b"5\r\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("bare LF in an extension", chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("bare CR in an extension", chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("NUL in an extension", chunks(b"5;a\x00b\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("data longer than said", chunks(b"3\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("data longer by one", chunks(b"4\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("data shorter than said", chunks(b"6\r\nhello\r\n0\r\n\r\n"), REFUSE),
    ("bare LF behind the data", chunks(b"5\r\nhello\n0\r\n\r\n"), REFUSE),
    ("bare CR behind the data", chunks(b"5\r\nhello\r0\r\n\r\n"), REFUSE),
    ("other bytes behind the data", chunks(b"5\r\nhelloXX0\r\n\r\n"), REFUSE),
    ("nothing behind the data", chunks(b"5\r\nhello0\r\n\r\n"), REFUSE),
    ("bare LF ends the last", chunks(b"5\r\nhello\r\n0\n\r\n"), REFUSE),
    ("bare LF ends the trailers", chunks(b"0\r\nX-T: 1\r\n\n"), REFUSE),
    ("bare LF in place of trailers", chunks(b"0\r\n\n"), REFUSE),
    ("blank before a trailer's colon", chunks(b"0\r\nX-T : 1\r\n\r\n"), REFUSE),
    ("trailer without a name", chunks(b"0\r\n: 1\r\n\r\n"), REFUSE),
    ("trailer without a colon", chunks(b"0\r\nX-T\r\n\r\n"), REFUSE),
    ("NUL in a trailer", chunks(b"0\r\nX-T: \x00\r\n\r\n"), REFUSE),
    ("folded trailer", chunks(b"0\r\nX-T: 1\r\n 2\r\n\r\n"), REFUSE),
    ("length as a trailer", chunks(b"5\r\nhello\r\n0\r\nContent-Length: 0\r\n\r\n"), EITHER, HELLO),
    ("coding as a trailer", chunks(b"5\r\nhello\r\n0\r\nTransfer-Encoding: x\r\n\r\n"), EITHER, HELLO),
    ("Host as a trailer", chunks(b"5\r\nhello\r\n0\r\nHost: evil\r\n\r\n"), EITHER, HELLO),
    ("64 KiB of extension", chunks(b"1;" + b"x" * 65536 + b"\r\na\r\n0\r\n\r\n"), REFUSE),
    ("4 KiB of extension on 64 chunks", chunks((b"1;" + b"x" * 4096 + b"\r\na\r\n") * 64 + b"0\r\n\r\n"), REFUSE),
    ("200 KB of trailers", chunks(b"0\r\n" + b"X-T: " + b"x" * 200000 + b"\r\n\r\n"), REFUSE),
    ("2,000 trailers", chunks(b"0\r\n" + b"X: 1\r\n" * 2000 + b"\r\n"), REFUSE),
])

table("field", [
    ("plain", get(b"X-A: 1\r\n"), ACCEPT, ONE),
    ("no value", get(b"X-A:\r\n"), ACCEPT, ONE),
    ("blanks around the value", get(b"X-A: \t 1 \t\r\n"), ACCEPT, ONE),
    ("tab within", get(b"X-A: a\tb\r\n"), ACCEPT, ONE),
    ("obs-text", get(b"X-A: caf\xc3\xa9\r\n"), EITHER, ONE),
    ("every sign of a token", get(b"!#$%&'*+-.^_`|~9aZ: 1\r\n"), EITHER, ONE),
    ("blank before the colon", get(b"X-A : 1\r\n"), REFUSE),
    ("tab before the colon", get(b"X-A\t: 1\r\n"), REFUSE),
    ("blank within the name", get(b"X A: 1\r\n"), REFUSE),
    ("no colon", get(b"X-A\r\n"), REFUSE),
    ("empty name", get(b": 1\r\n"), REFUSE),
    ("parentheses in the name", get(b"X(A): 1\r\n"), REFUSE),
    ("slash in the name", get(b"X/A: 1\r\n"), REFUSE),
    ("high byte in the name", get(b"X\xe9: 1\r\n"), REFUSE),
    ("NUL in the name", get(b"X\x00: 1\r\n"), REFUSE),
    ("control byte in the name", get(b"X\x01: 1\r\n"), REFUSE),
    ("pseudo header", get(b":path: /other\r\n"), REFUSE),
    ("NUL in the value", get(b"X-A: a\x00b\r\n"), REFUSE),
    ("control byte in the value", get(b"X-A: a\x01b\r\n"), REFUSE),
    ("vertical tab in the value", get(b"X-A: a\x0bb\r\n"), REFUSE),
    ("escape in the value", get(b"X-A: a\x1bb\r\n"), REFUSE),
    ("DEL in the value", get(b"X-A: a\x7f\r\n"), REFUSE),
    ("bare CR in the value", get(b"X-A: a\rb\r\n"), REFUSE),
    ("bare CR before the end", get(b"X-A: a\r\r\n"), REFUSE),
    ("bare LF ends it", get(b"X-A: a\nX-B: b\r\n"), REFUSE),
    ("folded with a blank", get(b"X-A: a\r\n b\r\n"), REFUSE),
    ("folded with a tab", get(b"X-A: a\r\n\tb\r\n"), REFUSE),
    ("first one folded", b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", REFUSE),
    ("folded Host", b"GET / HTTP/1.1\r\nHost:\r\n h\r\n\r\n", REFUSE),
    ("bare LF ends the head", GET + b"\n", REFUSE),
    ("bare LF everywhere", b"GET / HTTP/1.1\nHost: h\n\n", REFUSE),
    ("bare CR everywhere", b"GET / HTTP/1.1\rHost: h\r\r", REFUSE),
    ("100 KB in one", get(b"X: " + b"x" * 100000 + b"\r\n"), REFUSE),
    ("2,000 of them", get(b"X: 1\r\n" * 2000), REFUSE),
    ("2,000 cookies", get(b"Cookie: a=b\r\n" * 2000), REFUSE),
    ("a name of 70 KB", get(b"X" * 70000 + b": 1\r\n"), REFUSE),
])

table("request line", [
    ("empty lines before", b"\r\n" + get(), EITHER, ONE),
    ("bare LF before", b"\n" + get(), REFUSE),
    ("blank before", b" " + get(), REFUSE),
    ("two blanks before the target", line(b"GET  / HTTP/1.1"), REFUSE),
    ("two blanks before the version", line(b"GET /  HTTP/1.1"), REFUSE),
    ("blank at the end", line(b"GET / HTTP/1.1 "), REFUSE),
    ("tab before the target", line(b"GET\t/ HTTP/1.1"), REFUSE),
    ("tab before the version", line(b"GET /\tHTTP/1.1"), REFUSE),
    ("vertical tab before the version", line(b"GET /\x0bHTTP/1.1"), REFUSE),
    ("blank within the target", line(b"GET /a b HTTP/1.1"), REFUSE),
    ("a request within the target", line(b"GET / HTTP/1.1 HTTP/1.1"), REFUSE),
    ("no target", line(b"GET HTTP/1.1"), REFUSE),
    ("no version", line(b"GET /"), REFUSE),
    ("HTTP/0.9", b"GET /\r\n", REFUSE),
    ("method alone", line(b"GET"), REFUSE),
    ("at sign in the method", line(b"G@T / HTTP/1.1"), REFUSE),
    ("colon in the method", line(b"GET: / HTTP/1.1"), REFUSE),
    ("method in small letters", line(b"get / HTTP/1.1"), EITHER, [("get", "/", b"")]),
    ("unknown method", line(b"BREW / HTTP/1.1"), EITHER, [("BREW", "/", b"")]),
    ("HTTP/1.0", line(b"GET / HTTP/1.0"), EITHER, ONE),
    ("HTTP/1.2", line(b"GET / HTTP/1.2"), EITHER, ONE),
    ("HTTP/2.0", line(b"GET / HTTP/2.0"), REFUSE),
    ("HTTP/9.9", line(b"GET / HTTP/9.9"), REFUSE),
    ("small letters in the version", line(b"GET / http/1.1"), REFUSE),
    ("HTTP/1.10", line(b"GET / HTTP/1.10"), REFUSE),
    ("HTTP/01.1", line(b"GET / HTTP/01.1"), REFUSE),
    ("HTTP/1", line(b"GET / HTTP/1"), REFUSE),
    ("HTTP/1.", line(b"GET / HTTP/1."), REFUSE),
    ("HTTP/+1.1", line(b"GET / HTTP/+1.1"), REFUSE),
    ("HTTP 1.1", line(b"GET / HTTP 1.1"), REFUSE),
    ("XTTP/1.1", line(b"GET / XTTP/1.1"), REFUSE),
    ("ICY/1.1", line(b"GET / ICY/1.1"), REFUSE),
    ("bare CR within", line(b"GET /\rx HTTP/1.1"), REFUSE),
    ("bare LF at the end", b"GET / HTTP/1.1\nHost: h\r\n\r\n", REFUSE),
    ("NUL in the target", line(b"GET /\x00 HTTP/1.1"), REFUSE),
    ("control byte in the target", line(b"GET /\x01 HTTP/1.1"), REFUSE),
    ("DEL in the target", line(b"GET /\x7f HTTP/1.1"), REFUSE),
    ("UTF-8 in the target", line(b"GET /\xc3\xa9 HTTP/1.1"), EITHER),
    ("target of 100 KB", line(b"GET /" + b"x" * 100000 + b" HTTP/1.1"), REFUSE),
    ("a TLS client", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", REFUSE),
])

table("target and Host", [
    ("absolute form", b"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", ACCEPT, [("GET", "/x", b"")]),
    ("absolute form, another Host", b"GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n", EITHER, [("GET", "/x", b"")]),
    ("absolute form without a path", b"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", EITHER, ONE),
    ("absolute form with a user", line(b"GET http://u@h/ HTTP/1.1"), REFUSE),
    ("absolute form without an authority", line(b"GET http:///x HTTP/1.1"), REFUSE),
    ("absolute form, bad port", line(b"GET http://h:99999/ HTTP/1.1"), REFUSE),
    ("absolute form without Host", b"GET http://h/x HTTP/1.1\r\n\r\n", REFUSE),
    ("asterisk of OPTIONS", line(b"OPTIONS * HTTP/1.1"), EITHER, [("OPTIONS", "*", b"")]),
    ("asterisk of GET", line(b"GET * HTTP/1.1"), REFUSE),
    ("authority of GET", line(b"GET h:80 HTTP/1.1"), REFUSE),
    ("no slash", line(b"GET a HTTP/1.1"), REFUSE),
    ("query alone", line(b"GET ?a HTTP/1.1"), REFUSE),
    ("fragment", line(b"GET /a#b HTTP/1.1"), REFUSE),
    ("another scheme", line(b"GET ftp://h/x HTTP/1.1"), REFUSE),
    ("CONNECT", line(b"CONNECT h:80 HTTP/1.1") + SMUGGLED, REFUSE),
    ("path of two slashes", line(b"GET //h/x HTTP/1.1"), EITHER, [("GET", "//h/x", b"")]),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", REFUSE),
    ("two equal Hosts", host(b"h\r\nHost: h"), REFUSE),
    ("two Hosts", host(b"h\r\nHost: evil"), REFUSE),
    ("empty Host", host(b""), EITHER, ONE),
    ("port", host(b"h:80"), ACCEPT, ONE),
    ("IPv6 address", host(b"[::1]:80"), ACCEPT, ONE),
    ("list", host(b"a,b"), REFUSE),
    ("user", host(b"u@h"), REFUSE),
    ("blank within", host(b"a b"), REFUSE),
    ("slash", host(b"a/b"), REFUSE),
    ("backslash", host(b"a\\b"), REFUSE),
    ("query", host(b"h?x"), REFUSE),
    ("letters as port", host(b"h:8x"), REFUSE),
    ("port too great", host(b"h:99999"), REFUSE),
    ("bracket without an end", host(b"[::1"), REFUSE),
    ("UTF-8", host(b"caf\xc3\xa9"), REFUSE),
    ("NUL", host(b"h\x00evil"), REFUSE),
])

table("connection", [
    ("close", get(b"Connection: close\r\n"), ACCEPT, ONE),
    ("names a field", get(b"Connection: X-A\r\nX-A: 1\r\n"), EITHER, ONE),
    ("names x-forwarded-for", get(b"Connection: close, X-Forwarded-For\r\n"), EITHER, ONE),
    ("names Host", get(b"Connection: Host\r\n"), EITHER, ONE),
    ("names Content-Length", post(b"Connection: Content-Length\r\nContent-Length: 5\r\n"), EITHER, HELLO),
    ("names Transfer-Encoding", post(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), EITHER, HELLO),
    ("upgrade that is not on, a request behind", get(b"Connection: upgrade\r\nUpgrade: websocket\r\n") + SMUGGLED, EITHER, ONE),
    ("upgrade without a Connection", get(b"Upgrade: websocket\r\n"), ACCEPT, ONE),
    ("h2c with settings", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), EITHER, ONE),
    ("h2c smuggled through", get(b"Connection: Upgrade\r\nUpgrade: h2c\r\n"), EITHER, ONE),
    ("three requests at once", get() + post(b"Content-Length: 5\r\n") + get(), ACCEPT, [*ONE, *HELLO, *ONE]),
    ("a refused one between", get() + get(b"bad\r\n") + SMUGGLED, EITHER, ONE),
    ("Expect", post(b"Expect: 100-continue\r\nContent-Length: 5\r\n"), ACCEPT, HELLO),
    ("Expect something else", post(b"Expect: 200-ok\r\nContent-Length: 5\r\n"), EITHER, HELLO),
])


def mutations():
    """Every byte at nine places of a second length, with a body that is one request by the first length and two by the second."""
    body = b"0\r\n\r\n" + SMUGGLED
    whole = [("POST", "/", body)]
    name, value = b"Transfer-Encoding", b"chunked"
    places = {
        "before the name": lambda byte: byte + name + b": " + value, "within the name": lambda byte: name[:8] + byte + name[8:] + b": " + value,
        "for the hyphen": lambda byte: b"Transfer" + byte + b"Encoding: " + value, "before the colon": lambda byte: name + byte + b": " + value,
        "for the colon": lambda byte: name + byte + b" " + value, "behind the colon": lambda byte: name + b":" + byte + value,
        "within the value": lambda byte: name + b": chun" + byte + b"ked", "behind the value": lambda byte: name + b": " + value + byte,
        "at the end of another field": lambda byte: b"X: y" + byte + name + b": " + value,
    }
    return [Case("mutation", f"{number:#04x} {place}", post(b"Content-Length: %d\r\n" % len(body) + field(bytes([number])) + b"\r\n", body), EITHER, whole, True)
            for place, field in places.items() for number in range(256)]
