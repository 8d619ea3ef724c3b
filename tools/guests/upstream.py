#!/usr/bin/env python3
"""The service behind the examples: a small HTTP/1.1 server, with the standard library only.

    tools/guests/upstream.py [PORT]        (8080 if not given; 0 picks a free one; the address is printed)

    /hello      "hello from the upstream", with the headers x-upstream and x-flavour
    /headers    the request's headers, one a line
    /echo       the request's body
    /auth       200 with x-auth-user: alice for "authorization: Bearer good"; no answer in time for "Bearer slow"; else 403
    others      404 "404 page not found"
"""

import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


MARKS = {"x-upstream": "yes", "x-flavour": "plain"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "upstream"
    sys_version = ""

    def answer(self):
        body = self.read_body()
        path = self.path.split("?")[0]
        if path == "/hello":
            self.reply(200, b"hello from the upstream\n", MARKS)
        elif path == "/headers":
            lines = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
            self.reply(200, lines.encode("latin-1"), MARKS)
        elif path == "/echo":
            self.reply(200, body, MARKS)
        elif path == "/auth":
            self.authorise()
        else:
            self.reply(404, b"404 page not found\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def authorise(self):
        credentials = self.headers.get("authorization", "")
        if credentials == "Bearer slow":
            time.sleep(3)  # Longer than the auth plugin waits.
        if credentials == "Bearer good":
            self.reply(200, b"", {"x-auth-user": "alice"})
        else:
            self.reply(403, b"")

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # Trailers.
        return body

    def reply(self, status, body, headers=None):
        """One write for head and body: a client that sees them apart would show other chunks each time."""
        head = {"content-type": "text/plain", "content-length": str(len(body)), **(headers or {})}
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n")
        if self.command != "HEAD":
            self._headers_buffer.append(body)
        self.flush_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def process_request(self, request, client_address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().process_request(request, client_address)


def main():
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080), Handler)
    print(f"upstream: http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
