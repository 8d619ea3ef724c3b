"""layered_runtime: static layers, whose keys stand in place of defaults; connection limits; /runtime."""
from suite.config import TYPE, cluster, fill, proxy, route, to_yaml, vhost
from suite.http import get
from suite.model import group

LAYERS = {"layered_runtime": {"layers": [
    {"name": "first", "static_layer": {"all": 100, "none": 0, "routing": {"b": {"numerator": 1_000_000, "denominator": "MILLION"}, "text": "100"}, "weights.web": 0, "weights.refused": 10}},
    {"name": "second", "static_layer": {"none": 100, "all": 0, "switch": True, "a": {"b": {"c": "deep"}}}},
    {"name": "admin", "admin_layer": {}}]}}


def some(path, key, default, more=None):
    return {"match": {"prefix": path, "runtime_fraction": {"default_value": {"numerator": default}, "runtime_key": key}}, "direct_response": {"status": 201}, **(more or {})}


WEIGHTED = {"match": {"prefix": "/weighted"}, "route": {"weighted_clusters": {"runtime_key_prefix": "weights", "clusters": [
    {"name": "web", "weight": 10}, {"name": "refused", "weight": 0}]}}}
g = group("runtime", proxy(vhost(some("/all", "all", 100), some("/none", "none", 0), some("/b", "routing.b", 0), some("/text", "routing.text", 0), some("/other", "other", 0),
                                 some("/deep", "a.b.c", 100), WEIGHTED, route()), bootstrap=LAYERS))
for path in ("/all", "/none", "/b", "/text", "/other", "/deep", "/weighted"):
    g.case(path, get(path))
one = group("runtime, a key", proxy(bootstrap={"layered_runtime": {"layers": [{"name": "first", "static_layer": {"a": {"b": 1}}}, {"name": "second", "admin_layer": {}}]}}))
one.case("is shown", admin=["/runtime"])

PORTS = {name: 1000 + number for number, name in enumerate(("LISTEN", "ADMIN", "FENCE", "UPSTREAM", "CALLOUT", "REFUSED"))}
v = group("runtime by validation")
for label, layers, accepted in (("no layers", [], True), ("a layer without a name", [{"static_layer": {}}], False), ("a layer of nothing", [{"name": "a"}], False),
                                ("two of one name", [{"name": "a", "static_layer": {}}, {"name": "a", "static_layer": {}}], False),
                                ("a list", [{"name": "a", "static_layer": {"k": [1]}}], False), ("null", [{"name": "a", "static_layer": {"k": None}}], False),
                                ("two admin layers", [{"name": "a", "admin_layer": {}}, {"name": "b", "admin_layer": {}}], False)):
    v.validation(label, fill(to_yaml(proxy(bootstrap={"layered_runtime": {"layers": layers}})), PORTS), accepted)
MONITOR = TYPE + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
for label, config, accepted in (("connections", {"@type": MONITOR, "max_active_downstream_connections": 5}, True), ("no connections", {"@type": MONITOR}, False)):
    monitors = [{"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": config}]
    v.validation(label, fill(to_yaml(proxy(bootstrap={"overload_manager": {"resource_monitors": monitors}})), PORTS), accepted)
