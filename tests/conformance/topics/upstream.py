"""Which endpoint a request goes to, and whether: health, panic, priorities, circuit breakers, outliers, checks."""
from suite.config import TYPE, address, cluster, proxy
from suite.http import get, post
from suite.model import group
from suite.upstream import answer, close

NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
LB = r"cluster\.web\.(lb_healthy_panic|upstream_cx_none_healthy|upstream_rq_pending_overflow|upstream_cx_overflow|upstream_rq_total)"
MEMBERS = "/stats?filter=^cluster\\.web\\.membership_(total|healthy|degraded|excluded)$"


def endpoint(port, health=None, weight=None):
    more = {"health_status": health} if health else {}
    if weight:
        more["load_balancing_weight"] = weight
    return {"endpoint": {"address": address(port)}, **more}


def web(*localities, **more):
    """The cluster `web`: each locality is a list of endpoints, or a dict of LocalityLbEndpoints."""
    parts = [part if isinstance(part, dict) else {"lb_endpoints": part} for part in localities]
    return {**cluster("web"), "load_assignment": {"cluster_name": "web", "endpoints": parts}, **more}


def of(name, *localities, bootstrap=None, **more):
    return group(name, proxy(clusters=[web(*localities, **more)], bootstrap=bootstrap))


def gets(count):
    return [get(wait=True) for _ in range(count)]


# Health by configuration.

g = of("health by configuration", [endpoint("@UPSTREAM@", "UNHEALTHY"), endpoint("@CALLOUT@", "HEALTHY")])
g.case("the healthy one gets all", *gets(4), callout=[answer(body=b"healthy\n")] * 4, status=200, stats=LB, admin=[MEMBERS])
for health in ("UNHEALTHY", "DRAINING", "TIMEOUT"):
    g = of(f"all {health.lower()}", [endpoint("@UPSTREAM@", health)])
    g.case("panic", *gets(2), status=200, stats=LB, admin=[MEMBERS])
    g = of(f"all {health.lower()} without panic", [endpoint("@UPSTREAM@", health)], **NO_PANIC)
    g.case("nobody", get(), status=503, stats=LB, admin=[MEMBERS])
g = of("degraded", [endpoint("@UPSTREAM@", "DEGRADED"), endpoint("@CALLOUT@", "UNHEALTHY")])
g.case("serves where nobody else can", *gets(2), status=200, stats=LB, admin=[MEMBERS])
g = of("degraded beside healthy", [endpoint("@UPSTREAM@", "DEGRADED")], {"priority": 1, "lb_endpoints": [endpoint("@CALLOUT@")]})
g.case("the healthy one of the next priority gets all", *gets(3), callout=[answer(body=b"second\n")] * 3, status=200, stats=LB, admin=[MEMBERS])
g = of("unknown health", [endpoint("@UPSTREAM@", "UNKNOWN")])
g.case("is healthy", get(), status=200, admin=[MEMBERS])

# Priorities.

g = of("priorities", [endpoint("@UPSTREAM@")], {"priority": 1, "lb_endpoints": [endpoint("@CALLOUT@")]})
g.case("the first serves", *gets(3), status=200, stats=LB, admin=[MEMBERS])
g = of("failover", [endpoint("@UPSTREAM@", "UNHEALTHY")], {"priority": 1, "lb_endpoints": [endpoint("@CALLOUT@")]})
g.case("the second serves", *gets(3), callout=[answer(body=b"second\n")] * 3, status=200, stats=LB, admin=[MEMBERS])
g = of("failover without the first", {"priority": 0, "lb_endpoints": []}, {"priority": 1, "lb_endpoints": [endpoint("@CALLOUT@")]})
g.case("the second serves", *gets(2), callout=[answer(body=b"second\n")] * 2, status=200, stats=LB)
g = of("failover beyond panic", [endpoint("@UPSTREAM@", "UNHEALTHY")], {"priority": 1, "lb_endpoints": [endpoint("@CALLOUT@", "UNHEALTHY")]}, **NO_PANIC)
g.case("nobody", get(), status=503, stats=LB)

# Policies, over one endpoint: each must find it.

for policy in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "RING_HASH", "MAGLEV"):
    g = of(f"lb_policy {policy}", [endpoint("@UPSTREAM@")], lb_policy=policy)
    g.case("finds its endpoint", *gets(2), status=200, stats=LB)
    g = of(f"lb_policy {policy} of nobody", [], lb_policy=policy)
    g.case("no endpoint", get(), status=503, stats=LB)
    g = of(f"lb_policy {policy} and health", [endpoint("@UPSTREAM@", "UNHEALTHY"), endpoint("@CALLOUT@")], lb_policy=policy)
    g.case("the healthy one", *gets(3), callout=[answer(body=b"healthy\n")] * 3, status=200, stats=LB)
