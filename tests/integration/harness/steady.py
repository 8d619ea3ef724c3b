"""A load of so many requests a second, over connections that are kept, and the count of what was lost.

As a careful client: a connection whose answer says `connection: close` is closed and made anew, and nothing is repeated.
"""
import threading
import time

from .client import Client


class Steady:
    """with Steady(port, rate=1000) as load: ...    At the end load.sent, load.lost and load.answers (by text)."""

    def __init__(self, port, rate=1000, connections=20, new_each=0, path="/", wanted=200):
        self.port, self.rate, self.path, self.wanted = port, rate, path, wanted
        self.connections = connections
        self.new_each = new_each  # Not 0: a connection is left after so many requests.
        self.sent, self.lost, self.answers, self.errors = 0, 0, {}, []
        self.slowest = 0.0
        self.going = True
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(at,), daemon=True) for at in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        for thread in self.threads:
            thread.join(15)

    def _run(self, number):
        pause = self.connections / self.rate
        due = time.monotonic() + pause * number / self.connections
        client, on_it = None, 0
        while self.going:
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - 1)  # A second's worth is made up for, not more.
            began = time.monotonic()
            try:
                client = client or Client(self.port)
                answer = client.get(self.path)
                on_it += 1
                good, why = answer.status == self.wanted, f"{answer.status} {answer.text[:60]}"
                if answer.headers.get("connection") == "close" or on_it == self.new_each:
                    client.close()
                    client, on_it = None, 0
            except Exception as error:  # Whatever it was, the request had no answer.
                good, why, answer = False, repr(error), None
                client, on_it = None, 0
            with self.lock:
                self.sent += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                if good:
                    self.answers[answer.text] = self.answers.get(answer.text, 0) + 1
                else:
                    self.lost += 1
                    self.errors.append(why)
