"""Configurations, out of the parts of tests/conformance. All ports are 0: the proxy says which ones it got."""
from suite.config import TYPE, address, cluster, fill, hcm, listener, plugin, route, string, to_yaml, vhost  # noqa: F401

from . import weir


def direct(body="direct\n", prefix="/", status=200):
    return {"match": {"prefix": prefix}, "direct_response": {"status": status, "body": {"inline_string": body}}}


def web(upstream, **more):
    """The cluster `web`, of one endpoint."""
    return cluster("web", upstream if isinstance(upstream, int) else upstream.port, **more)


def main_listener(*routes, name="main", port=0, plugins=(), manager=None, **more):
    return listener(name, port, hcm([vhost(*(routes or [direct()]))], list(plugins), manager or {}), **more)


def bootstrap(*routes, upstream=None, clusters=(), listeners=None, admin=0, more=None, **of_listener):
    """One listener that routes as told: to `web` if there is an upstream, else it answers by itself."""
    if upstream is not None:
        clusters = [web(upstream), *clusters]
        routes = routes or [route("web")]
    listeners = listeners if listeners is not None else [main_listener(*routes, **of_listener)]
    return {"admin": {"address": address(admin)}, **(more or {}),
            "static_resources": {"listeners": listeners, "clusters": list(clusters)}}


def text(tree):
    return fill(to_yaml(tree), {"GUESTS": weir.GUESTS})
