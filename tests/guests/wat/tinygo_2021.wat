;; The shape of a TinyGo plugin of 2021: marker 0.2.0, an entry point named _start, an allocator named malloc that refuses
;; size 0, three-argument header callbacks, and WASI under its later name. Logs what runs; marks request and response.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 16) "x-guest")        ;; 7
  (data (i32.const 32) "tinygo_2021")    ;; 11
  (data (i32.const 48) "started")        ;; 7
  (data (i32.const 64) "configured")     ;; 10
  (data (i32.const 80) "printed\n")      ;; 8, by WASI
  (data (i32.const 96) "\50\00\00\00\08\00\00\00") ;; one iovec: address 80, size 8

  (func (export "proxy_abi_version_0_2_0"))

  ;; Standard output becomes a log line, even before there is a plugin.
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 96) (i32.const 1) (i32.const 112))))

  (func (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (if (i32.eqz (local.get $size)) (then unreachable))
    (local.set $at (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (local.get $at))

  (func (export "proxy_on_context_create") (param i32 i32))

  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 48) (i32.const 7)))
    (i32.const 1))

  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 64) (i32.const 10)))
    (i32.const 1))

  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $add_header (i32.const 0) (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 11)))
    (i32.const 0))

  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (drop (call $add_header (i32.const 2) (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 11)))
    (i32.const 0)))
