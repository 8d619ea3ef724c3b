//! Snapshots by Wizer: a module that begins with the memory and the globals that an instance has now. C declarations are
//! in src/wasm/engine_snapshot.h.
use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::segments;
use wasmtime_c_api::wasmtime::{self, Extern, Instance, Val, bail, format_err};
use wasmtime_c_api::{WasmtimeStoreContextMut, wasm_byte_vec_t, wasmtime_error_t};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// What Wizer asks of an instance, read beforehand: then nothing of the store is held while it works.
#[derive(Default)]
struct State {
    globals: HashMap<String, SnapshotVal>,
    memories: HashMap<String, Vec<u8>>,
}

impl State {
    /// Of everything that the instance exports; the instrumented module exports all that can change.
    fn of(store: &mut WasmtimeStoreContextMut<'_>, instance: &Instance) -> wasmtime::Result<State> {
        let exports: Vec<(String, Extern)> = instance
            .exports(&mut *store)
            .map(|export| (export.name().to_string(), export.into_extern()))
            .collect();
        let mut state = State::default();
        for (name, item) in exports {
            match item {
                Extern::Global(global) => {
                    let value = match global.get(&mut *store) {
                        Val::I32(value) => SnapshotVal::I32(value),
                        Val::I64(value) => SnapshotVal::I64(value),
                        Val::F32(bits) => SnapshotVal::F32(bits),
                        Val::F64(bits) => SnapshotVal::F64(bits),
                        Val::V128(value) => SnapshotVal::V128(value.as_u128()),
                        _ => bail!("a global holds a reference"),
                    };
                    state.globals.insert(name, value);
                }
                Extern::Memory(memory) => {
                    state.memories.insert(name, memory.data(&*store).to_vec());
                }
                _ => {}
            }
        }
        Ok(state)
    }
}

/// Wizer asks only for names that it gave to the module which the instance is of.
impl InstanceState for State {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        self.globals.remove(name).expect("Wizer asks for each once")
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        contents(&self.memories[name]);
    }
}

fn give(result: wasmtime::Result<Vec<u8>>, out: &mut wasm_byte_vec_t) -> Option<Box<wasmtime_error_t>> {
    match result {
        Ok(bytes) => {
            out.set_buffer(bytes);
            None
        }
        Err(error) => Some(Box::new(wasmtime_error_t::from(error))),
    }
}

/// The module with exports of its own for all that `weir_snapshot_take` has to read. Error: the module does something
/// of which there are no snapshots.
///
/// # Safety
/// `bytes` must point to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weir_snapshot_instrument(
    bytes: *const u8,
    size: usize,
    out: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: as promised.
    let module = unsafe { std::slice::from_raw_parts(bytes, size) };
    give(Wizer::new().instrument(module).map(|(_, instrumented)| instrumented), out)
}

/// The module, whose instances begin as `instance` is now. `instance` is one of what `weir_snapshot_instrument` made of
/// it, and no call into it is under way.
///
/// # Safety
/// `bytes` must point to `size` bytes; `instance` must be of that store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weir_snapshot_take(
    bytes: *const u8,
    size: usize,
    mut store: WasmtimeStoreContextMut<'_>,
    instance: &Instance,
    out: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: as promised.
    let module = unsafe { std::slice::from_raw_parts(bytes, size) };
    give(take(module, &mut store, instance), out)
}

fn take(
    module: &[u8],
    store: &mut WasmtimeStoreContextMut<'_>,
    instance: &Instance,
) -> wasmtime::Result<Vec<u8>> {
    let mut state = State::of(store, instance)?;
    let wizer = Wizer::new();
    let (context, _) = wizer.instrument(module)?;
    let work = pin!(wizer.snapshot(&context, &mut state));
    // Nothing that it awaits has to wait.
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(snapshot) => segments::join(snapshot?),
        Poll::Pending => Err(format_err!("the snapshot waits for something")),
    }
}
