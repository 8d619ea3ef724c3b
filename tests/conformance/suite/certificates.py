"""Certificates for a run, made with the openssl command: a CA, and what it signs."""
import atexit
import os
import shutil
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

    def sign(self, name, sans="DNS:test.example", days=30, rsa=False, folder=None):
        """(certificate, key): the paths of new files NAME.pem and NAME.key."""
        folder = folder or self.folder
        pem, key, request = (os.path.join(folder, f"{name}.{end}") for end in ("pem", "key", "csr"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        extensions = os.path.join(folder, f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={sans}\n")
        if days > 0:
            _openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-extfile", extensions,
                     "-days", str(days), "-out", pem)
        else:
            self._sign_expired(request, extensions, pem)
        return pem, key

    def _sign_expired(self, request, extensions, pem):
        """x509 -req of OpenSSL 3.0 knows no dates in the past; ca does."""
        settings = os.path.join(self.folder, "ca.cnf")
        for name, text in (("index", ""), ("serial", "1000\n")):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        with open(settings, "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index\nserial={self.folder}/serial\nnew_certs_dir={self.folder}\n"
                       "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        _openssl("ca", "-batch", "-config", settings, "-in", request, "-cert", self.pem, "-keyfile", self.key, "-extfile", extensions,
                 "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-out", pem, "-notext")
