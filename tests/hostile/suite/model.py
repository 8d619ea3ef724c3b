"""What a case is: a module, what is asked of the proxy, and what must come of it."""
import dataclasses
import inspect

CASES = []


@dataclasses.dataclass
class Case:
    name: str
    topic: str
    wat: str = None
    code: bytes = None  # In place of a text: the module's bytes.
    refused: str = None  # The proxy starts without it and says this; a strict start ends with the same words.
    statuses: tuple = (200,)  # Of each bad request; None: the connection ends without an answer.
    method: str = "GET"
    body: bytes = b""
    trailers: bool = False
    requests: int = 3
    patience: float = 3.0  # Seconds, for one of them.
    log: str = None  # What the proxy's log must hold.
    seen: object = None  # Of the requests at the upstream: a function of the list, which returns what is wrong.
    envoy: bool = True  # False: nothing is learnt from running it there, or it takes the machine down.
    sanitized: bool = True  # False: its bound is one of address space, of which sanitizers reserve terabytes.
    policy: str = None  # failure_policy
    flags: tuple = ()  # Of weir.


def case(name, wat=None, **what):
    topic = inspect.stack()[1].frame.f_globals["__name__"].rsplit(".", 1)[-1]
    if any(name == other.name for other in CASES):
        raise ValueError(f"two cases are called {name}")
    CASES.append(Case(name, topic, wat, **what))
