"""Active checks by HTTP/2: of gRPC's health service, and of a path; what each kind of answer makes of the endpoint."""
from suite.config import TYPE, address, cluster, fill, proxy, to_yaml
from suite.http import get
from suite.model import group
from suite.http2_upstream import END, closes, goes, grpc_health, h2_answer, h2_scripted, heads, resets, sends_trailers

NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
CHECKED = "/stats?filter=^cluster\\.web\\.(health_check\\.(attempt|success|failure|healthy|degraded|network_failure|passive_failure|verify_cluster)|membership_(healthy|degraded|excluded)|upstream_cx_total)$"
MEMBERS = "/stats?filter=^cluster\\.web\\.(health_check\\.(healthy|degraded)|membership_(healthy|degraded|excluded))$"
STATS = r"cluster\.web\.(upstream_cx_none_healthy|lb_healthy_panic)"
HTTP2 = {"typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options": {}}}}}


def checked(name, health, check, settle=0.0, many=False, status=503, endpoint=None, more=None, **options):
    """One check, or (many) one each tenth of a second; and a request after it."""
    common = {"timeout": "0.5s", "interval": "0.1s" if many else "60s", "unhealthy_threshold": 2, "healthy_threshold": 2}
    common.update({"no_traffic_interval": "0.1s"} if many else {})
    web = cluster("web", health_checks=[{**common, **check}], **NO_PANIC, **HTTP2)
    where = {"endpoint": {"address": address("@UPSTREAM@"), **(endpoint or {})}}
    web["load_assignment"] = {"cluster_name": "web", "endpoints": [{"lb_endpoints": [where]}]}
    g = group(f"check {name}", proxy(clusters=[{**web, **(more or {})}]), health=health)
    g.case("once" if not many else "often", get(), status=status, stats=STATS, admin=[MEMBERS if many else CHECKED], settle=settle, **options)


def grpc(name, health, settle=0.0, check=None, **options):
    checked(f"by gRPC, {name}", health, {"grpc_health_check": {}, **(check or {})}, settle, **options)


