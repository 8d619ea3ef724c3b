"""What certificates, keys and what is trusted come as: PKCS #12, passwords, chains, revocation, pins, stapled answers, ticket keys."""
import os

from suite.certificates import chain, digest, encrypt, pkcs12, spki
from suite.config import to_yaml
from suite.http import get
from suite.model import group
from suite.tls import Authority, Client, downstream, files, secured, server, sign

from topics.tls import STATS, T12, behind

CA, OTHER = Authority("material"), Authority("other-material")
MIDDLE = CA.below("middle")
ME, GONE = sign(CA, "material-client"), sign(CA, "revoked-client")
BELOW = sign(MIDDLE, "client-below")
CHAINED = (chain(BELOW[0], MIDDLE.pem), BELOW[1])
PLAIN = sign(CA, "material-server")


def certificate(**given):
    return {"name": "tls", "typed_config": {"@type": downstream()["typed_config"]["@type"], "common_tls_context": {"tls_certificates": [given]}}}


def trusting(**validation):
    return secured(downstream(sign(CA, "material-mutual"), common={"validation_context": {"trusted_ca": {"filename": CA.pem}, **validation}}, require_client_certificate=True))


# --- Certificates and keys ---

for label, context in (("PKCS #12", certificate(pkcs12={"filename": pkcs12(PLAIN)})),
                       ("PKCS #12 with a password", certificate(pkcs12={"filename": pkcs12(PLAIN, "secret")}, password={"inline_string": "secret"})),
                       ("an encrypted key", certificate(**files(encrypt(PLAIN, "secret")), password={"inline_string": "secret"})),
                       ("a chain", downstream((chain(PLAIN[0], CA.pem), PLAIN[1])))):
    g = group(f"tls material: {label}", secured(context))
    g.case("serves", get("/x"), tls=Client(ca=CA.pem), status=200, stats=STATS)

v = group("tls material by validation")
for label, context, accepted in (
        ("PKCS #12 without its password", certificate(pkcs12={"filename": pkcs12(PLAIN, "secret")}), False),
        ("PKCS #12 that is none", certificate(pkcs12={"inline_string": "none"}), False),
        ("an encrypted key without its password", certificate(**files(encrypt(PLAIN, "secret"))), False),
        ("an encrypted key with another password", certificate(**files(encrypt(PLAIN, "secret")), password={"inline_string": "other"}), False),
        ("PKCS #12 beside a key", certificate(pkcs12={"filename": pkcs12(PLAIN)}, **files(PLAIN)), False),
        ("a key without a certificate", certificate(private_key={"filename": PLAIN[1]}), False),
        ("a certificate without a key", certificate(certificate_chain={"filename": PLAIN[0]}), False)):
    v.validation(label, to_yaml(secured(context)), accepted)

# --- Who is trusted ---

NONE = "a list in which nothing can be read is refused; Envoy starts with it, and trusts the revoked"

for label, validation in (
        ("a list of revoked ones", {"crl": {"filename": CA.revoke(GONE)}}),
        ("that list for leaves alone", {"crl": {"filename": CA.revoke(GONE)}, "only_verify_leaf_cert_crl": True}),
        ("a list of another authority", {"crl": {"filename": OTHER.revoke()}}),
        ("a pin that fits", {"verify_certificate_hash": [digest(ME[0])]}),
        ("a pin in lower case without colons", {"verify_certificate_hash": [digest(ME[0]).replace(":", "").lower()]}),
        ("one pin of two", {"verify_certificate_hash": ["00" * 32, digest(ME[0])]}),
        ("the pin of its key", {"verify_certificate_spki": [spki(ME[0])]}),
        ("the pin of another key", {"verify_certificate_spki": [spki(GONE[0])]}),
        ("the pin of another key, or its own pin", {"verify_certificate_spki": [spki(GONE[0])], "verify_certificate_hash": [digest(ME[0])]}),
        ("no depth", {"max_verify_depth": 0}),
        ("a depth of one", {"max_verify_depth": 1}),
        ("names of authorities kept back", {"suppress_client_ca_list": True})):
    g = group(f"tls trust: {label}", trusting(**validation))
    for who, pair in (("the usual client", ME), ("the revoked one", GONE), ("one below another authority", CHAINED), ("the same without that authority", BELOW)):
        g.case(who, get("/x"), tls=Client(pair=pair), stats=STATS)

for label, validation, accepted in (
        ("a list of revoked ones that is none", {"crl": {"inline_string": "none"}}, True),
        ("a pin of a key that is no base64", {"verify_certificate_spki": ["!" * 44]}, False),
        ("a pin of a key that is too short", {"verify_certificate_spki": ["AAAA" * 11]}, False),
        ("roots of the system", {"system_root_certs": {}}, True),
        ("an authority that is none", {"trusted_ca": {"inline_string": "none"}}, False)):
    v.validation(label, to_yaml(trusting(**validation)), accepted, differs=NONE if "list" in label else None)

