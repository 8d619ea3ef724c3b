"""A plugin written against the public Rust SDK, which panics on any status that it does not know."""
from suite.config import plugin, proxy, string
from suite.http import chunked, get, post
from suite.model import group
from suite.upstream import answer, chunks, close

g = group("plugin sdk", proxy(plugins=[plugin(guest="conformance_sdk", configuration=string("hello from the configuration"), vm_configuration=string("vm"))]))
g.startup(logs="configure")
g.case("headers and body", get("/a"), status=200, logs="response count", stats=r"wasmcustom\.sdk_requests")
g.case("shared data counts", get("/a", wait=True), get("/b"), status=200, logs="visits=3")
g.case("body in pieces", chunked("/", [b"one", b"two"]), upstream=[chunks(b"three", b"four")], status=200, logs="request body")
g.case("allowed by a callout", post("/", "hello", headers={"x-ask": "/may-i"}), status=200, logs="asked true")
g.case("denied by a callout", get(headers={"x-ask": "/may-i"}), callout=[answer(401, body="")], status=403, logs="answer")
g.case("callout times out", get(headers={"x-ask": "/may-i"}), callout=[answer(delay=0.9)], status=403, logs="answer", settle=0.5)
g.case("callout breaks", get(headers={"x-ask": "/may-i"}), callout=[close()], status=403, logs="answer")
g.case("answer without a body", get(), upstream=[answer(204, body=None)], status=204, logs="response count")
