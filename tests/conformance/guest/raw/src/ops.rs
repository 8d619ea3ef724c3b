//! The operations that a script may hold. Each makes one host call and logs what went in, the status and what came out.

use crate::host::*;
use crate::script::Op;
use crate::show::{encode, listed, parse, show};
use crate::STATE;
use std::ptr::null_mut;

#[derive(Clone, Copy)]
pub struct Moment {
    pub phase: &'static str,
    pub context: u32,
    pub eos: bool,
}

pub fn log(level: u32, text: &str) -> u32 {
    unsafe { proxy_log(level, text.as_ptr(), text.len()) }
}

pub fn say(text: String) {
    log(2, &text);
}

/// Runs the operations in order; the last `return` decides what the callback answers.
pub fn run(ops: &[Op], moment: Moment, otherwise: u32) -> u32 {
    ops.iter().fold(otherwise, |answer, op| apply(op, moment).unwrap_or(answer))
}

fn apply(op: &Op, at: Moment) -> Option<u32> {
    match op.name.as_str() {
        "return" => return Some(op.number(0) as u32),
        "eos?" if at.eos => return apply(&op.inner()?, at),
        "more?" if !at.eos => return apply(&op.inner()?, at),
        "eos?" | "more?" | "hush" => {}
        "first?" if STATE.with(|s| s.borrow_mut().seen.insert(format!("{} {} {}", at.context, at.phase, op.text))) => {
            return apply(&op.inner()?, at)
        }
        "first?" => {}
        "trap" => panic!("as the script says"),
        "pairs" | "get" | "set" | "add" | "del" | "size" | "setpairs" | "setraw" => headers(op),
        "body" | "bufstat" | "setbody" | "fillbody" => buffers(op),
        "call" => call(op, at),
        "grpc" | "gstream" | "gsend" | "gcancel" | "gclose" => crate::grpc::apply(op, at),
        "dns" => crate::dns::apply(op, at),
        "expr" => crate::expression::apply(op),
        "shget" | "shset" => shared(op),
        "metric" | "inc" | "rec" | "mget" => metrics(op),
        "qreg" | "qres" | "qput" | "qfill" | "qget" => crate::queues::run(op),
        "stat" => crate::places::stat(op),
        "bad" => crate::bad::memory(&op.word(0)),
        "wasi" => crate::bad::wasi(),
        _ => course(op, at),
    }
    None
}

/// What changes or asks about the stream as a whole.
fn course(op: &Op, at: Moment) {
    let number = op.number(0) as u32;
    match op.name.as_str() {
        "log" => say(String::from_utf8_lossy(&op.rest(0)).into_owned()),
        "level" => {
            let status = log(number, &String::from_utf8_lossy(&op.rest(1)));
            say(format!("level {number} -> {status}"));
        }
        "loglevel" => {
            let mut level = 99;
            let status = unsafe { proxy_get_log_level(&mut level) };
            say(format!("loglevel -> {status} {level}"));
        }
        "continue" => say(format!("continue {number} -> {}", unsafe { proxy_continue_stream(number) })),
        "close" => say(format!("close {number} -> {}", unsafe { proxy_close_stream(number) })),
        "reply" => reply(op),
        "prop" => property(op),
        "setprop" => {
            let (path, value) = (dotted(&op.word(0)), op.rest(1));
            let status = unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
            say(format!("setprop {} -> {status}", op.word(0)));
        }
        "tick" => say(format!("tick {number} -> {}", unsafe { proxy_set_tick_period_milliseconds(number) })),
        "effective" => effective(&op.word(0), at),
        "done" => say(format!("done -> {}", unsafe { proxy_done() })),
        "time" => {
            let mut time = 0;
            let status = unsafe { proxy_get_current_time_nanoseconds(&mut time) };
            say(format!("time -> {status} since 2020: {}", time > 1_577_836_800_000_000_000));
        }
        "status" => {
            let (mut code, mut data, mut size) = (99, null_mut(), 0);
            let status = unsafe { proxy_get_status(&mut code, &mut data, &mut size) };
            say(format!("status -> {status} code={code} {}", show(&take(data, size))));
        }
        "env" => {
            let mut all = environment();
            all.sort();
            say(format!("env {all:?}"));
        }
        "print" => print(1, op.rest(0)),
        "eprint" => print(2, op.rest(0)),
        "foreign" => {
            let (name, argument, mut data, mut size) = (op.bytes(0), op.bytes(1), null_mut(), 0);
            let status = unsafe {
                proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), &mut data, &mut size)
            };
            say(format!("foreign {} -> {status} {}", show(name), show(&take(data, size))));
        }
        other => say(format!("unknown operation {other}")),
    }
}

