"""The real Autobahn suite, where there is a Python 2.7 for it: its echo server behind the proxies, its fuzzing client before them."""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import time

from tests.stand import proxies, score

CACHE = os.environ.get("WEIR_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "weir")
RELEASE = "25.10.1"
CATEGORIES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]


def wstest():
    """The command. Its packages need their .pth files read, hence the wrapping."""
    python = shutil.which("python2.7", path=os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if "shims" not in p))
    python = python or next(iter(glob.glob(os.path.expanduser("~/.pyenv/versions/2.7*/bin/python2.7"))), None)
    if not python:
        raise SystemExit("there is no Python 2.7, which Autobahn needs; leave --autobahn out for our own cases")
    folder = os.path.join(CACHE, f"autobahn-{RELEASE}")
    if not os.path.isdir(folder):
        fresh = tempfile.mkdtemp(dir=CACHE)
        subprocess.run([python, "-m", "pip", "install", "-q", "--target", fresh, f"autobahntestsuite=={RELEASE}"], check=True, stderr=subprocess.DEVNULL)
        os.rename(fresh, folder)
    return [python, "-c", f"import site; site.addsitedir({folder!r}); from autobahntestsuite.wstest import run; run()"]


def run(options):
    command, port = wstest(), proxies.free_ports(1)[0]
    # Its server wants its own port in Host.
    shape, names, started = proxies.Shape(upgrades=True, host=f"127.0.0.1:{port}"), ["direct"], []
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([*command, "-m", "echoserver", "-w", f"ws://127.0.0.1:{port}"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 30
            while not proxies.accepts(port) and time.monotonic() < until:
                time.sleep(0.1)
            servers = [{"agent": "direct", "url": f"ws://127.0.0.1:{port}"}]
            for name in options.proxy.split(","):
                try:
                    started.append(proxies.start(name, port, shape, options.weir))
                    servers.append({"agent": name, "url": f"ws://127.0.0.1:{started[-1].port}"})
                    names.append(name)
                except proxies.Absent as why:
                    print(f"{name} is left out: {why}")
            with open(os.path.join(folder, "spec.json"), "w") as file:
                json.dump({"outdir": folder + "/reports", "servers": servers, "cases": CATEGORIES, "exclude-cases": [], "exclude-agent-cases": {}}, file)
            subprocess.run([*command, "-m", "fuzzingclient", "-s", "spec.json"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3000, check=True)
            with open(os.path.join(folder, "reports", "index.json")) as file:
                report = json.load(file)
        finally:
            server.kill()
            for each in started:
                each.close()
    return judge(report, names)


def judge(report, names):
    verdicts = ["OK", "NON-STRICT", "INFORMATIONAL", "UNCLEAN", "FAILED", "WRONG CODE"]
    rows = [[f"{part}: {verdict}", *(sum(case[key] == verdict for case in report[name].values()) for name in names)]
            for part, key in (("behaviour", "behavior"), ("close", "behaviorClose")) for verdict in verdicts]
    print("\n" + score.table(["Autobahn", *names], [row for row in rows if any(row[1:])]) + "\n")
    tally = score.Score()
    for case, direct in report["direct"].items():
        seen = report[names[1]].get(case) if len(names) > 1 else direct
        both = [(each or {}).get(key) for each in (direct, seen) for key in ("behavior", "behaviorClose")]
        tally.case(f"{names[-1] if len(names) < 2 else names[1]}, case {case}", both[:2] == both[2:], f"{both[2:]}, directly {both[:2]}")
    return tally.finish()
