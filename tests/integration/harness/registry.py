"""A registry of images: Debian's docker-registry as a process, and a pusher of our own for the layouts people push."""
import base64
import crypt
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import ssl
import subprocess
import tarfile
import tempfile
import time
import urllib.parse

from . import weir

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
START_SECONDS = 10


class Registry:
    """with Registry() as registry: ...    settings: more of docker-registry's configuration; users: of htpasswd."""

    def __init__(self, users=None, tls=None, **settings):
        self.folder = weir.folder()
        self.root = os.path.join(self.folder, "data")
        self.users, self.tls, self.settings, self.port = users or {}, tls, settings, 0
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def name(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Again on the port that it had, if it had one."""
        made = {"version": "0.1", "log": {"level": "info"}, "storage": {"filesystem": {"rootdirectory": self.root}},
                "http": {"addr": self.name, **({"tls": {"certificate": self.tls[0], "key": self.tls[1]}} if self.tls else {})}, **self.settings}
        if self.users:
            made["auth"] = {"htpasswd": {"realm": "test", "path": self._htpasswd()}}
        path, log = os.path.join(self.folder, "config.yml"), os.path.join(self.folder, "log")
        with open(path, "w") as file:
            json.dump(made, file)  # JSON is YAML.
        with open(log, "wb") as out:
            self.process = subprocess.Popen(["docker-registry", "serve", path], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        until = time.monotonic() + START_SECONDS
        while True:
            with open(log, errors="replace") as file:
                text = file.read()
            found = re.search(r'listening on 127\.0\.0\.1:(\d+)', text)
            if found:
                self.port = int(found[1])
                return
            assert self.process.poll() is None and time.monotonic() < until, f"the registry did not start: {text[-1500:]}"
            time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def _htpasswd(self):
        path = os.path.join(self.folder, "htpasswd")
        with open(path, "w") as file:
            for user, password in self.users.items():
                file.write(f"{user}:{crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))}\n")
        return path

    # What is in it.

    def ask(self, method, path, body=None, **headers):
        if self.users:
            user, password = next(iter(self.users.items()))
            headers["authorization"] = "Basic " + basic(user, password)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = (http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=ssl._create_unverified_context()) if self.tls
                else http.client.HTTPConnection("127.0.0.1", self.port, timeout=10))
        kind.request(method, path, body, headers)
        answer = kind.getresponse()
        text = answer.read()
        kind.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text[:500]}"
        return answer

    def blob(self, repository, content, media_type):
        """Pushes the bytes; the descriptor of them."""
        digest = digest_of(content)
        where = self.ask("POST", f"/v2/{repository}/blobs/uploads/").getheader("location")
        path = re.sub(r"^https?://[^/]+", "", where)
        self.ask("PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", content, content_type="application/octet-stream")
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, repository, tag, content, media_type=IMAGE):
        """Pushes the document; its descriptor."""
        text = json.dumps({"schemaVersion": 2, "mediaType": media_type, **content}).encode()
        self.ask("PUT", f"/v2/{repository}/manifests/{tag}", text, content_type=media_type)
        return {"mediaType": media_type, "digest": digest_of(text), "size": len(text)}

    def push(self, repository, tag, layout, code):
        """An image of that layout with the plugin; the descriptor of its manifest."""
        config, *layers, kind = LAYOUTS[layout](code)
        return self.manifest(repository, tag, {"config": self.blob(repository, *config),
                                               "layers": [self.blob(repository, *layer) for layer in layers]}, kind)


def basic(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def archive(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue())


# Configuration and layers as (bytes, media type), and the manifest's type.
LAYOUTS = {
    "oci image": lambda code: ((b'{"architecture":"wasm","os":"wasi"}', "application/vnd.oci.image.config.v1+json"),
                               (archive(README=b"x"), "application/vnd.oci.image.layer.v1.tar+gzip"),
                               (archive(plugin__wasm=code), "application/vnd.oci.image.layer.v1.tar+gzip"), IMAGE),
    "docker image": lambda code: ((b"{}", "application/vnd.docker.container.image.v1+json"),
                                  (archive(plugin__wasm=code), "application/vnd.docker.image.rootfs.diff.tar.gzip"), DOCKER),
    "artifact": lambda code: ((b"{}", "application/vnd.module.wasm.config.v1+json"),
                              (code, "application/vnd.module.wasm.content.layer.v1+wasm"), IMAGE),
    "single layer": lambda code: ((b"{}", "application/vnd.oci.empty.v1+json"), (code, "application/octet-stream"), IMAGE),
    "single layer of Wasm": lambda code: ((b"{}", "application/vnd.wasm.config.v0+json"), (code, "application/wasm"), IMAGE),
}


class TokenService:
    """Who gives tokens that a registry believes: as a behaviour of an Upstream. settings: the registry's part."""

    def __init__(self, realm, users=None):
        self.folder, self.users, self.asked = tempfile.mkdtemp(dir=weir.folder()), users or {}, []
        self.key, self.pem = os.path.join(self.folder, "key"), os.path.join(self.folder, "pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.pem,
                        "-subj", "/CN=tokens", "-days", "30"], check=True, capture_output=True)
        self.settings = {"auth": {"token": {"realm": realm, "service": "test registry", "issuer": "tokens", "rootcertbundle": self.pem}}}

    def __call__(self, request):
        self.asked.append((request.path, request.headers))
        allowed = [f"Basic {basic(*each)}" for each in self.users.items()]
        if allowed and request.headers.get("authorization") not in allowed:
            return request.answer('{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}', status=401)
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        kind, repository, actions = asked["scope"][0].split(":")
        assert kind == "repository" and actions == "pull" and asked["service"] == ["test registry"], asked
        return request.answer(json.dumps({"token": self.token(repository)}))

    def token(self, repository):
        with open(self.pem) as file:
            chain = "".join(file.read().split("-----")[2].split())
        now = int(time.time())
        access = [{"type": "repository", "name": repository, "actions": ["pull"]}]
        parts = [{"typ": "JWT", "alg": "RS256", "x5c": [chain]},
                 {"iss": "tokens", "sub": "", "aud": "test registry", "exp": now + 300, "nbf": now - 60, "iat": now, "jti": "1", "access": access}]
        text = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True, capture_output=True)
        return f"{text}.{_base64url(signed.stdout)}"


def _base64url(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
