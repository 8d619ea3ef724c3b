"""The table of bad responses: bytes as an upstream may send them, and what the client may see of them.

BAD: the client gets 502, 503 or a connection cut before any answer, never the upstream's status. CUT: the head may be relayed, but the client
must be able to tell that the body is not whole (or gets 502). FINE: it is a response like any other, and is relayed.
In every case the next request is answered by its own response, and no text of `never` reaches the client.
"""
import dataclasses

BAD, CUT, FINE = "bad", "cut", "fine"


@dataclasses.dataclass
class Answer:
    name: str
    data: bytes
    verdict: str
    ends: bool = True        # The upstream closes behind it.
    never: bytes = b"evil"   # What must not reach the client as a field, a status or a second answer.
    method: bytes = b"GET"


OK = b"HTTP/1.1 200 OK\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nSet-Cookie: evil\r\nContent-Length: 4\r\n\r\nevil"


def head(fields, body=b""):
    return OK + fields + b"\r\n" + body


ANSWERS = [
    Answer("both lengths", head(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), BAD),
    Answer("two equal lengths", head(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"ok"), BAD),
    Answer("two different lengths", head(b"Content-Length: 2\r\nContent-Length: 4\r\n", b"okok"), BAD),
    Answer("list of lengths", head(b"Content-Length: 2, 2\r\n", b"ok"), BAD),
    Answer("negative length", head(b"Content-Length: -1\r\n", b"ok"), BAD),
    Answer("length with a plus", head(b"Content-Length: +2\r\n", b"ok"), BAD),
    Answer("hexadecimal length", head(b"Content-Length: 0x2\r\n", b"ok"), BAD),
    Answer("length of 2^64", head(b"Content-Length: 18446744073709551618\r\n", b"ok"), BAD),
    Answer("unknown coding", head(b"Transfer-Encoding: gzip\r\n", b"ok"), BAD),
    Answer("chunked twice", head(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), BAD),
    Answer("chunked of HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
    Answer("folded coding", head(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"), BAD),
    Answer("blank before a colon", head(b"Content-Length : 2\r\n", b"ok"), BAD),
    Answer("field without a colon", head(b"Content-Length: 2\r\nevil\r\n", b"ok"), BAD),
    Answer("empty field name", head(b"Content-Length: 2\r\n: evil\r\n", b"ok"), BAD),
    Answer("NUL in a field", head(b"Content-Length: 2\r\nX: \x00\r\n", b"ok"), BAD),
    Answer("control byte in a field", head(b"Content-Length: 2\r\nX: \x01\r\n", b"ok"), BAD),
    Answer("bare CR in a field", head(b"Content-Length: 2\r\nX: a\rSet-Cookie: evil\r\n", b"ok"), BAD),
    Answer("bare LF in a field", head(b"Content-Length: 2\r\nX: a\nSet-Cookie: evil\r\n", b"ok"), BAD),
    Answer("folded field", head(b"Content-Length: 2\r\nX: a\r\n evil\r\n", b"ok"), BAD),
    Answer("bare LF everywhere", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", BAD),
    Answer("bare CR in the reason", b"HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("empty line first", b"\r\n" + head(b"Content-Length: 2\r\n", b"ok"), BAD),
    Answer("no status", b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status 000", b"HTTP/1.1 000 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status 99", b"HTTP/1.1 99 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status 099", b"HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status 600", b"HTTP/1.1 600 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status 1000", b"HTTP/1.1 1000 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("status -200", b"HTTP/1.1 -200 x\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("HTTP/0.9", b"evil\r\n", BAD),
    Answer("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("ICY", b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok", BAD),
    Answer("nothing", b"", BAD),
    Answer("half a head", b"HTTP/1.1 200 OK\r\nContent-Le", BAD),
    Answer("101 that was not asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nevil", BAD),
    Answer("1,000 times 100", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + EVIL, BAD),
    Answer("1,000 times 103", b"HTTP/1.1 103 Early Hints\r\nLink: </evil>\r\n\r\n" * 1000 + EVIL, BAD),
    Answer("200 KB of fields", head(b"X: " + b"x" * 200000 + b"\r\n", b""), BAD),
    Answer("500 fields", head(b"X: 1\r\n" * 500, b""), BAD),
    Answer("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", BAD),
    Answer("204 in chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", BAD),
    Answer("bad chunk size", head(b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\nx\r\n"), CUT),
    Answer("chunk longer than said", head(b"Transfer-Encoding: chunked\r\n", b"2\r\nokok\r\n0\r\n\r\n"), CUT),
    Answer("chunks cut", head(b"Transfer-Encoding: chunked\r\n", b"5\r\nok"), CUT),
    Answer("no last chunk", head(b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n"), CUT),
    Answer("body cut", head(b"Content-Length: 5\r\n", b"ok"), CUT),
    Answer("body longer than said", head(b"Content-Length: 2\r\n", b"ok" + EVIL), FINE, ends=False),
    Answer("a second answer", head(b"Content-Length: 2\r\n", b"ok") + EVIL, FINE, ends=False),
    Answer("an answer behind 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n" + EVIL, FINE, ends=False),
    Answer("body of a HEAD", head(b"Content-Length: 4\r\n", b"evil"), FINE, ends=False, method=b"HEAD"),
    Answer("no length, then the end", head(b"", b"ok"), FINE),
    Answer("100, then the answer", b"HTTP/1.1 100 Continue\r\n\r\n" + head(b"Content-Length: 2\r\n", b"ok"), FINE, ends=False),
]
