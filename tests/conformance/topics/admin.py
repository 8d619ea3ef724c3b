"""The admin listener: what tools and dashboards read from it."""
from suite.config import plugin, proxy
from suite.http import get
from suite.model import group

g = group("admin", proxy(plugins=[plugin(script="request_headers: metric 0 paint_colour=red; inc paint_colour=red 1; metric 1 depth; rec depth 7")],
                         bootstrap={"stats_config": {"stats_tags": [{"tag_name": "colour", "regex": "(_colour=([a-z]+))"}]}}))
g.case("ready", admin=["/ready"])
g.case("pages", admin_heads=["/server_info", "/stats", "/stats?format=json", "/stats/prometheus", "/listeners", "/listeners?format=json", "/clusters", "/clusters?format=json", "/config_dump", "/help", "/", "/nothing", "/ready?x=1"])
g.case("pages that want a POST", admin_heads=["/logging", "/quitquitquit"])
g.case("logging", admin_heads=["POST /logging", "POST /logging?level=debug", "POST /logging?level=nonsense", "POST /logging?wasm=debug", "POST /logging?nothing=debug", "POST /logging?level=warning", "POST /logging?wasm=debug"])
g.case("listeners", admin=["/listeners"])
g.case("plugin metrics", get(), status=200, admin=["/stats?filter=wasmcustom", "/stats/prometheus?filter=wasmcustom", "/stats?filter=depth&format=json", "/stats?filter=(&format=json"])
g.case("counters of a request", get(), get("/none"), status=200, stats=r"http\.ingress\.downstream_(rq_(total|completed|[1-5]xx|http1_total)|cx_(total|http1_total))|cluster\.web\.(upstream_rq_.*|external\..*|membership_.*)")
g.case("gauges and counters named", admin=["/stats?filter=^cluster\\.web\\.membership", "/stats?filter=^http\\.ingress\\.downstream_cx_(active|total)$", "/stats?filter=^server\\.(live|state|concurrency)$", "/stats?filter=^listener_manager\\.(total_listeners_active|listener_added|workers_started)$"])
