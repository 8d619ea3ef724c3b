//! Shared queues: `qreg NAME`, `qres VM NAME` (`-`: the own VM), then `qput`, `qfill` and `qget` by NAME, or by `#TOKEN`.

use crate::host::*;
use crate::ops::{say, take};
use crate::script::Op;
use crate::show::show;
use crate::STATE;
use std::ptr::null_mut;

pub fn run(op: &Op) {
    let name = op.bytes(0);
    match op.name.as_str() {
        "qreg" => {
            let mut token = 0;
            let status = unsafe { proxy_register_shared_queue(name.as_ptr(), name.len(), &mut token) };
            known(&op.word(0), token);
            say(format!("qreg {} -> {status} token={}", show(name), token != 0));
        }
        "qres" => {
            let (vm, name, mut token) = (if name == b"-" { &[][..] } else { name }, op.bytes(1), 0);
            let status = unsafe { proxy_resolve_shared_queue(vm.as_ptr(), vm.len(), name.as_ptr(), name.len(), &mut token) };
            if status == 0 {
                known(&op.word(1), token);
            }
            say(format!("qres {} {} -> {status} token={}", op.word(0), show(name), token != 0));
        }
        "qput" => {
            let value = op.rest(1);
            let status = unsafe { proxy_enqueue_shared_queue(token(op), value.as_ptr(), value.len()) };
            say(format!("qput {} -> {status}", op.word(0)));
        }
        "qfill" => {
            let value = vec![b'q'; op.number(1) as usize];
            let status = unsafe { proxy_enqueue_shared_queue(token(op), value.as_ptr(), value.len()) };
            say(format!("qfill {} -> {status}", op.word(0)));
        }
        _ => {
            let (mut data, mut size) = (null_mut(), 77);
            let status = unsafe { proxy_dequeue_shared_queue(token(op), &mut data, &mut size) };
            let value = if status == 0 { take(data, size) } else { vec![] };
            say(format!("qget {} -> {status} \"{}\"", op.word(0), show(&value)));
        }
    }
}

fn known(name: &str, token: u32) {
    STATE.with(|state| state.borrow_mut().queues.insert(name.to_string(), token));
}

fn token(op: &Op) -> u32 {
    let name = op.word(0);
    let known = STATE.with(|state| state.borrow().queues.get(&name).copied());
    known.unwrap_or_else(|| name.trim_start_matches('#').parse().unwrap_or(u32::MAX))
}

/// The name of a queue, for the callback that brings its token.
pub fn name_of(token: u32) -> String {
    STATE.with(|state| {
        let state = state.borrow();
        let found = state.queues.iter().find(|(_, known)| **known == token);
        found.map_or("unknown".into(), |(name, _)| name.clone())
    })
}
