"""Floods and bombs: what a client may send without end, or for which it makes a server hold more than it sent.

An attack is a generator of pieces to send on a fresh connection. `closes`: the peer must end the connection before the attack is out of
pieces. `kept_out`: none of its requests may reach the origin (but the first, which prepares it). `holds`: seconds for which it then keeps
the connection as it is.
"""
import dataclasses
import struct
import typing

from frames import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, RST_STREAM, SETTINGS,
                    WINDOW_UPDATE, frame, literal, number, request, settings)

MANY = 60000


@dataclasses.dataclass
class Attack:
    name: str
    pieces: typing.Callable   # () -> generator of (bytes, frames).
    closes: bool = True
    kept_out: bool = False
    holds: float = 0.0
    first: bytes = None       # The settings to begin with.


ATTACKS = []


def attack(name, **more):
    def declare(pieces):
        ATTACKS.append(Attack(name, pieces, **more))
        return pieces
    return declare


def headers(stream, block, end=True):
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def streams(count):
    return range(1, 2 * count, 2)


def same(piece, count=MANY, batch=50):
    for _ in range(count // batch):
        yield piece * batch, batch


def on_a_stream(piece, count=MANY):
    yield headers(1, request(b"POST"), end=False), 1
    yield from same(piece, count)


@attack("PING")
def _():
    return same(frame(PING, payload=b"12345678"))


@attack("SETTINGS")
def _():
    return same(settings(window=65535))


@attack("SETTINGS acknowledged unasked", closes=False)
def _():
    return same(frame(SETTINGS, ACK), 20000)


@attack("empty DATA")
def _():
    return on_a_stream(frame(DATA, 0, 1))


@attack("DATA of padding alone")
def _():
    return on_a_stream(frame(DATA, PADDED, 1, b"\x08" + b"\0" * 8))


@attack("empty CONTINUATION")
def _():
    yield frame(HEADERS, END_STREAM, 1, request()), 1
    yield from same(frame(CONTINUATION, 0, 1))


@attack("CONTINUATION with fields")
def _():
    yield frame(HEADERS, END_STREAM, 1, request()), 1
    yield from same(frame(CONTINUATION, 0, 1, literal(b"x-a", b"b" * 1000)), 20000, 10)


@attack("PRIORITY")
def _():
    return same(frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 16)))


@attack("PRIORITY of ever new streams")
def _():
    for stream in streams(MANY):
        yield frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 16)), 1


@attack("WINDOW_UPDATE of the connection")
def _():
    return same(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)))


@attack("WINDOW_UPDATE of a stream")
def _():
    return on_a_stream(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)))


@attack("rapid reset")
def _():
    for stream in streams(MANY):
        yield headers(stream, request()) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8)), 2


@attack("resets by the server: zero WINDOW_UPDATE")
def _():
    for stream in streams(MANY):
        yield headers(stream, request()) + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0)), 2


@attack("resets by the server: a stream that depends on itself")
def _():
    for stream in streams(MANY):
        yield headers(stream, request(b"POST"), end=False) + frame(PRIORITY, 0, stream, struct.pack(">IB", stream, 16)), 2


@attack("resets by the server: too much window")
def _():
    for stream in streams(MANY):
        yield headers(stream, request(b"POST"), end=False) + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", 0x7fffffff)), 2


@attack("resets by the server: bad fields")
def _():
    for stream in streams(MANY):
        yield headers(stream, request(more=literal(b"Upper", b"x"))), 1


@attack("RST_STREAM of ended streams")
def _():
    yield headers(1, request()), 1
    yield from same(frame(RST_STREAM, 0, 1, struct.pack(">I", 8)))


@attack("unknown frames", closes=False)
def _():
    return same(frame(0xbe, 0, 0, b"12345678"))


@attack("unknown frames of 16 KiB", closes=False)
def _():
    return same(frame(0xbe, 0, 0, b"x" * 16384), 2000, 1)


@attack("GOAWAY", closes=False)
def _():
    return same(frame(GOAWAY, payload=struct.pack(">II", 0, 0)), 20000)


@attack("2,000 table-size updates in each block")
def _():
    for stream in streams(2000):
        yield headers(stream, b"\x20\x3f\xe1\x1f" * 1000 + request()), 1


@attack("cookies by index: 16,000 fields from 16,000 bytes", closes=False, kept_out=True)
def _():
    yield headers(1, request(more=literal(b"cookie", b"a=b", kept=True))), 1
    for stream in list(streams(200))[1:]:
        yield headers(stream, request(more=number(0x80, 7, 62) * 16000)), 1


@attack("fields of 4,000 bytes by index", closes=False, kept_out=True)
def _():
    yield headers(1, request(more=literal(b"x-bomb", b"b" * 4000, kept=True))), 1
    for stream in list(streams(200))[1:]:
        yield headers(stream, request(more=number(0x80, 7, 62) * 16000)), 1


@attack("cookies of 4,000 bytes by index, no window", closes=False, holds=1, first=settings(window=0))
def _():
    yield headers(1, request(more=literal(b"cookie", b"b" * 4000, kept=True))), 1
    for stream in list(streams(100))[1:]:
        yield headers(stream, request(more=number(0x80, 7, 62) * 14)), 1


@attack("1 MB of fields in one block", closes=False, kept_out=True)
def _():
    yield frame(HEADERS, END_STREAM, 1, request()), 1
    for at in range(64):
        yield frame(CONTINUATION, END_HEADERS if at == 63 else 0, 1, literal(b"x-a", b"b" * 16000)), 1


@attack("3,000 streams that never end", closes=False, holds=2)
def _():
    for stream in streams(3000):
        yield headers(stream, request(b"POST"), end=False), 1


@attack("no window, 100 answers of 1 MB", closes=False, holds=2, first=settings(window=0))
def _():
    for stream in streams(100):
        yield headers(stream, request(path=b"/?bytes=1000000")), 1


@attack("a window of one byte at a time", closes=False, holds=0.5, first=settings(window=1))
def _():
    yield headers(1, request(path=b"/?bytes=1000000")), 1
    for _ in range(2000):
        yield frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)), 1


@attack("half a frame", closes=False, holds=0.5)
def _():
    yield frame(HEADERS, END_HEADERS, 1, request(b"POST", more=literal(b"x-a", b"b" * 8000)))[:4000], 1
