"""PROXY protocol towards upstreams: what is said of the client, on which connections, and to whom."""
import base64
import struct

from suite.config import TYPE, cluster, proxy, to_yaml
from suite.http import get
from suite.model import group
from suite.plain import FIN, read
from suite.tls import Authority, server, sign, upstream

from topics.listener import FIVE, NINE, PORTS, PROXY, SIX, V4, bootstrap, lf, v2
from topics.tcp import tcp

TRANSPORT = TYPE + "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
RAW = {"name": "raw", "typed_config": {"@type": TYPE + "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}
COUNTERS = (r"cluster\.(web|plain)\.(upstream_cx_(total|destroy|[rt]x_bytes_total|connect_fail)|upstream_rq_total|upstream\.proxyprotocol\..*)"
            r"|upstream\.proxyprotocol\..*")


def announcing(version=None, inside=RAW, outer=None, **config):
    """The transport socket that says who the client is, around another one."""
    if version:
        config["version"] = version
    return {"name": "envoy.transport_sockets.upstream_proxy_protocol",
            "typed_config": {"@type": TRANSPORT, "config": config, "transport_socket": inside, **(outer or {})}}


def tlv(kind, value):
    return {"type": kind, "value": base64.b64encode(value).decode()}


def http(transport, filters=(), **of_cluster):
    more = {"listener_more": {"listener_filters": list(filters)}} if filters else {}
    return proxy(clusters=[cluster("web", "@UPSTREAM@", transport_socket=transport, **of_cluster)], **more)


def announced(name, tree):
    made = group(name, tree)
    made.upstream_announced = True
    return made


def said(kind, value):
    return bytes([kind]) + len(value).to_bytes(2, "big") + value


def from_proxy(*tlvs):
    """A listener filter that takes PROXY protocol off, and keeps these TLVs ("all": all of them)."""
    if tlvs == ("all",):
        return [lf(PROXY, pass_through_tlvs={"match_type": "INCLUDE_ALL"})]
    return [lf(PROXY, **({"pass_through_tlvs": {"match_type": "INCLUDE", "tlv_type": list(tlvs)}} if tlvs else {}))]


def behind(header, path="/x", **more):
    """A request behind a PROXY header."""
    made = get(path, **more)
    made.pieces = [header, *made.pieces]
    return made


def of(port, *tlvs):
    """A header of version 2 of a client that is known by its port."""
    return v2(V4[:8] + struct.pack("!HH", port, 22) + b"".join(tlvs))


OTHER = bytes([1, 2, 3, 5, 5, 6, 7, 8, 0, 11, 0, 22])
KEPT = said(2, b"authority") + said(0xE0, b"own")

# --- HTTP ---

for version in (None, "V1", "V2"):
    g = announced(f"upstream proxy http {version}", http(announcing(version)))
    g.case("a request", get("/x"), status=200, stats=COUNTERS)
    g.case("two of one client share a connection", get("/1", wait=True), get("/2"), status=200, stats=COUNTERS)
    g.case("two clients do not", connections=[[get("/1")], [get("/2")]], status=200, stats=COUNTERS)
    g.case("x-forwarded-for says nothing about it", get("/x", headers={"x-forwarded-for": "9.8.7.6"}), status=200)

for version in ("V1", "V2"):
    g = announced(f"upstream proxy of IPv6 {version}", http(announcing(version), from_proxy()))
    for name, source, destination in (("mapped", NINE, FIVE), ("to mapped", SIX, FIVE), ("from mapped", NINE, SIX)):
        g.case(name, behind(v2(source + destination + PORTS, family=0x21)), status=200)

g = announced("upstream proxy use remote address", proxy(hcm_more={"use_remote_address": True, "xff_num_trusted_hops": 1}, clusters=[cluster("web", "@UPSTREAM@", transport_socket=announcing("V2"))]))
g.case("x-forwarded-for says nothing about it", get("/x", headers={"x-forwarded-for": "9.8.7.6"}), status=200)

for version in ("V1", "V2"):
    g = announced(f"upstream proxy behind proxy {version}", http(announcing(version, pass_through_tlvs={}), filters=from_proxy("all")))
    g.case("v1", behind(b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n"), status=200, stats=COUNTERS)
    g.case("v1 TCP6", behind(b"PROXY TCP6 ::1 2001:db8::1 11 22\r\n"), status=200, stats=COUNTERS)
    g.case("v1 unknown", behind(b"PROXY UNKNOWN\r\n"), status=200)
    g.case("v2", behind(v2()), status=200)
    g.case("v2 local", behind(v2(b"", command=0, family=0)), status=200)
    g.case("v2 with TLVs", behind(v2(V4 + KEPT)), status=200)
    g.case("the same client again", connections=[[behind(of(31), "/1")], [behind(of(31), "/2")]], status=200)
    g.case("another client", connections=[[behind(of(32), "/1")], [behind(v2(OTHER), "/2")]], status=200)
    g.case("other TLVs", connections=[[behind(of(33, said(0xE0, b"a")), "/1")], [behind(of(33, said(0xE0, b"b")), "/2")]], status=200)

for name, transport, filters in (
        ("no TLV is passed on", announcing("V2"), from_proxy("all")),
        ("all that were kept", announcing("V2", pass_through_tlvs={}), from_proxy(2)),
        ("one of those kept", announcing("V2", pass_through_tlvs={"match_type": "INCLUDE", "tlv_type": [0xE0]}), from_proxy("all")),
        ("one that was not kept", announcing("V2", pass_through_tlvs={"match_type": "INCLUDE", "tlv_type": [0xE0]}), from_proxy(2)),
        ("none was kept", announcing("V2", pass_through_tlvs={}), from_proxy()),
        ("TLVs of its own", announcing("V2", added_tlvs=[tlv(0xF0, b"added"), tlv(0xF1, b"too")]), from_proxy()),
        ("TLVs of its own and others", announcing("V2", pass_through_tlvs={}, added_tlvs=[tlv(0xE0, b"instead"), tlv(0xF0, b"added")]), from_proxy("all")),
        ("one TLV twice", announcing("V2", added_tlvs=[tlv(0xF0, b"first"), tlv(0xF0, b"second")]), from_proxy()),
        ("TLVs in version 1", announcing("V1", pass_through_tlvs={}, added_tlvs=[tlv(0xF0, b"added")]), from_proxy("all"))):
    g = announced(f"upstream proxy TLVs {name}", http(transport, filters))
    g.case("with TLVs", behind(v2(V4 + KEPT)), status=200)
    g.case("with one twice", behind(of(42, said(0xE0, b"1"), said(0xE0, b"2"))), status=200)
    g.case("without", behind(of(43)), status=200)
g = announced("upstream proxy TLVs in the pool key", http(announcing("V2", pass_through_tlvs={}, outer={"tlv_as_pool_key": True}), from_proxy("all")))
g.case("equal ones", connections=[[behind(v2(V4 + said(0xE0, b"a")), "/1")], [behind(v2(V4 + said(0xE0, b"a")), "/2")]], status=200)
g.case("other ones", connections=[[behind(of(51, said(0xE0, b"a")), "/1")], [behind(of(51, said(0xE0, b"b")), "/2")]], status=200,
       differs="tlv_as_pool_key keeps connections with other TLVs of the client apart; Envoy 1.40 accepts it and does not")

PER_HOST = TYPE + "envoy.config.core.v3.PerHostConfig"


def of_host(*tlvs):
    made = cluster("web", "@UPSTREAM@", transport_socket=announcing("V2", added_tlvs=[tlv(0xF0, b"of the transport"), tlv(0xF1, b"too")]))
    made["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] = {
        "typed_filter_metadata": {"envoy.transport_sockets.proxy_protocol": {"@type": PER_HOST, "added_tlvs": list(tlvs)}}}
    return made


g = announced("upstream proxy TLVs of the endpoint", proxy(clusters=[of_host(tlv(0xF0, b"of the host"), tlv(0xF2, b"only here"))]))
g.case("a request", get("/x"), status=200)
g = announced("upstream proxy TLVs of the endpoint, none", proxy(clusters=[of_host()]))
g.case("a request", get("/x"), status=200)

g = announced("upstream proxy too many TLVs", http(announcing("V2", pass_through_tlvs={}), from_proxy("all")))
g.case("as many as fit", behind(v2(V4 + said(0xE0, b"x" * (65535 - 12 - 3)))), status=200, stats=COUNTERS)
g = announced("upstream proxy too many TLVs of its own", http(announcing("V2", added_tlvs=[tlv(0xE0, b"x" * 60000), tlv(0xE1, b"y" * 6000), tlv(0xE2, b"z")])))
g.case("what has no room is left out", get("/x"), status=200, stats=COUNTERS)

CA = Authority("announced authority")
g = announced("upstream proxy around TLS", http(announcing("V2", inside=upstream())))
g.upstream_tls = server(sign(CA, "announced-server"))
g.case("the header comes before the handshake", get("/x"), status=200, stats=COUNTERS)
g.case("two clients", connections=[[get("/1")], [get("/2")]], status=200, stats=COUNTERS)

AUTO = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "upstream_http_protocol_options": {"auto_sni": True}, "explicit_http_config": {"http_protocol_options": {}}}}
g = announced("upstream proxy around TLS by server name", http(announcing("V1", inside=upstream()), typed_extension_protocol_options=AUTO))
g.upstream_tls = server(sign(CA, "announced-server-too"))
g.case("one client, two names", get("/1", host="a.example", wait=True), get("/2", host="b.example", wait=True), get("/3", host="a.example"), status=200)

# --- TCP ---

def plain_to(transport, filters=(), **more):
    return bootstrap_to([{"filters": [tcp()]}], filters, [cluster("plain", "@PLAIN@", transport_socket=transport, **more)])


def bootstrap_to(chains, filters, clusters):
    tree = bootstrap(chains, filters)
    tree["static_resources"]["clusters"] = [*(c for c in tree["static_resources"]["clusters"] if c["name"] != "plain"), *clusters]
    return tree


g = group("upstream proxy tcp V1", plain_to(announcing("V1")))
g.talk("bytes both ways", b"hello", FIN, ends="end", upstream=None, stats=COUNTERS)
g.talk("the upstream speaks first", 0.2, FIN, upstream=[b"220 ready\r\n", FIN], ends="end")
for version in ("V1", "V2"):
    g = group(f"upstream proxy tcp behind proxy {version}", plain_to(announcing(version, pass_through_tlvs={}), from_proxy("all")))
    for name, header in (("v1", b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n"), ("v1 TCP6", b"PROXY TCP6 ::1 2001:db8::1 11 22\r\n"), ("v1 unknown", b"PROXY UNKNOWN\r\n"),
                         ("v2", v2()), ("v2 with TLVs", v2(V4 + KEPT))):
        if (name, version) == ("v1 unknown", "V2"):
            continue  # The client's port is in it, in bytes that are not made equal.
        g.talk(name, header + b"hello", 0.2, FIN, ends="end", stats=COUNTERS, upstream=[read(1), 0.1, FIN])
    g.talk("two clients", [v2() + b"1", 0.2, FIN], [v2(OTHER) + b"2", 0.2, FIN], ends="end", upstream=[read(1), 0.1, FIN])

# --- What the configuration refuses ---

v = group("upstream proxy validation")
for name, transport, accepted in (
        ("wraps raw_buffer", announcing("V2"), True), ("wraps TLS", announcing("V1", inside=upstream()), True),
        ("wraps nothing", {"name": "p", "typed_config": {"@type": TRANSPORT, "config": {}}}, False),
        ("says nothing", {"name": "p", "typed_config": {"@type": TRANSPORT, "transport_socket": RAW}}, True),
        ("a type above 255", announcing("V2", added_tlvs=[tlv(256, b"x")]), False),
        ("a passed type above 255", announcing("V2", pass_through_tlvs={"match_type": "INCLUDE", "tlv_type": [256]}), False),
        ("neither value nor format", announcing("V2", added_tlvs=[{"type": 1}]), False),
        ("both value and format", announcing("V2", added_tlvs=[{**tlv(1, b"a"), "format_string": {"text_format_source": {"inline_string": "x"}}}]), False),
        ("a null address is allowed", announcing("V2", outer={"allow_unspecified_address": True}), True),
        ("TLVs in the pool key", announcing("V2", outer={"tlv_as_pool_key": True}), True),
        ("no such version", announcing("V3"), False)):
    v.validation(name, to_yaml(proxy(clusters=[cluster("web", "@UPSTREAM@", transport_socket=transport)])), accepted)
