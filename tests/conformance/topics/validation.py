"""Configurations given to `--mode validate`: which are accepted, and what the message of a refusal names."""
from suite.model import group

g = group("validate")
BASE = """
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 127.0.0.1, port_value: @LISTEN@}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          codec_type: AUTO
          route_config:
            virtual_hosts:
            - name: local
              domains: ["*"]
              routes:
              - match: {prefix: "/"}
                route: {cluster: web}
          http_filters:
          - name: plugin
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: p
                vm_config:
                  runtime: envoy.wasm.runtime.v8
                  code: {local: {filename: "@GUESTS@/conformance.wasm"}}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: web
    connect_timeout: 1s
    type: STATIC
    load_assignment:
      cluster_name: web
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}}]}]
"""


def but(*changes):
    text = BASE
    for old, new in changes:
        if old not in text:
            raise ValueError(f"the base has no {old!r}")
        text = text.replace(old, new)
    return text


WASM_TYPE = '"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n              config:'
ROUTER = '            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}\n'
CODE = 'code: {local: {filename: "@GUESTS@/conformance.wasm"}}'
NAME = "                name: p\n"
LEGACY = "weir takes forms of before Envoy 1.40 with a notice; 39 of 130 public files use one"


def wrapped(kind, key="type_url", prefix="type.googleapis.com/"):
    text = f'"@type": type.googleapis.com/{kind}.TypedStruct\n              {key}: {prefix}envoy.extensions.filters.http.wasm.v3.Wasm\n              value:\n                config:'
    inner = BASE.split(WASM_TYPE + "\n")[1].split("          - name: envoy.filters.http.router")[0]
    return but((WASM_TYPE + "\n" + inner, text + "\n" + inner.replace("                ", "                  ")))


def configured(value):
    return but((NAME, NAME + f"                configuration: {value}\n"))


def any_of(name, value):
    return configured(f'{{"@type": type.googleapis.com/google.protobuf.{name}, value: {value}}}')


