//! The host functions, as the ABI types them. Nothing is interpreted here: a status is the number that the host gave.

#[link(wasm_import_module = "env")]
extern "C" {
    pub fn proxy_log(level: u32, data: *const u8, size: usize) -> u32;
    pub fn proxy_get_log_level(level: *mut u32) -> u32;
    pub fn proxy_get_status(code: *mut u32, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_set_property(path: *const u8, path_size: usize, data: *const u8, size: usize) -> u32;
    pub fn proxy_continue_stream(kind: u32) -> u32;
    pub fn proxy_close_stream(kind: u32) -> u32;
    pub fn proxy_send_local_response(
        code: u32, details: *const u8, details_size: usize, body: *const u8, body_size: usize,
        headers: *const u8, headers_size: usize, grpc_status: i32,
    ) -> u32;
    pub fn proxy_get_shared_data(key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize, cas: *mut u32) -> u32;
    pub fn proxy_set_shared_data(key: *const u8, key_size: usize, data: *const u8, size: usize, cas: u32) -> u32;
    pub fn proxy_register_shared_queue(name: *const u8, name_size: usize, token: *mut u32) -> u32;
    pub fn proxy_resolve_shared_queue(vm: *const u8, vm_size: usize, name: *const u8, name_size: usize, token: *mut u32) -> u32;
    pub fn proxy_enqueue_shared_queue(token: u32, data: *const u8, size: usize) -> u32;
    pub fn proxy_dequeue_shared_queue(token: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_get_header_map_value(map: u32, key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_add_header_map_value(map: u32, key: *const u8, key_size: usize, data: *const u8, size: usize) -> u32;
    pub fn proxy_replace_header_map_value(map: u32, key: *const u8, key_size: usize, data: *const u8, size: usize) -> u32;
    pub fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    pub fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> u32;
    pub fn proxy_get_header_map_size(map: u32, size: *mut usize) -> u32;
    pub fn proxy_get_buffer_bytes(kind: u32, start: usize, max: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    pub fn proxy_get_buffer_status(kind: u32, size: *mut usize, flags: *mut u32) -> u32;
    pub fn proxy_set_buffer_bytes(kind: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    pub fn proxy_http_call(
        upstream: *const u8, upstream_size: usize, headers: *const u8, headers_size: usize, body: *const u8,
        body_size: usize, trailers: *const u8, trailers_size: usize, timeout_ms: u32, token: *mut u32,
    ) -> u32;
    pub fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    pub fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    pub fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    pub fn proxy_increment_metric(id: u32, delta: i64) -> u32;
    pub fn proxy_record_metric(id: u32, value: u64) -> u32;
    pub fn proxy_get_metric(id: u32, value: *mut u64) -> u32;
    pub fn proxy_set_effective_context(context: u32) -> u32;
    pub fn proxy_done() -> u32;
    pub fn proxy_call_foreign_function(
        name: *const u8, name_size: usize, data: *const u8, size: usize, out: *mut *mut u8, out_size: *mut usize,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    pub fn fd_write(fd: u32, iovs: *const [usize; 2], count: usize, written: *mut usize) -> u32;
    pub fn fd_read(fd: u32, iovs: *const [usize; 2], count: usize, read: *mut usize) -> u32;
    pub fn fd_close(fd: u32) -> u32;
    pub fn fd_fdstat_get(fd: u32, out: *mut u8) -> u32;
    pub fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u32;
    pub fn fd_prestat_get(fd: u32, out: *mut u8) -> u32;
    pub fn fd_sync(fd: u32) -> u32;
    pub fn path_open(fd: u32, a: u32, path: *const u8, size: usize, b: u32, c: u64, d: u64, e: u32, out: *mut u32) -> u32;
    pub fn args_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    pub fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    pub fn environ_get(entries: *mut *const u8, text: *mut u8) -> u32;
    pub fn clock_time_get(id: u32, precision: u64, out: *mut u64) -> u32;
    pub fn clock_res_get(id: u32, out: *mut u64) -> u32;
    pub fn random_get(data: *mut u8, size: usize) -> u32;
    pub fn sched_yield() -> u32;
    pub fn poll_oneoff(input: *const u8, output: *mut u8, count: usize, events: *mut usize) -> u32;
}
