"""Requests by HTTP/2 with prior knowledge, and the connection that sends them and notes what comes back.

The library (h2) does frames and header compression; its checks are off, because cases break the rules on purpose. What
is noted has the form of the HTTP/1 client's answers, so that reports read alike.
"""
import dataclasses
import functools
import os
import socket
import subprocess
import sys
import time

from .http import HOST, join_script

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass
class Http2Request:
    fields: list  # (name, value) in order, pseudo headers too
    parts: list = dataclasses.field(default_factory=list)  # of bytes: a DATA frame each; of Metadata; and of floats: seconds to wait
    trailers: list = None
    wait: bool = False  # let the answer arrive before the connection's next request is sent
    patience: float = 5.0
    reset_after: float = None  # seconds after which the client resets its stream
    ends: bool = True  # with END_STREAM
    abandon: bool = False
    deaf: bool = False  # of a connection's first request: its client does not answer pings
    before: list = dataclasses.field(default_factory=list)  # of Metadata: sent before its headers


@dataclasses.dataclass
class Metadata:
    """A frame of Envoy's extension: name and value pairs of one stream, compressed as header blocks are."""
    payload: bytes
    flags: int = 4  # END_METADATA

    def frame(self, stream):
        return len(self.payload).to_bytes(3, "big") + bytes([0x4d, self.flags]) + stream.to_bytes(4, "big") + self.payload


def metadata(*pairs, flags=4, payload=None):
    """payload: instead of the pairs, these bytes."""
    return Metadata(b"".join(b"\x10" + _literal(name) + _literal(value) for name, value in pairs) if payload is None else payload, flags)


def _literal(text):
    """A string literal of RFC 7541 5.2, without Huffman's code."""
    data = text.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    out, rest = b"\x7f", len(data) - 127
    while rest >= 128:
        out, rest = out + bytes([rest % 128 + 128]), rest // 128
    return out + bytes([rest]) + data


class MetadataReader:
    """What METADATA frames of one connection hold, as lines that tell where they came among the message's parts."""

    def __init__(self):
        self.blocks = {}

    def take(self, frame, stream, message):
        """The line of a block that is complete; None if there is more to come."""
        block = self.blocks.pop(stream, b"") + frame.body
        if not frame.flag_byte & 4:
            self.blocks[stream] = block
            return None
        import hpack
        try:
            pairs = hpack.Decoder(max_header_list_size=1 << 24).decode(block, raw=True)
            text = " ".join(f"{name.decode('latin-1')}={_short(value.decode('latin-1'))}" for name, value in sorted(pairs))
        except hpack.HPACKError as why:
            text = f"broken: {type(why).__name__}"
        where = "before the headers" if message is None else f"after {len(message['body'])} bytes of body"
        return f"{where}: {text}"


def _short(text):
    return text if len(text) < 100 else f"<{len(text)} bytes>"


def h2_request(method="GET", path="/", headers=None, body=None, trailers=None, script=None, authority=HOST[1], scheme="http", fields=None, **options):
    """body: text, bytes, or a list of DATA frames (and pauses). fields: instead of everything, the whole block."""
    given = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    given += [("x-script", join_script(script))] if script else []
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    parts = body if isinstance(body, list) else [] if body is None else [body]
    parts = [part.encode() if isinstance(part, str) else part for part in parts]
    return Http2Request(fields or pseudo + given, parts, trailers, **options)


def h2_get(path="/", **options):
    return h2_request("GET", path, **options)


def h2_post(path="/", body="hello", **options):
    return h2_request("POST", path, body=body, **options)


