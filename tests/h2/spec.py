"""h2spec (a Go module, built by tests/stand/install), strict, on a proxy's listeners."""
import re
import subprocess

from tests.stand import origin, score


def run(proxy, verbose):
    """{"clear text": (passed, skipped, failed, [names of failed cases]), "TLS": ...}"""
    seen = {"clear text": once(proxy.port, [], verbose)}
    if proxy.tls_port:
        seen["TLS"] = once(proxy.tls_port, ["-t", "-k"], verbose)
    return seen


def once(port, more, verbose):
    said = subprocess.run([f"{origin.stand()}/bin/h2spec", "-S", "-p", str(port), "-o", "3", *more],
                          capture_output=True, text=True, timeout=600).stdout
    said = re.sub(r"\x1b\[[0-9;]*m", "", said)
    if verbose:
        print(said[said.find("Failures:"):] if "Failures:" in said else said[-300:])
    found = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", said)
    if not found:
        return 0, 0, 1, [f"h2spec said: {said[-300:]}"]
    failures = said[said.find("Failures:"):] if "Failures:" in said else ""
    return int(found[2]), int(found[3]), int(found[4]), re.findall(r"× (.*)", failures)


def summary(by_proxy):
    kinds = list(dict.fromkeys(kind for seen in by_proxy.values() for kind in seen))
    return score.table(["h2spec, strict", *by_proxy], [
        [kind, *(f"{seen[kind][0]}/{seen[kind][0] + seen[kind][2]}" if kind in seen else "" for seen in by_proxy.values())] for kind in kinds])


def judge(seen, tally):
    for kind, (passed, skipped, failed, names) in seen.items():
        tally.passed += passed
        for name in names[:failed] or (["a case"] * failed):
            tally.case(f"h2spec, {kind}: {name}", False)
        if skipped > 1:  # One case cannot be tried where the concurrent streams are without limit, or too many.
            tally.case(f"h2spec, {kind}: {skipped} skipped", False)
