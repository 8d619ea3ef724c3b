"""Traps and failure policies. A plugin's fault must not outlive the request that met it: there weir is better on purpose."""
from suite.config import plugin, proxy
from suite.http import get, post
from suite.model import group
from suite.upstream import chunks

AGAIN = "weir gives the plugin a fresh instance, so the next request is served; Envoy answers 503 until it is restarted"


def policy(name, **more):
    return group(f"plugin failure {name}", proxy(plugins=[plugin(script="", **more)], hcm_more={"stream_idle_timeout": "1.5s"}))


# One group a phase: on Envoy the instance is lost afterwards.
for phase, request in {
    "request_headers": get(script="request_headers: trap"),
    "request_body": post("/", "hello", script="request_body: trap"),
    "response_headers": get(script="response_headers: trap"),
    "response_body": get(script="response_body: trap"),
    "log": get(script="log: trap"),
    "done": get(script="done: trap"),
    "call": get(script="request_headers: return 1; call callout :method=GET,:path=/,:authority=a - 500\n call: trap"),
}.items():
    policy(f"in {phase}").case("trap", request, upstream=[chunks(b"one")] if phase == "response_body" else [], logs=f"{phase}", settle=0.1)

c = policy("closed")
c.case("the request after the trap", get(script="request_headers: trap", wait=True), connections=[[get(script="request_headers: trap")], [get()]], logs="request_headers", differs=AGAIN, weir_status=503)
o = policy("open", failure_policy="FAIL_OPEN")
o.case("the request that traps", get(script="request_headers: trap"), logs="request_headers")
o2 = policy("open after", failure_policy="FAIL_OPEN")
o2.case("the request after the trap", connections=[[get(script="request_headers: trap")], [get()]], logs="request_headers", differs="weir gives the plugin a fresh instance; Envoy skips it from then on")
old = policy("fail_open", fail_open=True)
old.case("the request that traps", get(script="request_headers: trap"), logs="request_headers")
r = policy("reload", failure_policy="FAIL_RELOAD")
r.case("the request that traps", get(script="request_headers: trap"), logs="request_headers")
n = policy("no start", configuration={"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "configure: return 1"})
n.case("configured", get(), logs="request_headers", status=200)