/// Takes over what the host put into the guest's memory.
pub fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() { vec![] } else { unsafe { Vec::from_raw_parts(data, size, size) } }
}

pub fn header(map: u32, key: &[u8]) -> (u32, Vec<u8>) {
    let (mut data, mut size) = (null_mut(), 0);
    let status = unsafe { proxy_get_header_map_value(map, key.as_ptr(), key.len(), &mut data, &mut size) };
    (status, take(data, size))
}

fn headers(op: &Op) {
    let (map, key, value) = (op.number(0) as u32, op.bytes(1), op.rest(2));
    let (k, kn, v, vn) = (key.as_ptr(), key.len(), value.as_ptr(), value.len());
    let status = match op.name.as_str() {
        "pairs" => return pairs(map),
        "get" => {
            let (status, value) = header(map, key);
            return say(format!("get {map} {} -> {status} \"{}\"", show(key), show(&value)));
        }
        "size" => {
            let mut size = 0;
            let status = unsafe { proxy_get_header_map_size(map, &mut size) };
            return say(format!("size {map} -> {status} {size}"));
        }
        "set" => unsafe { proxy_replace_header_map_value(map, k, kn, v, vn) },
        "add" => unsafe { proxy_add_header_map_value(map, k, kn, v, vn) },
        "del" => unsafe { proxy_remove_header_map_value(map, k, kn) },
        "setraw" => unsafe { proxy_set_header_map_pairs(map, k, kn) },
        _ => {
            let bytes = encode(&listed(key));
            unsafe { proxy_set_header_map_pairs(map, bytes.as_ptr(), bytes.len()) }
        }
    };
    say(format!("{} {map} {} -> {status}", op.name, show(key)));
}

fn pairs(map: u32) {
    let (mut data, mut size) = (null_mut(), 0);
    let status = unsafe { proxy_get_header_map_pairs(map, &mut data, &mut size) };
    let bytes = take(data, size);
    say(format!("pairs {map} -> {status} empty={}", bytes.is_empty()));
    match parse(&bytes) {
        Some(pairs) => pairs.iter().filter(|(key, _)| !key.starts_with(b"x-script")).for_each(|(key, value)| {
            say(format!("    {}: {}", show(key), show(value)));
        }),
        None => say(format!("    malformed: {}", show(&bytes))),
    }
}

pub fn buffer(kind: u32, start: usize, max: usize) -> (u32, Vec<u8>) {
    let (mut data, mut size) = (null_mut(), 0);
    let status = unsafe { proxy_get_buffer_bytes(kind, start, max, &mut data, &mut size) };
    (status, take(data, size))
}

fn buffers(op: &Op) {
    let (kind, start, size) = (op.number(0) as u32, op.number(1) as usize, op.number(2) as usize);
    match op.name.as_str() {
        "body" => {
            let (status, bytes) = buffer(kind, start, size);
            say(format!("body {kind} {start} {size} -> {status} {} \"{}\"", bytes.len(), show(&bytes)));
        }
        "bufstat" => {
            let (mut size, mut flags) = (0, 99);
            let status = unsafe { proxy_get_buffer_status(kind, &mut size, &mut flags) };
            say(format!("bufstat {kind} -> {status} size={size} flags={flags}"));
        }
        name => {
            let data = if name == "setbody" { op.rest(3) } else { vec![b'f'; op.number(3) as usize] };
            let status = unsafe { proxy_set_buffer_bytes(kind, start, size, data.as_ptr(), data.len()) };
            say(format!("{name} {kind} {start} {size} -> {status}"));
        }
    }
}

/// `reply CODE BODY HEADERS DETAILS GRPC`: `-` for none.
fn reply(op: &Op) {
    let word = |index| if op.bytes(index) == b"-" { &[][..] } else { op.bytes(index) };
    let headers = listed(word(2));
    let pairs = if headers.is_empty() { vec![] } else { encode(&headers) };
    let grpc = if op.bytes(4).is_empty() { -1 } else { op.number(4) as i32 };
    let (body, details) = (word(1), word(3));
    let status = unsafe {
        proxy_send_local_response(
            op.number(0) as u32, details.as_ptr(), details.len(), body.as_ptr(), body.len(), pairs.as_ptr(), pairs.len(), grpc,
        )
    };
    say(format!("reply {} -> {status}", op.number(0)));
}

/// `a.b.c` as the path that the host wants: NUL between the parts.
fn dotted(word: &str) -> Vec<u8> {
    word.bytes().map(|b| if b == b'.' { 0 } else if b == b'~' { b'.' } else { b }).collect()
}

