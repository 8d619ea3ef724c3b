//! A guest that obeys a script and logs all that it is told and answered.
//!
//! Every callback logs its name, its arguments and the context (`[3] request_body size=5 eos=0`), then runs the script's
//! operations of that phase. The script of a stream is the request header `x-script`, or the plugin configuration
//! where there is none; the phases of the root context come from the plugin configuration, `vm_start` from the VM's.

mod bad;
mod dns;
mod expression;
mod grpc;
mod host;
mod ops;
mod places;
mod queues;
mod script;
mod show;

use ops::{log, Moment};
use script::Script;
use std::cell::RefCell;
use std::collections::HashMap;

#[derive(Default)]
pub struct State {
    pub scripts: HashMap<u32, Script>,
    pub roots: HashMap<u32, u32>,
    pub calls: HashMap<u32, u32>,
    pub metrics: HashMap<String, u32>,
    pub queues: HashMap<String, u32>,
    pub cas: u32,
    pub seen: std::collections::HashSet<String>,
}

thread_local!(pub static STATE: RefCell<State> = RefCell::default());

extern "C" {
    fn __wasm_call_ctors();
}

#[no_mangle]
pub extern "C" fn _initialize() {
    unsafe { __wasm_call_ctors() }
}

#[no_mangle]
pub extern "C" fn proxy_abi_version_0_2_1() {}

#[no_mangle]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut bytes = Vec::<u8>::with_capacity(size);
    let address = bytes.as_mut_ptr();
    std::mem::forget(bytes);
    address
}

/// Logs the callback (unless the script says `hush`), runs the script, and gives the value that it chose to return.
fn callback(phase: &'static str, context: u32, arguments: String, eos: bool, otherwise: u32) -> u32 {
    let ops = STATE.with(|state| state.borrow().scripts.get(&context).map(|script| script.ops(phase))).unwrap_or_default();
    if !ops.iter().any(|op| op.name == "hush") {
        log(2, &format!("[{context}] {phase}{arguments}"));
    }
    ops::run(&ops, Moment { phase, context, eos }, otherwise)
}

/// A callback that has no line of its own.
fn quietly(phase: &'static str, context: u32) {
    let ops = STATE.with(|state| state.borrow().scripts.get(&context).map(|script| script.ops(phase)));
    ops::run(&ops.unwrap_or_default(), Moment { phase, context, eos: false }, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    STATE.with(|state| {
        let mut state = state.borrow_mut();
        let inherited = state.scripts.get(&parent).cloned().unwrap_or_default();
        state.scripts.insert(context, inherited);
        state.roots.insert(context, if parent == 0 { context } else { parent });
    });
    callback("create", context, format!(" parent=[{parent}]"), false, 0);
}

fn configuration(buffer: u32) -> String {
    String::from_utf8_lossy(&ops::buffer(buffer, 0, usize::MAX).1).into_owned()
}

fn adopt(context: u32, script: &str) {
    STATE.with(|state| state.borrow_mut().scripts.insert(context, Script::parse(script)));
}

#[no_mangle]
pub extern "C" fn proxy_on_vm_start(context: u32, size: u32) -> u32 {
    adopt(context, &configuration(6));
    callback("vm_start", context, format!(" size={size}"), false, 1)
}

/// The VM's script holds on, so that it can show a plugin configuration that is no script.
#[no_mangle]
pub extern "C" fn proxy_on_configure(context: u32, size: u32) -> u32 {
    adopt(context, &format!("{}\n{}", configuration(6), configuration(7)));
    callback("configure", context, format!(" size={size}"), false, 1)
}

#[no_mangle]
pub extern "C" fn proxy_on_tick(context: u32) {
    callback("tick", context, String::new(), false, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_request_headers(context: u32, count: u32, eos: u32) -> u32 {
    let setting = STATE.with(|state| state.borrow().scripts.get(&context).and_then(|script| script.setting("header")));
    let (status, text) = ops::header(0, setting.unwrap_or("x-script".into()).as_bytes());
    if status == 0 {
        let script = Script::parse(&String::from_utf8_lossy(&text));
        STATE.with(|state| state.borrow_mut().scripts.insert(context, script));
    }
    callback("request_headers", context, format!(" n={count} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_request_body(context: u32, size: u32, eos: u32) -> u32 {
    callback("request_body", context, format!(" size={size} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_request_trailers(context: u32, count: u32) -> u32 {
    callback("request_trailers", context, format!(" n={count}"), true, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_request_metadata(context: u32, count: u32) -> u32 {
    callback("request_metadata", context, format!(" n={count}"), false, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_response_metadata(context: u32, count: u32) -> u32 {
    callback("response_metadata", context, format!(" n={count}"), false, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_response_headers(context: u32, count: u32, eos: u32) -> u32 {
    callback("response_headers", context, format!(" n={count} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_response_body(context: u32, size: u32, eos: u32) -> u32 {
    callback("response_body", context, format!(" size={size} eos={eos}"), eos != 0, 0)
}

#[no_mangle]
pub extern "C" fn proxy_on_response_trailers(context: u32, count: u32) -> u32 {
    callback("response_trailers", context, format!(" n={count}"), true, 0)
}

/// A callout's answer arrives on the root; the script's `call` phase is that of the stream that asked, as in the SDKs.
#[no_mangle]
pub extern "C" fn proxy_on_http_call_response(context: u32, token: u32, headers: u32, body: u32, trailers: u32) {
    let asker = STATE.with(|state| state.borrow_mut().calls.remove(&token));
    log(2, &format!("[{context}] call token={token} known={} headers={headers} body={body} trailers={trailers}", asker.is_some()));
    if let Some(asker) = asker {
        if asker != context {
            log(2, &format!("effective [{asker}] -> {}", unsafe { host::proxy_set_effective_context(asker) }));
        }
        let ops = STATE.with(|state| state.borrow().scripts.get(&asker).map(|script| script.ops("call")));
        ops::run(&ops.unwrap_or_default(), Moment { phase: "call", context: asker, eos: true }, 0);
    }
}

#[no_mangle]
pub extern "C" fn proxy_on_log(context: u32) {
    callback("log", context, String::new(), true, 0);
}

#[no_mangle]
pub extern "C" fn proxy_on_done(context: u32) -> u32 {
    callback("done", context, String::new(), true, 1)
}

#[no_mangle]
pub extern "C" fn proxy_on_delete(context: u32) {
    callback("delete", context, String::new(), true, 0);
    STATE.with(|state| {
        state.borrow_mut().scripts.remove(&context);
        state.borrow_mut().roots.remove(&context);
    });
}