for name, kind in (("round_robin", "RoundRobin"), ("least_request", "LeastRequest"), ("random", "Random"), ("ring_hash", "RingHash"), ("maglev", "Maglev")):
    policy = {"policies": [{"typed_extension_config": {"name": f"envoy.load_balancing_policies.{name}", "typed_config": {
        "@type": f"{TYPE}envoy.extensions.load_balancing_policies.{name}.v3.{kind}"}}}]}
    g = of(f"load_balancing_policy {name}", [endpoint("@UPSTREAM@", "UNHEALTHY"), endpoint("@CALLOUT@")], load_balancing_policy=policy)
    g.case("the healthy one", *gets(3), callout=[answer(body=b"healthy\n")] * 3, status=200, stats=LB)

# Localities by weight: one of them has all of it.

LOCAL = {"common_lb_config": {"locality_weighted_lb_config": {}}}
g = of("localities", {"locality": {"zone": "a"}, "load_balancing_weight": 1, "lb_endpoints": [endpoint("@UPSTREAM@")]},
       {"locality": {"zone": "b"}, "lb_endpoints": [endpoint("@CALLOUT@")]}, **LOCAL)
g.case("without weight is without load", *gets(4), status=200, stats=LB)

# Circuit breakers.

NO_ROOM = "weir opens no connection for a request that max_requests has no room for, and counts it in upstream_rq_pending_overflow; Envoy opens one first and does not count"

# Not remaining_cx_pools: Envoy's wraps around below zero.
OPEN = "/stats?filter=^cluster\\.web\\.circuit_breakers\\..*(open|remaining_(cx|pending|rq|retries))$"
for limit in ("max_requests", "max_pending_requests", "max_connections"):
    g = of(f"{limit} 0", [endpoint("@UPSTREAM@")], circuit_breakers={"thresholds": [{limit: 0, "track_remaining": True}]})
    differs = NO_ROOM if limit == "max_requests" else None
    g.case("a request", get(), stats=LB, admin=[OPEN], differs=differs)
    g.case("a request with a body", post(), stats=LB, differs=differs)
g = of("breakers of priorities", [endpoint("@UPSTREAM@")], circuit_breakers={"thresholds": [{"max_requests": 0, "priority": "HIGH"}, {"max_requests": 5, "track_remaining": True}]})
g.case("the other one's limit does not count", get(), status=200, stats=LB, admin=[OPEN])
g = of("two thresholds of one priority", [endpoint("@UPSTREAM@")], circuit_breakers={"thresholds": [{"max_requests": 5}, {"max_requests": 0}]})
g.case("the first counts", get(), status=200, stats=LB)
g = of("per host thresholds", [endpoint("@UPSTREAM@")], circuit_breakers={"per_host_thresholds": [{"max_connections": 0}]})
g.case("a request", get(), stats=LB)
g = of("retry budget", [endpoint("@UPSTREAM@")], circuit_breakers={"thresholds": [{"retry_budget": {"budget_percent": {"value": 30}}, "track_remaining": True}]})
g.case("gauges", get(), status=200, admin=[OPEN])

# Outlier detection.

EJECTIONS = r"cluster\.web\.(outlier_detection\..*|upstream_cx_none_healthy|lb_healthy_panic|upstream_rq_total)"
ACTIVE = "/stats?filter=^cluster\\.web\\.(outlier_detection\\.ejections_active|membership_healthy)$"


def outliers(name, *ports, panic=False, **detection):
    more = {} if panic else NO_PANIC
    return of(name, [endpoint(port) for port in ports], outlier_detection={"interval": "60s", **detection}, **more)


