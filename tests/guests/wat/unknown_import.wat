;; Refused at load: calls a host function that no version of the ABI has when it starts.
(module
  (import "env" "proxy_make_coffee" (func $make_coffee (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_0"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $make_coffee (i32.const 2))))