behind("one whom the roots of the system do not know", server(PLAIN), "system_root_certs is heeded; Envoy trusts everybody where it is set alone", sni="test.example", common_tls_context={"validation_context": {"system_root_certs": {}}})
behind("pinned by its key", server(PLAIN), common_tls_context={"validation_context": {"verify_certificate_spki": [spki(PLAIN[0])]}})
behind("pinned by another key", server(PLAIN), common_tls_context={"validation_context": {"verify_certificate_spki": [spki(ME[0])]}})
behind("revoked", server(sign(CA, "revoked-upstream")), common_tls_context={"validation_context": {
    "trusted_ca": {"filename": CA.pem}, "crl": {"filename": CA.revoke((os.path.join(CA.folder, "revoked-upstream.pem"), None))}}})
behind("with a list of another authority", server(PLAIN), common_tls_context={"validation_context": {"trusted_ca": {"filename": CA.pem}, "crl": {"filename": OTHER.revoke()}}})
behind("with a certificate in PKCS #12", server(PLAIN, ca=CA.pem, required=True), common_tls_context={"tls_certificates": [{"pkcs12": {"filename": pkcs12(ME)}}]})

# --- Stapled answers (OCSP): that they go out is a fact of tests/integration ---

GOOD, BAD = CA.staple(PLAIN), CA.staple(PLAIN, revoked=True)
MUST = sign(CA, "must-staple", extensions_more="tlsfeature=status_request\n", rsa=True)
for policy in ("LENIENT_STAPLING", "STRICT_STAPLING", "MUST_STAPLE"):
    for label, pair, staple in (("none", PLAIN, None), ("a good one", PLAIN, GOOD), ("a bad one", PLAIN, BAD), ("one of another certificate", ME, GOOD),
                                ("none, of who must staple", MUST, None), ("one, of who must staple", MUST, CA.staple(MUST))):
        given = {**files(pair), **({"ocsp_staple": {"filename": staple}} if staple else {})}
        context = certificate(**given)
        context["typed_config"]["ocsp_staple_policy"] = policy
        lacks = staple is None and (pair is MUST or policy == "MUST_STAPLE")
        v.validation(f"by {policy}, {label}", to_yaml(secured(context)), not lacks and label != "one of another certificate")

# --- What is agreed on ---

KEYS = os.path.join(CA.folder, "ticket.keys")
with open(KEYS, "wb") as file:
    file.write(bytes(range(80)))
for label, more, common, client in (
        ("ticket keys of its own", {"session_ticket_keys": {"keys": [{"filename": KEYS}]}}, {}, dict(resume=True)),
        ("ticket keys of its own in TLS 1.2", {"session_ticket_keys": {"keys": [{"filename": KEYS}]}}, {}, dict(resume=True, highest=T12)),
        ("sessions kept here", {"disable_stateless_session_resumption": True}, {}, dict(resume=True, highest=T12)),
        ("tickets alone", {"disable_stateful_session_resumption": True}, {}, dict(resume=True, highest=T12)),
        ("a cipher of TLS 1.2", {}, {"tls_params": {"cipher_suites": ["ECDHE-ECDSA-AES256-GCM-SHA384"]}}, dict(highest=T12, ciphers="DEFAULT")),
        ("a group of ciphers", {}, {"tls_params": {"cipher_suites": ["[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]"]}}, dict(highest=T12)),
        ("one curve", {}, {"tls_params": {"ecdh_curves": ["P-256"]}}, {}),
        ("a curve in another spelling", {}, {"tls_params": {"ecdh_curves": ["X25519"]}}, {}),
        ("signature algorithms", {}, {"tls_params": {"signature_algorithms": ["ecdsa_secp256r1_sha256"]}}, {}),
        ("a maximum of 1.2", {}, {"tls_params": {"tls_maximum_protocol_version": "TLSv1_2"}}, {}),
        ("what the client likes better", {"prefer_client_ciphers": True}, {}, dict(highest=T12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"))):
    g = group(f"tls settled: {label}", secured(downstream(PLAIN, common=common, **more)))
    g.case("twice", connections=[[get("/1")], [get("/2")]], tls=Client(**client), status=200, stats=STATS)

NEVER = "versions that leave none are refused; Envoy starts and shakes no hands"
for label, more, common, accepted in (
        ("ticket keys of another length", {"session_ticket_keys": {"keys": [{"inline_bytes": "AAAA"}]}}, {}, False),
        ("no ticket keys", {"session_ticket_keys": {"keys": []}}, {}, False),
        ("an unknown signature algorithm", {}, {"tls_params": {"signature_algorithms": ["none"]}}, False),
        ("a minimum above the maximum", {}, {"tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_2"}}, True)):
    v.validation(f"settled: {label}", to_yaml(secured(downstream(PLAIN, common=common, **more))), accepted, differs=NEVER if "maximum" in label else None)
