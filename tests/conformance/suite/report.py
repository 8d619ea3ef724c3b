"""An outcome as lines of text, so that two of them are compared and shown by an ordinary diff."""
import zlib

from . import normalise


def body(data):
    if len(data) > 400:
        return f"<{len(data)} bytes, crc {zlib.crc32(data):08x}>"
    return ascii(data.decode("latin-1"))


def visible(value):
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in value)


def _fields(fields, ports, keep_order, indent):
    return [visible(f"{indent}{name}: {value}") for name, value in normalise.headers(fields, ports, keep_order)]


def _answer(answer, ports, keep_order):
    if "missing" in answer:
        return [f"  no answer: {answer['missing']}"]
    lines = [f"  {answer.get('version', '')} {answer['status']} {answer.get('reason', '')} framing={answer['framing']}"]
    lines += _fields(answer["headers"], ports, keep_order, "    ")
    lines.append(f"    body {body(normalise.text(answer['body'].decode('latin-1'), ports).encode('latin-1'))}")
    lines += [f"    trailer {line.strip()}" for line in _fields(answer["trailers"], ports, keep_order, "")]
    lines += [f"    metadata {visible(line)}" for line in answer.get("metadata", [])]
    return lines + ([f"    cut short: {answer['cut']}"] if "cut" in answer else [])


def _end(seen):
    """Envoy announces a close and then lingers for a second, so that its answer is not lost: when is not compared."""
    announced = any(name.lower() == "connection" and value == "close" for answer in seen["answers"][-1:] for name, value in answer.get("headers", []))
    return "closing, as announced" if announced else seen["end"]


def connection(number, seen, ports, keep_order):
    lines, end = [f"connection {number}:"], _end(seen)
    for answer in seen["answers"]:
        lines += _answer(answer, ports, keep_order)
    lines += [f"  TLS: {seen['tls']}"] if "tls" in seen else []
    return lines + [f"  then {end}"] + ([f"  and more: {body(seen['rest'].encode('latin-1'))}"] if seen["rest"] else [])


def upstream(name, requests, ports, keep_order):
    """What arrived, in order; but callouts may be sent side by side, so theirs are sorted by path."""
    lines = []
    if name == "callout":
        requests = [{**seen, "connection": "any"} for seen in sorted(requests, key=lambda seen: seen["path"])]
    for seen in requests:
        lines.append(f"{name} saw on connection {seen['connection']}: {seen['method']} {seen['path']} {seen['version']} framing={seen['framing']}")
        lines += _fields(seen["headers"], ports, keep_order, "    ")
        lines.append(f"    body {body(seen['body'])}")
        lines += [f"    trailer {line.strip()}" for line in _fields(seen["trailers"], ports, keep_order, "")]
        lines += [f"    metadata {visible(line)}" for line in seen.get("metadata", [])]
        lines += [f"    cut short: {seen['cut']}"] if "cut" in seen else []
    return lines or [f"{name} saw nothing"]


def first_status(connections):
    """The first final answer's status."""
    for seen in connections:
        for answer in seen["answers"]:
            if answer.get("status") == 101 or not 100 <= (answer.get("status") or 0) < 200:
                return answer.get("status")
    return None
