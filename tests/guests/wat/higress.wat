;; A plugin as Higress' SDKs make them: its marker, its five calls and a function by name, its callback. What a request asks for, by path:
;;
;;   /redis   the command of the header x-query goes to Redis; its answer is the answer, or 502 where there is none
;;   /hosts   the members of the route's cluster, as they are told
;;   /to      to the member that the header x-host names
;;   /before  on to the upstream; "before|" goes before each piece of the answer that has bytes
;;   /instead on to the upstream; "instead" is the whole answer
;;   /given   on to the upstream; "given" is the answer's body, asked for by name with its headers, which are stopped
;;   /added   the same, and the headers go on
;;   else     on to the upstream
;;
;; A call that fails at once is answered with 500 and its status as text. The configuration has a line each for cluster,
;; user and password; a timeout of 500 ms is asked for.
(module
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_remove_header_map_value" (func $remove_header (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
  (import "env" "proxy_redis_init" (func $redis_init (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_redis_call" (func $redis_call (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_upstream_hosts" (func $hosts (param i32 i32) (result i32)))
  (import "env" "proxy_set_upstream_override_host" (func $override (param i32 i32) (result i32)))
  (import "env" "proxy_inject_encoded_data_to_filter_chain" (func $inject (param i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  (global $top (mut i32) (i32.const 65536))
  (global $cluster (mut i32) (i32.const 0))
  (global $cluster_size (mut i32) (i32.const 0))
  (data (i32.const 16) ":path")
  (data (i32.const 32) "x-query")
  (data (i32.const 48) "x-host")
  (data (i32.const 64) "content-length")
  (data (i32.const 96) "before|")
  (data (i32.const 112) "instead")
  (data (i32.const 160) "inject_encoded_data_to_filter_chain_on_header")
  (data (i32.const 224) "\0a\05given\10\01")
  ;; 128: a digit; 136 and 140: address and size of what was asked for; 144: a token.
  ;; 1024: by token, whose call it is; 17408: by context, the letter that its path has behind the slash.

  (func (export "proxy_abi_version_0_2_100"))

  ;; Between two callbacks nothing that was allocated is needed but the configuration.
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $top) (local.get $size)) (i32.const 500000))
      (then (global.set $top (i32.const 131072))))
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
    (local.get $at))

  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))

  ;; How many bytes there are from $at to the next line's end, or to $end.
  (func $line (param $at i32) (param $end i32) (result i32)
    (local $size i32)
    (block $done
      (loop $more
        (br_if $done (i32.ge_u (i32.add (local.get $at) (local.get $size)) (local.get $end)))
        (br_if $done (i32.eq (i32.load8_u (i32.add (local.get $at) (local.get $size))) (i32.const 10)))
        (local.set $size (i32.add (local.get $size) (i32.const 1)))
        (br $more)))
    (local.get $size))

  (func (export "proxy_on_configure") (param i32) (param $size i32) (result i32)
    (local $user i32) (local $user_size i32) (local $word i32) (local $end i32)
    (if (i32.eqz (local.get $size)) (then (return (i32.const 1))))
    (drop (call $get_buffer (i32.const 7) (i32.const 0) (i32.const -1) (i32.const 136) (i32.const 140)))
    (global.set $cluster (i32.load (i32.const 136)))
    (local.set $end (i32.add (global.get $cluster) (i32.load (i32.const 140))))
    (global.set $cluster_size (call $line (global.get $cluster) (local.get $end)))
    (local.set $user (i32.add (i32.add (global.get $cluster) (global.get $cluster_size)) (i32.const 1)))
    (local.set $user_size (call $line (local.get $user) (local.get $end)))
    (local.set $word (i32.add (i32.add (local.get $user) (local.get $user_size)) (i32.const 1)))
    (i32.eqz (call $redis_init
      (global.get $cluster) (global.get $cluster_size) (local.get $user) (local.get $user_size)
      (local.get $word) (call $line (local.get $word) (local.get $end)) (i32.const 500))))

  (func $answer (param $status i32) (param $at i32) (param $size i32)
    (drop (call $reply (local.get $status) (i32.const 0) (i32.const 0) (local.get $at) (local.get $size)
      (i32.const 0) (i32.const 0) (i32.const -1))))

  (func $fail (param $status i32)
    (local $at i32)
    (local.set $at (i32.const 129))
    (loop $more
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $status) (i32.const 10))))
      (local.set $status (i32.div_u (local.get $status) (i32.const 10)))
      (br_if $more (local.get $status)))
    (call $answer (i32.const 500) (local.get $at) (i32.sub (i32.const 129) (local.get $at))))

  (func $slot (param $base i32) (param $number i32) (result i32)
    (i32.add (local.get $base) (i32.shl (i32.and (local.get $number) (i32.const 4095)) (i32.const 2))))

  ;; The header's text with CRLF behind it is the command.
  (func $ask_redis (param $id i32) (result i32)
    (local $at i32) (local $size i32) (local $status i32)
    (drop (call $get_header (i32.const 0) (i32.const 32) (i32.const 7) (i32.const 136) (i32.const 140)))
    (local.set $size (i32.load (i32.const 140)))
    (local.set $at (call $malloc (i32.add (local.get $size) (i32.const 2))))
    (memory.copy (local.get $at) (i32.load (i32.const 136)) (local.get $size))
    (i32.store16 align=1 (i32.add (local.get $at) (local.get $size)) (i32.const 0x0a0d))
    (local.set $status (call $redis_call (global.get $cluster) (global.get $cluster_size)
      (local.get $at) (i32.add (local.get $size) (i32.const 2)) (i32.const 144)))
    (if (local.get $status) (then (call $fail (local.get $status)) (return (i32.const 1))))
    (i32.store (call $slot (i32.const 1024) (i32.shr_u (i32.load (i32.const 144)) (i32.const 2))) (local.get $id))
    (i32.const 1))

  (func (export "proxy_on_redis_call_response") (param $root i32) (param $token i32) (param $status i32) (param $size i32)
    (if (call $effective (i32.load (call $slot (i32.const 1024) (i32.shr_u (local.get $token) (i32.const 2)))))
      (then (return)))
    (if (local.get $status) (then (call $answer (i32.const 502) (i32.const 0) (i32.const 0)) (return)))
    (drop (call $get_buffer (i32.const 9) (i32.const 0) (local.get $size) (i32.const 136) (i32.const 140)))
    (call $answer (i32.const 200) (i32.load (i32.const 136)) (i32.load (i32.const 140))))

  (func (export "proxy_on_request_headers") (param $id i32) (param i32) (param $end i32) (result i32)
    (local $letter i32) (local $status i32)
    (drop (call $get_header (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 136) (i32.const 140)))
    (local.set $letter (i32.load8_u (i32.add (i32.load (i32.const 136)) (i32.const 1))))
    (i32.store (call $slot (i32.const 17408) (local.get $id)) (local.get $letter))
    (if (i32.eq (local.get $letter) (i32.const 114)) (then (return (call $ask_redis (local.get $id)))))
    (if (i32.eq (local.get $letter) (i32.const 104))
      (then
        (local.set $status (call $hosts (i32.const 136) (i32.const 140)))
        (if (local.get $status)
          (then (call $fail (local.get $status)))
          (else (call $answer (i32.const 200) (i32.load (i32.const 136)) (i32.load (i32.const 140)))))
        (return (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 116))
      (then
        (drop (call $get_header (i32.const 0) (i32.const 48) (i32.const 6) (i32.const 136) (i32.const 140)))
        (drop (call $override (i32.load (i32.const 136)) (i32.load (i32.const 140))))))
    (i32.const 0))

  (func (export "proxy_on_response_headers") (param $id i32) (param i32) (param i32) (result i32)
    (local $letter i32)
    (drop (call $remove_header (i32.const 2) (i32.const 64) (i32.const 14)))
    (local.set $letter (i32.load (call $slot (i32.const 17408) (local.get $id))))
    (if (i32.or (i32.eq (local.get $letter) (i32.const 103)) (i32.eq (local.get $letter) (i32.const 97)))
      (then
        (drop (call $foreign (i32.const 160) (i32.const 45) (i32.const 224) (i32.const 9) (i32.const 136) (i32.const 140)))))
    (i32.eq (local.get $letter) (i32.const 103)))

  (func (export "proxy_on_response_body") (param $id i32) (param $size i32) (param $end i32) (result i32)
    (local $letter i32)
    (local.set $letter (i32.load (call $slot (i32.const 17408) (local.get $id))))
    (if (i32.and (i32.eq (local.get $letter) (i32.const 98)) (i32.ne (local.get $size) (i32.const 0)))
      (then (drop (call $inject (i32.const 96) (i32.const 7) (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 105))
      (then (drop (call $inject (i32.const 112) (i32.const 7) (i32.const 1))) (return (i32.const 3))))
    (i32.const 0)))
