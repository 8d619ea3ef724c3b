"""TLS towards clients and upstreams: what is agreed on, who is let in, and how what fails is told."""
import ssl

from suite.config import TYPE, cluster, plugin, proxy, to_yaml
from suite.http import get, raw, request
from suite.model import group
from suite.tls import Authority, Client, downstream, secured, server, sign, upstream

CA, OTHER = Authority("authority"), Authority("stranger")
SERVER = sign(CA, "plain-server")
STATS = r"listener\.[^:]*\.ssl\.(handshake|connection_error|no_certificate|fail_verify.*|session_reused|versions\..*|curves\..*)"
UP_STATS = r"cluster\.web\.ssl\.(handshake|connection_error|no_certificate|fail_verify.*|session_reused|versions\..*)"
T12, T13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

# --- Towards clients ---

g = group("tls", secured(downstream(SERVER, common={"alpn_protocols": ["h2", "http/1.1"]})))
g.case("a request", get("/x"), tls=Client(), status=200, stats=STATS)
g.case("a request in TLS 1.2", get("/x"), tls=Client(highest=T12), status=200, stats=STATS)
g.case("a client that trusts the authority", get("/x"), tls=Client(ca=CA.pem), status=200)
g.case("a client that does not trust it", get("/x"), tls=Client(ca=OTHER.pem), stats=STATS)
g.case("ALPN of which one is known", get("/x"), tls=Client(alpn=["spdy/1", "http/1.1"]), status=200)
g.case("ALPN of which none is known", get("/x"), tls=Client(alpn=["spdy/1"]))
g.case("no SNI", get("/x"), tls=Client(name=None), status=200)
g.case("SNI of another name", get("/x"), tls=Client(name="other.example"), status=200)
g.case("TLS 1.2 with an RSA cipher for an ECDSA certificate", get("/x"), tls=Client(highest=T12, ciphers="ECDHE-RSA-AES128-GCM-SHA256"), stats=STATS)
g.case("TLS 1.2 with a cipher that is off", get("/x"), tls=Client(highest=T12, ciphers="ECDHE-ECDSA-AES128-SHA"), stats=STATS)
g.case("plain text", get("/x"), stats=STATS)
g.case("nonsense", raw("\x16\x03\x01\x00\x05hello"), stats=STATS, differs="OpenSSL's alert for a broken handshake message is another one than BoringSSL's")
g.case("a client that leaves within its hello", raw("\x16\x03\x01", 0.1, abandon=True), settle=0.1, stats=STATS)
g.case("a client that says nothing", raw("", 0.1, abandon=True), settle=0.1, stats=STATS)
g.case("a resumed session", connections=[[get("/1")], [get("/2")]], tls=Client(resume=True), status=200, stats=STATS)
g.case("a resumed session in TLS 1.2", connections=[[get("/1")], [get("/2")]], tls=Client(resume=True, highest=T12), status=200, stats=STATS)

versions = group("tls versions", secured(downstream(SERVER, common={"tls_params": {"tls_minimum_protocol_version": "TLSv1_3"}})))
versions.case("1.3 is spoken", get("/x"), tls=Client(), status=200)
versions.case("1.2 is refused", get("/x"), tls=Client(highest=T12), stats=STATS)

many = group("tls certificates", secured(downstream(sign(CA, "first", "DNS:first.example"), sign(CA, "ecdsa-twin"), sign(CA, "rsa-twin", rsa=True),
                                                    sign(CA, "wide", "DNS:*.wide.example"))))
for label, client in (("by exact name", Client()), ("by wildcard", Client(name="a.wide.example")), ("a wildcard is for one label", Client(name="a.b.wide.example")),
                      ("an unknown name gets the first", Client(name="nobody.example")), ("no name", Client(name=None)),
                      ("in capitals", Client(name="FIRST.example")),
                      ("RSA for who knows only that", Client(highest=T12, ciphers="ECDHE-RSA-AES128-GCM-SHA256")),
                      ("ECDSA in TLS 1.2", Client(highest=T12))):
    many.case(label, get("/x"), tls=client)

quiet = group("tls without tickets", secured(downstream(SERVER, disable_stateless_session_resumption=True, disable_stateful_session_resumption=True)))
quiet.case("nothing is resumed", connections=[[get("/1")], [get("/2")]], tls=Client(resume=True), status=200, stats=STATS)
quiet.case("nothing is resumed in TLS 1.2", connections=[[get("/1")], [get("/2")]], tls=Client(resume=True, highest=T12), status=200, stats=STATS)

# --- Client certificates ---

ME = sign(CA, "me", "URI:spiffe://x/me,DNS:me.example,DNS:also.example,email:me@a.example,IP:10.0.0.1")
DETAILS = {"subject": True, "cert": True, "chain": True, "uri": True, "dns": True}


