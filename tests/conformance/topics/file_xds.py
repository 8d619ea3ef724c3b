"""Configuration by files: good and bad updates, what answers after them, and what the counters and pages say."""
from suite.config import TYPE, address, cluster, hcm, listener, proxy, route, vhost
from suite.http import get
from suite.model import group

KINDS = {"lds": "envoy.config.listener.v3.Listener", "cds": "envoy.config.cluster.v3.Cluster",
         "rds": "envoy.config.route.v3.RouteConfiguration", "eds": "envoy.config.endpoint.v3.ClusterLoadAssignment"}
WHOLE = "weir takes a response as a whole or not at all; Envoy has applied a part of this one when it refuses it"
NO_ROUTER = "a connection manager without a router is refused, as in a bootstrap"


def response(kind, *resources, version="1"):
    return {"version_info": version, "resources": [{"@type": TYPE + KINDS[kind], **each} for each in resources]}


def source(name):
    return {"resource_api_version": "V3", "path_config_source": {"path": f"@FILES@/{name}.yaml"}}


def direct(text, status=200, **more):
    return {"match": {"prefix": "/"}, "direct_response": {"status": status, "body": {"inline_string": text}}, **more}


def main(*routes, name="main", port="@LISTEN@", **more):
    return listener(name, port, hcm([vhost(*routes)], [], more))


def by_rds(name="main"):
    made = main(name=name)
    manager = made["filter_chains"][0]["filters"][-1]["typed_config"]
    del manager["route_config"]
    manager["rds"] = {"route_config_name": "r", "config_source": source("rds")}
    return made


def routes(*routes, name="r"):
    return {"name": name, "virtual_hosts": [vhost(*routes)]}


def eds(name="web", **more):
    return {"name": name, "type": "EDS", "connect_timeout": "1s", "eds_cluster_config": {"eds_config": source("eds"), **more}}


def endpoints(port="@UPSTREAM@", name="web"):
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}


def bootstrap(*kinds):
    tree = proxy()
    tree["static_resources"]["listeners"] = tree["static_resources"]["listeners"][1:]
    tree["static_resources"]["clusters"] = [each for each in tree["static_resources"]["clusters"] if each["name"] != "web"]
    tree["node"] = {"id": "a-node", "cluster": "a-cluster"}
    tree["dynamic_resources"] = {f"{kind}_config": source(kind) for kind in kinds}
    return tree


STATS = r"(listener_manager\.lds|cluster_manager\.cds|http\..*\.rds\.r|cluster\.web)\.(update_(attempt|success|rejected|failure|empty)|config_reload)"
LISTENERS = r"listener_manager\.(lds\.update_(attempt|success|rejected|failure)|listener_(added|modified|removed))"
CLUSTERS = r"cluster_manager\.(cds\.update_(attempt|success|rejected|failure)|cluster_(added|modified|removed)|active_clusters)"


def files(**more):
    first = {"lds.yaml": response("lds", by_rds()), "cds.yaml": response("cds", eds()), "eds.yaml": response("eds", endpoints()),
             "rds.yaml": response("rds", routes(route("web")))}
    return {**first, **more}


g = group("file discovery", bootstrap("lds", "cds"), files())
g.case("everything from files answers", get("/"), status=200)
g.case("routes are replaced", get("/"), files={"rds.yaml": response("rds", routes(direct("two")), version="2")}, status=200, stats=STATS)
g.case("routes by another name are refused", get("/"), files={"rds.yaml": response("rds", routes(direct("no"), name="other"), version="3")}, status=200, stats=STATS)
g.case("two route configurations are refused", get("/"), files={"rds.yaml": response("rds", routes(direct("no")), routes(direct("no"), name="b"), version="3")}, status=200, stats=STATS)
g.case("no route configuration changes nothing", get("/"), files={"rds.yaml": response("rds", version="4")}, status=200, stats=STATS)
g.case("a regular expression that does not compile is refused", get("/"), files={"rds.yaml": response("rds", routes(
    {"match": {"safe_regex": {"regex": "("}}, "direct_response": {"status": 201}}), version="5")}, status=200, stats=STATS)