/// `prop PATH` logs the value; `prop PATH size` only its size, for addresses and times.
fn property(op: &Op) {
    let (path, mut data, mut size) = (dotted(&op.word(0)), null_mut(), 0);
    let status = unsafe { proxy_get_property(path.as_ptr(), path.len(), &mut data, &mut size) };
    let value = take(data, size);
    let shown = if op.word(1) == "size" { String::new() } else { show(&value) };
    say(format!("prop {} -> {status} {} \"{shown}\"", op.word(0), value.len()));
}

fn effective(word: &str, at: Moment) {
    let root = STATE.with(|state| state.borrow().roots.get(&at.context).copied()).unwrap_or(0);
    let target = match word {
        "root" => root,
        "self" => at.context,
        other => other.parse().unwrap_or(0),
    };
    say(format!("effective {word} -> {}", unsafe { proxy_set_effective_context(target) }));
}

/// `call CLUSTER HEADERS BODY TIMEOUT TRAILERS`: `-` for none.
fn call(op: &Op, at: Moment) {
    let word = |index| if op.bytes(index) == b"-" { &[][..] } else { op.bytes(index) };
    let packed = |index| {
        let pairs = listed(word(index));
        if pairs.is_empty() { vec![] } else { encode(&pairs) }
    };
    let (cluster, headers, body, trailers, mut token) = (op.bytes(0), packed(1), word(2), packed(4), 77);
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(), cluster.len(), headers.as_ptr(), headers.len(), body.as_ptr(), body.len(),
            trailers.as_ptr(), trailers.len(), op.number(3) as u32, &mut token,
        )
    };
    if status == 0 {
        STATE.with(|state| state.borrow_mut().calls.insert(token, at.context));
    }
    say(format!("call {} -> {status} token={token}", show(cluster)));
}

/// `shset KEY VALUE CAS` where CAS is a number, `seen` (as the last shget gave) or `stale` (never right).
fn shared(op: &Op) {
    let key = op.bytes(0);
    if op.name == "shget" {
        let (mut data, mut size, mut cas) = (null_mut(), 0, 0);
        let status = unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), &mut data, &mut size, &mut cas) };
        STATE.with(|state| state.borrow_mut().cas = cas);
        return say(format!("shget {} -> {status} \"{}\" cas={}", show(key), show(&take(data, size)), cas != 0));
    }
    let seen = STATE.with(|state| state.borrow().cas);
    let cas = match op.word(2).as_str() {
        "seen" => seen,
        "stale" => seen + 1000,
        _ => op.number(2) as u32,
    };
    let value = op.bytes(1);
    let status = unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) };
    say(format!("shset {} {} -> {status}", show(key), op.word(2)));
}

/// `metric TYPE NAME`, then `inc`, `rec` and `mget` by NAME, or by `#ID`.
fn metrics(op: &Op) {
    if op.name == "metric" {
        let (name, mut id) = (op.bytes(1), 77);
        let status = unsafe { proxy_define_metric(op.number(0) as u32, name.as_ptr(), name.len(), &mut id) };
        STATE.with(|state| state.borrow_mut().metrics.insert(op.word(1), id));
        return say(format!("metric {} {} -> {status} id={id}", op.number(0), show(name)));
    }
    let name = op.word(0);
    let known = STATE.with(|state| state.borrow().metrics.get(&name).copied());
    let id = known.unwrap_or_else(|| name.trim_start_matches('#').parse().unwrap_or(u32::MAX));
    let shown = match op.name.as_str() {
        "inc" => unsafe { proxy_increment_metric(id, op.number(1)) }.to_string(),
        "rec" => unsafe { proxy_record_metric(id, op.number(1) as u64) }.to_string(),
        _ => {
            let mut value = 0;
            let status = unsafe { proxy_get_metric(id, &mut value) };
            format!("{status} {value}")
        }
    };
    say(format!("{} {name} -> {shown}", op.name));
}

// By WASI itself: built as wasm32-unknown-unknown, as Debian's Rust does, the standard library knows of neither.

fn environment() -> Vec<String> {
    let (mut count, mut size) = (0, 0);
    unsafe { environ_sizes_get(&mut count, &mut size) };
    let (mut entries, mut text) = (vec![std::ptr::null(); count], vec![0u8; size]);
    unsafe { environ_get(entries.as_mut_ptr(), text.as_mut_ptr()) };
    text.split(|byte| *byte == 0).take(count).map(|entry| String::from_utf8_lossy(entry).into_owned()).collect()
}

fn print(fd: u32, mut line: Vec<u8>) {
    line.push(b'\n');
    let mut written = 0;
    unsafe { fd_write(fd, &[line.as_ptr() as usize, line.len()], 1, &mut written) };
}