GRPC = ("content-type", "application/grpc")
frame = lambda message, flags=0: bytes([flags]) + len(message).to_bytes(4, "big") + message
OK = sends_trailers(("grpc-status", "0"))
grpc("serving", grpc_health(), status=200)
grpc("not serving", grpc_health(2))
grpc("unknown", grpc_health(0))
grpc("service unknown", grpc_health(3))
grpc("a status that is none", grpc_health(77))
grpc("an empty message", grpc_health(message=b""))
grpc("more fields than known", grpc_health(message=b"\x12\x03abc\x08\x01"), status=200)
grpc("the last of two statuses counts", grpc_health(message=b"\x08\x02\x08\x01"), status=200)
grpc("a status of another type", grpc_health(message=b"\x0a\x01x"))
grpc("a message cut short", grpc_health(message=b"\x08"))
grpc("no gRPC status of success", grpc_health(grpc_status="5"))
grpc("serving over and over", grpc_health(), many=True, status=200, settle=0.6)
grpc("not serving over and over", grpc_health(2), many=True, settle=0.6)
grpc("trailers alone, unimplemented", h2_scripted(heads(200, GRPC, ("grpc-status", "12"), end=True)))
grpc("trailers alone, success", h2_scripted(heads(200, GRPC, ("grpc-status", "0"), end=True)))
grpc("trailers alone without a status", h2_scripted(heads(200, GRPC, end=True)))
grpc("503", h2_answer(503))
grpc("503 with a gRPC status", h2_scripted(heads(503, ("grpc-status", "0"), end=True)))
grpc("another content type", h2_answer(200))
grpc("no trailers", h2_scripted(heads(200, GRPC), frame(b"\x08\x01"), END))
grpc("trailers without a status", h2_scripted(heads(200, GRPC), frame(b"\x08\x01"), sends_trailers(("x-a", "1"))))
grpc("a compressed message", h2_scripted(heads(200, GRPC), frame(b"\x08\x01", 1), OK))
grpc("flags that are none", h2_scripted(heads(200, GRPC), frame(b"\x08\x01", 8), OK))
grpc("two messages", h2_scripted(heads(200, GRPC), frame(b"\x08\x01") + frame(b"\x08\x01"), OK))
grpc("an empty message before it", h2_scripted(heads(200, GRPC), frame(b"") + frame(b"\x08\x01"), OK), status=200)
grpc("a message in pieces", h2_scripted(heads(200, GRPC), b"\0\0", 0.05, b"\0\0\x02\x08", 0.05, b"\x01", OK), status=200)
grpc("half a message", h2_scripted(heads(200, GRPC), b"\0\0\0\0\x09\x08\x01", OK))
grpc("no message", h2_scripted(heads(200, GRPC), OK))
grpc("reset", h2_scripted(resets(2)))
grpc("reset over and over", h2_scripted(resets(7)), many=True, settle=0.6)
grpc("closed", h2_scripted(closes))
grpc("a graceful goaway before the answer", h2_scripted(goes(0), 0.05, *grpc_health()(None)), status=200)
grpc("a goaway that is an error", h2_scripted(goes(2), 0.05, *grpc_health()(None)))
grpc("no answer", h2_scripted(5.0), settle=1.0)
grpc("an answer that is no HTTP/2", None, endpoint={"health_check_config": {"port_value": "@PLAIN@"}})
grpc("refused", None, endpoint={"health_check_config": {"port_value": "@REFUSED@"}})
grpc("what is asked", grpc_health(), status=200, check={"grpc_health_check": {
    "service_name": "a.b.Service", "authority": "of.the.check", "initial_metadata": [
        {"header": {"key": "x-a", "value": "1"}}, {"header": {"key": "x-a", "value": "2"}}, {"header": {"key": "x-b", "value": ""}},
        {"header": {"key": "x-a", "value": "3"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}, {"header": {"key": "user-agent", "value": "mine"}, "append_action": "ADD_IF_ABSENT"},
        {"header": {"key": "x-c", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS"}]}})
grpc("a name of the endpoint", grpc_health(), status=200, endpoint={"health_check_config": {"hostname": "of.the.endpoint"}}, check={"grpc_health_check": {"authority": "of.the.check"}})
grpc("without keeping connections", grpc_health(), many=True, status=200, settle=0.6, check={"reuse_connection": False})
grpc("a long timeout", grpc_health(), status=200, check={"timeout": "200000s"})


def http(name, health, settle=0.0, check=None, **options):
    checked(f"by HTTP/2, {name}", health, {"http_health_check": {"path": "/health", "codec_client_type": "HTTP2", **(check or {})}}, settle, **options)


http("200", h2_answer(), status=200)
http("503", h2_answer(503))
http("200 over and over", h2_answer(), many=True, status=200, settle=0.6)
http("degraded", h2_answer(headers=(("x-envoy-degraded", "1"),)), status=200)
http("expected statuses", h2_answer(204, body=b""), status=200, check={"expected_statuses": [{"start": 204, "end": 205}]})
http("what the body must say", h2_answer(body=b"all is well"), status=200, check={"receive": [{"text": "616c6c"}]})
http("a body that says otherwise", h2_answer(body=b"nothing is"), check={"receive": [{"text": "616c6c"}]})
http("trailers", h2_answer(trailers=[("x-a", "1")]), status=200)
http("the name of the service", h2_answer(headers=(("x-envoy-upstream-healthchecked-cluster", "web-1"),)), status=200, check={"service_name_matcher": {"prefix": "web"}})
http("what is asked", h2_answer(), status=200, check={"method": "POST", "host": "of.the.check", "send": {"text": "616263"}, "request_headers_to_add": [{"header": {"key": "x-a", "value": "1"}}], "request_headers_to_remove": ["user-agent"]})
http("reset", h2_scripted(resets(2)))
http("reset over and over", h2_scripted(resets(7)), many=True, settle=0.6)
http("reset after its headers", h2_scripted(heads(200), 0.05, resets(2)))
http("closed", h2_scripted(closes))
http("a graceful goaway before the answer", h2_scripted(goes(0), 0.05, *h2_answer()(None)), status=200)
http("a goaway that is an error", h2_scripted(goes(2), 0.05, *h2_answer()(None)))
http("no answer", h2_scripted(5.0), settle=1.0)
http("an answer that is no HTTP/2", None, endpoint={"health_check_config": {"port_value": "@PLAIN@"}})

v = group("check by gRPC of clusters")
GRPC_CHECK = [{"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1, "grpc_health_check": {}}]
PORTS = {name: 1000 + number for number, name in enumerate(("LISTEN", "ADMIN", "FENCE", "UPSTREAM", "CALLOUT", "REFUSED"))}
yaml = lambda **more: fill(to_yaml(proxy(**more)), PORTS)
v.validation("by HTTP/2", yaml(clusters=[cluster("web", "@UPSTREAM@", health_checks=GRPC_CHECK, **HTTP2)]), True)
v.validation("by HTTP/1", yaml(clusters=[cluster("web", "@UPSTREAM@", health_checks=GRPC_CHECK)]), False, names="must support HTTP/2 for gRPC healthchecking")
