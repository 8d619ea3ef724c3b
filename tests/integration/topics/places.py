"""Plugins in other places than HTTP, with several workers: queues between them, services, and their end."""
from harness import config
from harness.client import get
from harness.facts import eventually, fact, same
from harness.weir import Weir

# Puts an entry into a queue for each request, counts the entries that it is told of and the first tick.
GUEST = """(module
 (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
 (import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
 (import "env" "proxy_enqueue_shared_queue" (func $put (param i32 i32 i32) (result i32)))
 (import "env" "proxy_dequeue_shared_queue" (func $take (param i32 i32 i32) (result i32)))
 (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
 (import "env" "proxy_increment_metric" (func $count (param i32 i64) (result i32)))
 (import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))
 (memory (export "memory") 1)
 (data (i32.const 100) "q") (data (i32.const 110) "told") (data (i32.const 120) "ticked") (data (i32.const 130) "the end")
 (func (export "proxy_abi_version_0_2_1"))
 (func (export "malloc") (param i32) (result i32) (i32.const 4096))
 (func (export "proxy_on_configure") (param i32 i32) (result i32)
  (drop (call $register (i32.const 100) (i32.const 1) (i32.const 16)))
  (drop (call $define (i32.const 0) (i32.const 110) (i32.const 4) (i32.const 20)))
  (drop (call $define (i32.const 0) (i32.const 120) (i32.const 6) (i32.const 24)))
  (drop (call $tick (i32.const 50))) (i32.const 1))
 (func (export "proxy_on_tick") (param i32)
  (drop (call $tick (i32.const 0))) (drop (call $count (i32.load (i32.const 24)) (i64.const 1))))
 (func (export "proxy_on_queue_ready") (param i32 i32)
  (if (i32.eqz (call $take (local.get 1) (i32.const 28) (i32.const 32)))
   (then (drop (call $count (i32.load (i32.const 20)) (i64.const 1))))))
 (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
  (drop (call $put (i32.load (i32.const 16)) (i32.const 110) (i32.const 4))) (i32.const 0))
 (func (export "proxy_on_done") (param i32) (result i32)
  (drop (call $log (i32.const 2) (i32.const 130) (i32.const 7))) (i32.const 1)))"""
CODE = {"code": {"local": {"inline_string": GUEST}}}


def service(singleton):
    spec = config.plugin(vm=CODE)["typed_config"]["config"]
    return {"bootstrap_extensions": [{"name": "envoy.bootstrap.wasm", "typed_config": {
        "@type": config.TYPE + "envoy.extensions.wasm.v3.WasmService", "config": spec, "singleton": singleton}}]}


@fact("an entry of a queue is told once, whichever worker it comes from")
def _():
    with Weir(config.bootstrap(plugins=[config.plugin(vm=CODE)]), workers=3) as weir:
        for _ in range(40):  # Each on a connection of its own: they spread over the workers.
            same(get(weir.port(), "/").status, 200)
        eventually(lambda: weir.stat("wasmcustom.told"), 40)


@fact("a service runs on every worker, and is told of its end")
def _():
    with Weir(config.bootstrap(more=service(False)), workers=3) as weir:
        eventually(lambda: weir.stat("wasmcustom.ticked"), 3)
        weir.stop()
        same(weir.log().count("the end"), 3)


@fact("a singleton service runs once, and is told of its end")
def _():
    with Weir(config.bootstrap(more=service(True)), workers=3) as weir:
        eventually(lambda: weir.stat("wasmcustom.ticked"), 1)
        weir.stop()
        same(weir.log().count("the end"), 1)


@fact("a singleton hears the queue of the workers' filters")
def _():
    spec = config.bootstrap(plugins=[config.plugin("filter", vm=CODE)], more=service(True))
    with Weir(spec, workers=2) as weir:
        for _ in range(10):
            same(get(weir.port(), "/").status, 200)
        eventually(lambda: weir.stat("wasmcustom.told"), 10)
