"""A proxy as a process: started, asked over its admin pages, measured through /proc, and seen to end well."""
import http.client
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
GUESTS = os.environ.get("WEIR_GUESTS", os.path.join(ROOT, "build", "guests"))
MIB = 1 << 20
START_SECONDS = 15

_settings = types.SimpleNamespace(program=None, folder=None, is_envoy=False, sanitized=False)
_all = []


def settle(program, folder):
    """Which program is tested, and where its files go: called once, before the facts run."""
    _settings.program = os.path.abspath(program) if os.path.exists(program) else shutil.which(program)
    if _settings.program is None:
        raise SystemExit(f"there is no program {program}: build it first (make build)")
    _settings.folder, _settings.is_envoy = folder, os.path.basename(program) == "envoy"
    if not _settings.is_envoy:
        with open(_settings.program, "rb") as file:
            _settings.sanitized = b"__asan_init" in file.read()
    if _settings.sanitized:
        # Wasmtime owns the fault signals: a guest's trap is one of them.
        signals = ":".join(f"handle_{name}=0" for name in ("segv", "sigill", "sigfpe", "sigbus"))
        os.environ["ASAN_OPTIONS"] = f"{signals}:detect_stack_use_after_return=0:allow_user_segv_handler=1:" + os.environ.get("ASAN_OPTIONS", "")


def is_envoy():
    return _settings.is_envoy


def sanitized():
    return _settings.sanitized


def slowness():
    """How much longer things may take: sanitizers compile a big plugin in many times the time."""
    return 4 if _settings.sanitized else 1


def folder():
    """A new folder, gone when the run is over."""
    return tempfile.mkdtemp(dir=_settings.folder)


def logs():
    return "\n".join(each.log() for each in _all)


def run(*arguments, seconds=20, env=None):
    """Runs the program to its end. The outcome has returncode, stdout and stderr."""
    command = [_settings.program, *map(str, arguments)]
    if is_envoy():
        command.append("--disable-hot-restart")
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds,
                          env={**os.environ, **(env or {})})


def written(configuration, name="envoy.yaml"):
    """The path of a new file that holds the configuration: a tree or a text."""
    from . import config
    path = os.path.join(folder(), name)
    with open(path, "w") as file:
        file.write(configuration if isinstance(configuration, str) else config.text(configuration))
    return path


class Weir:
    """with Weir(config.bootstrap(...)) as weir: ...    The proxy is ready at the first line, and ends at the last one.

    Leaving the block asks it to end, and fails where it does not do so with exit code 0 within a few seconds.
    """

    def __init__(self, configuration, *flags, workers=1, log="info", stderr=None, ready=True, cache=None, env=None,
                 before=()):
        self.folder = folder()
        self.log_path = os.path.join(self.folder, "log")
        self.admin_path = os.path.join(self.folder, "admin")
        self.ended = None
        command = [*before, _settings.program, "-c", written(configuration), "--admin-address-path", self.admin_path,
                   "-l", log, *(["--concurrency", str(workers)] if workers else [])]
        if is_envoy():
            command.append("--disable-hot-restart")
        else:
            command += ["--plugin-cache", cache or os.path.join(_settings.folder, "modules")]
        if "--drain-time-s" not in flags:
            command += ["--drain-time-s", "3"]  # A fact that leaves a request open must not wait ten minutes.
        with open(self.log_path, "wb") as out:
            self.process = subprocess.Popen([*command, *map(str, flags)], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=stderr or out, env={**os.environ, **(env or {})})
        self.pid = self.process.pid
        _all.append(self)
        if ready:
            self.await_ready()

    # Its life.

    def await_ready(self):
        until = time.monotonic() + START_SECONDS * slowness()
        while time.monotonic() < until:
            if self.answers():
                return
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"not ready after {START_SECONDS} s: {self.log()[-1500:]}")

    def answers(self):
        """Whether it is ready."""
        assert self.process.poll() is None, f"it ended with code {self.process.returncode}: {self.log()[-1500:]}"
        try:
            return self.admin("/ready").status == 200
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None or self.ended is not None:
            self.kill()
        else:
            code = self.stop()
            assert code == 0, f"it ended with code {code}: {self.log()[-1500:]}"

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=10):
        """The exit code, once it has ended by itself."""
        try:
            self.ended = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended within {seconds} s: {self.log()[-1500:]}") from None
        return self.ended

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.ended = self.process.returncode

    def alive(self):
        return self.process.poll() is None

    # What it says.

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def admin_port(self):
        with open(self.admin_path) as file:
            return int(file.read().rsplit(":", 1)[1])

    def admin(self, path, method="GET", seconds=5):
        """One request to the admin listener: status, headers and text."""
        try:
            link = http.client.HTTPConnection("127.0.0.1", self.admin_port(), timeout=seconds)
        except (ValueError, IndexError) as early:
            raise OSError(str(early)) from None  # The file is being written.
        try:
            link.request(method, path)
            answer = link.getresponse()
            return types.SimpleNamespace(status=answer.status, headers=dict((n.lower(), v) for n, v in answer.getheaders()),
                                         text=answer.read().decode("utf-8", "replace"))
        except http.client.HTTPException as error:
            raise OSError(repr(error)) from None
        finally:
            link.close()

    def port(self, name="main"):
        found = re.search(rf"^{re.escape(name)}::[^\n]*:(\d+)$", self.admin("/listeners").text, re.M)
        assert found, f"no listener {name}: {self.admin('/listeners').text}"
        return int(found[1])

    def stats(self, pattern=""):
        """Counters and gauges whose whole name is of the pattern."""
        lines = re.findall(r"^([^\n]+): (\d+)$", self.admin("/stats").text, re.M)
        return {name: int(value) for name, value in lines if re.fullmatch(pattern or ".*", name)}

    def stat(self, name):
        return self.stats(re.escape(name)).get(name)

    def json(self, path):
        return json.loads(self.admin(path).text)

    # What it costs.

    def _status(self, field):
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(rf"^{field}:\s+(\d+)", file.read(), re.M)[1]) * 1024

    def memory(self):
        return self._status("VmRSS")

    def peak(self):
        """The most memory since forget_peak()."""
        return self._status("VmHWM")

    def forget_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def limit_descriptors(self, most):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (most, most))

    def cpu(self):
        """Seconds of CPU so far, with the processes that it has started and that have ended."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def bounded(seen, most, what):
    """Memory within its bound. Sanitizers keep what was freed, so nothing is said under them."""
    if not sanitized():
        assert seen <= most, f"{what}: {seen / MIB:.1f} MiB, over {most / MIB:.1f} MiB"
