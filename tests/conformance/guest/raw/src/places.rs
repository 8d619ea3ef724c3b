//! The callbacks of connections, queues and statistics; their scripts come from the plugin configuration.

use crate::ops::{buffer, say};
use crate::script::Op;
use crate::show::show;
use crate::{callback, queues};

thread_local!(static STATS_SIZE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

#[no_mangle]
pub extern "C" fn proxy_on_queue_ready(context: u32, token: u32) {
    callback("queue", context, format!(" {}", queues::name_of(token)), false, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_new_connection(context: u32) -> u32 {
    callback("new_connection", context, String::new(), false, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_downstream_data(context: u32, size: u32, eos: u32) -> u32 {
    callback("downstream_data", context, format!(" size={size} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_upstream_data(context: u32, size: u32, eos: u32) -> u32 {
    callback("upstream_data", context, format!(" size={size} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_downstream_connection_close(context: u32, by: u32) {
    callback("downstream_close", context, format!(" by={by}"), false, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_upstream_connection_close(context: u32, by: u32) {
    callback("upstream_close", context, format!(" by={by}"), false, 0);
}

/// Without a line of its own: it comes again and again, and its size is that of all statistics.
#[no_mangle]
pub extern "C" fn envoy_on_stats_update(context: u32, size: u32) {
    STATS_SIZE.with(|told| told.set(size as usize));
    crate::quietly("stats", context);
}

/// `stat NAME...` looks the names up in the statistics that are being told: gauges, and counters that have grown.
pub fn stat(op: &Op) {
    // Envoy 1.40 tells a wrong size of the whole and of the gauges' block: then the counters' block is all there is.
    let counters = buffer(8, 0, 4).1.try_into().map_or(0, |b| u32::from_le_bytes(b) as usize);
    let told = STATS_SIZE.with(|told| told.get());
    let bytes = buffer(8, 0, if told < 1 << 20 { told } else { counters }).1;
    let number = |at: usize| bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes(b.try_into().unwrap_or_default())) as usize;
    let long = |at: usize| bytes.get(at..at + 8).map_or(0, |b| u64::from_le_bytes(b.try_into().unwrap_or_default()));
    let (mut block, mut found) = (0, vec![]);
    while block + 12 <= bytes.len() && number(block) >= 12 {
        let (end, kind, mut at) = (block + number(block), number(block + 4), block + 12);
        while at + 4 < end {
            let size = number(at);
            let name = bytes.get(at + 4..at + 4 + size).unwrap_or_default();
            at = (at + 4 + size + 7) / 8 * 8;
            let (value, delta) = (long(at), if kind == 1 { long(at + 8) } else { 0 });
            at += if kind == 1 { 16 } else { 8 };
            if op.words.iter().any(|word| word == name) && (kind != 1 || delta > 0) {
                found.push(format!("stat {} kind={kind} value={value} delta={delta}", show(name)));
            }
        }
        block = end;
    }
    found.sort();
    found.into_iter().for_each(say);
}
