"""The cases: what a client sends, by the subjects of Autobahn's categories 1 to 7, 9 and 10.

A case is a name and pieces of bytes; each piece is one write. What must come back is what comes back without a proxy.
"""
from frames import BINARY, CLOSE, PING, PONG, TEXT, close, frame

CASES = []
END = close(1000)


def case(name, *pieces):
    CASES.append((name, pieces))


def chopped(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def parts(kind, payload, size):
    """A message in frames of that size."""
    pieces = chopped(payload, size) or [b""]
    return [frame(kind if at == 0 else 0, piece, fin=at == len(pieces) - 1) for at, piece in enumerate(pieces)]


def framing():
    for kind, word in ((TEXT, "text"), (BINARY, "binary")):
        for size in (0, 125, 126, 127, 128, 65535, 65536):
            case(f"1 framing: {word} of {size}", frame(kind, b"*" * size) + END)
        case(f"1 framing: {word} of 65536 in writes of 997", *chopped(frame(kind, b"*" * 65536) + END, 997))
        case(f"1 framing: {word} of 5, length in eight bytes", frame(kind, b"hello", wide=True) + END)


def pings():
    case("2 ping: empty", frame(PING) + END)
    for size in (1, 5, 125):
        case(f"2 ping: of {size}", frame(PING, b"\xff\x00p" * 42 if size == 125 else b"p" * size) + END)
    case("2 ping: of 126", frame(PING, b"p" * 126))
    case("2 ping: of 125 in single bytes", *chopped(frame(PING, b"p" * 125) + END, 1))
    case("2 pong: unasked, empty", frame(PONG) + END)
    case("2 pong: unasked", frame(PONG, b"unasked") + END)
    case("2 pong: unasked, then ping", frame(PONG, b"unasked") + frame(PING, b"ping") + END)
    case("2 ping: ten", b"".join(frame(PING, b"%d" % at) for at in range(10)) + END)
    case("2 ping: ten in single bytes", *chopped(b"".join(frame(PING, b"%d" % at) for at in range(10)) + END, 1))


def reserved():
    for rsv in range(1, 8):
        case(f"3 reserved bits {rsv}", frame(TEXT, b"hello") + frame(TEXT, b"bad", rsv=rsv) + frame(PING))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        case(f"4 opcode {opcode}", frame(TEXT, b"hello") + frame(opcode, b"bad" if opcode % 2 else b"") + frame(PING))
        case(f"4 opcode {opcode} alone", frame(opcode, b"bad"))


def fragments():
    for at, word in ((PING, "ping"), (PONG, "pong")):
        case(f"5 fragments: of a {word}", frame(at, b"frag", fin=False) + frame(0, b"ment"))
    for how in (0, 1, 3):
        whole = frame(TEXT, b"frag", fin=False), frame(0, b"ment")
        between = frame(TEXT, b"frag", fin=False), frame(PING, b"ping"), frame(0, b"ment")
        for word, pieces in (("two", whole), ("two, a ping between", between)):
            data = b"".join(pieces) + END
            case(f"5 fragments: {word}, {('one write', 'a write each', '', 'single bytes')[how]}",
                 *([data] if how == 0 else [*pieces, END] if how == 1 else chopped(data, 1)))
    case("5 fragments: continuation of nothing", frame(0, b"x") + frame(TEXT, b"hello"))
    case("5 fragments: continuation of nothing, more to come", frame(0, b"x", fin=False) + frame(TEXT, b"hello"))
    case("5 fragments: continuation behind a message", frame(TEXT, b"hello") + frame(0, b"x"))
    case("5 fragments: a message within a message", frame(TEXT, b"a", fin=False) + frame(TEXT, b"b") + frame(0, b"c"))
    case("5 fragments: binary within text", frame(TEXT, b"a", fin=False) + frame(BINARY, b"b", fin=False))
    case("5 fragments: five with pings", b"".join(frame(TEXT if at == 0 else 0, b"part", fin=at == 4) + frame(PING, b"p") for at in range(5)) + END)
    case("5 fragments: empty ones", frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) + frame(0) + END)
    case("5 fragments: empty ones around", frame(TEXT, b"", fin=False) + frame(0, b"mid", fin=False) + frame(0) + END)
    for size in (1, 7, 64):
        case(f"5 fragments: of {size}", b"".join(parts(BINARY, b"f" * 512, size)) + END)


