"""What a topic module declares: groups (one proxy configuration each) and cases (one exchange and what is compared)."""
import dataclasses
import inspect

from suite.known import KNOWN

GROUPS = []


@dataclasses.dataclass
class Case:
    name: str
    connections: list  # of lists of Request: one list per client connection, made in turn; None: the start-up is the case
    upstream: list = dataclasses.field(default_factory=list)  # answers of the main upstream, in order; then the default
    callout: list = dataclasses.field(default_factory=list)  # the same for the callouts' upstream
    status: int = None  # what Envoy's first answer must be, so that a case cannot pass by failing alike
    logs: str = None  # a text that Envoy's plugin log must hold, for the same reason
    apart: bool = False  # the lines of each VM are compared by themselves, in whatever order the VMs spoke
    stats: str = None  # a regular expression: the counters' growth during the case is compared
    settle: float = 0.0  # seconds to wait before the log is read: timers, timeouts
    linger: float = 0.05  # seconds that each connection is watched for a close after its last answer
    header_order: bool = False  # compare the order among different header names too
    differs: str = None  # why weir answers otherwise on purpose; the run then checks that it does
    weir_status: int = None  # what weir's first answer must be where it differs
    tls: object = None  # suite.tls.Client: the client's connections are TLS
    admin: list = dataclasses.field(default_factory=list)  # admin paths asked afterwards: status, type and body are compared
    files: dict = dataclasses.field(default_factory=dict)  # moved into their place before the requests; see Group.files
    admin_heads: list = dataclasses.field(default_factory=list)  # the same, but not the body
    entries: int = None  # how many lines the access log @FOLDER@/access must get; they are compared
    group: object = None


@dataclasses.dataclass
class Talk:
    """A conversation without HTTP (suite/plain.py): what the client and the upstream `PLAIN` get, and how that ends."""
    name: str
    pieces: list  # of one client connection; or a list of such lists, in turn
    upstream: list = None  # None: sends back what it gets
    stats: str = None
    patience: float = 1.0
    ends: str = None  # how the first connection must end on Envoy: open, end, reset
    settle: float = 0.0
    differs: str = None
    status: int = None
    logs: str = None
    entries: int = None  # as a Case's
    tls: object = None  # suite.tls.Client: the connections are TLS
    group: object = None


@dataclasses.dataclass
class Validation:
    """A configuration given to `--mode validate`; compared: accepted or not, and the text that the fault must name."""
    name: str
    config: str
    accepted: bool  # by Envoy
    names: str = None  # a text that must be in the error of either
    differs: str = None
    group: object = None


@dataclasses.dataclass
class Group:
    name: str
    topic: str
    config: object  # a tree of dicts and lists, with @PORT@ words
    files: dict = dataclasses.field(default_factory=dict)  # name (under @FILES@) -> tree or text, there at the start
    cases: list = dataclasses.field(default_factory=list)
    h2_settings: dict = None  # of the upstream, by their numbers, where the proxy speaks HTTP/2 to it
    h2_deaf: bool = False  # that upstream answers no pings
    speaks: str = ""  # a text that only the worker's plugins log at the start: by it the worker is known
    code: dict = None  # what the upstream @CODE@ answers, by path: plugins' code, from the start on. A text: a guest's file
    health: object = None  # the upstream's answer to checks by HTTP/2; the first check is compared

    def case(self, name, *requests, connections=None, **options):
        self._add(Case(name, connections or [list(requests)] if requests or connections else [], group=self, **options))

    def talk(self, name, *pieces, **options):
        several = pieces and isinstance(pieces[0], list)
        self._add(Talk(name, list(pieces) if several else [list(pieces)], group=self, **options))

    def startup(self, logs=None, differs=None):
        """Compares what the plugins log while the worker starts; belongs before the group's other cases."""
        self._add(Case("startup", None, logs=logs, differs=differs, group=self))

    def validation(self, name, config, accepted, **options):
        self._add(Validation(name, config, accepted, group=self, **options))

    def _add(self, case):
        case.name = f"{self.name}/{case.name}"
        if any(case.name == other.name for other in self.cases):
            raise ValueError(f"two cases are called {case.name}")
        case.differs = KNOWN.get(case.name, case.differs)
        self.cases.append(case)


def group(name, config=None, files=None, **more):
    topic = inspect.stack()[1].frame.f_globals["__name__"].rsplit(".", 1)[-1]
    if any(name == other.name for other in GROUPS):
        raise ValueError(f"two groups are called {name}")
    GROUPS.append(Group(name, topic, config, files or {}, **more))
    return GROUPS[-1]
