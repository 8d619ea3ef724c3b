"""What is printed of a run, and the page with both proxies."""
import re

from .proxy import NOT_READY


def tell(case, seen, verbose):
    print(f"{'FAIL' if seen.wrong else 'ok  '}  {case.topic}: {case.name}", flush=True)
    for why in seen.wrong:
        print(f"      {why}", flush=True)
    if verbose:
        print(f"      {words(seen)}", flush=True)
    return seen


def note(case, seen):
    print(f"envoy {case.topic}: {case.name}: {'left out' if seen is None else words(seen)}", flush=True)
    return seen


def words(seen):
    """One line: how the bad requests fared, and what it cost the others."""
    if not seen.started:
        return "refused: " + _last_line(seen.refusal)
    parts = ["degraded: " + _last_line(seen.refusal)] if seen.refusal else []
    parts += ["bad requests: " + ", ".join(f"{'no answer' if status is None else status} ({seconds:.2f} s)" for status, seconds in seen.bad)]
    if not seen.alive:
        return "; ".join(parts) + "; the process is gone"
    parts.append(f"slowest bystander {seen.slowest * 1000:.0f} ms" + (f", {seen.lost} lost" if seen.lost else ""))
    parts.append(f"{seen.growth:+.0f} MiB (at most {seen.peak:+.0f})")
    parts += [f"{seen.log_mb:.0f} MB of log"] if seen.log_mb > 1 else []
    parts += [f"{seen.active} requests stay"] if seen.active else []
    parts += ["SIGTERM does not end it"] if seen.end is None else []
    return "; ".join(parts)


def _of_peer(seen):
    """What ends the peer's process is nobody's to read here."""
    return "not compared" if seen is None or seen.started and not seen.alive else words(seen)


def _last_line(log):
    lines = [line for line in log.strip().splitlines() if "[error]" in line or "[critical]" in line or "error" in line.lower()]
    text = (lines or [log.partition(": ")[0] if log.startswith(NOT_READY) else "without a word"])[0]
    return re.sub(r"^.*plugin\.wasm: ", "", text.rsplit("] ", 1)[-1])[:160].replace("|", "\\|")


def page(path, cases, weir, envoy):
    rows = "\n".join(f"| {case.topic} | {case.name} | {words(mine)} | {_of_peer(other)} |"
                     for case, mine, other in zip(cases, weir, envoy, strict=True))
    held = sum(not seen.wrong for seen in weir)
    with open(path, "w") as file:
        file.write(f"""# The sandbox, tried

What `tests/hostile/run --doc docs/sandbox.md` wrote: {len(cases)} hostile plugins, each on a proxy with one worker and two listeners. The plugin stands on one
of them; three bad requests go there, while a thousand good ones at once go to the other, before, beside and after them. On weir {held} of {len(cases)} cost nobody
but their own requests. The times are the client's, a thousand of its requests at once, on the two cores that it shares with the proxy.

| topic | plugin | weir | Envoy 1.40 |
|---|---|---|---|
{rows}
""")
