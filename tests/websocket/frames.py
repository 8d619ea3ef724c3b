"""WebSocket by hand (RFC 6455): frames of every kind, right or wrong, and their reader."""
import base64
import hashlib
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(b"weir tests a key")


def accept(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def mask(key, data):
    if not data:
        return b""
    whole = (key * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big")


def frame(opcode, payload=b"", fin=True, rsv=0, key=b"\x37\xfa\x21\x3d", wide=False):
    """A frame; masked where there is a key. `wide` writes the length in eight bytes although fewer would do."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    masked, size = (0x80 if key else 0), len(payload)
    if wide or size > 0xffff:
        head = struct.pack(">BBQ", first, masked | 127, size)
    elif size > 125:
        head = struct.pack(">BBH", first, masked | 126, size)
    else:
        head = struct.pack(">BB", first, masked | size)
    return head + (key + mask(key, payload) if key else payload)


def close(code=None, reason=b"", **more):
    return frame(CLOSE, (struct.pack(">H", code) if code is not None else b"") + reason, **more)


def first(data):
    """The first whole frame in the bytes: (fin, rsv, opcode, masked, payload, size); None where there is none yet."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7f, 2
    if size > 125:
        wide = 2 if size == 126 else 8
        if len(data) < 2 + wide:
            return None
        size, at = int.from_bytes(data[2:2 + wide], "big"), 2 + wide
    masked = data[1] >> 7
    key = bytes(data[at:at + 4]) if masked else b""
    at += len(key)
    if (masked and len(key) < 4) or len(data) < at + size:
        return None
    payload = bytes(data[at:at + size])
    return data[0] >> 7, data[0] >> 4 & 7, data[0] & 15, masked, mask(key, payload) if masked else payload, at + size
