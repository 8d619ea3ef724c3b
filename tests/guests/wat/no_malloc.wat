;; Refused at load: neither malloc nor proxy_on_memory_allocate, so the host could never hand over a value.
(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_0"))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0)))
