"""Certificates for a run, made with the openssl command: a CA, and what it signs."""
import atexit
import base64
import hashlib
import os
import shutil
import ssl
import subprocess
import tempfile


def _openssl(*arguments, text=""):
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Authority:
    """A CA in a folder of its own."""

    def __init__(self, name="authority"):
        self.folder = tempfile.mkdtemp(prefix="weir-certificates-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.pem = os.path.join(self.folder, "ca.pem")
        self.key = os.path.join(self.folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", self.pem,
                 "-subj", f"/CN={name}", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE")

    def sign(self, name, sans="DNS:test.example", days=30, rsa=False, folder=None, extensions_more=""):
        """(certificate, key): the paths of new files NAME.pem and NAME.key."""
        folder = folder or self.folder
        pem, key, request = (os.path.join(folder, f"{name}.{end}") for end in ("pem", "key", "csr"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions = os.path.join(folder, f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={sans}\n{extensions_more}")
        if days > 0:
            _openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-extfile", extensions,
                     "-days", str(days), "-out", pem)
        else:
            self._sign_expired(request, extensions, pem)
        return pem, key

    def below(self, name):
        """An authority whose certificate this one has signed."""
        made = object.__new__(Authority)
        made.folder = self.folder
        made.pem, made.key = self.sign(name, extensions_more="basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n")
        return made

    def revoke(self, *pairs):
        """The path of a list of revoked certificates that names these."""
        settings = self._settings()
        for pem, _ in pairs:
            _openssl("ca", "-batch", "-config", settings, "-revoke", pem, "-cert", self.pem, "-keyfile", self.key)
        at = tempfile.mkstemp(suffix=".crl", dir=self.folder)[1]
        _openssl("ca", "-gencrl", "-config", settings, "-crldays", "30", "-cert", self.pem, "-keyfile", self.key, "-out", at)
        return at

    def staple(self, pair, revoked=False, days=7):
        """The path of an OCSP response about a certificate."""
        at, index = (tempfile.mkstemp(suffix=end, dir=self.folder)[1] for end in (".ocsp", ".index"))
        serial = _openssl("x509", "-in", pair[0], "-noout", "-serial").strip().split("=")[1]
        with open(index, "w") as file:
            file.write(("R\t300101000000Z\t260101000000Z" if revoked else "V\t300101000000Z\t") + f"\t{serial}\tunknown\t/CN=x\n")
        request = at + ".request"
        _openssl("ocsp", "-issuer", self.pem, "-cert", pair[0], "-reqout", request, "-no_nonce")
        _openssl("ocsp", "-index", index, "-CA", self.pem, "-rsigner", self.pem, "-rkey", self.key, "-reqin", request, "-respout", at,
                 *(["-ndays", str(days)] if days else []))
        return at

    def _sign_expired(self, request, extensions, pem):
        """x509 -req of OpenSSL 3.0 knows no dates in the past; ca does."""
        settings = self._settings()
        _openssl("ca", "-batch", "-config", settings, "-in", request, "-cert", self.pem, "-keyfile", self.key, "-extfile", extensions,
                 "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", pem, "-notext")

    def _settings(self):
        """What the command ca keeps, anew."""
        settings = os.path.join(self.folder, "ca.cnf")
        for name, text in (("index", ""), ("serial", "1000\n")):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        with open(settings, "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nserial={self.folder}/serial\nnew_certs_dir={self.folder}\n"
                       "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        return settings


def encrypt(pair, password):
    """The pair with its key encrypted."""
    at = pair[1] + ".encrypted"
    _openssl("pkey", "-in", pair[1], "-aes256", "-passout", f"pass:{password}", "-out", at)
    return pair[0], at


def pkcs12(pair, password=""):
    """The path of both in one file."""
    at = tempfile.mkstemp(suffix=".p12", dir=os.path.dirname(pair[0]))[1]
    _openssl("pkcs12", "-export", "-in", pair[0], "-inkey", pair[1], "-passout", f"pass:{password}", "-out", at)
    return at


def chain(*pems):
    """The path of one file with all."""
    at = tempfile.mkstemp(suffix=".pem", dir=os.path.dirname(pems[0]))[1]
    with open(at, "w") as file:
        for pem in pems:
            with open(pem) as one:
                file.write(one.read())
    return at


def digest(pem):
    """Of the certificate: hexadecimal digits."""
    return _openssl("x509", "-in", pem, "-noout", "-fingerprint", "-sha256").strip().split("=")[1]


def spki(pem):
    """Of its public key: base64."""
    key = ssl.PEM_cert_to_DER_cert(_openssl("x509", "-in", pem, "-noout", "-pubkey").replace("PUBLIC KEY", "CERTIFICATE"))
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
