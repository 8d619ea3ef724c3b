"""Dynamic metadata: who writes it (PROXY protocol's TLVs), and where it can be read."""
import struct

from suite.config import plugin, proxy, to_yaml
from suite.http import raw
from suite.model import group
from suite.plain import FIN
from topics.access_log import log
from topics.listener import PROXY, V4, lf, v2
from topics.plugin_tcp import filter_
from topics.tcp import plain, tcp

# --- TLVs ---


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def rule(kind, key, namespace=None, **more):
    return {"tlv_type": kind, "on_tlv_present": {"key": key, **({"metadata_namespace": namespace} if namespace else {}), **more}}


SAID = v2(V4 + tlv(2, b"host.example") + tlv(0xea, b"vpce-1") + tlv(0xe0, b"\xff\xfe\x00bin\xc3\xa9") + tlv(0xe1, b"") + tlv(0xea, b"second"))
NS = "envoy.filters.listener.proxy_protocol"
RULES = [rule(2, "authority"), rule(0xea, "vpce", "aws"), rule(0xe0, "binary", "aws"), rule(0xe1, "empty", "aws"), rule(0xe2, "absent", "aws")]
TLV_FORMAT = f"%DYNAMIC_METADATA({NS})% | %DYNAMIC_METADATA(aws)% | %DYNAMIC_METADATA(aws:vpce)% | %METADATA(DYNAMIC:aws:binary)% | %DOWNSTREAM_REMOTE_ADDRESS%\n"
PROPERTIES = [f"metadata.filter_metadata.{path}" for path in ("aws.vpce", "aws.binary", "aws.empty", "aws.absent", "aws.vpce.more", "nowhere")] + ["connection.metadata", "request.metadata"]
WHOLE = ["metadata", "metadata.filter_metadata", "metadata.filter_metadata.aws"]  # Where a map has several entries, Envoy's order is random.


def reads(paths):
    return "; ".join(f"prop {path}" for path in paths) + "; expr metadata.filter_metadata.aws.vpce; expr metadata.filter_metadata.aws.vpce%20==%20'vpce-1'; expr has(metadata.filter_metadata.nowhere)"


REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


def listens(tree, logs=True, **more):
    tree["static_resources"]["listeners"][0].update({"listener_filters": [lf(PROXY, **more)], **({"access_log": [log("listener " + TLV_FORMAT)]} if logs else {})})
    return tree


def http(paths, **more):
    return listens(proxy(plugins=[plugin(script=f"request_headers: {reads(paths)}|log: {reads(paths)}")], hcm_more={"access_log": [log("http " + TLV_FORMAT)]}), **more)


def tcp_(paths, logs=False, **more):  # Which of the two lines comes first is compared by itself.
    return listens(plain(filter_(script=f"new_connection: {reads(paths)}|log: {reads(paths)}"), tcp(access_log=[log("tcp " + TLV_FORMAT)])), logs=logs, **more)


ENCODED = [rule(0xe0, "binary", "aws", value_string_encoding="SANITIZED_UTF8"), rule(0xea, "vpce", "aws", value_string_encoding="BASE64"), rule(0xe0, "again", "aws", value_string_encoding="BASE64")]
TWICE = [rule(0xea, "one", "aws"), rule(0xea, "two", "aws"), rule(2, "one", "aws")]
for name, make in (("HTTP", http), ("TCP", tcp_)):
    def told(group_, case, bytes_, make=make, **options):
        if make is http:
            group_.case(case, raw(bytes_ + REQUEST), entries=2, **options)
        else:
            group_.talk(case, bytes_ + b"hello", 0.3, FIN, entries=1, patience=1.0, logs="new_connection", **options)
    g = group(f"TLV metadata {name}", make(PROPERTIES, rules=RULES))
    told(g, "several", SAID)
    told(g, "none", v2())
    told(g, "version 1", b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n")
    told(g, "a local command", v2(V4 + tlv(0xea, b"x"), command=0))
    for kind, rules, paths in (("whole", [rule(0xea, "vpce", "aws")], WHOLE), ("encoded", ENCODED, PROPERTIES), ("rules and values twice", TWICE, PROPERTIES), ("a rule that says nothing", [{"tlv_type": 2}], WHOLE)):
        g = group(f"TLV metadata {name}, {kind}", make(paths, rules=rules, pass_through_tlvs={"match_type": "INCLUDE", "tlv_type": [2]}))
        told(g, "several", SAID)
    g = group(f"TLV metadata {name}, optional", make(WHOLE, rules=RULES, allow_requests_without_proxy_protocol=True))
    told(g, "without a header", b"")
g = group("TLV metadata TCP, the listener's log", tcp_(WHOLE, logs=True, rules=RULES))
g.talk("several", SAID + b"hello", 0.3, FIN, entries=2, patience=1.0, differs="the listener's line comes after that of the TCP proxy; Envoy writes it before")
PLACES = group("TLV metadata places")
PLACES.validation("no key", to_yaml(http([], rules=[{"tlv_type": 2, "on_tlv_present": {}}])), False)
PLACES.validation("a type that is none", to_yaml(http([], rules=[rule(256, "a")])), False, names="tlv_type")
PLACES.validation("filter state", to_yaml(http([], rules=RULES, tlv_location="FILTER_STATE")), True, differs="TLVs are noted as dynamic metadata alone")
