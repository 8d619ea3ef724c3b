"""What stands between accept and the network filters: filter chain match, listener filters, their time-outs."""
import struct

from suite.config import TYPE, cluster, hcm, listener, proxy, vhost
from suite.model import group
from suite.plain import FIN

from topics.tcp import NETWORK, network, tcp

FILTER = TYPE + "envoy.extensions.filters.listener."
COUNTERS = (r"(proxy_proto|tls_inspector|http_inspector)\..*|downstream_cx_proxy_proto_error"
            r"|listener\.main\.(downstream_pre_cx_timeout|downstream_listener_filter_remote_close|no_filter_chain_match|downstream_cx_total)")


def lf(kind, **more):
    return {"name": kind, "typed_config": {"@type": FILTER + kind, **more}}


PROXY, TLS, HTTP = "proxy_protocol.v3.ProxyProtocol", "tls_inspector.v3.TlsInspector", "http_inspector.v3.HttpInspector"


def says(text, match=None):
    """A chain that tells that it was chosen."""
    chain = {"filters": [network("direct_response.v3.Config", response={"inline_string": text})]}
    return {**chain, "filter_chain_match": match} if match is not None else chain


def bootstrap(chains, filters=(), **more):
    tree = proxy(clusters=[cluster("plain", "@PLAIN@")])
    tree["static_resources"]["listeners"][0] = {**listener("main", "@LISTEN@", None), "stat_prefix": "main", "filter_chains": chains, "listener_filters": list(filters), **more}
    return tree


# --- PROXY protocol ---

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V4 = bytes([1, 2, 3, 4, 5, 6, 7, 8]) + struct.pack("!HH", 11, 22)


def v2(body=V4, command=1, family=0x11, version=2):
    return SIGNATURE + bytes([version << 4 | command, family]) + struct.pack("!H", len(body)) + body


