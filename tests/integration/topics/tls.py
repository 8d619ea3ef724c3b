"""TLS as clients and upstreams see it: handshakes, certificates that change under load, and faults."""
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

from harness import config
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream
from harness.weir import Weir, folder
from suite.certificates import Authority

TLS = config.TYPE + "envoy.extensions.transport_sockets.tls.v3."
_authority = []


def authority():
    if not _authority:
        _authority.append(Authority())
    return _authority[0]


def certificate(pem, key, **more):
    return {"certificate_chain": {"filename": pem}, "private_key": {"filename": key}, **more}


def downstream(*certificates, common=None, **more):
    return {"name": "tls", "typed_config": {"@type": TLS + "DownstreamTlsContext", "common_tls_context": {
        **({"tls_certificates": list(certificates)} if certificates else {}), **(common or {})}, **more}}


def upstream_tls(**more):
    return {"name": "tls", "typed_config": {"@type": TLS + "UpstreamTlsContext", **more}}


def secured(tree, transport, **chain):
    """The configuration, with the transport under its first listener's chain."""
    tree["static_resources"]["listeners"][0]["filter_chains"][0].update({"transport_socket": transport, **chain})
    return tree


def context(ca=True, alpn=None, pem=None, key=None):
    made = ssl.create_default_context(cafile=authority().pem) if ca else ssl._create_unverified_context()
    if alpn:
        made.set_alpn_protocols(alpn)
    if pem:
        made.load_cert_chain(pem, key)
    return made


def ask(port, using=None, name="test.example", path="/", headers=None, timeout=10):
    """The answer to one request over a connection of its own."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    with (using or context()).wrap_socket(plain, server_hostname=name) as sock:
        connection = http.client.HTTPConnection("x")
        connection.sock = sock
        connection.request("GET", path, headers={"host": "test.example", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), sock.version(), sock.selected_alpn_protocol()


def served_name(port, name="test.example", ca=False):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        with context(ca=True).wrap_socket(plain, server_hostname=name) as sock:
            return dict(pair for part in sock.getpeercert()["subject"] for pair in part)["commonName"]


def stat(weir, port, name):
    return weir.stat(f"listener.127.0.0.1_0.ssl.{name}")


def stapled(port, tls="-tls1_3"):
    """What comes of asking for a certificate's status: good, revoked, none, or that there is no handshake."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status", tls, "-servername", "test.example"],
                          input="", capture_output=True, text=True, timeout=20)
    if "Cipher is (NONE)" in done.stdout or "BEGIN CERTIFICATE" not in done.stdout:
        return "no handshake"
    return next((status for status in ("good", "revoked") if f"Cert Status: {status}" in done.stdout), "none")


@fact("a request over TLS is answered, and counted by Envoy's names")
def _():
    pem, key = authority().sign("plain")
    with Upstream() as upstream, Weir(secured(config.bootstrap(upstream=upstream), downstream(
            certificate(pem, key), common={"alpn_protocols": ["http/1.1"]}))) as weir:
        same(ask(weir.port(), context(alpn=["h2", "http/1.1"])), (200, "/\n", "TLSv1.3", "http/1.1"))
        for name in ("handshake", "no_certificate", "versions.TLSv1.3", "curves.X25519"):
            same(stat(weir, weir.port(), name), 1, name)
        same(weir.stat("http.ingress.downstream_cx_ssl_total"), 1)
        eventually(lambda: weir.stat("http.ingress.downstream_cx_ssl_active"), 0)


