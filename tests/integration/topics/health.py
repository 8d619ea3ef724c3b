"""Which endpoints serve: active checks, outliers and circuit breakers, seen over all workers of a process."""
import threading
import time

from harness import config
from harness.client import get
from harness.facts import eventually, fact, same
from harness.upstream import Upstream, hang
from harness.weir import Weir

NO_PANIC = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}


def two(first, second, **more):
    return [config.cluster("web", first.port, second.port, **more)]


def named(name):
    return lambda request: request.answer(name)


def check(**more):
    return {"health_checks": [{"timeout": "1s", "interval": "0.1s", "no_traffic_interval": "0.1s", "unhealthy_threshold": 2,
                               "healthy_threshold": 1, "http_health_check": {"path": "/health"}, **more}]}


def answers(weir, count):
    """Who answered, over a connection for each request, so that all workers are asked."""
    return {get(weir.port(), "/").text for _ in range(count)}


@fact("an endpoint is checked once, not once by each worker", 2)
def _():
    seen = []

    def behaviour(request):
        if request.path == "/health":
            seen.append(time.monotonic())
        request.answer("well")
    with Upstream(behaviour) as upstream, Weir(config.bootstrap(config.route("web"), clusters=[
            config.web(upstream, **check(interval="0.5s", no_traffic_interval="0.5s"))]), workers=4):
        time.sleep(1.8)
        same(2 <= len(seen) <= 5, True, f"{len(seen)} checks in 1.8 seconds")


@fact("all workers leave an endpoint whose checks fail, and come back to it", 2)
def _():
    sick = threading.Event()

    def behaviour(request):
        request.answer("first", status=503 if sick.is_set() and request.path == "/health" else 200)
    with Upstream(behaviour) as first, Upstream(named("second")) as second, \
            Weir(config.bootstrap(config.route("web"), clusters=two(first, second, **check(), **NO_PANIC)), workers=3) as weir:
        same(answers(weir, 30), {"first", "second"})
        sick.set()
        eventually(lambda: weir.stat("cluster.web.membership_healthy"), 1)
        eventually(lambda: answers(weir, 12), {"second"})
        sick.clear()
        eventually(lambda: weir.stat("cluster.web.membership_healthy"), 2)
        eventually(lambda: answers(weir, 30), {"first", "second"})


@fact("the server is ready only when endpoints were checked", 1)
def _():
    def behaviour(request):
        if request.path == "/health":
            time.sleep(0.5)
        request.answer("well")
    with Upstream(behaviour) as upstream, Weir(config.bootstrap(config.route("web"), clusters=[
            config.web(upstream, **check(), **NO_PANIC)]), workers=2) as weir:
        same(get(weir.port(), "/").status, 200)


@fact("an endpoint that fails for some workers is ejected for all, and taken back", 3)
def _():
    sick = threading.Event()
    sick.set()
    with Upstream(lambda request: request.answer("first", status=500 if sick.is_set() else 200)) as first, \
            Upstream(named("second")) as second, \
            Weir(config.bootstrap(config.route("web"), clusters=two(first, second, outlier_detection={
                "consecutive_5xx": 5, "interval": "0.1s", "base_ejection_time": "1s", "max_ejection_percent": 50}, **NO_PANIC)), workers=3) as weir:
        for _ in range(40):
            get(weir.port(), "/")
        same(weir.stat("cluster.web.outlier_detection.ejections_active"), 1)
        same(answers(weir, 12), {"second"})
        sick.clear()
        eventually(lambda: weir.stat("cluster.web.outlier_detection.ejections_active"), 0)
        eventually(lambda: answers(weir, 30), {"first", "second"})


@fact("max_requests holds for all workers together", 1)
def _():
    with Upstream(hang(1)) as upstream, Weir(config.bootstrap(config.route("web"), clusters=[
            config.web(upstream, circuit_breakers={"thresholds": [{"max_requests": 3}]})]), workers=3) as weir:
        statuses = []

        def ask():
            statuses.append(get(weir.port(), "/").status)
        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        same(sorted(statuses), [200] * 3 + [503] * 7)
        same(weir.stat("cluster.web.circuit_breakers.default.rq_open"), 0)
        same(weir.stat("cluster.web.upstream_rq_pending_overflow"), 7)