FAILED = answer(status=500)
g = outliers("five 500 of one by default", "@UPSTREAM@")
g.case("a tenth of one is nobody", *gets(5), upstream=[FAILED] * 5, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g.case("and then", get(), stats=EJECTIONS)
g = outliers("five 500", "@UPSTREAM@", max_ejection_percent=100)
g.case("eject", *gets(5), upstream=[FAILED] * 5, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g.case("nobody is left", get(), status=503, stats=EJECTIONS)
g = outliers("five 500 in panic", "@UPSTREAM@", panic=True, max_ejection_percent=100)
g.case("eject", *gets(5), upstream=[FAILED] * 5, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g.case("and it serves", get(), status=200, stats=EJECTIONS)
for percent in (49, 50, 51):
    g = outliers(f"{percent} percent of two", "@UPSTREAM@", "@CALLOUT@", max_ejection_percent=percent, consecutive_5xx=1)
    g.case("may eject one", *gets(2), upstream=[FAILED] * 2, callout=[FAILED] * 2, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("always eject one", "@UPSTREAM@", max_ejection_percent=0, always_eject_one_host=True)
g.case("eject", *gets(5), upstream=[FAILED] * 5, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("a row that is broken", "@UPSTREAM@", max_ejection_percent=100, consecutive_5xx=3)
g.case("by a success", *gets(5), upstream=[FAILED, FAILED, answer(), FAILED, FAILED], status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("gateway failures", "@UPSTREAM@", max_ejection_percent=100, consecutive_gateway_failure=2, enforcing_consecutive_gateway_failure=100)
g.case("not by 500", *gets(3), upstream=[answer(status=503), FAILED, answer(status=503)], status=503, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g.case("two in a row", get(), upstream=[answer(status=502)], status=502, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("gateway failures by default", "@UPSTREAM@", max_ejection_percent=100, consecutive_gateway_failure=2)
g.case("are only noted", *gets(2), upstream=[answer(status=503)] * 2, status=503, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("not enforced", "@UPSTREAM@", max_ejection_percent=100, consecutive_5xx=2, enforcing_consecutive_5xx=0)
g.case("is only noted", *gets(2), upstream=[FAILED] * 2, status=500, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("refused connections", "@REFUSED@", max_ejection_percent=100, consecutive_5xx=2)
g.case("count as failures", *gets(2), status=503, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("split origins", "@REFUSED@", max_ejection_percent=100, consecutive_5xx=1, consecutive_local_origin_failure=2, split_external_local_origin_errors=True)
g.case("local failures", *gets(2), status=503, stats=EJECTIONS, settle=0.2, admin=[ACTIVE])
g = outliers("ejected and back", "@UPSTREAM@", max_ejection_percent=100, consecutive_5xx=1, interval="0.1s", base_ejection_time="0.2s")
g.case("eject", get(), upstream=[FAILED], status=500, settle=2.5, admin=[ACTIVE])  # Envoy tells its workers of changes once a second.
g.case("back", get(), status=200, stats=EJECTIONS)

# Active checks. The endpoint that is checked is the one of callouts, which says 200 to everything; or nobody.

CHECKS = r"cluster\.web\.(upstream_cx_none_healthy|lb_healthy_panic)"
CHECKED = "/stats?filter=^cluster\\.web\\.(health_check\\.(healthy|degraded|network_failure|verify_cluster)|membership_(healthy|degraded|excluded))$"


def check(**of_kind):
    return [{"timeout": "1s", "interval": "60s", "unhealthy_threshold": 2, "healthy_threshold": 2, **of_kind}]


HTTP = {"http_health_check": {"path": "/health"}}
g = of("checked", [endpoint("@CALLOUT@")], health_checks=check(**HTTP))
g.case("healthy", get(), callout=[answer(body=b"well\n")], status=200, stats=CHECKS, admin=[CHECKED])
g = of("checked and refused", [endpoint("@REFUSED@")], health_checks=check(**HTTP), **NO_PANIC)
g.case("nobody", get(), status=503, stats=CHECKS, admin=[CHECKED])
g = of("one of two is refused", [endpoint("@REFUSED@"), endpoint("@UPSTREAM@")], health_checks=check(**HTTP), **NO_PANIC)
g.case("the other serves", *gets(3), status=200, stats=CHECKS, admin=[CHECKED])
g = of("expected statuses", [endpoint("@UPSTREAM@")], health_checks=check(http_health_check={"path": "/", "expected_statuses": [{"start": 201, "end": 202}]}), **NO_PANIC)
g.case("200 is none of them", get(), status=503, stats=CHECKS, admin=[CHECKED])
g = of("checked over tcp", [endpoint("@UPSTREAM@")], health_checks=check(tcp_health_check={}), **NO_PANIC)
g.case("connecting is enough", get(), status=200, stats=CHECKS, admin=[CHECKED])
g = of("checked over tcp and refused", [endpoint("@REFUSED@")], health_checks=check(tcp_health_check={}), **NO_PANIC)
g.case("nobody", get(), status=503, stats=CHECKS, admin=[CHECKED])
g = of("a name that is not there", [endpoint("@UPSTREAM@")], health_checks=check(http_health_check={"path": "/", "service_name_matcher": {"prefix": "web"}}), **NO_PANIC)
g.case("nobody", get(), status=503, stats=CHECKS, admin=[CHECKED])
g = of("not checked", [{"endpoint": {"address": address("@REFUSED@"), "health_check_config": {"disable_active_health_check": True}}}], health_checks=check(**HTTP), **NO_PANIC)
g.case("is healthy", get(), status=503, stats=CHECKS, admin=[CHECKED])
g = of("checked elsewhere", [{"endpoint": {"address": address("@UPSTREAM@"), "health_check_config": {"port_value": "@REFUSED@"}}}], health_checks=check(**HTTP), **NO_PANIC)
g.case("where nobody is", get(), status=503, stats=CHECKS, admin=[CHECKED])
