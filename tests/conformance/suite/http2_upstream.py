"""The scriptable upstream where the proxy speaks HTTP/2 to it (by prior knowledge): what came is recorded as by HTTP/1.

An answer is made of actions, each a function of the stream: `h2_answer` and `h2_scripted` put them together. Bytes are a
DATA frame, floats are pauses, END ends the stream; the others are named below. What stands between two pauses leaves in one
write: what a proxy makes of it does not depend on who is quicker.
"""
import queue
import socket
import threading
import time

from .http2 import Metadata, MetadataReader, be_deaf, library

END = object()


def h2_scripted(*actions, early=False):
    """early: acts when the headers are in."""
    def act(request):
        return actions
    act.early = early
    return act


def h2_answer(status=200, headers=(("content-type", "text/plain"),), body=b"upstream says hello\n", trailers=None, delay=None):
    return h2_scripted(*([delay] if delay else []), heads(status, *headers), body, sends_trailers(*trailers) if trailers else END)


def grpc_health(status=1, grpc_status="0", message=None):
    """A whole answer of grpc.health.v1.Health: 0 is unknown, 1 serving, 2 not serving, 3 unknown service."""
    message = bytes([8, status]) if message is None else message
    return h2_scripted(heads(200, ("content-type", "application/grpc")), b"\0" + len(message).to_bytes(4, "big") + message,
                       sends_trailers(("grpc-status", grpc_status)))


def heads(status, *fields, end=False):
    return lambda stream: stream.connection.do("send_headers", stream.id, [(":status", str(status)), *fields], end_stream=end)


def sends_trailers(*fields):
    return lambda stream: stream.connection.do("send_headers", stream.id, list(fields), end_stream=True)


def resets(code=0):
    return lambda stream: stream.connection.do("reset_stream", stream.id, code)


def goes(code=0, last=None):
    """GOAWAY, beside the library, which would take nothing more after it."""
    def act(stream):
        last_id = stream.id if last is None else last
        stream.connection.put(b"\0\0\x08\x07\0\0\0\0\0" + last_id.to_bytes(4, "big") + code.to_bytes(4, "big"))
    return act


def closes(stream):
    stream.connection.close()


def h2_echoing(stream):
    """Gives back what comes until the peer ends, and ends too."""
    while (data := stream.next()) is not None:
        stream.send(data)
    stream.end()


def h2_listening(stream):
    """Takes what comes until the peer ends; how it ended is noted."""
    while stream.next() is not None:
        pass
    stream.seen["cut"] = stream.ended


class _Stream:
    def __init__(self, connection, number, seen):
        self.connection, self.id, self.seen = connection, number, seen
        self.pieces, self.ended = queue.Queue(), None

    def next(self):
        self.connection.let_go()
        try:
            return self.pieces.get(timeout=2.0)
        except queue.Empty:
            self.ended = self.ended or "open"
            return None

    def send(self, data):
        while data and not self.connection.over:
            with self.connection.lock:
                room = min(self.connection.h2.local_flow_control_window(self.id), self.connection.h2.max_outbound_frame_size)
                if room > 0:
                    self.connection.do("send_data", self.id, data[:room])
                    data = data[room:]
                    continue
            self.connection.let_go()
            time.sleep(0.005)

    def end(self):
        self.connection.do("end_stream", self.id)

    def play(self, actions):
        try:
            for action in actions:
                if isinstance(action, float):
                    self.connection.let_go()
                    time.sleep(action)
                    continue
                self.connection.hold()
                if action is END:
                    self.end()
                elif isinstance(action, bytes):
                    self.send(action)
                elif isinstance(action, Metadata):
                    self.connection.add(action.frame(self.id))
                else:
                    action(self)
            self.connection.let_go()
        except Exception:  # The stream or the connection is gone: the proxy's doing, which the case sees.
            self.connection.let_go(broken=True)


