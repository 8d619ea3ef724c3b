"""What topic modules declare: facts about the program, each a function that raises if it does not hold."""
import dataclasses
import inspect
import os
import time
import typing

FACTS = []


class Skipped(Exception):
    """The fact cannot be looked at on this machine; the text says why."""


@dataclasses.dataclass
class Fact:
    name: str
    body: typing.Callable
    seconds: float  # Roughly, on an idle machine: long ones start first.


def fact(text, seconds=1.0):
    """Declares the decorated function as a test. Its name in the run is the topic and the text."""
    def declare(body):
        file = os.path.basename(inspect.getfile(body))
        name = f"{file[:-3].replace('_', ' ')}: {text}"
        if any(name == other.name for other in FACTS):
            raise ValueError(f"two facts are called {name}")
        FACTS.append(Fact(name, body, seconds))
        return body
    return declare


def same(seen, wanted, what="saw"):
    assert seen == wanted, f"{what}: {seen!r}, not {wanted!r}"


def holds(text, part):
    assert part in text, f"no {part!r} in: {text[-1500:]}"


def eventually(probe, wanted=True, seconds=5.0, what="saw"):
    """Asks again and again until the answer is the wanted one."""
    until = time.monotonic() + seconds
    while (seen := probe()) != wanted:
        assert time.monotonic() < until, f"{what}: {seen!r}, and after {seconds} s still not {wanted!r}"
        time.sleep(0.02)
