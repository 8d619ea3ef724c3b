"""The loads, who takes part in each, and what is compared with what."""
import dataclasses

from suite import options as command_line
from suite import setups
from suite.figures import Figure
from suite.load import Http1, Http2
from suite.measure import Slot
from suite.setups import BODY, MIB, Setup, WrongAnswer

FRONTS = Setup(fronts=True)


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str       # As it is printed: weir+5.
    program: str
    setup: Setup


def plain(*programs):
    return [Contender(program, program, FRONTS if program in ("haproxy", "nginx", "envoy", "weir") else Setup()) for program in programs]


def both(suffix, *plugins):
    return [Contender(program + suffix, program, Setup(plugins)) for program in ("envoy", "weir")]


def loads(options):
    """Cases by name: the load, and its contenders."""
    connections = options.connections
    light = setups.LIGHT if options.plugin == "bench_light" else setups.other(options.plugin, options.header)
    get = plain("floor", "haproxy", "nginx", "envoy", "weir") + both("+1", light) + both("+5", *[light] * 5)
    get += [Contender("weir+1 fresh", "weir", Setup((light,), fresh=True))]
    if options.plugin == "bench_light":
        get += both("+60 calls", setups.CALLS_60) + both("+go", setups.GO) + both("+sha256", setups.SHA256) + both("+json", setups.JSON)
    peers = plain("haproxy", "nginx", "envoy", "weir")
    handshakes = Http1(16, tls=True, reconnect=True, count=50000)
    return {
        "get": (Http1(connections), get),
        "body": (Http1(connections, body=BODY, expect=BODY, path=f"/?body={BODY}"), plain("floor") + both("+body", setups.BOTH_BODIES)),
        "mib": (Http1(8, body=MIB, expect=MIB, path=f"/?body={MIB}"), plain("floor", "haproxy", "nginx", "envoy", "weir")),
        "h2": (Http2(), peers),
        "tls": (Http1(connections, tls=True), peers),
        "full": (handshakes, peers),
        "resumed": (dataclasses.replace(handshakes, resume=True), peers),
    }


def start(stand, options):
    """All proxies of all loads, up and checked, and the slots that load them. A setup that several loads use runs once. What
    did not come up, or does another thing than it should, has slots that are not loaded and tell why."""
    wanted = {case: (load, [each for each in contenders if each.program == "floor" or command_line.takes_part(options, each.name)])
              for case, (load, contenders) in loads(options).items() if command_line.wanted(options, case)}
    running = {}
    for _, contenders in wanted.values():
        for each in contenders:
            if (each.program, each.setup) not in running:
                running[each.program, each.setup] = stand.start(each.program, each.setup)
    faults = {proxy: fault_of(proxy) for proxy in running.values()}
    return [Slot(f"{case}/{each.name}", proxy, load, fault=faults[proxy])
            for case, (load, contenders) in wanted.items() for each in contenders for proxy in [running[each.program, each.setup]]]


def fault_of(proxy):
    try:
        proxy.await_answer()
        proxy.check()
        return ""
    except WrongAnswer as fault:
        return str(fault)


def fixed_rate(slots, results):
    """The slots of HTTP/1 once more, those of a case at one rate: half of what its slowest can do. Not those that compute:
    the rate would be theirs."""
    out = []
    for case in ("get", "body", "mib", "tls"):
        chosen = [slot for slot in slots if slot.name.startswith(case + "/") and not slot.fault
                  and not slot.name.endswith(("+sha256", "+json"))]
        rates = [sorted(sample.rate for sample in results.samples(slot.name)) for slot in chosen]
        if chosen:
            rate = int(min(each[len(each) // 2] for each in rates) / 2)
            out += [Slot(slot.name, slot.proxy, slot.load, rate) for slot in chosen]
    return out


@dataclasses.dataclass(frozen=True)
class Ratio:
    """CPU time a request of one slot to that of another, or of a difference of slots to another difference."""
    case: str
    to: str
    target: float
    ours: str
    theirs: str
    ours_without: str = ""
    theirs_without: str = ""

    def figure(self, results):
        names = [each for each in (self.ours, self.theirs, self.ours_without, self.theirs_without) if each]
        if self.ours_without:
            values = results.each_round(names, lambda a, b, c, d: (a.cost - c.cost) / (b.cost - d.cost))
        else:
            values = results.each_round(names, lambda a, b: a.cost / b.cost)
        return Figure(self.case, self.to, self.target, values) if values else None


RATIOS = [
    Ratio("GET, no plugin", "floor", 1.25, "get/weir", "get/floor"),
    Ratio("GET, no plugin", "HAProxy", 1.0, "get/weir", "get/haproxy"),
    Ratio("GET, no plugin", "nginx", 1.0, "get/weir", "get/nginx"),
    Ratio("GET, no plugin", "Envoy", 0.33, "get/weir", "get/envoy"),
    Ratio("one plugin: reads a header, sets one, adds one", "floor", 1.35, "get/weir+1", "get/floor"),
    Ratio("one plugin: reads a header, sets one, adds one", "HAProxy without a plugin", 1.0, "get/weir+1", "get/haproxy"),
    Ratio("one plugin: reads a header, sets one, adds one", "Envoy with it", 0.30, "get/weir+1", "get/envoy+1"),
    Ratio("five such plugins", "floor", 1.6, "get/weir+5", "get/floor"),
    Ratio("five such plugins", "Envoy with them", 0.25, "get/weir+5", "get/envoy+5"),
    Ratio("60 header calls in a callback: what they add", "what Envoy adds", 0.15, "get/weir+60 calls", "get/envoy+60 calls", "get/weir",
          "get/envoy"),
    Ratio("10 KB bodies, both rewritten by the plugin", "floor", None, "body/weir+body", "body/floor"),
    Ratio("10 KB bodies, both rewritten by the plugin", "Envoy with it", 0.4, "body/weir+body", "body/envoy+body"),
    Ratio("official Go plugin that reads all headers", "Envoy with it", 0.4, "get/weir+go", "get/envoy+go"),
    Ratio("a fresh instance for every request", "Envoy's shared one", 0.6, "get/weir+1 fresh", "get/envoy+1"),
    Ratio("SHA-256 of 10 KB in a plugin", "Envoy with it", 1.2, "get/weir+sha256", "get/envoy+sha256"),
    Ratio("JSON of 10 KB in a plugin", "Envoy with it", 1.2, "get/weir+json", "get/envoy+json"),
    *(Ratio(title, to, target, f"{case}/weir", f"{case}/{peer}")
      for case, title in (("h2", "HTTP/2 from clients, 32 streams a connection"), ("tls", "TLS 1.3, keep-alive"),
                          ("full", "TLS 1.3, full handshakes"), ("resumed", "TLS 1.3, resumed handshakes"))
      for peer, to, target in (("nginx", "nginx", 1.0), ("haproxy", "HAProxy", 1.0), ("envoy", "Envoy", 0.4))),
    Ratio("1 MiB bodies both ways", "floor", 1.15, "mib/weir", "mib/floor"),
    Ratio("1 MiB bodies both ways", "HAProxy", 1.0, "mib/weir", "mib/haproxy"),
    Ratio("1 MiB bodies both ways", "Envoy", None, "mib/weir", "mib/envoy"),
]


def figures(results):
    return [figure for figure in (ratio.figure(results) for ratio in RATIOS) if figure]
