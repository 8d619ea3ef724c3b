"""Proxying without a plugin: methods, bodies, framing, keep-alive."""
from suite.config import proxy
from suite.http import chunked, get, post
from suite.model import group

g = group("basics", proxy())
g.case("get", get("/hello?a=b"), status=200)
g.case("post with a length", post("/p", "hello"), status=200)
g.case("post chunked with trailers", chunked("/c", [b"one", b"two"], trailers=[("x-t", "1")]), status=200)
