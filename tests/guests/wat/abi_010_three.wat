;; Marker 0.1.0 with three-argument header callbacks (Istio 1.6, early TinyGo). Envoy refuses it; weir takes the arity from
;; the export's own type.
;; Reads a header that is not there: ABI 0.1.0 answers 0 with an empty value. Answers with x-guest, and with x-missing:
;; "ok" for status 0, "no" for any other.
(module
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (global $top (mut i32) (i32.const 4096))
  (global $status (mut i32) (i32.const -1))
  (data (i32.const 16) "x-guest")           ;; 7
  (data (i32.const 32) "abi_010_three")     ;; 13
  (data (i32.const 64) "x-missing")         ;; 9
  (data (i32.const 80) "ok")
  (data (i32.const 96) "no")

  (func (export "proxy_abi_version_0_1_0"))
  (func (export "_start"))

  (func (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (local.get $at))

  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))

  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $top (i32.const 4096))
    (global.set $status
      (call $get_header (i32.const 0) (i32.const 64) (i32.const 9) (i32.const 112) (i32.const 116)))
    (drop (call $add_header (i32.const 0) (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 13)))
    (i32.const 0))

  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (drop (call $add_header (i32.const 2) (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 13)))
    (drop (call $add_header (i32.const 2) (i32.const 64) (i32.const 9)
      (select (i32.const 96) (i32.const 80) (global.get $status)) (i32.const 2)))
    (i32.const 0)))
