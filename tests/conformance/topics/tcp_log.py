"""Access logs of connections: those of the TCP proxy, and those of listeners."""
from suite.config import cluster, proxy, vhost
from suite.http import get, raw
from suite.model import group
from suite.plain import FIN, RESET, read
from suite.tls import Authority, Client, downstream, sign

from topics.access_log import STEADY, log
from topics.listener import PROXY, TLS, lf, says
from topics.tcp import network, plain, tcp

# Of the operators of access_log.py those that are about a connection, and what is only about one.
NAMES = STEADY + """UPSTREAM_LOCAL_ADDRESS UPSTREAM_TLS_VERSION DOWNSTREAM_TLS_CIPHER DOWNSTREAM_DETECTED_CLOSE_TYPE
DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_WIRE_BYTES_SENT DOWNSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST_NAMES_ATTEMPTED
DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT REQUEST_HEADERS_BYTES RESPONSE_HEADERS_BYTES
UPSTREAM_SERVER_NAME DOWNSTREAM_DIRECT_REMOTE_PORT""".split()
NAMES = [name for name in NAMES if name not in ("UNIQUE_ID",)]
TEXT = "".join(f"{name.split('(')[0]} = %{name}%\n" for name in NAMES).replace("DOWNSTREAM_DIRECT_REMOTE_PORT = %DOWNSTREAM_DIRECT_REMOTE_PORT%\n", "")
N = TEXT.count("\n")
SHORT = "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% " \
        "%UPSTREAM_REQUEST_ATTEMPT_COUNT% %CONNECTION_TERMINATION_DETAILS% %UPSTREAM_TRANSPORT_FAILURE_REASON% %DOWNSTREAM_DETECTED_CLOSE_TYPE% " \
        "%DOWNSTREAM_LOCAL_CLOSE_REASON% %FILTER_CHAIN_NAME%\n"


def logged(text=SHORT, to="plain", clusters=(), options=None, filter=None, listener=None, chain=None, **more):
    """A TCP proxy with an access log."""
    tree = plain(tcp(to, access_log=[log(text, filter=filter)], **({"access_log_options": options} if options else {}), **more), clusters=clusters, **(listener or {}))
    tree["static_resources"]["listeners"][0]["filter_chains"][0].update(chain or {"name": "the chain"})
    return tree


TALKS = (("the client ends first", [b"hello", FIN], {"ends": "end"}),
         ("the upstream ends first", [0.2, b"x", FIN], {"ends": "end", "upstream": [b"bye", FIN, read(1)]}),
         ("the upstream closes and the client does not", [b"x"], {"upstream": [read(1), b"bye", FIN], "ends": "end"}),
         ("the upstream resets", [b"x"], {"upstream": [read(1), 0.1, RESET]}),
         ("the client resets", [b"last words", 0.2, RESET], {}),
         ("nothing but an end", [FIN], {"ends": "end"}))

