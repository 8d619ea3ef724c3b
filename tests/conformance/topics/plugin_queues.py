"""Shared queues: registered, resolved, filled and emptied, in one VM and between several."""
from suite.config import plugin, proxy, string
from suite.http import get
from suite.model import group

g = group("plugin queues", proxy(plugins=[plugin(script="configure: qreg q\n queue: qget q; qget q")]))
g.startup(logs="qreg q -> 0")
g.case("an entry comes back", get(script="request_headers: qput q hello"), status=200, logs="qget q -> 0", settle=0.2)
g.case("a callback for each entry, in order", get(script="request_headers: qput q one; qput q two; qput q three"), status=200, logs="three", settle=0.2)
g.case("taken before it was told", get(script="request_headers: qput q now; qget q; qget q"), status=200, logs="qget q -> 7", settle=0.2)
g.case("an empty entry", get(script="request_headers: qput q; qget q; qget q"), status=200, logs="qget q -> 0", settle=0.2)
g.case("a large entry", get(script="request_headers: qfill q 100000; qget q"), status=200, logs="<100000 bytes", settle=0.2)
g.case("what is not there", get(script="request_headers: qput #0 x; qget #0; qput #99999 x; qget #99999; qres - nowhere; qres elsewhere q; qres - q; qres vm q; qres - %20"), status=200, logs="qres elsewhere q -> 1")
g.case("registered again", get(script="request_headers: qput q kept; qreg q; qput q more"), status=200, logs="kept", settle=0.2)
g.case("an empty name", get(script="request_headers: qreg; qres - ; qres -"), status=200, logs="qreg  -> 0")
g.case("registered by a stream", get(script="request_headers: qreg mine; qput mine x\n queue: log never"), status=200, logs="queue mine", settle=0.2)
g.case("addresses outside the memory", get(script="request_headers: bad qreg; bad qreg_out; bad qres; bad qput"), status=200, logs="bad qput -> 6")

RECEIVER = plugin("receiver", script="header: x-none\n configure: qreg inbox\n queue: qget inbox", vm_id="receiver", root_id="in")
SENDER = plugin("sender", script="", vm_id="sender", root_id="out")
t = group("plugin queues of two machines", proxy(plugins=[RECEIVER, SENDER]))
t.startup(logs="qreg inbox")
t.case("by vm_id and name", get(script="request_headers: qres receiver inbox; qput inbox news"), status=200, logs='qget inbox -> 0 "news"', settle=0.2)
t.case("emptied by the other", get(script="request_headers: qres receiver inbox; qput inbox news; qget inbox"), status=200, logs='qget inbox -> 7', settle=0.2)
t.case("not by the own vm_id", get(script="request_headers: qres - inbox; qres sender inbox; qres receiver inbox"), status=200, logs="qres - inbox -> 1")

s = group("plugin queues of one machine", proxy(plugins=[
    plugin("one", script="header: x-script-1\n configure: qreg inbox\n queue: log one; qget inbox"),
    plugin("two", script="header: x-script-2\n configure: qreg inbox\n queue: log two; qget inbox", root_id="other")]))
s.case("the last to register is told", get(headers={"x-script-1": "request_headers: qres - inbox; qput inbox x", "x-script-2": ""}), status=200, logs="other vm: two", settle=0.2)

c = group("plugin queues that go on", proxy(plugins=[plugin(script="configure: qreg q", vm_configuration=string("queue: qget q; effective 2; set 0 x-late yes; continue 0"))]))
c.case("a stream that waits for a queue", get(script="request_headers: log raw context; qput q go; return 1"), logs="qget q -> 0", settle=0.3)

f = group("plugin queues and failure", proxy(plugins=[plugin(script="configure: qreg q\n queue: qget q; trap")]))
f.case("a trap in the callback", get(script="request_headers: qput q x"), status=503, logs="qget q -> 0", settle=0.2)
