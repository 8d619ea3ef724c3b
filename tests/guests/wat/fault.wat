;; Goes wrong in the request headers, by path: /trap, /loop, /memory (grows and touches memory until refused, then traps),
;; /recurse. Any other path continues.
(module
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 16) ":path")
  (data (i32.const 32) "/trap")
  (data (i32.const 48) "/loop")
  (data (i32.const 64) "/memory")
  (data (i32.const 80) "/recurse")

  (func (export "proxy_abi_version_0_2_0"))

  (func (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))

  ;; Is the path (its address is at 112, its size at 116) the text at $text?
  (func $path_is (param $text i32) (param $size i32) (result i32)
    (local $i i32)
    (if (i32.ne (i32.load (i32.const 116)) (local.get $size)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.ne
            (i32.load8_u (i32.add (i32.load (i32.const 112)) (local.get $i)))
            (i32.load8_u (i32.add (local.get $text) (local.get $i))))
        (then (return (i32.const 0))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $size))))
    (i32.const 1))

  (func $spin (loop $again (br $again)))

  ;; 1 MiB at a time, a write to each page, so that the memory is really taken.
  (func $hoard
    (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 16)))
      (if (i32.eq (local.get $page) (i32.const -1)) (then unreachable))
      (memory.fill (i32.shl (local.get $page) (i32.const 16)) (i32.const 1) (i32.const 1048576))
      (br $more)))

  ;; Not a tail call: the result is used.
  (func $deeper (param $n i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get $n) (i32.const 1))) (local.get $n)))

  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $top (i32.const 4096))
    (drop (call $get_header (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 112) (i32.const 116)))
    (if (call $path_is (i32.const 32) (i32.const 5)) (then unreachable))
    (if (call $path_is (i32.const 48) (i32.const 5)) (then (call $spin)))
    (if (call $path_is (i32.const 64) (i32.const 7)) (then (call $hoard)))
    (if (call $path_is (i32.const 80) (i32.const 8)) (then (drop (call $deeper (i32.const 1)))))
    (i32.const 0)))
