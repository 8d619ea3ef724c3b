"""Access logs: the lines get there, nobody waits for them, and what is lost is counted."""
import os
import resource
import signal
import subprocess
import time

from harness import config
from harness.client import Client, get, load
from harness.facts import eventually, fact, holds, same
from harness.upstream import Upstream
from harness.weir import Weir, folder

TYPE = "type.googleapis.com/envoy.extensions.access_loggers."
LINE = "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%\n"
SOON = ("--file-flush-interval-msec", "50")


def to_file(path, text=LINE):
    return {"name": "file", "typed_config": {"@type": TYPE + "file.v3.FileAccessLog", "path": path, "log_format": {"text_format_source": {"inline_string": text}}}}


def to_stream(name, text=LINE):
    return {"name": name, "typed_config": {"@type": TYPE + f"stream.v3.{name}AccessLog", "log_format": {"text_format_source": {"inline_string": text}}}}


def logging(*logs):
    return config.bootstrap(config.direct(), manager={"access_log": list(logs)})


def in_folder(name="access.log"):
    return os.path.join(folder(), name)


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return file.read().splitlines()


@fact("each request is a line, also of those that were in the buffer when the proxy was told to end", 1)
def _():
    path = in_folder()
    with Weir(logging(to_file(path))) as weir:  # Flushed every ten seconds.
        with Client(weir.port()) as client:
            for at in range(20):
                client.get(f"/{at}")
        same(lines(path), [])
        weir.stop()
        same(lines(path), [f"GET /{at} 200" for at in range(20)])


@fact("no line is lost or torn among workers under load", 3)
def _():
    path = in_folder()
    with Weir(logging(to_file(path)), *SOON, workers=2) as weir:
        load(weir.port(), 20000, paths=[f"/{'x' * 50}"])
        eventually(lambda: len(lines(path)), 20000, seconds=10)
        same(set(lines(path)), {f"GET /{'x' * 50} 200"})
        same(weir.stat("filesystem.write_buffered"), 20000)
        same(weir.stat("filesystem.lines_dropped"), 0)


@fact("standard output and standard error take lines", 1)
def _():
    with Weir(logging(to_stream("Stderr", "to stderr %RESPONSE_CODE%\n")), *SOON) as weir:
        get(weir.port())
        eventually(lambda: "to stderr 200\n" in weir.log())


@fact("a full disk costs lines, which are counted, and no request", 2)
def _():
    with Weir(logging(to_file("/dev/full")), *SOON) as weir:
        with Client(weir.port()) as client:
            same({client.get().status for _ in range(200)}, {200})
        eventually(lambda: weir.stat("filesystem.lines_dropped"), 200)
        assert weir.stat("filesystem.write_failed") > 0


@fact("a file at its size limit costs lines and no request, and is written again when there is room", 3)
def _():
    path = in_folder()
    with Weir(logging(to_file(path, "x" * 999 + "\n")), *SOON) as weir:
        resource.prlimit(weir.process.pid, resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        with Client(weir.port()) as client:
            same({client.get().status for _ in range(40)}, {200})
            eventually(lambda: weir.stat("filesystem.lines_dropped"), 30)
            os.truncate(path, 0)
            resource.prlimit(weir.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            same(client.get().status, 200)
        eventually(lambda: lines(path), ["x" * 999])


@fact("a pipe that nobody reads holds up no request", 3)
def _():
    path = in_folder("pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Weir(logging(to_file(path, "x" * 4000 + "\n")), *SOON) as weir:
            load(weir.port(), 8000)  # 32 MB: more than the pipe and the queue hold.
            same(get(weir.port()).status, 200)
            assert weir.stat("filesystem.lines_dropped") > 0
            begun = time.monotonic()
            weir.stop()
            assert time.monotonic() - begun < 4
    finally:
        os.close(reader)


@fact("a reader that goes away costs lines and nothing else", 2)
def _():
    path = in_folder("pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with Weir(logging(to_file(path)), *SOON) as weir:
        get(weir.port())
        time.sleep(0.2)
        os.close(reader)
        with Client(weir.port()) as client:
            same({client.get().status for _ in range(50)}, {200})
        eventually(lambda: weir.stat("filesystem.write_failed") > 0)


@fact("SIGUSR1 and /reopen_logs open the file anew after it was moved away", 2)
def _():
    path = in_folder()
    with Weir(logging(to_file(path)), *SOON) as weir:
        for number, reopen in enumerate((lambda: weir.signal(signal.SIGUSR1), lambda: weir.admin("/reopen_logs", "POST"))):
            get(weir.port(), f"/{number}/before")
            eventually(lambda: lines(path), [f"GET /{number}/before 200"])
            os.rename(path, f"{path}.{number}")
            reopen()
            eventually(lambda: os.path.exists(path))
            get(weir.port(), f"/{number}/after")
            eventually(lambda: lines(path), [f"GET /{number}/after 200"])
            same(lines(f"{path}.{number}"), [f"GET /{number}/before 200"])
            os.rename(path, f"{path}.{number}.after")
            weir.signal(signal.SIGUSR1)
            eventually(lambda: os.path.exists(path))


@fact("a file that cannot be opened keeps the proxy from starting, with its path", 1)
def _():
    weir = Weir(logging(to_file("/no/such/folder/log")), ready=False)
    same(weir.wait() != 0, True)
    holds(weir.log(), "unable to open '/no/such/folder/log': No such file or directory")


@fact("a request cut off by its client is a line too", 1)
def _():
    path = in_folder()
    with Upstream(lambda request: time.sleep(1)) as upstream:
        with Weir(config.bootstrap(upstream=upstream, manager={"access_log": [to_file(path, "%RESPONSE_CODE% %RESPONSE_FLAGS%\n")]}), *SOON) as weir:
            client = Client(weir.port())
            client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            time.sleep(0.1)
            client.close()
            eventually(lambda: lines(path), ["0 DC"])
