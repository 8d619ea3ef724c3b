"""The upstream, the bystanders and the bad requests, all on one loop in a thread of its own."""
import asyncio
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Traffic:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.seen = []  # Heads of requests that reached the upstream on /bad.
        self.port = self.run(self._serve())

    def run(self, work, timeout=120):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    async def _serve(self):
        server = await asyncio.start_server(self._upstream, "127.0.0.1", 0, backlog=4096, limit=1 << 22)
        return server.sockets[0].getsockname()[1]

    async def _upstream(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await self._body(head.lower(), reader)
                if not head.startswith(b"GET /good"):
                    self.seen.append(head)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _body(head, reader):
        if b"transfer-encoding: chunked" in head:
            while (size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)) > 0:
                await reader.readexactly(size + 2)
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
        elif b"content-length:" in head:
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))

    @staticmethod
    async def ask(port, request, patience):
        """(status or None, seconds). None: closed or silent."""
        began = time.monotonic()
        writer = None
        try:
            async with asyncio.timeout(patience):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                lower = head.lower()
                if b"content-length:" in lower:
                    await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
                elif b"chunked" in lower:
                    await reader.readuntil(b"0\r\n\r\n")
                return int(head.split(b" ")[1]), time.monotonic() - began
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
            return None, time.monotonic() - began
        finally:
            if writer:
                writer.transport.abort()

    def bystanders(self, port, count, patience=10.0):
        """So many good requests at once: how many were lost, and how long the slowest of the others took."""
        return self.run(self._bystanders(port, count, patience))

    async def _bystanders(self, port, count, patience):
        answers = await asyncio.gather(*(self.ask(port, b"GET /good HTTP/1.1\r\nhost: good.example\r\n\r\n", patience) for _ in range(count)))
        served = [seconds for status, seconds in answers if status == 200]
        return count - len(served), max(served, default=0.0)

    def offend(self, port, requests, patience, good_port, good_count):
        """The bad requests, one after the other, with bystanders beside them: the bad ones' outcomes, and the bystanders'."""
        async def bad():
            return [await self.ask(port, request, patience) for request in requests]

        async def both():
            return await asyncio.gather(bad(), self._bystanders(good_port, good_count, max(10.0, patience)))
        return self.run(both())