for title, text, n in (("tcp log operators", TEXT, N), ("tcp log", SHORT, 1)):
    g = group(title, logged(text))
    for name, pieces, more in TALKS:
        g.talk(name, *pieces, entries=n, **more)
    for name, to, clusters in (("no such cluster", "nowhere", ()), ("no endpoint", "plain", [cluster("plain")]), ("refused", "plain", [cluster("plain", "@REFUSED@")]),
                               ("full", "plain", [cluster("plain", "@PLAIN@", circuit_breakers={"thresholds": [{"max_connections": 0}]})])):
        group(f"{title} {name}", logged(text, to, clusters)).talk("closed", 0.2, b"hello", entries=n)
    group(f"{title} attempts", logged(text, clusters=[cluster("plain", "@REFUSED@")], max_connect_attempts=3)).talk("all fail", 0.2, entries=n)
    g = group(f"{title} attempts at two endpoints", logged(text, clusters=[cluster("plain", "@REFUSED@", "@PLAIN@")], max_connect_attempts=2))
    g.talk("one of the two is there", [b"a", FIN], [b"b", FIN], entries=2 * n, ends="end", differs="sometimes: which of two endpoints is tried first is drawn")
    group(f"{title} idle", logged(text, idle_timeout="0.4s")).talk("silence", entries=n, upstream=[], patience=1.5, ends="end")
    group(f"{title} duration", logged(text, max_downstream_connection_duration="0.6s")).talk("it stays too long", b"x", 0.2, b"x", 0.8, b"x", entries=n)
    g = group(f"{title} behind proxy protocol", logged(text, listener={"listener_filters": [lf(PROXY)]}))
    g.talk("another address", b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\nhello", 0.2, FIN, entries=n, ends="end")

WHEN = "%ACCESS_LOG_TYPE% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST% %RESPONSE_FLAGS%\n"
for name, options, count in (("connected", {"flush_access_log_on_connected": True}, 2), ("start", {"flush_access_log_on_start": True}, 2),
                             ("all", {"flush_access_log_on_connected": True, "flush_access_log_on_start": True}, 3)):
    group(f"tcp log on {name}", logged(WHEN, options=options)).talk("written at once", b"hello", FIN, entries=count, ends="end")
    group(f"tcp log on {name} refused", logged(WHEN, options=options, clusters=[cluster("plain", "@REFUSED@")])).talk("no connection", 0.2, entries=count - ("connected" in str(options)))
g = group("tcp log periodic", logged(WHEN, options={"access_log_flush_interval": "0.4s"}))
g.talk("while it runs", b"hello", 1.0, b"again", FIN, entries=3, ends="end", patience=2.0)
g.talk("not when it is short", b"hello", FIN, entries=1, ends="end")
g = group("tcp log periodic and connected", logged(WHEN, options={"access_log_flush_interval": "0.4s", "flush_access_log_on_connected": True}))
g.talk("both", b"hello", 0.6, FIN, entries=3, ends="end", patience=2.0)
g = group("tcp log deprecated", logged(WHEN, access_log_flush_interval="0.4s", flush_access_log_on_connected=True))
g.talk("both", b"hello", 0.6, FIN, entries=3, ends="end", patience=2.0)
for name, condition, count in (("type", {"log_type_filter": {"types": ["TcpUpstreamConnected"]}}, 1), ("flag", {"response_flag_filter": {"flags": ["UF"]}}, 0),
                               ("status", {"status_code_filter": {"comparison": {"op": "EQ", "value": {"default_value": 0, "runtime_key": "x"}}}}, 2)):
    g = group(f"tcp log filter {name}", logged(WHEN, options={"flush_access_log_on_connected": True}, filter=condition))
    g.talk("entries", b"hello", FIN, entries=count, ends="end")

# --- TLS on both sides ---

CA = Authority("log authority")
PAIR, ME = sign(CA, "log-server"), sign(CA, "log-client", "URI:spiffe://x/me,DNS:me.example")
TLS_NAMES = """DOWNSTREAM_TLS_VERSION DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_DNS_SAN
REQUESTED_SERVER_NAME DOWNSTREAM_TRANSPORT_FAILURE_REASON RESPONSE_FLAGS CONNECTION_TERMINATION_DETAILS FILTER_CHAIN_NAME BYTES_RECEIVED BYTES_SENT
DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT UPSTREAM_WIRE_BYTES_SENT UPSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_DETECTED_CLOSE_TYPE
DOWNSTREAM_LOCAL_CLOSE_REASON RESPONSE_CODE_DETAILS ACCESS_LOG_TYPE""".split()
TLS_TEXT = "".join(f"{name} = %{name}%\n" for name in TLS_NAMES)
SECURE = {"name": "secure", "transport_socket": downstream(PAIR, common={"validation_context": {"trusted_ca": {"filename": CA.pem}}})}
T = len(TLS_NAMES)
g = group("tcp log tls", logged(TLS_TEXT, chain=SECURE))
g.talk("a client with a certificate", b"hello", FIN, tls=Client(pair=ME), entries=T)
g.talk("a client without", b"hello", FIN, tls=Client(), entries=T)
g = group("tcp log tls inspector", logged(TLS_TEXT, listener={"listener_filters": [lf(TLS)]}, chain=SECURE))
g.talk("a client with a name", b"hello", FIN, tls=Client(), entries=T)

# --- Listeners ---

def listening(text, *filters, chain=None, **more):
    tree = plain(*(filters or [tcp()]), access_log=[log(text)], **more)
    tree["static_resources"]["listeners"][0]["filter_chains"][0].update(chain or {"name": "the chain"})
    return tree


for title, text, n in (("listener log operators", TEXT, N), ("listener log", SHORT, 1)):
    g = group(title, listening(text))
    for name, pieces, more in TALKS:
        g.talk(name, *pieces, entries=n, **more)
    group(f"{title} refused", listening(text, tcp(), clusters=[cluster("plain", "@REFUSED@")])).talk("closed", 0.2, b"hello", entries=n)
    group(f"{title} direct", listening(text, network("direct_response.v3.Config", response={"inline_string": "go away\n"}))).talk("answered", FIN, entries=n)
    group(f"{title} echo", listening(text, network("echo.v3.Echo"))).talk("echoed", b"hello", 0.1, FIN, entries=n, ends="end")
    tree = listening(text)
    tree["static_resources"]["listeners"][0]["filter_chains"] = [says("never", {"destination_port": 1})]
    group(f"{title} no chain", tree).talk("closed", 0.2, entries=n)
    g = group(f"{title} listener filters", listening(text, listener_filters=[lf(PROXY)], listener_filters_timeout="0.4s"))
    g.talk("a bad header", b"PROXY TCP4 nonsense\r\nx", 0.2, entries=n)
    g.talk("a good one", b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\nhello", 0.2, FIN, entries=n, ends="end")
    g.talk("none in time", 0.8, entries=n, patience=1.5)
    g.talk("the client goes first", b"PROXY", 0.1, FIN, entries=n)
    tree = proxy(vhost({"match": {"prefix": "/"}, "direct_response": {"status": 200}}), listener_more={"access_log": [log(text)]})
    group(f"{title} http", tree).case("a request", get("/x"), status=200, entries=n)
    group(f"{title} http malformed", tree).case("a request", raw("nonsense\r\n\r\n"), status=400, entries=n, settle=1.3,
                                                  differs="what is wrong with a request is said in words of our own")

for title, chain in (("listener log tls", SECURE),):
    g = group(title, listening(TLS_TEXT, chain=chain))
    g.talk("a client with a certificate", b"hello", FIN, tls=Client(pair=ME), entries=T)
    NOTHING = "weir makes network filters, and learns of TLS, when the handshake is complete; until then it has not gone upstream"
    g.talk("plain text", b"hello there", 0.2, entries=T, differs=NOTHING)
    g.talk("a handshake that is broken off", b"\x16\x03\x01", 0.2, FIN, entries=T, differs=NOTHING)
    g.talk("a client of a stranger", b"hello", FIN, tls=Client(pair=sign(Authority("log stranger"), "log-stranger")), entries=T, differs=NOTHING)
