//! `dns NAME`: asks for its addresses; what comes of it is logged, and runs the phase `dns` of who asked.
use crate::host::proxy_set_effective_context;
use crate::ops::{buffer, log, run, Moment};
use crate::script::Op;
use crate::show::show;
use crate::STATE;
use std::cell::RefCell;
use std::collections::HashMap;

#[link(wasm_import_module = "env")]
extern "C" {
    fn envoy_resolve_dns(name: *const u8, size: usize, token: *mut u32) -> u32;
}

thread_local!(static ASKERS: RefCell<HashMap<u32, u32>> = RefCell::default());

pub fn apply(op: &Op, at: Moment) {
    let (name, mut token) = (op.bytes(0), 77);
    let status = unsafe { envoy_resolve_dns(name.as_ptr(), name.len(), &mut token) };
    if status == 0 {
        ASKERS.with(|askers| askers.borrow_mut().insert(token, at.context));
    }
    log(2, &format!("dns {} -> {status} token={token}", show(name)));
}

#[no_mangle]
pub extern "C" fn envoy_on_resolve_dns(context: u32, token: u32, size: u32) {
    let asker = ASKERS.with(|askers| askers.borrow_mut().remove(&token));
    let (status, bytes) = buffer(8, 0, usize::MAX);
    log(2, &format!("[{context}] dns token={token} known={} size={size} -> {status} \"{}\"", asker.is_some(), show(&bytes)));
    let Some(asker) = asker else { return };
    if asker != context {
        log(2, &format!("effective [{asker}] -> {}", unsafe { proxy_set_effective_context(asker) }));
    }
    let ops = STATE.with(|state| state.borrow().scripts.get(&asker).map(|script| script.ops("dns")));
    run(&ops.unwrap_or_default(), Moment { phase: "dns", context: asker, eos: true }, 0);
}