@fact("plain text to a TLS port is closed and counted")
def _():
    pem, key = authority().sign("text")
    with Weir(secured(config.bootstrap(), downstream(certificate(pem, key)))) as weir:
        with socket.create_connection(("127.0.0.1", weir.port()), timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            same(sock.recv(1000)[:1] in (b"", b"\x15"), True)
        eventually(lambda: stat(weir, weir.port(), "connection_error"), 1)
        same(ask(weir.port())[0], 200)


@fact("a client that stops within the handshake is cut at its timeout", 2)
def _():
    pem, key = authority().sign("slow")
    with Weir(secured(config.bootstrap(), downstream(certificate(pem, key)), transport_socket_connect_timeout="0.3s")) as weir:
        with socket.create_connection(("127.0.0.1", weir.port()), timeout=5) as sock:
            sock.sendall(b"\x16\x03\x01")
            began = time.monotonic()
            same(sock.recv(1000), b"")
            assert time.monotonic() - began < 2
        eventually(lambda: weir.stat("listener.127.0.0.1_0.downstream_cx_transport_socket_connect_timeout"), 1)
        eventually(lambda: weir.stat("listener.127.0.0.1_0.downstream_cx_active"), 0)


@fact("a handshake in pieces of one byte succeeds")
def _():
    pem, key = authority().sign("bytes")
    with Weir(secured(config.bootstrap(), downstream(certificate(pem, key)))) as weir:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context().wrap_bio(incoming, outgoing, server_hostname="test.example")
        with socket.create_connection(("127.0.0.1", weir.port()), timeout=5) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            done = False
            while not done:
                try:
                    session.do_handshake()
                    done = True
                except ssl.SSLWantReadError:
                    pass
                for byte in outgoing.read():
                    sock.sendall(bytes([byte]))
                if not done:
                    incoming.write(sock.recv(65536))
            session.write(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            sock.sendall(outgoing.read())
            got = b""
            while chunk := sock.recv(65536):
                incoming.write(chunk)
                try:
                    while piece := session.read(65536):
                        got += piece
                except ssl.SSLWantReadError:
                    continue
                break
            holds(got.decode(), "200 OK")


@fact("a certificate is chosen by name, and its RSA twin for who asks for RSA")
def _():
    first, both_ec = authority().sign("first", "DNS:first.example"), authority().sign("ec")
    both_rsa, wide = authority().sign("rsa", rsa=True), authority().sign("wide", "DNS:*.wide.example")
    with Weir(secured(config.bootstrap(), downstream(*(certificate(*each) for each in (first, both_rsa, both_ec, wide))))) as weir:
        same(served_name(weir.port()), "ec")
        same(served_name(weir.port(), "a.wide.example"), "wide")
        same(served_name(weir.port(), "first.example"), "first")


@fact("sessions are resumed, also on another worker", 2)
def _():
    pem, key = authority().sign("tickets")
    with Weir(secured(config.bootstrap(), downstream(certificate(pem, key))), workers=2) as weir:
        using, session, resumed = context(), None, 0
        for _ in range(12):
            with socket.create_connection(("127.0.0.1", weir.port()), timeout=5) as plain:
                with using.wrap_socket(plain, server_hostname="test.example", session=session) as sock:
                    sock.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                    sock.recv(4096)
                    resumed += sock.session_reused
                    session = sock.session
        same(resumed, 11)
        same(stat(weir, weir.port(), "session_reused"), 11)


@fact("a client certificate that is required must come and must be trusted")
def _():
    pem, key = authority().sign("server")
    mine = authority().sign("me", "URI:spiffe://x/me")
    other = Authority("stranger").sign("stranger")
    with Weir(secured(config.bootstrap(), downstream(certificate(pem, key), require_client_certificate=True, common={
            "validation_context": {"trusted_ca": {"filename": authority().pem}}}))) as weir:
        same(ask(weir.port(), context(pem=mine[0], key=mine[1]))[0], 200)
        for using in (context(), context(pem=other[0], key=other[1])):
            try:
                ask(weir.port(), using)
                raise AssertionError("it was served")
            except (ssl.SSLError, OSError, http.client.HTTPException):
                pass
        eventually(lambda: stat(weir, weir.port(), "fail_verify_no_cert"), 1)
        eventually(lambda: stat(weir, weir.port(), "fail_verify_error"), 1)


class TlsUpstream:
    """Answers every request over TLS with the SNI it was asked by, whether the session was resumed, and the client's name."""

    def __init__(self, pem, key, ca=None, alpn=None):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(pem, key)
        if ca:
            made.load_verify_locations(ca)
            made.verify_mode = ssl.CERT_OPTIONAL
        if alpn:
            made.set_alpn_protocols(alpn)
        self.names = []
        made.sni_callback = lambda sock, name, _: self.names.append(name)
        self.context = made
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.failures = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                plain, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        plain.settimeout(10)
        try:
            with self.context.wrap_socket(plain, server_side=True) as sock:
                got = b""
                while chunk := sock.recv(65536):
                    got += chunk
                    while b"\r\n\r\n" in got:
                        got = got.split(b"\r\n\r\n", 1)[1]
                        name = dict(pair for part in (sock.getpeercert() or {}).get("subject", ()) for pair in part).get("commonName", "-")
                        body = f"{self.names[-1]} {sock.session_reused} {name} {sock.selected_alpn_protocol()}".encode()
                        sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except OSError:
            self.failures += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def validation(**more):
    return {"validation_context": {"trusted_ca": {"filename": authority().pem}, **more}}


def to_upstream(upstream, **tls):
    return config.bootstrap(config.route("web"), clusters=[config.web(upstream.port, transport_socket=upstream_tls(**tls))])


def plain_get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"host": "test.example"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@fact("an upstream is spoken to over TLS, with SNI, ALPN and a client certificate")
def _():
    mine = authority().sign("client")
    with TlsUpstream(*authority().sign("up"), ca=authority().pem, alpn=["http/1.1"]) as upstream:
        with Weir(to_upstream(upstream, sni="test.example", common_tls_context={
                **validation(match_typed_subject_alt_names=[{"san_type": "DNS", "matcher": {"exact": "test.example"}}]),
                "tls_certificates": [certificate(*mine)]})) as weir:
            same(plain_get(weir.port()), (200, "test.example False client http/1.1"))
            same(weir.stat("cluster.web.ssl.handshake"), 1)


@fact("an upstream that is not trusted, expired or of another name is a 503 with the reason")
def _():
    stranger = Authority("stranger")
    cases = [(stranger.sign("up"), {}, "fail_verify_error"), (authority().sign("old", days=-1), {}, "fail_verify_error"),
             (authority().sign("named"), {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "b.example"}}]},
              "fail_verify_san")]
    for pair, more, counter in cases:
        with TlsUpstream(*pair) as upstream, Weir(to_upstream(upstream, common_tls_context=validation(**more))) as weir:
            status, body = plain_get(weir.port())
            same(status, 503)
            holds(body, "reset reason: remote connection failure")
            same(weir.stat(f"cluster.web.ssl.{counter}") >= 1, True, counter)


