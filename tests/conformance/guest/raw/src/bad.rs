//! Calls that no SDK makes: addresses outside the memory, and the WASI functions that a proxy has no use for.
use crate::host::*;
use std::ptr::null_mut;

/// An address outside every guest memory.
const NOWHERE: usize = 0xFFFF_FFF0;

fn say(text: String) {
    crate::ops::log(2, &text);
}

pub fn memory(which: &str) {
    let (nowhere, key, mut data, mut size) = (NOWHERE as *mut u8, b"k".as_ptr(), null_mut(), 0usize);
    let status = unsafe {
        match which {
            "log" => proxy_log(2, nowhere, 64),
            "get_key" => proxy_get_header_map_value(0, nowhere, 64, &mut data, &mut size),
            "get_out" => proxy_get_header_map_value(0, b":path".as_ptr(), 5, nowhere.cast(), &mut size),
            "set" => proxy_replace_header_map_value(0, key, 1, nowhere, 64),
            "pairs_out" => proxy_get_header_map_pairs(0, nowhere.cast(), &mut size),
            "setpairs" => proxy_set_header_map_pairs(0, nowhere, 64),
            "buffer_out" => proxy_get_buffer_bytes(6, 0, 99, nowhere.cast(), &mut size),
            "setbuffer" => proxy_set_buffer_bytes(0, 0, 0, nowhere, 64),
            "property" => proxy_get_property(nowhere, 64, &mut data, &mut size),
            "shget" => proxy_get_shared_data(nowhere, 64, &mut data, &mut size, &mut 0),
            "shset" => proxy_set_shared_data(key, 1, nowhere, 64, 0),
            "qreg" => proxy_register_shared_queue(nowhere, 64, &mut 0),
            "qreg_out" => proxy_register_shared_queue(key, 1, nowhere.cast()),
            "qres" => proxy_resolve_shared_queue(nowhere, 64, key, 1, &mut 0),
            "qput" => proxy_enqueue_shared_queue(1, nowhere, 64),
            "metric" => proxy_define_metric(0, nowhere, 64, &mut 0),
            "reply" => proxy_send_local_response(200, nowhere, 64, key, 1, key, 0, -1),
            "call" => proxy_http_call(nowhere, 64, key, 0, key, 0, key, 0, 100, &mut 0),
            "time" => proxy_get_current_time_nanoseconds(nowhere.cast()),
            "loglevel" => proxy_get_log_level(nowhere.cast()),
            "foreign" => proxy_call_foreign_function(nowhere, 64, key, 0, &mut data, &mut size),
            _ => 999,
        }
    };
    say(format!("bad {which} -> {status}"));
}

pub fn wasi() {
    let (mut bytes, mut count, mut size, mut time) = ([0u8; 64], 7usize, 7usize, 0u64);
    let text = b"two parts\n";
    let parts = [[text.as_ptr() as usize, 4], [text.as_ptr() as usize + 4, 6]];
    unsafe {
        for fd in [1, 2, 3] {
            let status = fd_write(fd, parts.as_ptr(), 2, &mut count);
            say(format!("fd_write {fd} -> {status} {count}"));
        }
        say(format!("fd_read -> {}", fd_read(0, parts.as_ptr(), 1, &mut count)));
        say(format!("fd_fdstat_get -> {} {}", fd_fdstat_get(1, bytes.as_mut_ptr()), fd_fdstat_get(9, bytes.as_mut_ptr())));
        say(format!("fd_fdstat_set_flags -> {}", fd_fdstat_set_flags(1, 0)));
        say(format!("fd_prestat_get -> {}", fd_prestat_get(3, bytes.as_mut_ptr())));
        say(format!("fd_sync -> {} {}", fd_sync(1), fd_sync(9)));
        say(format!("path_open -> {}", path_open(3, 0, b"x".as_ptr(), 1, 0, 0, 0, 0, &mut 0)));
        say(format!("args_sizes_get -> {} {count} {size}", args_sizes_get(&mut count, &mut size)));
        say(format!("environ_sizes_get -> {}", environ_sizes_get(&mut count, &mut size)));
        for id in 0..3 {
            say(format!("clock_time_get {id} -> {}", clock_time_get(id, 0, &mut time)));
            say(format!("clock_res_get {id} -> {} {time}", clock_res_get(id, &mut time)));
        }
        let mut much = vec![0u8; 65537];
        say(format!("random_get 32 -> {} zero={}", random_get(much.as_mut_ptr(), 32), much[..32] == [0; 32]));
        say(format!("random_get 65536 -> {}", random_get(much.as_mut_ptr(), 65536)));
        say(format!("random_get 65537 -> {}", random_get(much.as_mut_ptr(), 65537)));
        say(format!("sched_yield -> {}", sched_yield()));
        say(format!("poll_oneoff -> {} {count}", poll_oneoff(bytes.as_ptr(), bytes.as_mut_ptr(), 1, &mut count)));
        say(format!("fd_close -> {}", fd_close(9)));
    }
}
