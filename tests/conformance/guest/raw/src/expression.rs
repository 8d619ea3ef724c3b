//! `expr TEXT`: makes an expression of it, evaluates it and deletes it; each step's status, and the value.
use crate::host::proxy_call_foreign_function;
use crate::ops::log;
use crate::script::Op;
use crate::show::show;
use std::ptr::null_mut;

pub fn call(name: &str, argument: &[u8]) -> (u32, Vec<u8>) {
    let (mut data, mut size) = (null_mut(), 0);
    let status = unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), &mut data, &mut size)
    };
    let bytes = if data.is_null() { vec![] } else { unsafe { Vec::from_raw_parts(data, size, size) } };
    (status, bytes)
}

pub fn apply(op: &Op) {
    let text = op.rest(0);
    let (created, token) = call("expr_create", &text);
    if created != 0 {
        log(2, &format!("expr {} -> create {created}", show(&text)));
        return;
    }
    let (evaluated, value) = call("expr_evaluate", &token);
    let (deleted, _) = call("expr_delete", &token);
    log(2, &format!("expr {} -> {evaluated} {} \"{}\" delete {deleted}", show(&text), value.len(), show(&value)));
}
