"""Plugin code out of images of a registry (oci://): Debian's docker-registry, and a lying one of our own."""
import gzip
import json
import os

from harness import config
from harness.client import get
from harness.facts import eventually, fact, holds, same
from harness.registry import IMAGE, INDEX, LAYOUTS, Registry, TokenService, archive, basic, digest_of
from harness.upstream import Upstream
from harness.weir import GUESTS, Weir, folder, run, written
from topics.plugin_code import closed_folder, guest, said, saying
from topics.reload import Files

QUICK = {"num_retries": 1, "retry_back_off": {"base_interval": "0.01s"}}


def other():
    """Another plugin, that says nothing."""
    with open(os.path.join(GUESTS, "silent.wasm"), "rb") as file:
        return file.read()


def image(name, registry="127.0.0.1", sha256=None, timeout="5s", **more):
    """VM settings with code of that image."""
    return {"code": {"remote": {"http_uri": {"uri": f"oci://{registry}/{name}", "cluster": "registry", "timeout": timeout},
                                "retry_policy": QUICK, **({"sha256": sha256} if sha256 else {})}}, **more}


def pulling(registry, name="p:1", clusters=(), transport=None, **more):
    """A configuration with a plugin of that image."""
    server = registry.port if hasattr(registry, "port") else registry
    to = config.cluster("registry", server, **({"transport_socket": transport} if transport else {}))
    return config.bootstrap(plugins=[saying("pulled", vm=image(name, f"127.0.0.1:{server}", **more))], clusters=[to, *clusters])


def credentials(**auths):
    """A file as Docker keeps them: registry=(user, password)."""
    path = os.path.join(folder(), "config.json")
    with open(path, "w") as file:
        json.dump({"auths": {name: {"auth": basic(*each)} for name, each in auths.items()}}, file)
    return path


def refusal(configuration, *flags):
    """What the log says about a plugin that cannot be had, without which nobody is served."""
    with Weir(configuration, *flags, cache=closed_folder()) as weir:
        same(get(weir.port(), "/").status, 503)
        same(weir.stat("wasm.remote_load_fetch_failures"), 1)
        return weir.log()


# ---- what is pulled

for layout in LAYOUTS:
    @fact(f"an image is pulled and run: {layout}", 2)
    def _(layout=layout):
        with Registry() as registry:
            registry.push("team/p", "1", layout, guest())
            with Weir(pulling(registry, "team/p:1"), cache=closed_folder()) as weir:
                same(said(weir.port(), "/"), "pulled")
                same(weir.stat("wasm.remote_load_fetch_successes"), 1)
                same(weir.stat("wasm.oci_pulled"), 1)