@fact("sessions with an upstream are resumed")
def _():
    with TlsUpstream(*authority().sign("again")) as upstream:
        tree = to_upstream(upstream, sni="test.example")
        tree["static_resources"]["clusters"][0]["max_requests_per_connection"] = 1
        with Weir(tree) as weir:
            answers = [plain_get(weir.port())[1].split()[1] for _ in range(4)]
            same(answers, ["False", "True", "True", "True"])
            same(weir.stat("cluster.web.ssl.session_reused"), 3)


def swap(folder, pair):
    """As Kubernetes changes a mount: everything at once, by the exchange of a link."""
    version = os.path.join(folder, f"..{time.monotonic_ns()}")
    os.mkdir(version)
    for path, name in zip(pair, ("tls.crt", "tls.key")):
        shutil.copy(path, os.path.join(version, name))
    os.symlink(os.path.basename(version), os.path.join(folder, "..tmp"))
    os.rename(os.path.join(folder, "..tmp"), os.path.join(folder, "..data"))


def mount(pair):
    made = folder()
    swap(made, pair)
    for name in ("tls.crt", "tls.key"):
        os.symlink(f"..data/{name}", os.path.join(made, name))
    return made


def sds(folder, **secret):
    path = os.path.join(folder, "sds.yaml")
    with open(path + ".new", "w") as file:
        file.write(config.to_yaml({"resources": [{"@type": TLS + "Secret", "name": "mine", **secret}]}))
    os.rename(path + ".new", path)
    return path


@fact("certificates change with their files: renamed into place, written in place, or by a mount's link", 3)
def _():
    one, two, three = (authority().sign(name) for name in ("one", "two", "three"))
    mounted = mount(one)
    with Weir(secured(config.bootstrap(), downstream(certificate(os.path.join(mounted, "tls.crt"), os.path.join(mounted, "tls.key")))),
              workers=2) as weir:
        same(served_name(weir.port()), "one")
        swap(mounted, two)
        eventually(lambda: {served_name(weir.port()) for _ in range(8)}, {"two"})
        for path, name in zip(three, ("tls.crt", "tls.key")):
            shutil.copy(path, os.path.join(mounted, "..data", name))
        eventually(lambda: {served_name(weir.port()) for _ in range(8)}, {"three"})


