"""Names that plugins ask for (envoy_resolve_dns)."""
from suite.config import plugin, proxy
from suite.http import get
from suite.model import group

INLINE = "Envoy tells the answer before the plugin has the token; weir when the plugin has returned"
g = group("plugin dns", proxy(plugins=[plugin(script="")], hcm_more={"stream_idle_timeout": "1.5s"}))
for label, name in (("a number", "127.0.0.1"), ("a number of IPv6", "::1"), ("a name of the hosts file", "localhost")):
    g.case(label, get(script=f"request_headers: return 1; dns {name}\n dns: continue 0; body 8 0 4; bufstat 8; setbody 8 0 0 x"), status=504, weir_status=200, logs="dns ", differs=INLINE)
g.case("two at once", get(script="request_headers: return 1; dns 127.0.0.1; dns 127.0.0.2\n dns: continue 0"), status=504, weir_status=200, logs="dns ", settle=0.1, differs=INLINE)
g.case("nothing", get(script="request_headers: return 1; dns\n dns: continue 0"), logs="dns ", differs="an empty name is an answer without addresses on Envoy, and none on weir")
g.case("no name", get(script="request_headers: return 1; dns a%20b\n dns: continue 0"), logs="dns ", settle=0.3, differs=INLINE)
g.case("when the stream is gone", get(script="request_headers: dns 127.0.0.1"), status=200, logs="dns ", settle=0.2, differs=INLINE)
g.case("from the log phase", get(script="log: dns localhost"), status=200, logs="dns ", settle=0.2, differs=INLINE)
g.case("on another context", get(script="request_headers: effective root; dns 127.0.0.1; return 1\n dns: effective self; continue 0"), logs="dns ", settle=0.2, differs=INLINE)
