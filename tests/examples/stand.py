"""A proxy under test, with one example's configuration on free ports, and the upstream behind it.

Used by tests/examples/run, tests/guests/run and tools/guests/compare. Standard library only.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUESTS = os.environ.get("WEIR_GUESTS", os.path.join(ROOT, "build", "guests"))
LANGUAGES = ["rust", "go", "cpp", "assemblyscript"]
START_TIMEOUT = 60
QUIET_TIMEOUT = 5


def free_ports(count):
    """Ports that nobody has now; all are held until the last is known, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Upstream:
    """tools/guests/upstream.py in a process of its own."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tools", "guests", "upstream.py"), "0"],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Refused(Exception):
    """The proxy ended before it was ready; the text is the end of its log."""


class Proxy:
    """A running proxy. `command` is a program's name or path, which takes Envoy's flags."""

    def __init__(self, command, configuration, upstream_port=8080, log_level="info"):
        self.folder = tempfile.mkdtemp(prefix="weir-test-")
        self.log_path = os.path.join(self.folder, "log")
        self.port, self.admin = free_ports(2)
        text = configuration
        for old, new in ((10000, self.port), (9901, self.admin), (8080, upstream_port)):
            text = re.sub(rf"port_value: {old}\b", f"port_value: {new}", text)
        text = text.replace("build/guests/", GUESTS + "/")
        path = os.path.join(self.folder, "envoy.yaml")
        with open(path, "w") as file:
            file.write(text)
        self.log_file = open(self.log_path, "w")
        self.started = time.monotonic()
        strict = [] if os.path.basename(command) == "envoy" else ["--plugin-strict-start"]  # As Envoy's only way.
        self.process = subprocess.Popen(
            [command, "-c", path, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning",
             "--component-log-level", f"wasm:{log_level}", *strict],
            stdout=self.log_file, stderr=subprocess.STDOUT, cwd=ROOT)
        self._await_ready()

    def _await_ready(self):
        while time.monotonic() - self.started < START_TIMEOUT:
            if self.process.poll() is not None:
                log = self.log()
                self.close()
                raise Refused(log[-2000:])
            try:
                if self.get("/ready", port=self.admin).status == 200:
                    self.ready_after = time.monotonic() - self.started
                    return
            except OSError:
                pass
            time.sleep(0.01)
        log = self.log()
        self.close()
        raise Refused(f"not ready after {START_TIMEOUT} s: {log[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log_file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, path, method="GET", body=None, headers=None, port=None, timeout=10):
        """One request on a connection of its own. The answer has status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            answer.text = answer.read().decode("latin-1")
            return answer
        finally:
            connection.close()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def plugin_log(self):
        """The texts that plugins logged, without what the proxy puts before them."""
        return re.findall(r"wasm log[^:\n]*: (.*)", self.log())

    def await_log(self, wanted):
        """True when each wanted text has come; logs may be written a little later than answers."""
        end = time.monotonic() + QUIET_TIMEOUT
        while True:
            texts = self.plugin_log()
            if all(text in texts for text in wanted):
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.05)


class Tally:
    """One line a case, and the line that a test runner reads at the end."""

    def __init__(self):
        self.passed = self.failed = 0

    def case(self, name, holds, seen=""):
        if holds:
            self.passed += 1
            print(f"ok    {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}" + (f"\n      saw: {seen}" if seen != "" else ""), flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