HEADERS = {
    "v1 TCP4": b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n",
    "v1 TCP6": b"PROXY TCP6 ::1 2001:db8::1 11 22\r\n",
    "v1 families mixed": b"PROXY TCP4 1.2.3.4 ::1 11 22\r\n",
    "v1 wrong family": b"PROXY TCP4 ::1 ::1 11 22\r\n",
    "v1 one word too many": b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22 33\r\n",
    "v1 two spaces": b"PROXY TCP4  1.2.3.4 5.6.7.8 11 22\r\n",
    "v1 port too big": b"PROXY TCP4 1.2.3.4 5.6.7.8 65536 22\r\n",
    "v1 port zero": b"PROXY TCP4 1.2.3.4 5.6.7.8 0 22\r\n",
    "v1 address with a leading zero": b"PROXY TCP4 01.2.3.4 5.6.7.8 11 22\r\n",
    "v1 unknown": b"PROXY UNKNOWN\r\n",
    "v1 unknown and more": b"PROXY UNKNOWN a b c d\r\n",
    "v1 unknown misspelt": b"PROXY UNKNOWNx\r\n",
    "v1 UDP": b"PROXY UDP4 1.2.3.4 5.6.7.8 11 22\r\n",
    "v1 lower case": b"proxy TCP4 1.2.3.4 5.6.7.8 11 22\r\n",
    "v1 no second port": b"PROXY TCP4 1.2.3.4 5.6.7.8 11\r\n",
    "v1 from anywhere": b"PROXY TCP4 0.0.0.0 5.6.7.8 11 22\r\n",
    "v1 from a multicast address": b"PROXY TCP4 224.0.0.1 5.6.7.8 11 22\r\n",
    "v1 of 107 bytes": b"PROXY UNKNOWN " + b"a" * (107 - 16) + b"\r\n",
    "v2 TCP4": v2(),
    "v2 TCP6": v2(b"\0" * 15 + b"\1" + b"\0" * 15 + b"\2" + b"\0\1\0\2", family=0x21),
    "v2 local": v2(b"", command=0, family=0),
    "v2 local with addresses": v2(command=0),
    "v2 command 2": v2(command=2),
    "v2 version 1": v2(version=1),
    "v2 unspecified": v2(b"", family=0),
    "v2 unix": v2(b"a" * 216, family=0x31),
    "v2 unknown family": v2(family=0x41),
    "v2 unknown transport": v2(family=0x13),
    "v2 too short": v2(b"abcd"),
    "v2 TLV": v2(V4 + b"\x02\0\3abc"),
    "v2 TLV that is too long": v2(V4 + b"\x02\0\4abc"),
    "v2 TLV that is cut": v2(V4 + b"\x02\0"),
    "v2 long TLV": v2(V4 + b"\x04\xff\x00" + b"a" * 0xFF00),
    "plain text": b"GET / HTTP/1.1\r\n\r\nmore of it",
    "nearly v1": b"PROX hello world and more",
}
# Envoy takes these; the specification of PROXY protocol does not allow them, and weir refuses them.
LAX = {
    "v1 space at the end": (b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22 \r\n", "PROXY protocol 2.1: exactly one space between the words, and none after them"),
    "v1 port with a leading zero": (b"PROXY TCP4 1.2.3.4 5.6.7.8 011 22\r\n", "PROXY protocol 2.1: a port has no leading zeros"),
    "v1 port with a plus": (b"PROXY TCP4 1.2.3.4 5.6.7.8 +11 22\r\n", "PROXY protocol 2.1: a port has digits only"),
    "v1 of 108 bytes": (b"PROXY UNKNOWN " + b"a" * (108 - 16) + b"\r\n", "PROXY protocol 2.1: a line has at most 107 bytes"),
}

for title, options in (("proxy protocol", {}), ("proxy protocol optional", {"allow_requests_without_proxy_protocol": True}),
                       ("proxy protocol without v1", {"disallowed_versions": ["V1"]}),
                       ("proxy protocol optional without v2", {"disallowed_versions": ["V2"], "allow_requests_without_proxy_protocol": True})):
    g = group(title, bootstrap([{"filters": [tcp()]}], [lf(PROXY, **options)], listener_filters_timeout="0.6s"))
    for name, header in HEADERS.items():
        g.talk(name, header + b"X", stats=COUNTERS, patience=0.4)
    if "without" not in title:
        for name, (header, why) in LAX.items():
            g.talk(name, header + b"X", stats=COUNTERS, patience=0.4, differs=why)
        g.talk("half a header and time is up", b"PROXY TCP4", stats=COUNTERS, patience=1.2)
        g.talk("half a header and an end", b"PROXY TCP4", FIN, stats=COUNTERS)
        g.talk("in pieces", *[piece for byte in HEADERS["v1 TCP4"] for piece in (bytes([byte]), 0.005)], b"hello", FIN, ends="end")
        g.talk("v2 in pieces", *[piece for byte in HEADERS["v2 TLV"] for piece in (bytes([byte]), 0.005)], b"hello", FIN, ends="end")

tree = proxy(hcm_more={"use_remote_address": True}, listener_more={"listener_filters": [lf(PROXY)]})
g = group("proxy protocol and http", tree)
from suite.http import raw  # noqa: E402

g.case("the client is who the header says", raw("PROXY TCP4 9.9.9.9 5.6.7.8 11 22\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"), status=200)
g.case("the same by version 2", raw(v2(bytes([9, 9, 9, 9, 5, 6, 7, 8]) + struct.pack("!HH", 11, 22)) + b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"), status=200)
MAPPED = b"\0" * 10 + b"\xff\xff"  # RFC 4291 2.5.5.2: an IPv4 address as one of IPv6
NINE, FIVE = MAPPED + bytes([9, 9, 9, 9]), MAPPED + bytes([5, 6, 7, 8])
SIX = b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1"
PORTS = struct.pack("!HH", 11, 22)
g.case("IPv4 as IPv6", raw(v2(NINE + FIVE + PORTS, family=0x21) + b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"), status=200)
g.case("IPv4 as IPv6 by version 1", raw("PROXY TCP6 ::ffff:9.9.9.9 ::ffff:5.6.7.8 11 22\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"), status=200)
g.case("nobody is named", raw("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"), status=200)


# --- TLS inspector, HTTP inspector ---

def number(value, count):
    return value.to_bytes(count, "big")


def piece(content, count):
    return number(len(content), count) + content


def hello(name=None, alpn=(), pad=0):
    extensions = b""
    if name:
        extensions += number(0, 2) + piece(piece(b"\0" + piece(name.encode(), 2), 2), 2)
    if alpn:
        extensions += number(16, 2) + piece(piece(b"".join(piece(each.encode(), 1) for each in alpn), 2), 2)
    if pad:
        extensions += number(21, 2) + piece(b"\0" * pad, 2)
    body = number(0x303, 2) + b"r" * 32 + piece(b"", 1) + piece(number(0x1301, 2), 2) + piece(b"\0", 1) + piece(extensions, 2)
    message, out = number(1, 1) + piece(body, 3), b""
    while message:
        out, message = out + b"\x16\3\1" + piece(message[:16000], 2), message[16000:]
    return out


INSPECTED = {"a hello": [hello("a.example", ["h2"])], "a hello without extensions": [hello()], "plain text": [b"hello"],
             "a hello of 15 kilobytes": [hello("a.example", pad=15000)], "a hello of 17 kilobytes": [hello("a.example", pad=17000)],
             "SSL 2": [b"\x80\x2e\x01\x00\x02"], "another handshake message": [b"\x16\3\1\0\5\2\0\0\1x"],
             "half a hello": [hello("a.example")[:20]], "half a hello and an end": [hello("a.example")[:20], FIN],
             "a hello byte by byte": [part for byte in hello("a.example") for part in (bytes([byte]), 0.002)]}
for title, options in (("tls inspector", {}), ("tls inspector strict", {"close_connection_on_client_hello_parsing_errors": True})):
    g = group(title, bootstrap([{"filters": [tcp()]}], [lf(TLS, **options)], listener_filters_timeout="0.6s"))
    for name, pieces in INSPECTED.items():
        g.talk(name, *pieces, stats=COUNTERS, patience=1.0)
g = group("listener filters go on", bootstrap([{"filters": [tcp()]}], [lf(TLS)], listener_filters_timeout="0.3s", continue_on_listener_filters_timeout=True))
g.talk("half a hello", hello("a.example")[:20], 0.6, b"rest", FIN, stats=COUNTERS)
g.talk("nothing", 0.5, b"late", FIN, stats=COUNTERS, ends="end")

g = group("http inspector", bootstrap([says("http/1.1\n", {"application_protocols": ["http/1.1"]}), says("http/1.0\n", {"application_protocols": ["http/1.0"]}),
                                       says("h2c\n", {"application_protocols": ["h2c"]}), says("other\n", {})], [lf(HTTP)], listener_filters_timeout="0.6s"))
for name, text in {"HTTP/1.1": b"GET / HTTP/1.1\r\n", "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n", "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bytes": b"\0\1\2",
                   "another protocol": b"EHLO foo\r\n", "half a line": b"GET / HT", "an unknown method": b"FOO / HTTP/1.1\r\n", "HTTP/0.9": b"GET /\r\n"}.items():
    g.talk(name, text, stats=COUNTERS, patience=1.0)


# --- Filter chain match ---

def chosen(title, chains, *talks, filters=(), **more):
    group_ = group(f"chain match {title}", bootstrap(chains, filters, listener_filters_timeout="0.6s", **more))
    for name, pieces in talks:
        group_.talk(name, *pieces, stats=COUNTERS, patience=0.5)


NAMES = [says("exact\n", {"server_names": ["www.example.com"]}), says("wildcard\n", {"server_names": ["*.example.com"]}),
         says("com\n", {"server_names": ["*.com"]})]
LOOKED_FOR = [(name, [hello(name)]) for name in ("www.example.com", "WWW.Example.Com", "a.b.example.com", "example.com", "other.com", "com", "a.org")] + [("none", [hello()]), ("plain text", [b"hello"])]
chosen("by server name", NAMES, *LOOKED_FOR, filters=[lf(TLS)])
chosen("by server name or the default", NAMES, *LOOKED_FOR, filters=[lf(TLS)], default_filter_chain=says("default\n"))
chosen("by transport", [says("tls\n", {"transport_protocol": "tls"}), says("raw\n", {"transport_protocol": "raw_buffer"})], ("tls", [hello()]), ("plain", [b"hello"]), filters=[lf(TLS)])
chosen("by transport without an inspector", [says("tls\n", {"transport_protocol": "tls"}), says("raw\n", {"transport_protocol": "raw_buffer"})], ("tls", [hello()]), ("plain", [b"hello"]))
chosen("by application protocol", [says("h2\n", {"application_protocols": ["h2"]}), says("1.1\n", {"application_protocols": ["http/1.1"]})],
       ("first", [hello("a", ["h2", "http/1.1"])]), ("second", [hello("a", ["x", "http/1.1", "h2"])]), ("none of them", [hello("a", ["x"])]), ("none", [hello()]), filters=[lf(TLS)])
chosen("by destination port and not back", [says("port\n", {"destination_port": "@LISTEN@", "server_names": ["a"]}), says("any\n", {})],
       ("the name", [hello("a")]), ("another name", [hello("b")]), filters=[lf(TLS)])
chosen("by destination", [says("loopback\n", {"prefix_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]}), says("any\n", {})], ("loopback", [b"x"]))
RANGES = [says("ten\n", {"source_prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}),
          says("ten one\n", {"source_prefix_ranges": [{"address_prefix": "10.1.0.0", "prefix_len": 16}], "source_ports": [7]}),
          says("direct\n", {"direct_source_prefix_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}], "source_ports": [9]})]
FROM = [(name, [f"PROXY TCP4 {ip} 5.6.7.8 {port} 22\r\n".encode()]) for name, ip, port in
        (("ten", "10.2.3.4", 7), ("ten one", "10.1.2.3", 7), ("ten one, another port", "10.1.2.3", 8), ("elsewhere", "11.1.1.1", 9), ("nowhere", "11.1.1.1", 8))]
chosen("by source", RANGES, *FROM, filters=[lf(PROXY)])
chosen("by kind of source", [says("local\n", {"source_type": "SAME_IP_OR_LOOPBACK"}), says("external\n", {"source_type": "EXTERNAL"})],
       ("local", [b"PROXY TCP4 127.0.0.1 5.6.7.8 1 2\r\n"]), ("the same address", [b"PROXY TCP4 5.6.7.8 5.6.7.8 1 2\r\n"]), ("external", [b"PROXY TCP4 9.9.9.9 5.6.7.8 1 2\r\n"]), filters=[lf(PROXY)])
chosen("none fits", [says("never\n", {"source_ports": [1]})], ("closed", [0.2, b"hello"]), ("silent", [0.1]))
chosen("the default alone", [], ("default", [b"hello"]), default_filter_chain=says("default\n", {"source_ports": [1]}))

v = group("chain validation")
BASE = "{static_resources: {listeners: [{name: l, address: {socket_address: {address: 127.0.0.1, port_value: 0}}, %s}]}}"
ECHO = "filters: [{name: e, typed_config: {'@type': " + NETWORK + "echo.v3.Echo}}]"
for name, matches, accepted in (("the same", ["{server_names: [a]}", "{server_names: [a]}"], False), ("none twice", ["{}", "{}"], False),
                                ("overlapping", ["{server_names: [a, b]}", "{server_names: [b]}"], False), ("in another case", ["{server_names: [a]}", "{server_names: [A]}"], False),
                                ("wildcard and dot", ["{server_names: ['*.b']}", "{server_names: ['.b']}"], False), ("a wildcard within", ["{server_names: ['a*']}"], False),
                                ("a star", ["{server_names: ['*']}"], False), ("suffix", ["{address_suffix: a}"], False),
                                ("the same range", ["{prefix_ranges: [{address_prefix: 10.1.2.3, prefix_len: 8}]}", "{prefix_ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]}"], False),
                                ("a long prefix", ["{prefix_ranges: [{address_prefix: 10.1.2.3, prefix_len: 40}]}"], True), ("no address", ["{prefix_ranges: [{address_prefix: x}]}"], False),
                                ("all addresses and none", ["{prefix_ranges: [{address_prefix: 0.0.0.0, prefix_len: 0}]}", "{}"], True), ("a port twice", ["{source_ports: [1, 1]}"], False),
                                ("port zero", ["{destination_port: 0}"], False), ("any transport", ["{transport_protocol: foo}"], True)):
    v.validation(name, BASE % ("filter_chains: [" + ", ".join("{filter_chain_match: " + match + ", " + ECHO + "}" for match in matches) + "]"), accepted)
v.validation("the default alone", BASE % ("default_filter_chain: {" + ECHO + "}"), True)
v.validation("no chain", BASE % "name: l", False)