def mutual(validation=None, hcm=None, **more):
    context = {"trusted_ca": {"filename": CA.pem}, **(validation or {})}
    return secured(downstream(sign(CA, "mutual-server", "URI:spiffe://x/proxy,DNS:test.example"), common={"validation_context": context}, **more), hcm_more=hcm or {})


must = group("mtls required", mutual(require_client_certificate=True, hcm={"forward_client_cert_details": "SANITIZE_SET", "set_current_client_cert_details": DETAILS}))
EXPIRED = sign(CA, "expired", days=-1)
for label, client in (("with one", Client(pair=ME)), ("with one in TLS 1.2", Client(pair=ME, highest=T12)), ("without", Client()),
                      ("without in TLS 1.2", Client(highest=T12)), ("of a stranger", Client(pair=sign(OTHER, "stranger"))),
                      ("of a stranger in TLS 1.2", Client(pair=sign(OTHER, "stranger-again"), highest=T12)),
                      ("expired", Client(pair=EXPIRED)), ("expired in TLS 1.2", Client(pair=EXPIRED, highest=T12))):
    must.case(label, get("/x", headers={"x-forwarded-client-cert": "Hash=before"}), tls=client, stats=STATS)

may = group("mtls optional", mutual())
may.case("with one", get("/x"), tls=Client(pair=ME), status=200, stats=STATS)
may.case("without", get("/x"), tls=Client(), status=200, stats=STATS)

for label, validation in (
        ("names that fit", {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"prefix": "spiffe://x/"}}]}),
        ("names that do not fit", {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"exact": "spiffe://y"}}]}),
        ("a name of another type", {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"prefix": "spiffe://x/"}}]}),
        ("an e-mail address", {"match_typed_subject_alt_names": [{"san_type": "EMAIL", "matcher": {"suffix": "@a.example"}}]}),
        ("an IP address", {"match_typed_subject_alt_names": [{"san_type": "IP_ADDRESS", "matcher": {"exact": "10.0.0.1"}}]}),
        ("the deprecated matcher", {"match_subject_alt_names": [{"exact": "also.example"}]}),
        ("a regular expression", {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"safe_regex": {"regex": ".*so[.]example"}}}]}),
        ("a pin that does not fit", {"verify_certificate_hash": ["00" * 32]}),
        ("strangers are accepted", {"trust_chain_verification": "ACCEPT_UNTRUSTED"}),
        ("expired is allowed", {"allow_expired_certificate": True})):
    g = group(f"mtls: {label}", mutual(validation, require_client_certificate=True))
    g.case("the usual client", get("/x"), tls=Client(pair=ME), stats=STATS)
    if "stranger" in label or "expired" in label:
        g.case("the unusual client", get("/x"), tls=Client(pair=EXPIRED if "expired" in label else sign(OTHER, "one-more")), stats=STATS)

CAME = {"x-forwarded-client-cert": "By=a;Hash=b"}
for mode in ("SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"):
    for label, details in (("", {}), (" with uri and subject", {"uri": True, "subject": True})):
        g = group(f"xfcc {mode}{label}", mutual(hcm={"forward_client_cert_details": mode, **({"set_current_client_cert_details": details} if details else {})}))
        g.case("with a certificate", get("/x", headers=CAME), tls=Client(pair=ME), status=200)
        g.case("without one", get("/x", headers=CAME), tls=Client(), status=200)

plain = group("xfcc on plain text", proxy())
plain.case("is removed", get("/x", headers=CAME), status=200)

properties = ["mtls", "requested_server_name", "tls_version", "subject_local_certificate", "subject_peer_certificate", "dns_san_local_certificate",
              "dns_san_peer_certificate", "uri_san_local_certificate", "uri_san_peer_certificate", "sha256_peer_certificate_digest"]
SCRIPT = "request_headers: " + "; ".join(f"prop connection.{name}" for name in properties)

props = group("tls properties", secured(downstream(sign(CA, "props-server", "URI:spiffe://x/proxy,DNS:test.example"), common={
    "validation_context": {"trusted_ca": {"filename": CA.pem}}}), plugins=[plugin(script=SCRIPT)]))
props.case("with a certificate", get("/x"), tls=Client(pair=ME), status=200)
props.case("without one", get("/x"), tls=Client(), status=200)

# --- Towards upstreams ---

