"""The stand's programs, and the service behind the proxies: tests/stand/go/load as origin."""
import functools
import http.client
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


@functools.cache
def stand():
    """The folder of the stand's programs; built the first time."""
    return subprocess.run([os.path.join(HERE, "install")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Origin:
    """Answers every request with "hello"; ?ms=N waits so long first, ?bytes=N answers with so many."""

    def __init__(self, port=0):
        self.process = subprocess.Popen([f"{stand()}/bin/load", "-origin", "-port", str(port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def count(self):
        """How many requests came so far."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        link.request("GET", "/-/count")
        text = link.getresponse().read()
        link.close()
        return int(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