@functools.cache
def library():
    folder = subprocess.run([os.path.join(HERE, "../install_client")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import h2.config
    import h2.connection
    import h2.events
    return h2


class _Connection:
    def __init__(self, port, tls=None):
        h2 = library()
        self.events = h2.events
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls(self.sock)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False, header_encoding="latin-1"))
        self.h2.initiate_connection()
        self.answers, self.over, self.closed, self.goaway = {}, set(), False, None
        self.metadata, self.early = MetadataReader(), {}
        self.flush()

    def flush(self):
        try:
            self.sock.sendall(self.h2.data_to_send())
        except OSError:
            self.closed = True

    def send(self, request):
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = []
        whole = [at for at, part in enumerate(request.parts) if isinstance(part, bytes)]
        last = not whole and not request.trailers and request.ends
        self.put(request.before, stream)
        self.h2.send_headers(stream, request.fields, end_stream=last)
        self.flush()
        for at, part in enumerate(request.parts):
            if isinstance(part, float):
                time.sleep(part)
                continue
            if isinstance(part, Metadata):
                self.put([part], stream)
                continue
            self.data(stream, part, request.ends and at == whole[-1] and not request.trailers)
        if request.trailers and not self.closed and stream not in self.over:
            self.h2.send_headers(stream, request.trailers, end_stream=True)
        self.flush()
        if request.reset_after is not None:
            time.sleep(request.reset_after)
            self.h2.reset_stream(stream, 8)
            self.flush()
        return stream

    def put(self, frames, stream):
        """Frames beside the library, which knows none of their kind."""
        for frame in frames:
            self.h2._data_to_send += frame.frame(stream)
        self.flush()

    def data(self, stream, part, end):
        """As much at a time as the windows allow."""
        while not self.closed and stream not in self.over:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room >= len(part):
                self.h2.send_data(stream, part, end_stream=end)
                return self.flush()
            if room > 0:
                self.h2.send_data(stream, part[:room])
                part = part[room:]
                self.flush()
            elif not self.receive(5.0):
                return None
        return None

    def receive(self, patience):
        """Takes in what comes next; False if nothing does in time or the proxy closed."""
        self.sock.settimeout(max(patience, 0.001))
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return False
        try:
            events = self.h2.receive_data(data)
        except Exception as why:  # What the library finds wrong is an outcome.
            self.goaway, self.closed = f"broke the protocol: {type(why).__name__}", True
            return False
        for event in events:
            self.note(event)
        self.flush()
        return True

    def note(self, event):
        kinds = self.events
        if isinstance(event, (kinds.ResponseReceived, kinds.InformationalResponseReceived)):
            status = dict(event.headers)[":status"]
            self.answers[event.stream_id].append({"version": "HTTP/2", "status": int(status), "reason": "", "framing": "h2", "body": b"", "trailers": [],
                                                  "headers": [(n, v) for n, v in event.headers if n != ":status"], "metadata": self.early.pop(event.stream_id, [])})
        elif isinstance(event, kinds.DataReceived):
            self.answers[event.stream_id][-1]["body"] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, kinds.TrailersReceived):
            self.answers[event.stream_id][-1]["trailers"] = list(event.headers)
        elif isinstance(event, kinds.StreamEnded):
            self.over.add(event.stream_id)
        elif isinstance(event, kinds.StreamReset):
            if event.stream_id not in self.over:
                self._cut(event.stream_id, f"reset with {int(event.error_code)}")
            self.over.add(event.stream_id)
        elif isinstance(event, kinds.UnknownFrameReceived):
            self.note_metadata(event.frame)
        elif isinstance(event, kinds.ConnectionTerminated):
            self.goaway = f"goaway {int(event.error_code)}"

    def note_metadata(self, frame):
        if frame.type != 0x4d:
            return
        answer = self.answers.get(frame.stream_id, [])[-1:]
        line = self.metadata.take(frame, frame.stream_id, answer[0] if answer else None)
        if line:
            (answer[0]["metadata"] if answer else self.early.setdefault(frame.stream_id, [])).append(line)

    def _cut(self, stream, how):
        if self.answers[stream]:
            self.answers[stream][-1]["cut"] = how
        else:
            self.answers[stream].append({"missing": how})

    def wait(self, stream, patience):
        until = time.monotonic() + patience
        while stream not in self.over and not self.closed and time.monotonic() < until:
            self.receive(until - time.monotonic())
        if stream not in self.over:
            self._cut(stream, "closed" if self.closed else "timeout")
            self.over.add(stream)


def be_deaf(connection):
    """An end of the library's that does not answer pings."""
    from hyperframe.frame import PingFrame
    connection._frame_dispatch_table[PingFrame] = lambda frame: ([], [])


def talk(port, requests, linger, tls=None):
    connection = _Connection(port, tls)
    if requests[0].deaf:
        be_deaf(connection.h2)
    waiting = []
    for request in requests:
        if connection.closed:
            break
        stream = connection.send(request)
        waiting.append((stream, request))
        if request.wait or request is requests[-1]:
            for each, asked in waiting:
                if not asked.abandon and asked.reset_after is None:
                    connection.wait(each, asked.patience)
            waiting = []
    until = time.monotonic() + linger
    while linger and not connection.closed and time.monotonic() < until:
        connection.receive(until - time.monotonic())
    end = "abandoned" if requests[-1].abandon else "closed" if connection.closed else "open"
    connection.sock.close()
    answers = [answer for stream in sorted(connection.answers) for answer in connection.answers[stream]]
    return {"answers": answers, "end": f"{connection.goaway}, {end}" if connection.goaway else end, "rest": ""}
