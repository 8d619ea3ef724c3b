"""A stand: one proxy process with its upstreams, on ports of its own, that cases are run against one by one."""
import hashlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import zlib

from . import client, config, normalise, report
from .http import get
from .model import Talk
from .plain import PlainUpstream, converse
from .upstream import CodeUpstream, Upstream, answer


class NotStarted(Exception):
    pass


def free_port():
    """Below the range from which the kernel gives ports to connections, so that none takes it in between."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Stand:
    def __init__(self, group, program, guests, folder):
        self.group, self.program, self.guests, self.folder = group, program, guests, folder
        self.upstream, self.callout = Upstream(getattr(group, "upstream_tls", None), getattr(group, "upstream_announced", False)), Upstream()
        self.upstream.h2_settings, self.upstream.h2_deaf, self.upstream.health = group.h2_settings, group.h2_deaf, group.health
        self.plain = PlainUpstream()
        self.code = CodeUpstream({path: self._code(what) for path, what in (group.code or {}).items()})
        self.refused = socket.socket()  # Bound and never listening: connections to it are refused.
        self.refused.bind(("127.0.0.1", 0))
        self.process = None

    def _code(self, what):
        if isinstance(what, list):
            return [self._code(each) for each in what]
        if not isinstance(what, str):
            return what
        with open(os.path.join(self.guests, what), "rb") as guest:
            return answer(body=guest.read(), headers=[])

    def _digest(self):
        try:
            with open(os.path.join(self.guests, "conformance.wasm"), "rb") as guest:
                return hashlib.sha256(guest.read()).hexdigest()
        except OSError:
            return ""

    # The process.

    def start(self):
        for _ in range(3):
            own = set()
            while len(own) < 3:
                own.add(free_port())
            self.ports = {**dict(zip(("LISTEN", "ADMIN", "FENCE"), own)), "UPSTREAM": self.upstream.port, "CALLOUT": self.callout.port, "PLAIN": self.plain.port, "CODE": self.code.port, "DIGEST": self._digest(), "REFUSED": self.refused.getsockname()[1]}
            self._launch()
            if self._ready():
                self.fence()
                self.worker = normalise.worker(self.log(0), self.group.speaks)
                return
            self.kill()
            if "in use" not in self.log(0):
                break
        raise NotStarted(self.log(0)[-3000:])

    def put(self, files):
        """Each file whole: written aside and moved into its place."""
        words = {**self.ports, "GUESTS": self.guests, "FILES": self.folder}
        for name, content in files.items():
            text = content if isinstance(content, str) else config.to_yaml(content)
            with open(os.path.join(self.folder, name + ".new"), "w") as out:
                out.write(config.fill(text, words))
            os.rename(os.path.join(self.folder, name + ".new"), os.path.join(self.folder, name))

    def update(self, files):
        """Puts files, and returns when each has been tried."""
        tried = lambda: sum(self.counters(r".*\.update_attempt").values())
        for name, content in files.items():
            before, deadline = tried(), time.monotonic() + 3
            self.put({name: content})
            while tried() == before and time.monotonic() < deadline:
                time.sleep(0.03)
        time.sleep(0.1)

    def _launch(self):
        self.put(self.group.files)
        path = os.path.join(self.folder, "envoy.yaml")
        self.log_path = os.path.join(self.folder, "log")
        with open(path, "w") as out:
            out.write(config.fill(config.to_yaml(self.group.config), {**self.ports, "GUESTS": self.guests, "FOLDER": self.folder, "FILES": self.folder}))
        own = [] if os.path.basename(self.program) == "envoy" else ["--plugin-strict-start"]  # As Envoy's only way.
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", path, "--concurrency", "1", "-l", "warning", "--component-log-level", "wasm:debug", "--disable-hot-restart",
                 "--file-flush-interval-msec", "50", *own],
                stdout=log, stderr=log, env={**os.environ, "CONFORMANCE_HOST_KEY": "from the host", **({"XDG_CACHE_HOME": self.folder} if self.group.code else {})})

    def _ready(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.admin("/ready")[0] == 200:
                    self._await_listeners()
                    return True
            except OSError:
                pass
            time.sleep(0.03)
        return False

    def _await_listeners(self):
        """Envoy is ready a moment before its workers listen."""
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", self.ports["FENCE"]), timeout=0.2).close()
            except OSError:
                time.sleep(0.01)
        return None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """Asks the process to end, and sees that it does. Returns its exit code, 0 where it was gone before."""
        code = 0
        if self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    code = self.process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    self.kill()
                    code = "none within five seconds"
        for part in (self.upstream, self.callout, self.plain, self.code):
            part.stop()
        self.refused.close()
        return code

    # What is asked of it.

    def admin(self, path, method="GET"):
        link = http.client.HTTPConnection("127.0.0.1", self.ports["ADMIN"], timeout=3)
        try:
            link.request(method, path)
            answer = link.getresponse()
            self.admin_type = answer.headers.get("content-type")
            return answer.status, answer.read().decode("utf-8", "replace")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            link.close()

    def fence(self):
        """Returns when the worker has done what came before: it has answered on another listener, twice; or has died."""
        try:
            answers = client.talk(self.ports["FENCE"], [get(wait=True), get()], linger=0)["answers"]
        except OSError:
            answers = [{"missing": "connection"}]
        if any("missing" in answer for answer in answers):
            try:
                self.process.wait(timeout=10)  # A crash takes its time to be written down.
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self, start):
        with open(self.log_path, "rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", "replace")

    def counters(self, pattern):
        """The admin's counters and gauges whose whole name is of the pattern, with their values."""
        lines = re.findall(r"^([^:\n]+): (\d+)$", self.admin("/stats")[1], re.M)
        return {normalise.text(name, self.ports): int(value) for name, value in lines if re.fullmatch(pattern, name)}

    # A case.

    def run(self, case):
        """The outcome as lines, the first answer's status, and the plugin's log lines."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        if isinstance(case, Talk):
            return self._talk(case)
        if case.connections is None:
            return self._startup()
        mark = os.path.getsize(self.log_path)
        self.entries_mark = len(self.entries(0, ""))
        before = self.counters(case.stats) if case.stats else {}
        self.upstream.begin(case.upstream)
        self.callout.begin(case.callout)
        if case.files:
            self.update(case.files)
        seen = [client.talk(self.ports["LISTEN"], requests, case.linger, case.tls) for requests in case.connections]
        time.sleep(case.settle)
        self.fence()
        return self._outcome(case, seen, before, mark)

    def _talk(self, case):
        """As run(), for a case without HTTP; the "status" is how the first connection ended."""
        before = self.counters(case.stats) if case.stats else {}
        mark = os.path.getsize(self.log_path)
        self.entries_mark = len(self.entries(0, ""))
        self.plain.begin(case.upstream)
        self.upstream.begin([])
        seen = [converse(self.ports["LISTEN"], pieces, case.patience, tls=case.tls) for pieces in case.pieces]
        time.sleep(case.settle)
        self.fence()
        def shown(got):
            return repr(got) if len(got) < 200 else f"{len(got)} bytes, {zlib.crc32(got):08x}"
        lines = [f"client {number}: {shown(got)}, then {ending}" for number, (got, ending) in enumerate(seen, 1)]
        lines += [f"upstream {number}: {shown(got)}, then {ending}" for number, (got, ending) in enumerate(self.plain.finish(), 1)]
        lines = [normalise.text(line, self.ports) for line in lines]
        if case.stats:
            after = self.counters(case.stats)
            lines += ["counters:"] + [f"  {name} +{after[name] - before.get(name, 0)}" for name in sorted(after) if after[name] != before.get(name, 0)]
        if case.entries is not None:
            lines += self._entries_outcome(case.entries)
        log = normalise.plugin_log(self.log(mark), self.ports, self.worker) if case.logs else []
        lines += ["plugin log:"] + [f"  {line}" for line in log] if case.logs else []
        if self.process.poll() is not None:
            lines.append(f"the proxy ended with code {self.process.returncode}")
        return lines, seen[0][1], log

    def _startup(self):
        log = normalise.plugin_log(self.log(0), self.ports, self.worker)
        return ["log at start:"] + [f"  {line}" for line in log], None, log

    def _outcome(self, case, seen, before, mark):
        lines = []
        for number, connection in enumerate(seen, 1):
            lines += report.connection(number, connection, self.ports, case.header_order)
        for name, part in (("upstream", self.upstream), ("callout", self.callout)):
            lines += report.upstream(name, part.finish(), self.ports, case.header_order)
        if self.group.health:
            lines += report.upstream("check", [{**self.upstream.checked, "connection": "any"}] if self.upstream.checked else [], self.ports, case.header_order)
        log = normalise.plugin_log(self.log(mark), self.ports, self.worker, case.apart)
        lines += ["plugin log:"] + [f"  {line}" for line in log]
        if case.stats:
            after = self.counters(case.stats)
            lines += ["counters:"] + [f"  {name} +{after[name] - before.get(name, 0)}" for name in sorted(after) if after[name] != before.get(name, 0)]
        if case.entries is not None:
            lines += self._entries_outcome(case.entries)
        for path in case.admin + case.admin_heads:
            lines += self._admin_outcome(path, path in case.admin)
        if self.process.poll() is not None:
            lines.append(f"the proxy ended with code {self.process.returncode}")
        return lines, report.first_status(seen), log

    def entries(self, start, name="access"):
        path = os.path.join(self.folder, name or "access")
        if not os.path.exists(path):
            return []
        with open(path, encoding="latin-1") as file:
            return file.read().splitlines()[start:]

    def _entries_outcome(self, wanted):
        """The lines of the access log, which come when the proxy has flushed them."""
        deadline = time.monotonic() + 3
        while len(self.entries(self.entries_mark)) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1 if wanted == 0 else 0)
        found = self.entries(self.entries_mark)
        lines = [f"access log: {len(found)} lines"] + [f"  {normalise.access(line, self.ports)}" for line in found]
        return lines if len(found) == wanted else [f"did not log {wanted} lines"] + lines

    def _admin_outcome(self, path, with_body):
        method, _, target = path.rpartition(" ")
        status, body = self.admin(target, method or "GET")
        lines = [f"admin {path} -> {status} {self.admin_type}"]
        if target == "/runtime":  # Envoy's keys come in any order.
            body = json.dumps(json.loads(body), indent=1, sort_keys=True)
        return lines + ([f"  {line}" for line in normalise.text(body, self.ports).splitlines()] if with_body else [])
