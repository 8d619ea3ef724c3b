"""Plugins in several places at once that share a machine, or data and queues by their vm_id."""
from suite.config import hcm, plugin, proxy, vhost
from suite.http import get
from suite.model import group
from topics.plugin_logger import logger
from topics.plugin_service import service
from topics.plugin_tcp import filter_

manager = hcm([vhost()], [plugin("filter", script="request_headers: shget told; shset told filter seen; qres - work; qput work from-the-filter", root_id="f", vm_id="all")],
              {"access_log": [logger("logger", script="log: shget told; prop request.path; qres - work; qput work from-the-logger", root_id="l", vm_id="all")]})
everything = proxy(bootstrap={"bootstrap_extensions": [service("service", script="configure: qreg work\n queue: qget work; shget told", root_id="s", vm_id="all", singleton=False)]})
everything["static_resources"]["listeners"][0]["filter_chains"] = [{"filters": [
    filter_("network", script="new_connection: shget told; shset told network 0\n upstream_data: hush\n downstream_close: hush\n done: hush\n log: hush\n delete: hush", root_id="n", vm_id="all"), manager]}]
g = group("plugin places in one machine", everything, speaks="wasm log f all")
g.case("a network filter, a filter, a logger and a service", get("/a", headers={"connection": "close"}), status=200, logs='qget work -> 0 "from-the-logger"', settle=0.3)

one = proxy(plugins=[plugin("filter", script="", root_id="f", vm_id="far")],
            bootstrap={"bootstrap_extensions": [service("service", script="configure: qreg work\n queue: qget work; shset answer done%20by%20the%20service 0", root_id="s", vm_id="far")]})
s = group("plugin places in two threads", one, speaks="wasm log f far")
s.case("a singleton works for a filter", get(script="request_headers: shget answer; qres - work; qput work job"), status=200, logs="qput work -> 0", settle=0.3)
s.case("and its answer is seen", get(script="request_headers: shget answer; qres far work; qget work"), status=200, logs='shget answer -> 0 "done by the service"')