VALID = {
    "words": "Hello-µ@ßöäüàá-UTF-8!!", "greek": "κόσμε", "nothing": "", "NUL": "\0", "first of 2 bytes": "\x80", "first of 3": "ࠀ", "first of 4": "\U00010000",
    "last of 1": "\x7f", "last of 2": "߿", "last of 3": "￿", "last of all": "\U0010ffff", "before the surrogates": "퟿", "behind the surrogates": "",
    "replacement": "�", "no character": "￾", "no character of 4 bytes": "\U0001fffe", "the last plane": "\U0010fffe", "emoji": "\U0001f600\U0001f680",
}
INVALID = {
    "continuation alone": b"\x80", "last continuation alone": b"\xbf", "two continuations": b"\x80\xbf", "six continuations": b"\x80\xbf" * 3,
    "every continuation": bytes(range(0x80, 0xc0)), "first byte of 2 and a space": b"\xc3 ", "first byte of 3 and a space": b"\xe2 ", "first byte of 4 and a space": b"\xf0 ",
    "half of 2": b"\xc3", "two of 3": b"\xe2\x82", "three of 4": b"\xf0\x9f\x98", "two of 3, then a letter": b"\xe2\x82a", "FE": b"\xfe", "FF": b"\xff", "FE FE FF FF": b"\xfe\xfe\xff\xff",
    "slash in 2 bytes": b"\xc0\xaf", "slash in 3": b"\xe0\x80\xaf", "slash in 4": b"\xf0\x80\x80\xaf", "slash in 5": b"\xf8\x80\x80\x80\xaf", "slash in 6": b"\xfc\x80\x80\x80\x80\xaf",
    "longest 2": b"\xc1\xbf", "longest 3": b"\xe0\x9f\xbf", "longest 4": b"\xf0\x8f\xbf\xbf", "NUL in 2": b"\xc0\x80", "NUL in 3": b"\xe0\x80\x80",
    "first surrogate": b"\xed\xa0\x80", "last surrogate": b"\xed\xbf\xbf", "a pair of surrogates": b"\xed\xa0\x80\xed\xb0\x80", "beyond the last": b"\xf4\x90\x80\x80",
    "5 bytes": b"\xf8\x88\x80\x80\x80", "6 bytes": b"\xfc\x84\x80\x80\x80\x80", "greek, then a surrogate": "κόσμε".encode() + b"\xed\xa0\x80edited",
}


def utf8():
    texts = [(name, value.encode()) for name, value in VALID.items()] + list(INVALID.items())
    for name, data in texts:
        case(f"6 UTF-8: {name}", frame(TEXT, data) + END)
        case(f"6 UTF-8: {name}, a frame for each byte", b"".join(parts(TEXT, data, 1)) + END)
        case(f"6 UTF-8: {name}, a write for each byte", *chopped(frame(TEXT, data) + END, 1))


def closing():
    case("7 close: at once", END)
    case("7 close: message, then close", frame(TEXT, b"hello") + END)
    case("7 close: twice", END + END)
    case("7 close: a ping behind", END + frame(PING))
    case("7 close: a message behind", END + frame(TEXT, b"late"))
    case("7 close: within a message", frame(TEXT, b"frag", fin=False) + END + frame(0, b"ment"))
    case("7 close: 256 KiB, then close, then a ping", frame(TEXT, b"B" * 262144) + END + frame(PING))
    case("7 close: empty", close())
    case("7 close: one byte", frame(CLOSE, b"x"))
    for size in (5, 123):
        case(f"7 close: reason of {size}", close(1000, b"r" * size))
    case("7 close: reason of 124", close(1000, b"r" * 124))
    case("7 close: reason that is no UTF-8", close(1000, b"\xce\xba\xed\xa0\x80"))
    case("7 close: in fragments", frame(CLOSE, b"\x03\xe8", fin=False) + frame(0, b""))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        case(f"7 close: code {code}", close(code))
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
        case(f"7 close: code {code}", close(code))
    case("7 close: no close, the end", frame(TEXT, b"hello"))


def sizes(most):
    for kind, word in ((TEXT, "text"), (BINARY, "binary")):
        for size in (1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24):
            if size <= most:
                case(f"9 size: {word} of {size >> 10} KiB", frame(kind, b"*" * size) + END)
        for piece in (64, 1024, 16384, 65536):
            case(f"9 size: {word} of 256 KiB in frames of {piece}", b"".join(parts(kind, b"*" * (1 << 18), piece)) + END)
            case(f"9 size: {word} of 256 KiB in writes of {piece}", *chopped(frame(kind, b"*" * (1 << 18)) + END, max(piece, 512)))
        for size in (0, 16, 64, 256, 1024, 4096):
            case(f"9 number: 500 {word} of {size}", *[frame(kind, b"*" * size)] * 500, END)
    case("10 mixed: 64 KiB in frames of 1,300", b"".join(parts(TEXT, b"*" * 65536, 1300)) + END)
    case("10 mask: zero", frame(TEXT, b"hello", key=b"\0\0\0\0") + END)
    case("10 mask: of the text", frame(TEXT, b"hello", key=b"hell") + END)
    case("10 mask: none", frame(TEXT, b"hello", key=b""))


def all_cases(most):
    if not CASES:
        for some in (framing, pings, reserved, fragments, utf8, closing):
            some()
        sizes(most)
    return CASES