g.case("what is not YAML is a failure", get("/"), files={"rds.yaml": "resources: ["}, status=200, stats=STATS)
g.case("a resource of another type is refused", get("/"), files={"rds.yaml": response("cds", cluster("x"))}, status=200, stats=STATS)
g.case("a good one after bad ones counts", get("/"), files={"rds.yaml": response("rds", routes(direct("six")), version="6")}, status=200, stats=STATS)
g.case("an unknown cluster in routes is accepted", get("/"), files={"rds.yaml": response("rds", routes(route("nobody")), version="7")}, status=503, stats=STATS)
g.case("routes lead to the cluster again", get("/"), files={"rds.yaml": response("rds", routes(route("web")), version="8")}, status=200, stats=STATS)
g.case("endpoints move away", get("/"), files={"eds.yaml": response("eds", endpoints("@REFUSED@"), version="2")}, status=503, stats=STATS)
g.case("endpoints of another cluster are refused", get("/"), files={"eds.yaml": response("eds", endpoints(name="other"), version="3")}, status=503, stats=STATS)
g.case("two assignments are refused", get("/"), files={"eds.yaml": response("eds", endpoints(), endpoints(name="b"), version="3")}, status=503, stats=STATS)
g.case("an empty response leaves the endpoints", get("/"), files={"eds.yaml": response("eds", version="4")}, status=503, stats=STATS)
g.case("a port out of range is refused", get("/"), files={"eds.yaml": response("eds", endpoints(99999), version="5")}, status=503, stats=STATS)
g.case("endpoints come back", get("/"), files={"eds.yaml": response("eds", endpoints(), version="6")}, status=200, stats=STATS)
g.case("no endpoints are no healthy upstream", get("/"), files={"eds.yaml": response("eds", {"cluster_name": "web"}, version="7")}, status=503, stats=STATS)

g = group("file clusters", bootstrap("cds", "lds"), files(**{"lds.yaml": response("lds", by_rds()), "cds.yaml": response("cds", cluster("web", "@UPSTREAM@"))}))
g.case("a static cluster from a file", get("/"), status=200)
g.case("a cluster is added", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), cluster("more", "@REFUSED@"), version="2")}, status=200, stats=CLUSTERS)
g.case("a cluster is changed", get("/"), files={"cds.yaml": response("cds", cluster("web", "@REFUSED@"), cluster("more", "@REFUSED@"), version="3")}, status=503, stats=CLUSTERS)
g.case("the same again is no change", get("/"), files={"cds.yaml": response("cds", cluster("web", "@REFUSED@"), cluster("more", "@REFUSED@"), version="4")}, status=503, stats=CLUSTERS)
g.case("a negative timeout refuses all of them", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), cluster("bad", connect_timeout="-1s"), version="5")}, status=503, stats=CLUSTERS)
g.case("a name that stands twice refuses all of them", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), cluster("web", "@UPSTREAM@"), version="5")}, status=200, stats=CLUSTERS, differs=WHOLE, weir_status=503)
g.case("a cluster is removed", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), version="6")}, status=200, stats=r"cluster_manager\.cds\.update_(attempt|success)")
g.case("a cluster that is in use is removed", get("/"), files={"cds.yaml": response("cds", version="7")}, status=503, stats=CLUSTERS)
g.case("and comes back", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), version="8")}, status=200, stats=CLUSTERS)
g.case("a cluster of the bootstrap is not replaced", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@"), cluster("callout", "@REFUSED@"), version="9")}, status=200, stats=CLUSTERS)
g.case("an unknown field is accepted", get("/"), files={"cds.yaml": response("cds", cluster("web", "@UPSTREAM@", nonsense=1), version="10")}, status=200, stats=CLUSTERS)

g = group("file listeners", bootstrap("lds"), {"lds.yaml": response("lds", main(direct("one")))})
g.case("a listener from a file", get("/"), status=200, admin=["/listeners"])
g.case("its answer changes", get("/"), files={"lds.yaml": response("lds", main(direct("two")), version="2")}, status=200, stats=LISTENERS)
g.case("the same again is no change", get("/"), files={"lds.yaml": response("lds", main(direct("two")), version="3")}, status=200, stats=LISTENERS)
g.case("an unknown cluster is refused", get("/"), files={"lds.yaml": response("lds", main(route("nobody")), version="4")}, status=200, stats=LISTENERS)
g.case("no router is refused", get("/"), files={"lds.yaml": response("lds", main(direct("three"), http_filters=[]), version="4")}, stats=r"listener_manager\.lds\.update_(success|rejected)", differs=NO_ROUTER, weir_status=200)
g.case("its answer changes again", get("/"), files={"lds.yaml": response("lds", main(direct("again")), version="4a")}, status=200)
g.case("what is not YAML is a failure", get("/"), files={"lds.yaml": "{{{"}, status=200, stats=LISTENERS)
g.case("a listener without address is refused", get("/"), files={"lds.yaml": response("lds", {"name": "main"}, version="4")}, status=200, stats=LISTENERS)
g.case("it recovers", get("/"), files={"lds.yaml": response("lds", main(direct("four")), version="5")}, status=200, stats=LISTENERS)