@fact("of an index the manifest for WebAssembly is taken", 2)
def _():
    with Registry() as registry:
        linux = registry.push("p", "linux", "oci image", other())
        wasi = registry.push("p", "wasi", "artifact", guest())
        registry.manifest("p", "1", {"manifests": [{**linux, "platform": {"os": "linux", "architecture": "amd64"}},
                                                   {**wasi, "platform": {"os": "wasi", "architecture": "wasm"}}]}, INDEX)
        with Weir(pulling(registry), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")


@fact("a digest names an image, and sha256 the module in it", 3)
def _():
    with Registry() as registry:
        digest = registry.push("p", "1", "artifact", guest())["digest"]
        registry.push("p", "1", "artifact", other())
        module = digest_of(guest()).split(":")[1]
        with Weir(pulling(registry, f"p@{digest}"), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")
        with Weir(pulling(registry, f"p:1@{digest}", sha256=module), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")
        log = refusal(pulling(registry, "p:1", sha256=module))
        holds(log, f"its sha256 is {digest_of(other()).split(':')[1]}, and not {module}")


@fact("an image is pulled over TLS, as the cluster says", 3)
def _():
    from topics.tls import authority, upstream_tls
    with Registry(tls=authority().sign("registry", "IP:127.0.0.1", rsa=True)) as registry:
        registry.push("p", "1", "artifact", guest())
        transport = upstream_tls(common_tls_context={"validation_context": {"trusted_ca": {"filename": authority().pem}}})
        with Weir(pulling(registry, transport=transport), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")


# ---- what is kept

@fact("a pulled image is kept: the next start needs no registry", 3)
def _():
    cache = closed_folder()
    with Registry() as registry:
        registry.push("p", "1", "artifact", guest())
        with Weir(pulling(registry), cache=cache) as weir:
            same(said(weir.port(), "/"), "pulled")
    with Weir(pulling(registry), cache=cache) as weir:
        same(said(weir.port(), "/"), "pulled")
        same(weir.stat("wasm.remote_load_cache_hits"), 1)
    kept = os.path.join(cache, "fetched")
    same({os.stat(os.path.join(kept, name)).st_mode & 0o777 for name in os.listdir(kept)}, {0o600})


@fact("a tag that moved is noticed at the start by the policy always, and not by if-not-present", 4)
def _():
    cache = closed_folder()
    with Registry() as registry:
        before = registry.push("p", "1", "artifact", guest())["digest"]
        with Weir(pulling(registry), cache=cache) as weir:
            same(said(weir.port(), "/"), "pulled")
        with Weir(pulling(registry), "--oci-pull-policy", "always", cache=cache) as weir:
            same(weir.stat("wasm.oci_unchanged"), 1)
            same(weir.stats("wasm.oci_pulled")["wasm.oci_pulled"], 0)
        now = registry.push("p", "1", "artifact", other())["digest"]
        with Weir(pulling(registry), "--oci-pull-policy", "if-not-present", cache=cache) as weir:
            same(said(weir.port(), "/"), "pulled")
        with Weir(pulling(registry), "--oci-pull-policy", "always", cache=cache) as weir:
            same((get(weir.port(), "/").status, said(weir.port(), "/")), (200, None))
            holds(weir.log(), f"is {now}, and was {before}")


@fact("the tag latest is asked for at each start", 3)
def _():
    cache = closed_folder()
    with Registry() as registry:
        for code, word in ((guest(), "pulled"), (other(), None)):
            registry.push("p", "latest", "artifact", code)
            with Weir(pulling(registry, "p"), cache=cache) as weir:
                same(said(weir.port(), "/"), word)


@fact("with the registry down the last good copy is used, and that is said", 4)
def _():
    cache = closed_folder()
    with Registry() as registry:
        registry.push("p", "latest", "artifact", guest())
        with Weir(pulling(registry, "p"), cache=cache) as weir:
            same(said(weir.port(), "/"), "pulled")
    with Weir(pulling(registry, "p"), cache=cache) as weir:
        same(said(weir.port(), "/"), "pulled")
        same(weir.stat("wasm.oci_last_good_used"), 1)
        holds(weir.log(), f"plugin image oci://127.0.0.1:{registry.port}/p cannot be had; the copy pulled last is used: sha256:")
    log = refusal(pulling(registry, "p"))  # Without a copy there is nothing to use.
    holds(log, f"Plugin p has no code: it could not be fetched from oci://127.0.0.1:{registry.port}/p: GET https://127.0.0.1:")


@fact("a listener that is loaded anew asks what the tag means now, and the one before serves meanwhile", 4)
def _():
    files = Files()
    with Registry() as registry:
        def put(word, version):
            plugin = saying(word, vm=image("p", registry.name))
            files.put("lds", "listener", config.main_listener(config.direct(), plugins=[plugin]), version=version)

        registry.push("p", "latest", "artifact", guest())
        put("one", "1")
        with Weir(files.bootstrap(cds=False, clusters=[config.cluster("registry", registry.port)]), cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "one")
            put("two", "2")
            eventually(lambda: said(weir.port(), "/"), "two")
            same(weir.stat("wasm.oci_unchanged"), 1)
            registry.push("p", "latest", "artifact", other())
            put("two", "3")  # Nothing of the listener has changed: it stays as it is.
            put("three", "4")
            eventually(lambda: (get(weir.port(), "/").status, said(weir.port(), "/")), (200, None))
            same(weir.stat("wasm.oci_pulled"), 2)
            registry.stop()
            put("four", "5")
            eventually(lambda: weir.stat("wasm.oci_last_good_used"), 1)
            eventually(lambda: weir.stat("listener_manager.total_listeners_warming"), 0)
            same(get(weir.port(), "/").status, 200)


@fact("a listener that is loaded anew with the same image keeps the plugin that runs", 3)
def _():
    files = Files()
    with Registry() as registry:
        registry.push("p", "latest", "artifact", guest())
        plugin = config.plugin("p", guest="conformance", script="configure: log configured", vm=image("p", registry.name))
        files.put("lds", "listener", config.main_listener(config.direct("old\n"), plugins=[plugin]))
        with Weir(files.bootstrap(cds=False, clusters=[config.cluster("registry", registry.port)]), cache=closed_folder()) as weir:
            same(get(weir.port(), "/").text, "old\n")
            times = weir.log().count(": configured")
            files.put("lds", "listener", config.main_listener(config.direct("new\n"), plugins=[plugin]), version="2")
            eventually(lambda: get(weir.port(), "/").text, "new\n")
            same(weir.stat("wasm.oci_unchanged"), 1)
            same(weir.log().count(": configured"), times)
            assert times > 0, weir.log()


# ---- who may pull

@fact("a registry with passwords gives an image to whoever has the right one", 5)
def _():
    with Registry(users={"ann": "secret"}) as registry:
        registry.push("p", "1", "artifact", guest())
        good, wrong = (credentials(**{registry.name: ("ann", word)}) for word in ("secret", "guess"))
        with Weir(pulling(registry), "--oci-credentials", good, cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")
        at = f"GET https://{registry.name}/v2/p/manifests/1: status 401 (UNAUTHORIZED: authentication required)"
        holds(refusal(pulling(registry)), f"{at}; there are no credentials for {registry.name} (--oci-credentials)")
        log = refusal(pulling(registry), "--oci-credentials", wrong)
        holds(log, at + "\n")
        assert "guess" not in log and basic("ann", "guess") not in log
        holds(refusal(pulling(registry), "--oci-credentials", credentials(elsewhere=("a", "b"))), "there are no credentials for")


@fact("a registry with a token service gives an image for a token, which is fetched by the cluster that --oci-host names", 6)
def _():
    tokens = TokenService("http://tokens.test/token", {"ann": "secret"})
    with Upstream(tokens) as service, Registry() as registry:
        registry.push("team/p", "1", "oci image", guest())
        registry.stop()
        registry.settings = tokens.settings
        registry.start()
        told = pulling(registry, "team/p:1", clusters=[config.cluster("tokens", service.port)])
        known = credentials(**{registry.name: ("ann", "secret")})
        with Weir(told, "--oci-credentials", known, "--oci-host", "Tokens.test=tokens", cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")
        same(tokens.asked[0][0], "/token?service=test%20registry&scope=repository:team/p:pull")
        same(tokens.asked[0][1]["host"], "tokens.test")
        log = refusal(told, "--oci-credentials", known)
        holds(log, "the registry sends us to http://tokens.test/token, and no --oci-host says by which cluster 'tokens.test' is reached")
        log = refusal(told, "--oci-host", "tokens.test=tokens")
        holds(log, "GET http://tokens.test/token: status 401 (UNAUTHORIZED: who are you); there are no credentials for")


@fact("layers that a registry keeps elsewhere are fetched there, without the credentials", 4)
def _():
    seen = []

    def storage(request):
        seen.append(request.headers)
        with open(os.path.join(registry.root, request.path.split("?")[0].lstrip("/")), "rb") as file:
            request.answer(file.read())

    with Registry(users={"ann": "secret"}) as registry, Upstream(storage) as elsewhere:
        registry.push("p", "1", "artifact", guest())
        registry.stop()
        registry.settings = {"middleware": {"storage": [{"name": "redirect", "options": {"baseurl": f"https://storage.test:{elsewhere.port}/"}}]}}
        registry.start()
        told = pulling(registry, clusters=[config.cluster("storage", elsewhere.port)])
        known = ("--oci-credentials", credentials(**{registry.name: ("ann", "secret")}))
        with Weir(told, *known, "--oci-host", f"storage.test:{elsewhere.port}=storage", cache=closed_folder()) as weir:
            same(said(weir.port(), "/"), "pulled")
        same([headers.get("authorization") for headers in seen], [None])
        holds(refusal(told, *known), f"and no --oci-host says by which cluster 'storage.test:{elsewhere.port}' is reached")


# ---- what is refused

@fact("what the registry does not have is said with its status and code", 3)
def _():
    with Registry() as registry:
        registry.push("p", "1", "artifact", guest())
        log = refusal(pulling(registry, "p:2"))
        holds(log, f"Plugin p has no code: it could not be fetched from oci://{registry.name}/p:2: "
                   f"GET https://{registry.name}/v2/p/manifests/2: status 404 (MANIFEST_UNKNOWN: manifest unknown)")
        holds(refusal(pulling(registry, f"p@sha256:{'0' * 64}")), "status 404 (MANIFEST_UNKNOWN: manifest unknown)")


@fact("an image without a plugin, and one whose layer is a bomb, are refused", 5)
def _():
    with Registry() as registry:
        empty = ((b"{}", "application/vnd.oci.image.config.v1+json"), (archive(other__wasm=guest()), "application/vnd.oci.image.layer.v1.tar+gzip"), IMAGE)
        bomb = ((b"{}", "application/vnd.oci.image.config.v1+json"), (gzip.compress(bytes(200 << 20), 9), "application/vnd.oci.image.layer.v1.tar+gzip"), IMAGE)
        for tag, made, words, over in (("empty", empty, "the layer's archive has no plugin.wasm at its root", 0),
                                       ("bomb", bomb, f"the layer unpacks to more than {128 << 20} bytes", 1)):
            config_blob, layer, kind = made
            registry.manifest("p", tag, {"config": registry.blob("p", *config_blob), "layers": [registry.blob("p", *layer)]}, kind)
            with Weir(pulling(registry, f"p:{tag}"), cache=closed_folder()) as weir:
                holds(weir.log(), words)
                same(get(weir.port(), "/").status, 503)
                same(weir.stat("wasm.oci_over_limit") or 0, over)


class Liar:
    """A registry that has one image and says of it what it is told to say."""

    def __init__(self, **lies):
        self.code, self.lies = guest(), lies
        layer = {"mediaType": "application/wasm", "digest": digest_of(self.code), "size": len(self.code), **lies.get("layer", {})}
        document = {"schemaVersion": 2, "config": {"mediaType": "application/vnd.wasm.config.v0+json"}, "layers": [layer]}
        self.manifest = lies.get("manifest") or json.dumps(document).encode()

    def __call__(self, request):
        if request.path in self.lies.get("redirects", {}):
            return request.answer(status=307, headers=[f"location: {self.lies['redirects'][request.path]}"])
        if "/manifests/" in request.path:
            return request.answer(self.manifest, headers=[f"content-type: {IMAGE}"])
        return request.answer(self.lies.get("blob", self.code))


@fact("a registry that lies about digests and sizes is not believed", 6)
def _():
    right = digest_of(guest())
    for lies, name, words in (
        ({"blob": guest()[:-1] + b"x"}, "p:1", f", and not {right}"),
        ({"blob": guest()[:-1]}, "p:1", f"it has {len(guest()) - 1} bytes, and not {len(guest())}"),
        ({"blob": guest() + b"x"}, "p:1", f"the answer has more than {len(guest())} bytes"),
        ({}, f"p@sha256:{'1' * 64}", f"and not sha256:{'1' * 64}"),
        ({"layer": {"size": (64 << 20) + 1}}, "p:1", f"the layer has {(64 << 20) + 1} bytes, over {64 << 20}"),
        ({"layer": {"digest": "../../etc/passwd"}}, "p:1", "a layer in the manifest has no sha256 digest"),
        ({"manifest": b"{" + b" " * (1 << 20) + b"}"}, "p:1", f"the answer has more than {1 << 20} bytes"),
        ({"manifest": b"<html>"}, "p:1", "the manifest is not JSON"),
        ({"redirects": {"/v2/p/manifests/1": "/v2/p/manifests/1"}}, "p:1", "more than 5 redirections"),
        ({"redirects": {"/v2/p/manifests/1": "http://169.254.169.254/latest"}}, "p:1", "no --oci-host says by which cluster '169.254.169.254' is reached"),
    ):
        with Upstream(Liar(**lies)) as server:
            holds(refusal(pulling(server, name)), words)
    with Upstream(Liar()) as server, Weir(pulling(server), cache=closed_folder()) as weir:
        same(said(weir.port(), "/"), "pulled")


@fact("flags about registries that cannot be are refused")
def _():
    told = written(config.bootstrap())
    bad = os.path.join(folder(), "config.json")
    with open(bad, "w") as file:
        file.write('{"auths": {"r": {}}}')
    for flags, words in ((("--oci-credentials", bad), "--oci-credentials: " + bad + ": auths.r: has no auth"),
                         (("--oci-credentials", bad + ".none"), "No such file or directory"),
                         (("--oci-pull-policy", "sometimes"), "--oci-pull-policy"),
                         (("--oci-host", "x"), "must be HOST=CLUSTER, is 'x'")):
        done = run("--mode", "validate", "-c", told, *flags)
        same(done.returncode, 1)
        holds(done.stdout + done.stderr, words)
