"""What clients do. Every answer is checked, by the client (status and length of body) or by h2load's sums."""
import dataclasses
import json
import re
import subprocess

from suite.setups import WrongAnswer


@dataclasses.dataclass(frozen=True)
class Sample:
    cpu: float          # Seconds of the proxy.
    requests: int
    seconds: float
    microseconds: dict  # p50, p99, p999, max of the time of an answer; empty for HTTP/2.

    @property
    def cost(self):
        return self.cpu / self.requests

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def busy(self):
        return self.cpu / self.seconds


@dataclasses.dataclass(frozen=True)
class Http1:
    """The own program, bench/load. It connects and warms up before, and closes after what is measured."""
    connections: int = 64
    body: int = 0
    expect: int = 12
    path: str = "/"
    paths: int = 1
    headers: tuple = ()
    tls: bool = False
    reconnect: bool = False
    resume: bool = False
    count: int = 0

    def command(self, program, proxy, seconds, rate):
        command = [program, "--connections", str(self.connections), "--seconds", str(seconds), "--rate", str(rate),
                   "--count", str(self.count), "--body", str(self.body), "--expect", str(self.expect),
                   "--path", self.path, "--paths", str(self.paths)]
        for header in self.headers:
            command += ["--header", header]
        for flag in ("tls", "reconnect", "resume"):
            command += [f"--{flag}"] if getattr(self, flag) else []
        return command + [str(proxy.ports["tls" if self.tls else "plain"])]

    def run(self, programs, proxy, seconds, rate=0):
        with Held(self.command(programs["load"], proxy, seconds, rate)) as client:
            before = proxy.cpu_seconds()
            outcome = client.go()
            used = proxy.cpu_seconds() - before
        if outcome["requests"] == 0:
            raise WrongAnswer("no answer in the time of the load")
        return Sample(used, outcome["requests"], outcome["seconds"], {key: outcome[key] for key in ("p50", "p99", "p999", "max")})


class Held:
    """The own program between its two waits: connected and warm, and after it said what it measured."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        self.line("ready")
        return self

    def line(self, begin):
        text = self.process.stdout.readline()
        if not text.startswith(begin):
            raise WrongAnswer(self.process.communicate()[1].strip() or "the client ended")
        return text

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.line("{"))

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclasses.dataclass
class Http2:
    """h2load: clear text, by prior knowledge. It is given a number of requests, as many as the time takes by its last rate."""
    connections: int = 8
    streams: int = 32
    expect: int = 12

    def __post_init__(self):
        self.rates = {}

    def run(self, programs, proxy, seconds, rate=0):
        count = int(self.rates.get(proxy, 10000) * min(seconds, 60)) // 100 * 100 + 100
        before = proxy.cpu_seconds()
        out = subprocess.run([programs["h2load"], "-c", str(self.connections), "-m", str(self.streams), "-n", str(count),
                              f"http://127.0.0.1:{proxy.ports['h2']}/"], capture_output=True, text=True).stdout
        used = proxy.cpu_seconds() - before
        took = re.search(r"finished in ([\d.]+)(us|ms|s|m)", out)
        good = re.search(r"(\d+) succeeded", out), re.search(r"(\d+) 2xx", out), re.search(r"\((\d+)\) data", out)
        expected = [count, count, count * self.expect]
        if not took or not all(good) or [int(each.group(1)) for each in good] != expected:
            raise WrongAnswer("h2load: " + out[-700:])
        lasted = float(took.group(1)) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[took.group(2)]
        self.rates[proxy] = count / lasted
        return Sample(used, count, lasted, {})
