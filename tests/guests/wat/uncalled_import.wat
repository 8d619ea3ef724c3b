;; Asks for a host function that no version of the ABI has, and calls it only for requests of more than twenty headers.
(module
  (import "env" "proxy_make_coffee" (func $make_coffee (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_0"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param $id i32) (param $count i32) (param $end i32) (result i32)
    (if (i32.gt_u (local.get $count) (i32.const 20)) (then (drop (call $make_coffee (i32.const 2)))))
    (i32.const 0)))