@fact("a secret by path is followed; a bad one is refused, counted, and the last good one stays", 3)
def _():
    one, two = authority().sign("one"), authority().sign("two")
    place = folder()
    path = sds(place, tls_certificate=certificate(*one))
    with Weir(secured(config.bootstrap(), downstream(common={"tls_certificate_sds_secret_configs": [
            {"name": "mine", "sds_config": {"path_config_source": {"path": path}}}]}))) as weir:
        same(served_name(weir.port()), "one")
        sds(place, tls_certificate=certificate(one[0], two[1]))
        eventually(lambda: weir.stat("sds.mine.update_rejected"), 1)
        holds(weir.log(), "the last good ones stay")
        same(served_name(weir.port()), "one")
        sds(place, tls_certificate=certificate(*two))
        eventually(lambda: served_name(weir.port()), "two")
        same(weir.stat("listener.127.0.0.1_0.server_ssl_socket_factory.ssl_context_update_by_sds") >= 1, True)


@fact("certificates that rotate ten times a second under load lose nothing", 8)
def _():
    pairs = [authority().sign(name) for name in ("one", "two")]
    mounted = mount(pairs[0])
    with Upstream() as upstream, Weir(secured(config.bootstrap(upstream=upstream), downstream(
            certificate(os.path.join(mounted, "tls.crt"), os.path.join(mounted, "tls.key")))), workers=2) as weir:
        until = time.monotonic() + 4
        lost, asked = [], [0] * 4

        def load(at):
            using = context()
            while time.monotonic() < until:
                try:
                    same(ask(weir.port(), using)[:2], (200, "/\n"))
                    asked[at] += 1
                except Exception as why:  # noqa: BLE001: whatever it is, a request was lost.
                    lost.append(repr(why))

        threads = [threading.Thread(target=load, args=(at,)) for at in range(4)]
        for thread in threads:
            thread.start()
        turns = 0
        while time.monotonic() < until:
            turns += 1
            swap(mounted, pairs[turns % 2])
            time.sleep(0.1)
        for thread in threads:
            thread.join()
        same(lost, [])
        assert sum(asked) > 50, asked


@fact("a client that asks for the certificate's status gets what the OCSP policy says")
def _():
    pair = authority().sign("stapled")
    promises = authority().sign("promises", extensions_more="tlsfeature=status_request\n", rsa=True)
    good, gone, undated = authority().staple(pair), authority().staple(pair, revoked=True), authority().staple(pair, days=0)
    for policy, using, staple, answer, counted in (
            ("LENIENT_STAPLING", pair, good, "good", "responses"), ("LENIENT_STAPLING", pair, gone, "revoked", "responses"),
            ("LENIENT_STAPLING", pair, None, "none", "omitted"), ("LENIENT_STAPLING", pair, undated, "none", "omitted"),
            ("STRICT_STAPLING", pair, good, "good", "responses"), ("STRICT_STAPLING", pair, None, "none", "omitted"),
            ("STRICT_STAPLING", pair, undated, "no handshake", "failed"), ("MUST_STAPLE", pair, good, "good", "responses"),
            ("MUST_STAPLE", pair, undated, "no handshake", "failed"),
            ("LENIENT_STAPLING", promises, authority().staple(promises, days=0), "no handshake", "failed")):
        more = {"ocsp_staple": {"filename": staple}} if staple else {}
        with Upstream() as upstream, Weir(secured(config.bootstrap(upstream=upstream), downstream(
                certificate(*using, **more), ocsp_staple_policy=policy))) as weir:
            same(ask(weir.port())[0], 200)  # Who does not ask is served.
            same((policy, staple, stapled(weir.port())), (policy, staple, answer))
            same((stat(weir, weir.port(), "ocsp_staple_requests"), stat(weir, weir.port(), f"ocsp_staple_{counted}")), (1, 1))
