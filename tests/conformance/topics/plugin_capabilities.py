"""What a plugin may do (capability_restriction_config), and how it is reloaded (reload_config) and fails (failure_policy, fail_open)."""
from suite.config import plugin, proxy
from suite.http import get, post
from suite.model import group
from topics.validation import CODE, NAME, but

CALLBACKS = "proxy_on_context_create proxy_on_vm_start proxy_on_configure proxy_on_request_headers proxy_on_request_body proxy_on_response_headers proxy_on_log proxy_on_done proxy_on_delete".split()
CALLS = "proxy_log proxy_get_buffer_bytes proxy_get_header_map_value proxy_get_header_map_pairs proxy_replace_header_map_value proxy_get_property proxy_set_property proxy_set_tick_period_milliseconds".split()
WASI = "fd_write environ_sizes_get environ_get clock_time_get random_get".split()


def only(names, where="vm", **more):
    """The plugin with just these capabilities; `where`: the field of the VM, or its old place in the plugin."""
    allowed = {"capability_restriction_config": {"allowed_capabilities": {name: {} for name in names}}}
    if where == "vm":
        return plugin(script="", vm=allowed, **more)
    return plugin(script="", **allowed, **more)


def without(*names):
    return [name for name in CALLBACKS + CALLS + WASI if name not in names]


ALL = "request_headers: log here; set 0 x-a 1; get 0 x-a; prop request.path; env; print out\n response_headers: log there; set 2 x-b 1\n log: log end"
for name, names in {
    "everything it needs": without(),
    "no request callback": without("proxy_on_request_headers"),
    "no response callback": without("proxy_on_response_headers"),
    "no writing of headers": without("proxy_replace_header_map_value"),
    "no reading of headers": without("proxy_get_header_map_pairs"),
    "no properties": without("proxy_get_property"),
    "no environment": without("environ_get", "environ_sizes_get"),
    "no standard output": without("fd_write"),
    "no log callback": without("proxy_on_log", "proxy_on_done", "proxy_on_delete"),
    "a name that nobody knows": [*without(), "proxy_nothing"],
}.items():
    g = group(f"plugin capabilities {name}", proxy(plugins=[only(names)]))
    g.startup()
    g.case("a request", post("/", "hello", script=ALL), status=200)

old = group("plugin capabilities of the plugin", proxy(plugins=[only(without("proxy_replace_header_map_value"), where="plugin")]))
old.case("a request", get(script=ALL), status=200)
none = group("plugin capabilities empty", proxy(plugins=[only([])]))
none.case("no list is no restriction", get(script=ALL), status=200, logs="here")
silent = group("plugin capabilities no log", proxy(plugins=[only(without("proxy_log"))]))
silent.case("a request", get(script=ALL), status=200)

v = group("validate plugin settings")
for name, (setting, accepted) in {
    "reload_config": ("reload_config: {backoff: {base_interval: 2s}}", True),
    "reload_config with max_interval": ("reload_config: {backoff: {base_interval: 2s, max_interval: 10s}}", True),
    "reload_config with max_interval below": ("reload_config: {backoff: {base_interval: 2s, max_interval: 1s}}", True),
    "reload_config of nothing": ("reload_config: {}", True),
    "reload_config without base_interval": ("reload_config: {backoff: {}}", False),
    "reload_config with a zero base_interval": ("reload_config: {backoff: {base_interval: 0s}}", False),
    "reload_config with FAIL_RELOAD": ("failure_policy: FAIL_RELOAD\n                reload_config: {backoff: {base_interval: 2s}}", True),
    "failure_policy UNSPECIFIED and fail_open": ("failure_policy: UNSPECIFIED\n                fail_open: true", True),
    "failure_policy FAIL_CLOSED and fail_open": ("failure_policy: FAIL_CLOSED\n                fail_open: true", False),
    "failure_policy and fail_open false": ("failure_policy: FAIL_OPEN\n                fail_open: false", True),
    "failure_policy of no name": ("failure_policy: FAIL_SOMETIMES", False),
    "capabilities of the plugin": ("capability_restriction_config: {allowed_capabilities: {proxy_log: {}}}", True),
    "capabilities with an argument": ("capability_restriction_config: {allowed_capabilities: {proxy_log: {x: 1}}}", False),
}.items():
    v.validation(name, but((NAME, NAME + f"                {setting}\n")), accepted)
for name, (code, accepted, differs) in {
    "remote": ('remote: {http_uri: {uri: "http://x/y", cluster: web, timeout: 1s}, sha256: "' + "0" * 64 + '"}', True, None),
    "remote without a timeout": ('remote: {http_uri: {uri: "http://x/y", cluster: web}, sha256: "' + "0" * 64 + '"}', False, None),
    "remote without a cluster": ('remote: {http_uri: {uri: "http://x/y", timeout: 1s}, sha256: "' + "0" * 64 + '"}', False, None),
    "remote of a cluster that is not there": ('remote: {http_uri: {uri: "http://x/y", cluster: nobody, timeout: 1s}, sha256: "' + "0" * 64 + '"}', True, None),
    "remote with a digest that is none": ('remote: {http_uri: {uri: "http://x/y", cluster: web, timeout: 1s}, sha256: abc}', True, "a digest is 64 hexadecimal digits: the code could never be taken"),
    "remote with retries": ('remote: {http_uri: {uri: "http://x/y", cluster: web, timeout: 1s}, sha256: "' + "0" * 64 + '", retry_policy: {num_retries: 10, retry_back_off: {base_interval: 1s, max_interval: 30s}}}', True, None),
    "remote with a max_interval below": ('remote: {http_uri: {uri: "http://x/y", cluster: web, timeout: 1s}, sha256: "' + "0" * 64 + '", retry_policy: {retry_back_off: {base_interval: 2s, max_interval: 1s}}}', False, None),
    "environment variable": ("local: {environment_variable: NOBODY_HAS_THIS}", False, None),
    "inline bytes that are empty": ('local: {inline_bytes: ""}', False, None),
    "inline string that is no module": ('local: {inline_string: "text"}', False, None),
}.items():
    v.validation("code " + name, but((CODE, f"code: {{{code}}}")), accepted, differs=differs)
