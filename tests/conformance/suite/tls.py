"""TLS for cases: clients, contexts of upstreams, and the transport sockets of configurations."""
import ssl

from .certificates import Authority
from .config import TYPE, proxy

PREFIX = TYPE + "envoy.extensions.transport_sockets.tls.v3."


class Client:
    """Makes TLS connections as a case says. `settled` tells what the last handshake came to."""

    def __init__(self, ca=None, pair=None, name="test.example", alpn=None, lowest=None, highest=None, ciphers=None, resume=False):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE if ca is None else ssl.CERT_REQUIRED
        if ca:
            made.load_verify_locations(ca)
        if pair:
            made.load_cert_chain(*pair)
        if alpn:
            made.set_alpn_protocols(alpn)
        if lowest:
            made.minimum_version = lowest
        if highest:
            made.maximum_version = highest
        # What a library prefers differs from one build to the next; what the proxy chooses among must not.
        made.set_ciphers(ciphers or "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DEFAULT")
        self.context, self.name, self.resume, self.session, self.settled = made, name, resume, None, "no handshake"
        self.last = None

    def __call__(self, sock):
        session = self.last.session if self.resume and self.last else None
        try:
            secured = self.context.wrap_socket(sock, server_hostname=self.name, session=session)
        except OSError:
            self.settled = "failed"
            raise
        self.last = secured._sslobj  # Its session is there when the socket is closed.
        peer = secured.getpeercert(binary_form=True)
        self.settled = (f"{secured.version()} {secured.cipher()[0] if secured.version() != 'TLSv1.3' else ''} alpn={secured.selected_alpn_protocol()} "
                        f"resumed={secured.session_reused} certificate={common_name(peer)}")
        return secured


def common_name(der):
    """The subject's common name, without a parser: it is the last UTF8String of the subject and known to the cases."""
    return next((name for name in NAMES if name.encode() in der), "none") if der else "none"


NAMES = []


def sign(authority, name, *sans, **options):
    NAMES.append(name)
    return authority.sign(name, *sans, **options)


def files(pair):
    return {"certificate_chain": {"filename": pair[0]}, "private_key": {"filename": pair[1]}}


def downstream(*pairs, common=None, **more):
    return {"name": "tls", "typed_config": {"@type": PREFIX + "DownstreamTlsContext", "common_tls_context": {
        "tls_certificates": [files(pair) for pair in pairs], **(common or {})}, **more}}


def upstream(**more):
    return {"name": "tls", "typed_config": {"@type": PREFIX + "UpstreamTlsContext", **more}}


def secured(transport, *vhosts, **of_proxy):
    """A bootstrap whose listener under test is TLS."""
    tree = proxy(*vhosts, **of_proxy)
    tree["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] = transport
    return tree


def server(pair, ca=None, alpn=None, required=False, highest=None):
    """The context of an upstream."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pair)
    if ca:
        made.load_verify_locations(ca)
        made.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    if alpn:
        made.set_alpn_protocols(alpn)
    if highest:
        made.maximum_version = highest
    return made


__all__ = ["Authority", "Client", "downstream", "files", "secured", "server", "sign", "upstream"]