class Http2Connection:
    """One connection that the proxy made; `upstream` says what to answer and keeps what was seen."""

    def __init__(self, upstream, sock, begun):
        self.upstream, self.sock, self.over = upstream, sock, False
        self.lock = threading.RLock()
        self.holder = None  # The thread whose frames wait for let_go; it has the lock.
        kinds = library()
        self.kinds = kinds.events
        self.h2 = kinds.connection.H2Connection(kinds.config.H2Configuration(
            client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False, header_encoding="latin-1"))
        for setting, value in (upstream.h2_settings or {}).items():
            self.h2.local_settings[setting] = value
        self.h2.local_settings.acknowledge()  # As if they had always been so.
        self.h2.initiate_connection()
        if upstream.h2_deaf:
            be_deaf(self.h2)
        self.streams, self.metadata = {}, MetadataReader()
        self.flush()
        self.take(begun)

    def serve(self):
        while not self.over:
            data = self.sock.recv(65536)
            if not data:
                break
            self.take(data)
        self.over = True
        for stream in self.streams.values():
            self.finish(stream, "the connection ended")

    def do(self, what, *given, **named):
        with self.lock:
            getattr(self.h2, what)(*given, **named)
            self.flush()

    def put(self, data):
        with self.lock:
            self.let_go()
            self.sock.sendall(data)

    def add(self, frame):
        """A frame that the library does not know, in its place among the others."""
        with self.lock:
            self.h2._data_to_send += frame
            self.flush()

    def hold(self):
        """From here to let_go this thread's frames gather; nobody else uses the connection meanwhile."""
        if self.holder != threading.get_ident():
            self.lock.acquire()
            self.holder = threading.get_ident()

    def let_go(self, broken=False):
        if self.holder == threading.get_ident():
            self.holder = None
            try:
                if not broken:
                    self.flush()
            finally:
                self.lock.release()

    def flush(self):
        data = b"" if self.holder else self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def close(self):
        self.let_go()
        self.over = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def take(self, data):
        with self.lock:
            events = self.h2.receive_data(data)
            for event in events:
                self.note(event)
            self.flush()

    def note(self, event):
        kinds = self.kinds
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, kinds.RequestReceived):
            self.begin(event)
        elif isinstance(event, kinds.UnknownFrameReceived) and event.frame.type == 0x4d:
            self.note_metadata(event.frame)
        elif stream is None:
            return
        elif isinstance(event, kinds.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            stream.seen["body"] += event.data
            stream.pieces.put(event.data)
        elif isinstance(event, kinds.TrailersReceived):
            stream.seen["trailers"] = list(event.headers)
        elif isinstance(event, kinds.StreamEnded):
            self.finish(stream, "ended")
            self.act(stream)
        elif isinstance(event, kinds.StreamReset):
            stream.seen["cut"] = "reset"
            self.finish(stream, "reset")

    def note_metadata(self, frame):
        stream = self.streams.get(frame.stream_id)
        line = self.metadata.take(frame, frame.stream_id, stream and stream.seen)
        if line and stream:
            stream.seen.setdefault("metadata", []).append(line)

    @staticmethod
    def finish(stream, how):
        if stream.ended is None:
            stream.ended = how
            stream.pieces.put(None)

    def begin(self, event):
        fields = list(event.headers)
        pseudo = {name: value for name, value in fields if name.startswith(":")}
        seen = {"method": pseudo.get(":method", "-"), "path": pseudo.get(":path", "-"), "version": "HTTP/2", "framing": "h2", "body": b"", "trailers": [],
                "headers": [(n, v) for n, v in fields if n not in (":method", ":path")]}
        stream = self.streams[event.stream_id] = _Stream(self, event.stream_id, seen)
        stream.wanted = self.upstream.choose(seen, self.sock, h2_answer())
        if stream.wanted.early:
            self.act(stream)

    def act(self, stream):
        wanted, stream.wanted = stream.wanted, None
        if wanted is not None:
            threading.Thread(target=stream.play, args=(wanted(stream.seen),), daemon=True).start()