ACCEPTED = {
    "plain": BASE,
    "udpa typed struct": wrapped("udpa.type.v1"),
    "xds typed struct": wrapped("xds.type.v3"),
    "typeUrl in camel case": wrapped("udpa.type.v1", key="typeUrl"),
    "type_url without its prefix": wrapped("udpa.type.v1", prefix=""),
    "one mapping for a repeated field": but(("domains: [\"*\"]", "domains: \"*\"")),
    "lower-case enums": but(("type: STATIC", "type: static\n    lb_policy: round_robin"), ("codec_type: AUTO", "codec_type: auto")),
    "camel case": but(("stat_prefix", "statPrefix"), ("route_config", "routeConfig"), ("http_filters", "httpFilters"), ("vm_config", "vmConfig"), ("load_assignment", "loadAssignment")),
    "legacy filter names": but(("name: envoy.filters.network.http_connection_manager", "name: envoy.http_connection_manager"), ("name: envoy.filters.http.router", "name: envoy.router")),
    "no connect_timeout": but(("    connect_timeout: 1s\n", "")),
    "cluster_name of another": but(("cluster_name: web", "cluster_name: other")),
    "cluster without endpoints": but((BASE[BASE.index("    load_assignment"):], "")),
    "access_log_path of the admin": BASE + "admin: {access_log_path: /dev/null, address: {socket_address: {address: 127.0.0.1, port_value: @ADMIN@}}}\n",
    "no runtime": but(("                  runtime: envoy.wasm.runtime.v8\n", "")),
    "string value": any_of("StringValue", '"text"'),
    "bytes value": any_of("BytesValue", '"AAEC"'),
    "struct": any_of("Struct", "{a: 1}"),
    "empty message": configured('{"@type": type.googleapis.com/google.protobuf.Empty}'),
    "filter config on a route": but(("route: {cluster: web}", 'route: {cluster: web}\n                typed_per_filter_config: {plugin: {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, config: {}}}')),
    "filter config disabled": but(("route: {cluster: web}", 'route: {cluster: web}\n                typed_per_filter_config: {plugin: {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}}')),
    "disabled filter": but(("          - name: plugin\n", "          - name: plugin\n            disabled: true\n")),
    "allow_on_headers_stop_iteration": but((NAME, NAME + "                allow_on_headers_stop_iteration: true\n")),
    "failure policy in lower case": but((NAME, NAME + "                failure_policy: fail_open\n")),
    "fail_open": but((NAME, NAME + "                fail_open: true\n")),
    "environment": but((CODE, CODE + "\n                  environment_variables: {host_env_keys: [HOME], key_values: {A: b}}")),
    "v2 hosts as a comment": but(("    type: STATIC\n", "    type: STATIC # hosts: x\n")),
    "anchors": but(("domains: [\"*\"]", "domains: &any [\"*\"]")),
    "durations": but(("connect_timeout: 1s", "connect_timeout: 0.25s")),
    "duration of two units": but(("route: {cluster: web}", 'route: {cluster: web, timeout: 5000s}')),
}
REFUSED = {
    "unknown field": (but((NAME, NAME + "                nonsense: 1\n")), "nonsense", None),
    "unknown field of a cluster": (but(("    type: STATIC\n", "    type: STATIC\n    frobnicate: 1\n")), "frobnicate", None),
    "unknown enum value": (but(("type: STATIC", "type: SOMETIMES")), "SOMETIMES", None),
    "wrong type of a value": (but(("port_value: 8080", "port_value: many")), "port_value", None),
    "port out of range": (but(("port_value: 8080", "port_value: 70000")), None, None),
    "no stat_prefix": (but(("          stat_prefix: ingress\n", "")), None, None),
    "no domains": (but(("              domains: [\"*\"]\n", "")), None, None),
    "domains twice": (but(("            - name: local\n", "            - {name: again, domains: [\"*\"], routes: [{match: {prefix: /}, route: {cluster: web}}]}\n            - name: local\n")), None, None),
    "unknown cluster in a route": (but(("route: {cluster: web}", "route: {cluster: nowhere}")), "nowhere", None),
    "clusters of one name": (but(("  clusters:\n", "  clusters:\n  - {name: web, type: STATIC, connect_timeout: 1s}\n")), "web", None),
    "regex that does not compile": (but(('match: {prefix: "/"}', 'match: {safe_regex: {regex: "("}}')), None, None),
    "unknown filter type": (but(("envoy.extensions.filters.http.wasm.v3.Wasm", "envoy.extensions.filters.http.nothing.v3.Nothing")), "Nothing", None),
    "filters after the router": (but(("          http_filters:\n", "          http_filters:\n          - name: first\n" + ROUTER)), None, None),
    "no router": (but(("          - name: envoy.filters.http.router\n" + ROUTER, "")), None, None),
    "plugin configuration on a route": (but(("route: {cluster: web}", 'route: {cluster: web}\n                typed_per_filter_config: {plugin: {"@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, config: {name: q}}}')), None, None),
    "missing plugin file": (but(("conformance.wasm", "nowhere.wasm")), "nowhere.wasm", None),
    "missing plugin file, fail_open": (but(("conformance.wasm", "nowhere.wasm"), (NAME, NAME + "                fail_open: true\n")), "nowhere.wasm", None),
    "plugin that is no module": (but((CODE, 'code: {local: {inline_string: "not wasm"}}')), None, None),
    "plugin without a known ABI": (but((CODE, "code: {local: {inline_bytes: AGFzbQEAAAA=}}")), None, None),
    "no code": (but(("                  " + CODE + "\n", "")), None, None),
    "remote code without sha256": (but((CODE, "code: {remote: {http_uri: {uri: http://x/y, cluster: web, timeout: 1s}}}")), None, None),
    "both policies": (but((NAME, NAME + "                fail_open: true\n                failure_policy: FAIL_OPEN\n")), None, None),
    "environment key twice": (but((CODE, CODE + "\n                  environment_variables: {host_env_keys: [A], key_values: {A: b}}")), "A", None),
    "configuration that fails in the plugin": (any_of("StringValue", '"configure: return 0"'), None, None),
    "not YAML": ("a: [b", None, None),
    "empty": ("", None, None),
    "router without typed_config": (but((ROUTER, "")), None, LEGACY),
    "v2 hosts": (but((BASE[BASE.index("    load_assignment"):], "    hosts: [{socket_address: {address: 127.0.0.1, port_value: 8080}}]\n")), None, LEGACY),
    "v2 type url": (but(("envoy.extensions.filters.http.wasm.v3.Wasm", "envoy.config.filter.http.wasm.v2.Wasm")), None, LEGACY),
    "bare string configuration": (configured('"text"'), None, LEGACY),
    "runtime wasmtime": (but(("envoy.wasm.runtime.v8", "envoy.wasm.runtime.wasmtime")), None, "weir has one engine, and every runtime's name means it"),
}
# Envoy takes an empty file for a bootstrap without anything.
NOT_REFUSED = {"empty", "port out of range"}
for name, text in ACCEPTED.items():
    g.validation(name, text, True)
for name, (text, names, differs) in REFUSED.items():
    g.validation(name, text, False, names=names, differs=differs)
