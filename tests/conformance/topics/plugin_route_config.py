"""What a route says of the HTTP filters (typed_per_filter_config): which of them its requests pass, and in Envoy nothing else of a Wasm filter."""
from suite.config import TYPE, plugin, proxy, route, vhost
from suite.http import get
from suite.model import group
from topics.validation import but

FILTER_CONFIG = TYPE + "envoy.config.route.v3.FilterConfig"
OFF = {"@type": FILTER_CONFIG, "disabled": True}
ON = {"@type": FILTER_CONFIG, "config": {}}
ROUTER_NAME = "envoy.filters.http.router"


def settings(**filters):
    return {"typed_per_filter_config": {f"wasm.{name}": setting for name, setting in filters.items()}}


def to(path, cluster="web", **filters):
    return {**route(cluster, path), **settings(**filters)}


EACH = "header: x-s"
ONE, TWO = plugin("one", script=EACH, vm_id="one"), plugin("two", script=EACH, vm_id="two")
SAY = {"x-s": "response_headers: log passed; set 2 x-passed 1"}

d = group("plugin route config disabled", proxy(
    vhost(to("/one-off", one=OFF), to("/both-off", one=OFF, two=OFF), to("/on", one=ON), {**to("/off-at-host", one=OFF, two=ON)}, to("/")),
    plugins=[ONE, TWO]))
d.case("a route without any", get("/", headers=SAY), status=200, logs="passed")
d.case("one of two", get("/one-off", headers=SAY), status=200, logs="passed")
d.case("both", get("/both-off", headers=SAY), status=200)
d.case("enabled where it is enabled anyway", get("/on", headers=SAY), status=200, logs="passed")

NO_ANSWER = "a configuration in which a route disables the router is refused: Envoy takes it and never answers"
r = group("plugin route config router", proxy(vhost({**route("web", "/"), "typed_per_filter_config": {ROUTER_NAME: OFF}}), plugins=[ONE]))
r.case("router disabled", get("/", headers=SAY), differs=NO_ANSWER)

EMPTY = {"@type": FILTER_CONFIG, "config": {"@type": TYPE + "google.protobuf.Empty"}, "is_optional": True}
b = group("plugin route config levels", proxy(
    {**vhost(to("/host"), to("/route-on", one=ON), to("/empty", one=EMPTY), to("/two-off", two=OFF), to("/other-name", three=OFF)), **settings(one=OFF)},
    plugins=[ONE, TWO], route_config=settings(one=ON, two=OFF)))
b.case("the virtual host's against the configuration's", get("/host", headers=SAY), status=200)
b.case("the route's against the virtual host's", get("/route-on", headers=SAY), status=200, logs="one root one: passed")
b.case("an empty message that is optional", get("/empty", headers=SAY), status=200, logs="one root one: passed")
b.case("a name that no filter has", get("/other-name", headers=SAY), status=200)
b.case("no route", get("/host", host="nobody", headers=SAY), status=200)

by_default = group("plugin route config disabled by default", proxy(
    vhost(to("/on", one=ON), to("/off", one=OFF), to("/two-off", one=ON, two=OFF), {"match": {"prefix": "/direct"}, "direct_response": {"status": 200}, **settings(one=ON)}, {"match": {"prefix": "/away"}, "redirect": {"path_redirect": "/on"}, **settings(one=ON)}, to("/")),
    plugins=[{**ONE, "disabled": True}, TWO]))
by_default.startup()
for name, path in {"enabled by the route": "/on", "disabled again": "/off", "nothing said": "/", "one on and the other off": "/two-off", "direct response": "/direct", "redirect": "/away"}.items():
    by_default.case(name, get(path, headers=SAY))
by_default.case("another route after the plugin", get("/", headers={"x-s": "request_headers: set 0 :path /on"}), logs="set 0 :path")
by_default.case("away from the route", get("/on", headers={"x-s": "request_headers: set 0 :path /off|response_headers: log passed"}), logs="set 0 :path")

weighted = {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [{"name": "web", "weight": 1, **settings(one=ON, two=OFF)}, {"name": "callout", "weight": 0, **settings(one=OFF)}]}}, **settings(one=OFF, two=ON)}
w = group("plugin route config weighted", proxy(vhost(weighted), plugins=[ONE, TWO]))
w.case("the weighted cluster's against the route's", get("/", headers=SAY), status=200, logs="one root one: passed")

none = group("plugin route config no match", proxy({**vhost(to("/x"), domains=["here"]), **settings(one=ON)}, plugins=[{**ONE, "disabled": True}, TWO], route_config=settings(one=ON, two=OFF)))
none.case("no virtual host", get("/", headers=SAY), status=404)
none.case("no route", get("/", host="here", headers=SAY), status=404)
tls = group("plugin route config tls", proxy({**vhost(to("/x", one=ON), require_tls="ALL"), **settings(one=ON)}, plugins=[{**ONE, "disabled": True}, TWO], route_config=settings(one=ON, two=OFF)))
tls.case("a redirect to TLS", get("/x", headers=SAY), status=301)


# ---- what is accepted
WASM_TYPE = '"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'
FC = f'"@type": {FILTER_CONFIG}'
OWN_PLUGIN = WASM_TYPE + ', config: {name: q, vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: "@GUESTS@/conformance.wasm"}}}}'
OWN = "a Wasm filter takes a plugin of a route's own, which Envoy refuses"
v = group("validate plugin route config")
for name, (setting, accepted, differs) in {
    "without config": (f"plugin: {{{FC}}}", False, None),
    "of a type that nobody knows": (f'plugin: {{{FC}, config: {{"@type": type.googleapis.com/a.b.C}}}}', False, None),
    "of no filter's type": (f'plugin: {{{FC}, config: {{"@type": type.googleapis.com/google.protobuf.Empty}}}}', False, None),
    "of no filter's type, optional": (f'plugin: {{{FC}, is_optional: true, config: {{"@type": type.googleapis.com/google.protobuf.Empty}}}}', True, None),
    "an empty message": ("plugin: {}", False, None),
    "disabled, with a config that nobody knows": (f'plugin: {{{FC}, disabled: true, config: {{"@type": type.googleapis.com/google.protobuf.Empty}}}}', True, None),
    "of a name that no filter has": (f"other: {{{FC}, disabled: true}}", True, None),
    "the router's own": ('envoy.filters.http.router: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}', False, None),
    "the router's own, optional": (f'envoy.filters.http.router: {{{FC}, is_optional: true, config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}', True, None),
    "the router disabled": (f"envoy.filters.http.router: {{{FC}, disabled: true}}", True, NO_ANSWER),
    "a plugin": (f"plugin: {{{OWN_PLUGIN}}}", False, OWN),
    "a plugin in a filter config": (f"plugin: {{{FC}, config: {{{OWN_PLUGIN}}}}}", False, OWN),
    "a plugin that is optional": (f"plugin: {{{FC}, is_optional: true, config: {{{OWN_PLUGIN}}}}}", True, None),
}.items():
    v.validation(name, but(("route: {cluster: web}", f"route: {{cluster: web}}\n                typed_per_filter_config: {{{setting}}}")), accepted, differs=differs)
v.validation("the router disabled by default", but(("          - name: envoy.filters.http.router\n", "          - name: envoy.filters.http.router\n            disabled: true\n")), False)
