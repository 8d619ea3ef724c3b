"""Configurations as trees, with what most cases share; and their YAML, in the block form that people write.

`@NAME@` words are replaced when the ports are known: @LISTEN@, @ADMIN@, @FENCE@, @UPSTREAM@, @CALLOUT@, @REFUSED@,
and @GUESTS@, the folder of the guests.
"""
import json
import re

TYPE = "type.googleapis.com/"
HCM = TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
WASM = TYPE + "envoy.extensions.filters.http.wasm.v3.Wasm"
ROUTER = {"name": "envoy.filters.http.router", "typed_config": {"@type": TYPE + "envoy.extensions.filters.http.router.v3.Router"}}


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name, *ports, **more):
    endpoints = [{"endpoint": {"address": address(port)}} for port in ports]
    return {"name": name, "connect_timeout": "1s", "type": "STATIC", "lb_policy": "ROUND_ROBIN",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}, **more}


CLUSTERS = [cluster("web", "@UPSTREAM@"), cluster("callout", "@CALLOUT@"), cluster("refused", "@REFUSED@"), cluster("empty")]
# The cluster `web` again, with a codec that reads and writes trailers.
TRAILING = cluster("web", "@UPSTREAM@", typed_extension_protocol_options={"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}})
TO_WEB = {"match": {"prefix": "/"}, "route": {"cluster": "web"}}


def vhost(*routes, name="local", domains=("*",), **more):
    return {"name": name, "domains": list(domains), "routes": list(routes) or [TO_WEB], **more}


def route(to="web", match=None, **action):
    """A route of a prefix, or of a whole match, to a cluster."""
    match = {"prefix": match or "/"} if not isinstance(match, dict) else match
    return {"match": match, "route": {"cluster": to, **action}}


def string(text):
    return {"@type": TYPE + "google.protobuf.StringValue", "value": text}


def plugin(name="p", guest="conformance", script=None, configuration=None, vm_configuration=None, vm=None, root_id="root", vm_id="vm", **more):
    """The Wasm filter. script: the plugin configuration of the scripted guest, one phase a line."""
    config = {"name": name, "root_id": root_id, "vm_config": {
        "vm_id": vm_id, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": f"@GUESTS@/{guest}.wasm"}}, **(vm or {})}}
    if script is not None or configuration is not None:
        config["configuration"] = configuration or string(script)
    if vm_configuration is not None:
        config["vm_config"]["configuration"] = vm_configuration
    return {"name": f"wasm.{name}", "typed_config": {"@type": WASM, "config": {**config, **more}}}


def hcm(vhosts, plugins, more, route_config=None):
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": {
        "@type": HCM, "stat_prefix": "ingress", "codec_type": "AUTO",
        "route_config": {"name": "routes", "virtual_hosts": vhosts, **(route_config or {})},
        "http_filters": [*plugins, ROUTER], **more}}


def listener(name, port, manager, **more):
    return {"name": name, "address": address(port), "filter_chains": [{"filters": [manager]}], **more}


# A second listener that answers by itself: when it has, the one worker has done what it was told before.
FENCE = listener("fence", "@FENCE@", hcm([vhost({"match": {"prefix": "/"}, "direct_response": {"status": 200}})], [], {"stat_prefix": "fence"}))


def proxy(*vhosts, plugins=(), hcm_more=None, clusters=(), listener_more=None, bootstrap=None, route_config=None):
    """A whole bootstrap: the listener under test, the fence, the usual clusters and the given ones."""
    main = listener("main", "@LISTEN@", hcm(list(vhosts) or [vhost()], plugins, hcm_more or {}, route_config), **(listener_more or {}))
    named = {each["name"] for each in clusters}
    return {"admin": {"address": address("@ADMIN@")}, **(bootstrap or {}), "static_resources": {
        "listeners": [main, FENCE], "clusters": [*(c for c in CLUSTERS if c["name"] not in named), *clusters]}}


def to_yaml(tree, depth=0):
    pad = "  " * depth
    if isinstance(tree, dict) and tree:
        return "".join(f"{pad}{_key(key)}:{_under(value, depth)}" for key, value in tree.items())
    if isinstance(tree, list) and tree:
        return "".join(f"{pad}-{_under(value, depth)}" for value in tree)
    return pad + _scalar(tree) + "\n"


def _key(key):
    return key if re.fullmatch(r"[A-Za-z_][\w.-]*", key) else json.dumps(key)


def _under(value, depth):
    if isinstance(value, (dict, list)) and value:
        return "\n" + to_yaml(value, depth + 1)
    return " " + _scalar(value) + "\n"


def _scalar(value):
    if isinstance(value, str) and re.fullmatch(r"@[A-Z]+@|[A-Za-z_][\w]*", value) and value.lower() not in ("true", "false", "yes", "no", "on", "off", "null", "y", "n"):
        return value
    return json.dumps(value)


def fill(text, words):
    return re.sub(r"@([A-Z]+)@", lambda found: str(words[found[1]]), text)
