"""Foreign functions of plugins: compression, signatures, filter state, and expressions (CEL)."""
import zlib

from suite.config import cluster, plugin, proxy, route, vhost
from suite.http import get
from suite.keys import EC, ED, RSA
from suite.model import group
from suite.upstream import answer

g = group("plugin expressions", proxy(plugins=[plugin(script="")]))


def quoted(text):
    return "".join(f"%{ord(letter):02x}" if letter in "%;|\n#" else letter for letter in text)


def expressions(name, *texts, phase="request_headers", request=get, **options):
    script = f"{phase}: " + "; ".join(f"expr {quoted(text)}" for text in texts)
    g.case(name, request("/path/x?a=1&b=2", headers={"x-a": "1", "user-agent": "me", "x-many": "one,two"}, script=script), status=200, logs="expr ", **options)


expressions("literals", "1", "-1", "0x1F", "1u", "1.5", ".5", "1e3", "-1.5e-2", "true", "false", "null", "'a'", '"a"', "'''a'''", "'a\\n\\t\\x41\\u00e9\\101\\''", "r'a\\n'", "b'abc'", "b'\\xff'", "[]", "{}", "[1, 2]", "{'a': 1}", "['a', 'b']", "[1, 'a', true, 1.5]", "{1: 2}", "[[1], ['a']]", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615u", "18446744073709551616u", "''")
expressions("arithmetic", "1 + 2", "1 - 2", "2 * 3", "7 / 2", "-7 / 2", "7 % 3", "-7 % 3", "1u + 2u", "1u - 2u", "7u / 2u", "1.5 + 2.0", "1.0 / 0.0", "1 / 0", "1 % 0", "1u / 0u", "1 + 1.0", "1 + 1u", "9223372036854775807 + 1", "-9223372036854775807 - 2", "9223372036854775807 * 2", "-(-9223372036854775808)", "-1u", "'a' + 'b'", "b'a' + b'b'", "[1] + [2]", "'a' + 1", "1 + 2 * 3", "(1 + 2) * 3", "10 - 2 - 3", "- - 1", "--1", "1.0 % 2.0")
expressions("comparison", "1 == 1", "1 == 1.0", "1 == 1u", "1 != 2", "1 < 2", "1 < 1.5", "1u < 2", "'a' < 'b'", "'a' == 'a'", "'a' == 1", "b'a' < b'b'", "true > false", "[1, 2] == [1, 2]", "[1] == [1.0]", "{'a': 1} == {'a': 1}", "null == null", "1 == null", "'a' < 1", "1 < 2 < 3", "1 < 2 == true", "0.0 == -0.0", "[] < []")
expressions("logic", "true && false", "true || false", "!true", "!!true", "true && 1", "1 && true", "false && 1", "true || 1/0 > 1", "1/0 > 1 || true", "1/0 > 1 && false", "1/0 > 1 || false", "true ? 1 : 2", "false ? 1 : 2 + 3", "1 ? 2 : 3", "true ? 1 : 1/0", "false ? 1 : true ? 2 : 3", "!1", "1 in [1, 2]", "'a' in {'a': 1}", "3 in [1, 2]", "1.0 in [1]", "'a' in 'abc'", "2 in {1: 2}")
expressions("access", "[1, 2][0]", "[1, 2][2]", "[1, 2][-1]", "[1][0u]", "[1][0.0]", "['a']['0']", "{'a': 1}['a']", "{'a': 1}.a", "{'a': 1}['b']", "{'a': 1}.b", "{1: 'x'}[1]", "{1: 'x'}[1u]", "{'a': {'b': 'c'}}.a.b", "has({'a': 1}.a)", "has({'a': 1}.b)", "has(request.path)", "has(request.nothing)", "has(request.headers.host)", "has(1)", "{true: 1}[true]", "{1.0: 2}", "{'a': 1, 'a': 2}", "{null: 1}", "{[1]: 1}", "size([1])[0]", "'abc'[0]")
expressions("functions", "size('abc')", "size('\u00e9')", "size(b'abc')", "size([1, 2])", "size({'a': 1})", "'abc'.size()", "size(1)", "'abc'.startsWith('ab')", "'abc'.endsWith('bc')", "'abc'.contains('b')", "'abc'.matches('^a.c$')", "matches('abc', 'b')", "'abc'.matches('(')", "'abc'.startsWith(1)", "'abc'.nothing()", "nothing('a')", "'ABC'.lowerAscii()", "'abc'.upperAscii()", "'a,b'.split(',')", "['a', 'b'].join(',')", "'abc'.replace('b', 'x')", "'abc'.substring(1)", "'abc'.indexOf('c')", "' a '.trim()", "'abc'.charAt(1)", "startsWith('abc', 'a')", "re.extract('abc', 'a(.)c', '\\\\1')", "math.greatest(1, 2)", "dyn(1)", "type(1)", "type(1) == int", "type('a')", "int", "type(type(1))", "base64.encode(b'a')")
expressions("conversions", "int('12')", "int('x')", "int(1.9)", "int(-1.9)", "int(1u)", "int(1e30)", "uint(1)", "uint(-1)", "uint('5')", "double(1)", "double('1.5')", "double('x')", "string(1)", "string(1u)", "string(1.5)", "string(1e100)", "string(true)", "string(b'a')", "string(b'\\xff')", "string('a')", "bytes('a')", "bool('true')", "bool('x')", "bool(1)", "string(null)", "string([1])", "int(true)", "string(0.1)", "string(100000000.0)", "string(-0.0)")
expressions("time", "duration('1s')", "duration('1.5s')", "duration('1h2m3s')", "duration('x')", "duration('-1s')", "timestamp('2020-01-02T03:04:05Z')", "timestamp('x')", "timestamp('2020-01-02T03:04:05.123Z').getFullYear()", "timestamp('2020-01-02T03:04:05Z').getMonth()", "timestamp('2020-01-02T03:04:05Z').getDate()", "timestamp('2020-01-02T03:04:05Z').getDayOfMonth()", "timestamp('2020-01-02T03:04:05Z').getDayOfWeek()", "timestamp('2020-01-02T03:04:05Z').getDayOfYear()", "timestamp('2020-01-02T03:04:05Z').getHours()", "timestamp('2020-01-02T03:04:05Z').getMinutes()", "timestamp('2020-01-02T03:04:05Z').getSeconds()", "timestamp('2020-01-02T03:04:05.25Z').getMilliseconds()", "timestamp('2020-01-02T03:04:05Z').getHours('+02:00')", "timestamp('2020-01-02T03:04:05Z') + duration('1s')", "timestamp('2020-01-02T03:04:05Z') - timestamp('2020-01-02T03:04:04Z')", "timestamp('2020-01-02T03:04:05Z') - duration('1s')", "duration('1s') + duration('2s')", "duration('1s') < duration('2s')", "duration('90s').getMinutes()", "duration('90s').getSeconds()", "duration('90m').getHours()", "duration('1.5s').getMilliseconds()", "timestamp(0)", "int(timestamp('1970-01-01T00:00:01Z'))", "string(duration('1.5s'))", "string(timestamp('2020-01-02T03:04:05Z'))", "request.time > timestamp('2020-01-01T00:00:00Z')", "timestamp('2020-01-02T03:04:05+01:00')", "duration(1)")
expressions("macros", "[1, 2].all(x, x > 0)", "[1, 2].all(x, x > 1)", "[1, 2].exists(x, x > 1)", "[1, 2].exists_one(x, x > 1)", "[1, 2].existsOne(x, x > 1)", "[1, 2].map(x, x * 2)", "['a', 'b'].map(x, x + 'c')", "[1, 2].filter(x, x > 1)", "[1, 2, 3].map(x, x > 1, x * 2)", "{'a': 1}.all(k, k == 'a')", "{'a': 1}.map(k, k)", "[1].all(x, y > 0)", "[1].all(1, true)", "[[1], [2]].all(x, x.all(y, y > 0))", "1.all(x, true)", "[1, 2].exists(x, 1 / 0 > x || x == 2)", "[].all(x, false)", "[].exists(x, true)", "[1].map(request, request)", "[1, 2].all(x, x in [1, 2])", "cel.bind(x, 1, x + 1)", "request.headers.exists(k, k == 'x-a')")
expressions("syntax", "", " ", "1 +", "(1", "1)", "a b", "1 = 1", "'a", "[1,", "[1, 2,]", "{'a': 1,}", "{'a'}", "// comment", "1 // comment", "@", "a.1", "1.a", "a.", ".a", "f(,)", "f(1,)", "true && ", "? 1 : 2", "1 ? 2", "in", "as", "for", "{a: 1}", "Foo{}", "Foo{a: 1}", "a[", "a[]", "!","-", "1 - - 1", "0x", "1e", "'\\q'", "'\\x4'", "\u00e9", "`a`", "a.`b`", "[?1]", "a.?b", "1..2", "\t1\n", "(((((((((1)))))))))")
expressions("attributes", "request.path", "request.url_path", "request.host", "request.scheme", "request.method", "request.headers['x-a']", "request.headers.x_a", "request.headers['X-A']", "request.headers['nothing']", "'x-a' in request.headers", "'nothing' in request.headers", "size(request.headers) > 3", "request.referer", "request.useragent", "request.id.size()", "request.protocol", "request.query", "request.size", "request.total_size > 10", "request.duration", "source.address.startsWith('127.0.0.1:')", "source.port > 0", "destination.port > 0", "connection.mtls", "connection.requested_server_name", "connection.id >= 0u", "connection.id > 0", "connection.tls_version", "upstream.address", "response.code", "response.flags", "xds.cluster_name", "xds.route_name", "xds.node.id", "xds.listener_direction", "xds.virtual_host_name", "plugin_name", "plugin_root_id", "metadata", "filter_state", "node", "request", "nothing", "nothing.more", "request.nothing", "request.path.more", "wasm.x", "cluster_name", "listener_direction", "route_name", "connection_id > 0u", "request.path == '/path/x?a=1&b=2' && request.method == 'GET'", "request.headers['x-a'] == '1' ? 'yes' : 'no'")
expressions("attributes of the response", "request.path", "response.code", "response.code == 200", "response.flags", "response.headers['content-type']", "response.size", "response.grpc_status", "response.code_details", "response.trailers", "upstream.address.startsWith('127.0.0.1:')", "upstream.port > 0", "upstream.request_attempt_count", "xds.cluster_name", "xds.cluster_metadata", "xds.route_metadata", "xds.upstream_host_metadata", "upstream.locality", phase="response_headers", upstream=[answer(200)])
expressions("attributes in the log", "request.path", "response.code", "request.duration > duration('0s')", "request.total_size > 0", "response.total_size > 0", phase="log", settle=0.1)
expressions("messages made", "google.protobuf.Duration{seconds: 1}", "google.protobuf.Int64Value{value: 1}", differs="weir's expressions make no messages")
expressions("time zones by name", "timestamp('2020-01-02T03:04:05Z').getHours('Europe/Berlin')", differs="weir's expressions know offsets and UTC, not the names of zones")
g.case("from a property that was set", get(script="request_headers: setprop x hello; expr filter_state['wasm.x']; expr filter_state; expr 'wasm.x' in filter_state; prop x; setprop a.b 1; expr filter_state"), status=200, logs="expr")
k = group("plugin expression tokens", proxy(plugins=[plugin(script="")]))
k.case("tokens", get(script="request_headers: foreign expr_create 1; foreign expr_create 2; foreign expr_evaluate %01%00%00%00; foreign expr_evaluate %02%00%00%00; foreign expr_delete %01%00%00%00; foreign expr_evaluate %01%00%00%00; foreign expr_delete %01%00%00%00; foreign expr_create 3; foreign expr_evaluate; foreign expr_evaluate %01; foreign expr_evaluate %ff%ff%ff%ff; foreign expr_delete %01; foreign expr_delete; foreign expr_delete %02%00%00%00; foreign expr_delete %03%00%00%00; foreign expr_create; foreign expr_create %ff"), status=200, logs="foreign")
g.case("properties beside", get(script="response_headers: prop response.trailers; expr response.trailers; expr request.headers; prop request.headers; prop xds.upstream_host_metadata; prop upstream.locality; prop xds.route_metadata; expr xds.route_metadata.filter_metadata; prop xds.route_metadata.filter_metadata; expr 'a' in xds.route_metadata.filter_metadata"), upstream=[answer(200)], status=200, logs="prop")
g.case("on another context", get(script="request_headers: effective root; expr request.path; effective self"), status=200, logs="expr")

f = group("plugin foreign functions", proxy(vhost(route("empty", {"path": "/other"}), route("web")), plugins=[plugin(script="")]))


def percent(data):
    return "".join(chr(byte) if byte < 128 and chr(byte).isalnum() else f"%{byte:02x}" for byte in data)


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, value):
    """A field of a message: bytes, text, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*values):
    """Fields 1, 2, 3...; None is left out."""
    return b"".join(field(number, value) for number, value in enumerate(values, 1) if value is not None)


def foreign(name, *calls, phase="request_headers", more="", **options):
    script = f"{phase}: " + "; ".join(f"foreign {function} {percent(argument)}" for function, argument in calls) + more
    f.case(name, get(script=script), status=200, logs="foreign", **options)


foreign("compress", ("compress", b"hello hello hello hello"), ("compress", b""), ("compress", b"a"))
foreign("compress many bytes", ("compress", bytes(range(256)) * 4), differs="another zlib finds other matches; either undoes the other's work")
foreign("uncompress", ("uncompress", zlib.compress(b"hello")), ("uncompress", zlib.compress(b"")), ("uncompress", b""), ("uncompress", b"nonsense"), ("uncompress", zlib.compress(b"hello")[:-1]),
        ("uncompress", zlib.compress(b"hello") + b"more"), ("uncompress", zlib.compress(b"x" * 100_000)), ("uncompress", zlib.compress(b"x" * 900_000, 9)))
foreign("of nobody", ("nothing", b""), ("", b""), ("Compress", b"a"))
foreign("route cache", ("clear_route_cache", b""), ("clear_route_cache", b"more"))
f.case("route cache after a change", get("/", script="request_headers: prop xds.cluster_name; set 0 :path /other; foreign clear_route_cache; prop xds.cluster_name"), status=503, logs="foreign", weir_status=503, differs="weir knows no route between the change and the next look; Envoy shows the one before")
f.case("route cache in the response", get("/", script="response_headers: foreign clear_route_cache; prop xds.cluster_name"), status=200, logs="foreign")

TEXT = b"the text"
for label, key in (("RSA", RSA), ("EC", EC)):
    good = key.sign(TEXT)
    foreign(f"verify with {label}", ("verify_signature", message("sha256", key.public, good, TEXT)),
            ("verify_signature", message("sha256", key.public, good, b"another text")), ("verify_signature", message("sha256", key.public, good[:-1], TEXT)),
            ("verify_signature", message("SHA256", key.public, good, TEXT)), ("verify_signature", message("sha512", key.public, good, TEXT)),
            ("verify_signature", message("nothing", key.public, good, TEXT)), ("verify_signature", message("sha256", key.public[:-3], good, TEXT)),
            ("verify_signature", message("sha256", b"", good, TEXT)), ("verify_signature", message("sha256", None, good, TEXT, key.public_pem)),
            ("verify_signature", message("sha256", None, good, TEXT, key.public_pem[:90])), ("verify_signature", message("sha256", key.public, good, TEXT, key.public_pem)),
            ("verify_signature", message("sha256", key.public + b"more", good, TEXT)), ("verify_signature", message("sha256", None, good, TEXT, key.pem)),
            ("verify_signature", message("sha256", key.der, good, TEXT)))
    foreign(f"verify with {label} and other digests", *(("verify_signature", message(digest, key.public, key.sign(TEXT, digest), TEXT)) for digest in ("sha1", "sha224", "sha256", "sha384", "sha512")))
foreign("sign with RSA", ("sign", message("sha256", RSA.der, TEXT)), ("sign", message("SHA512", RSA.der, TEXT)), ("sign", message("sha1", RSA.der, TEXT)), ("sign", message("nothing", RSA.der, TEXT)), ("sign", message("", RSA.der, TEXT)), ("sign", message("sha256", RSA.der[:-3], TEXT)),
        ("sign", message("sha256", b"", TEXT)), ("sign", message("sha256", None, TEXT, RSA.pem)), ("sign", message("sha256", RSA.der, TEXT, RSA.pem)), ("sign", message("sha256", RSA.old(), TEXT)), ("sign", message("sha256", RSA.der, b"")), ("sign", message("sha256", None, TEXT, RSA.pem[:100])),
        ("sign", message("sha256", RSA.der + b"more", TEXT)), ("sign", message("sha256", None, TEXT, RSA.public_pem)))
foreign("verify and sign with Ed25519", ("verify_signature", message("sha256", ED.public, b"x" * 64, TEXT)), ("sign", message("sha256", ED.der, TEXT)), ("verify_signature", message("", ED.public, b"x" * 64, TEXT)))
foreign("verify and sign nonsense", ("verify_signature", b""), ("verify_signature", b"\xff"), ("sign", b""), ("sign", b"\xff"), ("verify_signature", b"\x0a\x05ab"), ("sign", field(9, b"x")), ("sign", field(1, b"\xff") + field(2, RSA.der)))

STATE = "; prop filter_state.k; prop k; prop wasm.k; prop filter_state.wasm~k; expr filter_state['k']; expr filter_state['wasm.k']"
foreign("filter state", ("set_envoy_filter_state", message("k", "value")), more=STATE)
foreign("filter state, known keys", *(("set_envoy_filter_state", message(key, "value")) for key in ("envoy.tcp_proxy.cluster", "envoy.network.upstream_server_name", "envoy.network.application_protocols", "envoy.network.upstream_subject_alt_names", "envoy.string", "envoy.ratelimit.hits_addend", "envoy.network.ip", "envoy.upstream.dynamic_host", "envoy.upstream.dynamic_port", "envoy.stream.dynamic", "envoy.tcp_proxy.disable_tunneling", "io.istio.peer_principal", "envoy.upstream_proxy_protocol_tlvs", "envoy.filters.listener.original_dst.local_ip", "envoy.network.transport_socket.original_dst_address", "envoy.hashable_string", "envoy.tcp_proxy.per_connection_idle_timeout_ms", "envoy.ratelimit", "wasm.x", "")),
        more="; prop filter_state.envoy~tcp_proxy~cluster; prop filter_state.envoy~network~upstream_server_name; prop filter_state.envoy~string")
foreign("filter state, spans", *(("set_envoy_filter_state", message("envoy.tcp_proxy.cluster", "value", span)) for span in (0, 1, 2, 3, 77)))
foreign("filter state, nonsense", ("set_envoy_filter_state", b""), ("set_envoy_filter_state", b"\xff"), ("set_envoy_filter_state", message(None, "x")), ("set_envoy_filter_state", message("envoy.tcp_proxy.cluster")), ("set_envoy_filter_state", message("envoy.ratelimit.hits_addend", "5")), ("set_envoy_filter_state", message("envoy.upstream.dynamic_port", "80")))
f.case("filter state twice", get(script=f"request_headers: foreign set_envoy_filter_state {percent(message('envoy.tcp_proxy.cluster', 'a'))}; prop filter_state.envoy~tcp_proxy~cluster; foreign set_envoy_filter_state {percent(message('envoy.tcp_proxy.cluster', 'b'))}; prop filter_state.envoy~tcp_proxy~cluster"), status=200, logs="foreign")
f.case("filter state from the root", get(script=f"request_headers: effective root; foreign set_envoy_filter_state {percent(message('envoy.tcp_proxy.cluster', 'a'))}; effective self; prop filter_state.envoy~tcp_proxy~cluster"), status=200, logs="foreign")
foreign("declared property in a stream", ("declare_property", message("d", 1, 1)), ("declare_property", message("e", None, 9)), ("declare_property", message("f", None, 1, None, 9)), ("declare_property", b""), ("declare_property", b"\xff"),
        more="; setprop d 1; setprop d 2; prop d; expr filter_state['wasm.d'] + b'x'")
DECLARED = {"bytes": (None, 0), "text": (None, 1), "once": (1, 1), "flat": (None, 2, b"schema"), "proto": (None, 3, b"type.googleapis.com/google.protobuf.Int64Value"), "unknown": (None, 3, b"nothing"), "of_request": (None, 1, None, 1), "of_connection": (None, 1, None, 2), "odd": (None, 9), "oddspan": (None, 1, None, 9), "": (None, 1), "text_again": (None, 1)}
d = group("plugin declared properties", proxy(plugins=[plugin(script="configure: " + "; ".join(f"foreign declare_property {percent(message(name, *more))}" for name, more in DECLARED.items()) + f"; foreign declare_property {percent(message('text', 1))}")]))
d.startup(logs="foreign")
WHY = {"flat": "Envoy crashes", "proto": "weir's expressions see a property that is a message as its bytes", "unknown": "weir's expressions see a property that is a message as its bytes", "of_connection": "weir keeps filter state with the request"}
for name in (*DECLARED, "undeclared"):
    if name:
        d.case(name, get(script=f"request_headers: setprop {name} %08%05; prop {name}; setprop {name} %08%06; prop {name}; expr filter_state['wasm.{name}'] + 'x'; expr filter_state['wasm.{name}'] + b'x'; expr filter_state['wasm.{name}'] + 1; expr filter_state['wasm.{name}']; expr filter_state['wasm.{name}'] == 'x'"),
               get(script=f"request_headers: prop {name}; setprop {name} again; prop {name}"), status=None if name == "flat" else 200, logs="setprop", differs=WHY.get(name))
d.case("known keys have types", get(script=f"request_headers: foreign set_envoy_filter_state {percent(message('envoy.string', 'a'))}; expr filter_state['envoy.string'] + 'x'; expr filter_state['envoy.string'] + b'x'; prop filter_state.envoy~string"), status=200, logs="foreign")
d.case("known keys of the connection", get(script=f"request_headers: foreign set_envoy_filter_state {percent(message('envoy.string', 'a', 2))}; prop filter_state.envoy~string"), get(script="request_headers: prop filter_state.envoy~string"), status=200, logs="foreign", differs=WHY["of_connection"])
r = group("plugin foreign functions of the root", proxy(plugins=[plugin(script=f"""
    configure: tick 60; foreign compress a; expr 1 + 1; expr request.path; expr plugin_root_id; expr xds.node.id; foreign clear_route_cache; foreign declare_property {percent(message('rooted', None, 1))}
    tick: tick 0; foreign uncompress {percent(zlib.compress(b'hello'))}; expr source.address; expr metadata; foreign set_envoy_filter_state {percent(message('envoy.tcp_proxy.cluster', 'a'))}""")]))
r.startup(logs="foreign compress")
r.case("tick", get(), settle=0.2)