TRUST = {"validation_context": {"trusted_ca": {"filename": CA.pem}}}
NAMED = {"validation_context": {"trusted_ca": {"filename": CA.pem}, "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "b.example"}}]}}
UP = sign(CA, "upstream")


def behind(name, context, differs=None, **tls):
    made = group(f"tls upstream: {name}", proxy(plugins=[plugin(script="response_headers: prop upstream.transport_failure_reason; prop upstream.tls_version; prop upstream.subject_peer_certificate; prop upstream.dns_san_peer_certificate; prop upstream.subject_local_certificate")],
                                                 clusters=[cluster("web", "@UPSTREAM@", transport_socket=upstream(**tls))]))
    made.upstream_tls = context
    made.case("is asked", get("/1", wait=True), get("/2"), stats=UP_STATS, differs=differs)
    return made


behind("trusted", server(UP), sni="test.example", common_tls_context=TRUST)
behind("trusted by nobody", server(sign(OTHER, "bad-upstream")), common_tls_context=TRUST)
behind("not verified", server(sign(OTHER, "any-upstream")))
behind("expired", server(sign(CA, "old-upstream", days=-1)), common_tls_context=TRUST)
behind("expired and allowed", server(sign(CA, "old-upstream-2", days=-1)), common_tls_context={"validation_context": {
    "trusted_ca": {"filename": CA.pem}, "allow_expired_certificate": True}})
behind("of another name", server(UP), common_tls_context=NAMED)
behind("of the name that is sent", server(UP), sni="test.example", auto_sni_san_validation=True, common_tls_context=TRUST)
behind("of another name than is sent", server(UP), sni="b.example", auto_sni_san_validation=True, common_tls_context=TRUST)
behind("pinned to another", server(UP), common_tls_context={"validation_context": {"verify_certificate_hash": ["00" * 32]}})
behind("that wants a certificate and gets one", server(UP, ca=CA.pem, required=True), common_tls_context={
    "tls_certificates": [{"certificate_chain": {"filename": ME[0]}, "private_key": {"filename": ME[1]}}]})
behind("that wants a certificate and gets none, TLS 1.2", server(UP, ca=CA.pem, required=True, highest=T12))
behind("of TLS 1.2 for who wants 1.3", server(UP, highest=T12), "where only tls_minimum_protocol_version is 1.3, weir speaks 1.3; Envoy's maximum stays 1.2 and no version is left", common_tls_context={"tls_params": {"tls_minimum_protocol_version": "TLSv1_3"}})
behind("that speaks plain text", None)

HTTP = TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
auto = group("tls upstream: auto_sni", proxy(clusters=[cluster("web", "@UPSTREAM@", transport_socket=upstream(common_tls_context=TRUST), typed_extension_protocol_options={
    HTTP[len(TYPE):]: {"@type": HTTP, "upstream_http_protocol_options": {"auto_sni": True, "auto_san_validation": True},
                       "explicit_http_config": {"http_protocol_options": {}}}})]))
auto.upstream_tls = server(UP)
auto.case("the request's host", get("/1", wait=True), get("/2"), stats=UP_STATS, status=200)
auto.case("another host", request("GET", "/1", host="b.example"), stats=UP_STATS, status=503)
auto.case("with a port", request("GET", "/1", host="test.example:1234"), stats=UP_STATS, status=200)

# --- Configurations that cannot be ---

PAIR = {"certificate_chain": {"filename": SERVER[0]}, "private_key": {"filename": SERVER[1]}}
bad = group("tls validation")
for label, common in (
        ("certificate and key of different pairs", {"tls_certificates": [{"certificate_chain": {"filename": SERVER[0]}, "private_key": {"filename": ME[1]}}]}),
        ("no certificate", {}),
        ("a certificate file that is not there", {"tls_certificates": [{"certificate_chain": {"filename": "/none"}, "private_key": {"filename": SERVER[1]}}]}),
        ("a certificate that is none", {"tls_certificates": [{"certificate_chain": {"inline_string": "none"}, "private_key": {"filename": SERVER[1]}}]}),
        ("an unknown cipher", {"tls_certificates": [PAIR], "tls_params": {"cipher_suites": ["NONE-SUCH"]}}),
        ("an unknown curve", {"tls_certificates": [PAIR], "tls_params": {"ecdh_curves": ["NONE"]}}),
        ("names without a CA", {"tls_certificates": [PAIR], "validation_context": {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "a"}}]}}),
        ("a pin that is no digest", {"tls_certificates": [PAIR], "validation_context": {"verify_certificate_hash": ["zz" * 32]}}),
        ("an unknown static secret", {"tls_certificate_sds_secret_configs": [{"name": "none"}]})):
    transport = downstream(common={"tls_certificates": [], **common}) if "tls_certificates" in common else downstream(common=common)
    if not transport["typed_config"]["common_tls_context"]["tls_certificates"]:
        del transport["typed_config"]["common_tls_context"]["tls_certificates"]
    bad.validation(label, to_yaml(secured(transport)), accepted=False)
bad.validation("one that is right", to_yaml(secured(downstream(SERVER))), accepted=True)
