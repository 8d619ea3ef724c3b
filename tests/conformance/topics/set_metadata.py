"""The filter set_metadata: what it writes, and where that can be read."""
from suite.config import TYPE, plugin, proxy, vhost
from suite.http import get
from suite.model import group
from topics.access_log import log

SET = TYPE + "envoy.extensions.filters.http.set_metadata.v3.Config"


def set_metadata(**config):
    return {"name": "envoy.filters.http.set_metadata", "typed_config": {"@type": SET, **config}}


def of(namespace, value, **more):
    return {"metadata_namespace": namespace, "value": value, **more}


VALUE = {"text": "hello", "number": 1.5, "whole": 3, "yes": True, "no": False, "none": None, "list": [1, "two", {"three": 3}], "inner": {"a": {"b": "c"}}, "empty": {}, "void": []}
PATHS = ["metadata.filter_metadata", "metadata.filter_metadata.ns", *(f"metadata.filter_metadata.ns.{key}" for key in VALUE),
         "metadata.filter_metadata.ns.inner.a", "metadata.filter_metadata.ns.inner.a.b", "metadata.filter_metadata.ns.list.0", "metadata.filter_metadata.ns.list.2.three",
         "metadata.filter_metadata.ns.nothing", "metadata.filter_metadata.nowhere", "metadata.filter_metadata.other", "metadata.typed_filter_metadata", "metadata.nothing", "request.metadata", "connection.metadata"]
EXPRESSIONS = ["metadata.filter_metadata.ns.text", "metadata.filter_metadata['ns']['number']", "metadata.filter_metadata.ns.list[1]", "'ns'%20in%20metadata.filter_metadata",
               "metadata.filter_metadata.ns.inner.a.b%20==%20'c'", "has(metadata.filter_metadata.nowhere)"]
READ = "; ".join(f"prop {path}" for path in PATHS) + "; " + "; ".join(f"expr {text}" for text in EXPRESSIONS)
FORMAT = "%DYNAMIC_METADATA(ns)% | %DYNAMIC_METADATA(ns:text)% | %DYNAMIC_METADATA(ns:inner:a)% | %DYNAMIC_METADATA(ns:list)% | %DYNAMIC_METADATA(other)% | %DYNAMIC_METADATA(ns:text):3% | %METADATA(DYNAMIC:ns:number)%\n"


def logged(*filters, text=FORMAT, **more):
    return proxy(plugins=filters, hcm_more={"access_log": [log(text)]}, **more)


g = group("set metadata", logged(set_metadata(metadata=[of("ns", VALUE), of("other", {"a": "b"})]), plugin(script="")))
g.case("is logged", get(), entries=1, status=200)
g.case("is seen by a plugin", get(script=f"request_headers: {READ}"), status=200, entries=1)
g.case("is seen later", get(script="response_headers: prop metadata.filter_metadata.ns.text|log: prop metadata.filter_metadata.ns.text; prop metadata.filter_metadata.ns.list"), status=200, entries=1)
g.case("its size in an expression", get(script="request_headers: expr size(metadata.filter_metadata.ns)"), status=200, logs="expr", differs="expressions take a message whole as bytes, and a Struct is one")
g = group("set metadata, whole", logged(set_metadata(metadata=[of("ns", {"text": "a"})]), plugin(script="")))  # Maps with several entries come in random order.
g.case("is seen by a plugin", get(script="request_headers: prop metadata; prop metadata.filter_metadata; prop metadata.filter_metadata.ns; expr metadata"), status=200, entries=1)
g = group("set metadata behind a plugin", logged(plugin(script=""), set_metadata(metadata=[of("ns", {"a": 1})])))
g.case("is not seen before", get(script="request_headers: prop metadata.filter_metadata.ns.a; prop metadata; prop metadata.filter_metadata|response_headers: prop metadata.filter_metadata.ns.a; prop metadata; prop metadata.filter_metadata"), status=200, entries=1)
for name, entries in {
    "twice": [of("ns", {"a": 1}), of("ns", {"b": 2})],
    "twice with overwriting": [of("ns", {"a": 1}), of("ns", {"b": 2}, allow_overwrite=True)],
    "thrice": [of("ns", {"a": 1, "text": "x"}, allow_overwrite=True), of("ns", {"a": 2, "text": "yy"}, allow_overwrite=True), of("ns", {"c": 1})],
    "merging": [of("ns", {"inner": {"a": {"x": 1}}, "list": [1], "text": "old", "number": 1, "k": True, "z": "s"}, allow_overwrite=True),
                of("ns", {"inner": {"a": {"y": 2}, "b": 1}, "list": [2, 3], "text": "new", "number": 2, "k": {"l": 1}, "z": None}, allow_overwrite=True)],
    "empty": [of("ns", {})],
    "no value": [{"metadata_namespace": "ns"}],
}.items():
    g = group(f"set metadata {name}", logged(set_metadata(metadata=entries)))
    g.case("is logged", get(), entries=1, status=200, stats=r"http\.ingress\.set_metadata\..*|.*set_metadata.*")
for name, more in {
    "old form": {"metadata_namespace": "ns", "value": {"text": "a", "list": [1]}},
    "old form and new": {"metadata_namespace": "ns", "value": {"text": "a", "list": [1], "inner": {"a": 1}}, "metadata": [of("ns", {"b": 2}), of("other", {"c": 3})]},
    "old form and new with overwriting": {"metadata_namespace": "ns", "value": {"text": "a"}, "metadata": [of("ns", {"text": "b"}, allow_overwrite=True)]},
    "old form without a value": {"metadata_namespace": "ns"},
    "nothing": {},
}.items():
    g = group(f"set metadata, {name}", logged(set_metadata(**more)))
    g.case("is logged", get(), entries=1, status=200, stats=r".*set_metadata.*")
g = group("set metadata, two filters", logged(set_metadata(metadata_namespace="ns", value={"text": "a", "list": [1], "inner": {"a": {"x": 1}}}), {**set_metadata(metadata_namespace="ns", value={"text": "b", "list": [2], "inner": {"a": {"y": 1}}}), "name": "second"}))
g.case("is logged", get(), entries=1, status=200)
DISABLED = {"envoy.filters.http.set_metadata": {"@type": TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}}
OWN = {"envoy.filters.http.set_metadata": {"@type": SET, "metadata": [of("ns", {"text": "route"})]}}
for name, override in (("disabled", DISABLED), ("own", OWN)):
    g = group(f"set metadata of a route, {name}", proxy(
        vhost({"match": {"prefix": "/"}, "route": {"cluster": "web"}, "typed_per_filter_config": override}), plugins=[set_metadata(metadata=[of("ns", {"text": "all"})])], hcm_more={"access_log": [log(FORMAT)]}))
    g.case("is logged", get(), entries=1, status=200, differs="a route has no set_metadata of its own: weir refuses what Envoy accepts without effect" if name == "own" else None)
g = group("set metadata in headers", proxy(vhost(request_headers_to_add=[{"header": {"key": "x-md", "value": "%DYNAMIC_METADATA(ns:text)%"}}], response_headers_to_add=[{"header": {"key": "x-md", "value": "%DYNAMIC_METADATA(ns:list)%"}}]),
          plugins=[set_metadata(metadata=[of("ns", VALUE)])]))
g.case("request and answer", get(), status=200)
