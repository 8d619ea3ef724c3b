"""Modules that are made to be expensive before they run: compiled in a process of their own, within limits."""
from suite.model import case

HEADER = b"\0asm\1\0\0\0"


def number(n):
    """LEB128."""
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def section(kind, content):
    return bytes([kind]) + number(len(content)) + content


def listed(items):
    return number(len(items)) + b"".join(items)


def name(text):
    return number(len(text)) + text.encode()


def plugin(*bodies, locals_=0):
    """A plugin with further functions (i32) -> i32 of these bodies, with so many locals each."""
    one = [listed([number(locals_) + b"\x7f"] if locals_ else []) + body + b"\x0b" for body in bodies]
    bodies = [b"\0\x41\x80\x20\x0b", b"\0\x0b", *one]
    return (HEADER + section(1, listed([b"\x60\0\0", b"\x60\1\x7f\1\x7f"])) + section(3, listed([b"\1", b"\0", *[b"\1"] * len(one)]))
            + section(5, listed([b"\0\1"]))
            + section(7, listed([name("memory") + b"\2\0", name("malloc") + b"\0\0", name("proxy_abi_version_0_2_1") + b"\0\1"]))
            + section(10, listed([number(len(each)) + each for each in bodies])))


def sums(size):
    return b"\x20\0" + b"\x41\7\x6a\x20\0\x73" * (size // 6)


def loops(count, locals_):
    """Each counts another of the locals down: every loop has a value for each of them."""
    each = [number(1 + i % locals_) for i in range(count)]
    return b"".join(b"\3\x40\x20" + one + b"\x41\1\x6b\x22" + one + b"\x0d\0\x0b" for one in each) + b"\x20\0"


case("a module above the limit of its size", code=HEADER + section(0, name("x") + bytes(64 << 20)), refused="above the limit of 67108864 bytes")
case("a small function that takes half a minute to compile", code=plugin(loops(9000, 1000), locals_=1000), flags=("--plugin-compile-s", "2"),
     refused="more than the limit of 2 s of processor time")
case("a function of five megabytes, which takes a gigabyte to compile", code=plugin(sums(5_000_000)), flags=("--plugin-compile-mb", "512", "--plugin-compile-s", "60"),
     refused="more than the limit of 512 MiB of memory", sanitized=False)
case("a million functions", code=plugin(*[b"\x20\0"] * 1_000_000), refused="functions count exceeds limit")
case("a function of eight megabytes", code=plugin(sums(8_000_000)), refused="")
