"""The client: writes each connection's pieces, reads the answers, and notes how the connection ended."""
import socket
import ssl
import threading
import time

from . import http2
from .http import Ended, Reader

LINGER = 0.05  # seconds that a connection is watched for a close after its last answer


def talk(port, requests, linger=LINGER, tls=None):
    """One connection. Returns what a client can see: answers in order, and whether the proxy closed.

    tls: what makes a TLS socket of a connected one; what the handshake settled, or why it failed, is an answer too.
    """
    if isinstance(requests[0], http2.Http2Request):
        return http2.talk(port, requests, linger, tls)
    sock = socket.create_connection(("127.0.0.1", port), timeout=5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        try:
            sock = tls(sock)
        except OSError as why:
            sock.close()
            return {"answers": [{"missing": f"handshake failed: {getattr(why, 'reason', None) or type(why).__name__}"}], "end": "closed", "rest": ""}
    reader, answers = Reader(sock), []
    waiting = []
    try:
        for request in requests:
            waiting.append(request)
            if request.wait or request is requests[-1]:
                answers += _round(sock, reader, waiting)
                waiting = []
        end = "abandoned" if requests[-1].abandon else _end(sock, reader, linger)
    finally:
        sock.close()
    settled = {"tls": tls.settled} if tls else {}
    return {"answers": answers, "end": end, "rest": reader.buffer.decode("latin-1"), **settled}


def _round(sock, reader, requests):
    writer = threading.Thread(target=_write, args=(sock, requests), daemon=True)
    if isinstance(sock, ssl.SSLSocket):
        writer.run()  # OpenSSL lets no two threads read and write one connection at the same time.
    else:
        writer.start()
    answers = []
    for request in requests:
        sock.settimeout(request.patience)
        for _ in range(0 if request.abandon else request.answers):
            answers += _answer(reader, request.method)
            if reader.closed:
                break
    if writer.is_alive():
        writer.join(timeout=10)
    return answers


def _write(sock, requests):
    try:
        for request in requests:
            for piece in request.pieces:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    sock.sendall(piece)
            if request.half_close:
                sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The proxy closed first; the reader sees it and reports it.


def _answer(reader, method):
    """The interim answers and the final one; a missing or broken one is an answer too, with what went wrong."""
    answers = []
    while True:
        message = {"status": None, "headers": [], "body": b"", "trailers": [], "framing": "none"}
        try:
            first = reader.line()
            message["version"], code, message["reason"] = (first.split(" ", 2) + ["", ""])[:3]
            message["status"] = int(code)
            message["headers"] = reader.fields()
            interim = 100 <= message["status"] < 200 and message["status"] != 101
            if not interim and method != "HEAD" and message["status"] not in (204, 304):
                reader.body(message["headers"], message, to_close=True)
        except Ended as ended:
            if message["status"] is None and not reader.buffer:
                return answers + [{"missing": str(ended)}]
            if message["framing"] != "close":
                message["cut"] = str(ended)
        except ValueError:
            message["cut"] = "not HTTP"
        answers.append(message)
        if message["status"] is None or message["status"] == 101 or not 100 <= message["status"] < 200:
            return answers


def _end(sock, reader, linger):
    """Whether the proxy closed the connection, and if with bytes that nobody asked for."""
    sock.settimeout(linger)
    try:
        while linger and not reader.closed:
            reader.more()
    except Ended:
        pass
    return "closed" if reader.closed else "open"
