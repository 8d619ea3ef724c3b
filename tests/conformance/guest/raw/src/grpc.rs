//! gRPC calls and streams: `grpc TARGET SERVICE METHOD METADATA MESSAGE TIMEOUT`, `gstream TARGET SERVICE METHOD METADATA`,
//! `gsend MESSAGE END TOKEN`, `gcancel TOKEN`, `gclose TOKEN`. A token that is not given is that of the last call. What
//! comes of them runs the phases `grpc_initial`, `grpc_message`, `grpc_trailing` and `grpc_end` of the stream that asked.
use crate::host::proxy_set_effective_context;
use crate::ops::{log, run, Moment};
use crate::script::Op;
use crate::show::{encode, listed, show};
use crate::STATE;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

#[link(wasm_import_module = "env")]
extern "C" {
    fn proxy_grpc_call(
        target: *const u8, target_size: usize, service: *const u8, service_size: usize, method: *const u8, method_size: usize,
        metadata: *const u8, metadata_size: usize, message: *const u8, message_size: usize, timeout_ms: u32, token: *mut u32,
    ) -> u32;
    fn proxy_grpc_stream(
        target: *const u8, target_size: usize, service: *const u8, service_size: usize, method: *const u8, method_size: usize,
        metadata: *const u8, metadata_size: usize, token: *mut u32,
    ) -> u32;
    fn proxy_grpc_send(token: u32, message: *const u8, size: usize, end: u32) -> u32;
    fn proxy_grpc_cancel(token: u32) -> u32;
    fn proxy_grpc_close(token: u32) -> u32;
}

thread_local! {
    static ASKERS: RefCell<HashMap<u32, u32>> = RefCell::default();
    static LAST: Cell<u32> = const { Cell::new(0) };
}

fn word(op: &Op, index: usize) -> &[u8] {
    if op.bytes(index) == b"-" { &[] } else { op.bytes(index) }
}

fn token(op: &Op, index: usize) -> u32 {
    if word(op, index).is_empty() { LAST.get() } else { op.number(index) as u32 }
}

/// `fN` is N bytes, anything else itself.
fn message(op: &Op, index: usize) -> Vec<u8> {
    let size = op.word(index).strip_prefix('f').and_then(|size| size.parse().ok());
    size.map_or_else(|| word(op, index).to_vec(), |size| vec![b'f'; size])
}

pub fn apply(op: &Op, at: Moment) {
    let said = match op.name.as_str() {
        "grpc" | "gstream" => return begin(op, at),
        "gsend" => {
            let bytes = message(op, 0);
            unsafe { proxy_grpc_send(token(op, 2), bytes.as_ptr(), bytes.len(), op.number(1) as u32) }
        }
        "gcancel" => unsafe { proxy_grpc_cancel(token(op, 0)) },
        _ => unsafe { proxy_grpc_close(token(op, 0)) },
    };
    log(2, &format!("{} -> {said}", op.name));
}

fn begin(op: &Op, at: Moment) {
    let (target, service, method, listed) = (word(op, 0), word(op, 1), word(op, 2), listed(word(op, 3)));
    let metadata = if listed.is_empty() { vec![] } else { encode(&listed) };
    let mut token = 77;
    let status = unsafe {
        let (t, tn, s, sn) = (target.as_ptr(), target.len(), service.as_ptr(), service.len());
        let (m, mn, d, dn) = (method.as_ptr(), method.len(), metadata.as_ptr(), metadata.len());
        if op.name == "gstream" {
            proxy_grpc_stream(t, tn, s, sn, m, mn, d, dn, &mut token)
        } else {
            let bytes = message(op, 4);
            proxy_grpc_call(t, tn, s, sn, m, mn, d, dn, bytes.as_ptr(), bytes.len(), op.number(5) as u32, &mut token)
        }
    };
    if status == 0 {
        ASKERS.with(|askers| askers.borrow_mut().insert(token, at.context));
        LAST.set(token);
    }
    log(2, &format!("{} {} -> {status} token={token}", op.name, show(target)));
}

fn told(phase: &'static str, context: u32, token: u32, arguments: String) {
    let asker = ASKERS.with(|askers| askers.borrow().get(&token).copied());
    log(2, &format!("[{context}] {phase} token={token} known={}{arguments}", asker.is_some()));
    let Some(asker) = asker else { return };
    if asker != context {
        log(2, &format!("effective [{asker}] -> {}", unsafe { proxy_set_effective_context(asker) }));
    }
    LAST.set(token);
    let ops = STATE.with(|state| state.borrow().scripts.get(&asker).map(|script| script.ops(phase)));
    run(&ops.unwrap_or_default(), Moment { phase, context: asker, eos: true }, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_grpc_receive_initial_metadata(context: u32, token: u32, count: u32) {
    told("grpc_initial", context, token, format!(" n={count}"));
}

#[no_mangle]
pub extern "C" fn proxy_on_grpc_receive(context: u32, token: u32, size: u32) {
    told("grpc_message", context, token, format!(" size={size}"));
}

#[no_mangle]
pub extern "C" fn proxy_on_grpc_receive_trailing_metadata(context: u32, token: u32, count: u32) {
    told("grpc_trailing", context, token, format!(" n={count}"));
}

#[no_mangle]
pub extern "C" fn proxy_on_grpc_close(context: u32, token: u32, status: u32) {
    told("grpc_end", context, token, format!(" status={}", status as i32));
}
