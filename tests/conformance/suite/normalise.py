"""What may differ between two right runs, and how it is made equal. All of the suite's leniency stands in this file."""
import re

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
DATE = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
LOG_LINE = re.compile(r"^\[\d{4}-[^\]]*\]\[(?P<thread>\d+)\]\[(?P<level>\w+)\]\[(?P<logger>[\w.-]+)\] (\[[^\]]*:\d+\] )?(?P<text>.*)$", re.S)


def text(value, ports):
    """Dates, request ids and ports by their kind."""
    value = UUID.sub("<uuid>", DATE.sub("<date>", value))
    for name, port in ports.items():
        value = re.sub(rf"\b{port}\b", f"<{name}>", value.replace(f"127.0.0.1_{port}.", f"127.0.0.1_<{name}>."))
    value = re.sub(r"(PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1) \d{4,5}\b", r"\1 <port>", value)
    return re.sub(r"127\.0\.0\.1:\d{4,5}\b", "127.0.0.1:<port>", value)


def access(line, ports):
    """A line of an access log: times of day by their kind; what else varies is for the case to leave out."""
    line = re.sub(r"^(\w*DURATION = )-?\d+$", r"\1<some>", line)
    return text(re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d{4})", "<time>", line), ports)


def headers(fields, ports, keep_order):
    """(name, value) pairs: sorted by name unless the case is about their order; equal names always keep theirs."""
    out = []
    for name, value in fields:
        if name.lower().startswith("x-script"):
            continue  # The guest's script: long, and the same on both sides by construction.
        if name.lower() == "x-envoy-upstream-service-time" and value.isdigit():
            value = "<ms>"
        if name.lower() == "x-envoy-expected-rq-timeout-ms" and value.isdigit():
            step = 1000 if int(value) > 1500 else 100  # A later try is told what is left.
            value = str(-(-int(value) // step) * step)
        out.append((name, text(value, ports)))
    return out if keep_order else sorted(out, key=lambda field: field[0].lower())


def log_entries(raw):
    """(thread, level, logger, text) of each entry; a line that does not begin one belongs to the one before."""
    entries = []
    for line in raw.splitlines():
        found = LOG_LINE.match(line)
        if found:
            entries.append([found["thread"], found["level"], found["logger"], found["text"]])
        elif entries:
            entries[-1][3] += "\n" + line
    return entries


def plugin_log(raw, ports, thread, apart=False):
    """The plugin's lines: level and text, without time, thread and source line; contexts by order of appearance.

    Only the worker's: Envoy tries each plugin on its main thread first, and that instance may still say something.
    apart: the lines of each VM by themselves, for where several talk at a time.
    """
    lines = [f"{level} {words}" for speaker, level, logger, words in log_entries(raw)
             if logger == "wasm" and words.startswith("wasm log") and speaker == thread]
    names, vm = {}, None

    def named(found):
        return f"[{names.setdefault(found[1], f'c{len(names) + 1}')}]"

    def vm_of(line):
        found = re.match(r"\w+ wasm log(?: \S+)? \S+ (\S+?):", line)
        return found[1] if found else ""
    out = []
    for line in sorted(lines, key=vm_of) if apart else lines:
        if apart and vm_of(line) != vm:
            names, vm = {}, vm_of(line)
        line = re.sub(r"\[(\d+)\]", named, line) if "raw context" not in line else line
        line = re.sub(r"(x-envoy-upstream-service-time: )\d+", r"\1<ms>", line)
        out.append(text(line, ports))
    return out


def worker(raw, words=""):
    """The thread whose plugin spoke last (of those who said these words): when all has started, that is the worker."""
    spoke = [thread for thread, _, logger, said in log_entries(raw) if logger == "wasm" and said.startswith("wasm log") and words in said]
    return spoke[-1] if spoke else None
