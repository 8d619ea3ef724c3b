//! Pulls Wasmtime's C API into one static library, so that C++ links a single archive, and adds what the C API lacks: a
//! limiter that counts what it refuses (declared in src/wasm/engine_limits.h), snapshots of instances (snapshot.rs,
//! src/wasm/engine_snapshot.h), and pools of instances (pool.rs, src/wasm/engine_pool.h). All other functions are declared
//! by the headers that the crate ships.
mod pool;
mod segments;
mod snapshot;

pub use pool::*;
pub use snapshot::*;
pub use wasmtime_c_api::*;

use wasmtime_c_api::wasmtime::{self, ResourceLimiter};

/// The caps of one store. Owned by the C++ side, which keeps it at its address for as long as the store lives.
#[repr(C)]
pub struct weir_limits {
    /// Most bytes of the store's memory.
    memory_bytes: usize,
    /// Most elements of all the store's tables together.
    table_elements: usize,
    /// Elements granted so far.
    granted_elements: usize,
    /// How often a growth was refused because of these caps.
    refused_growths: u64,
}

/// A refusal is a value to the guest (-1), not an error. What exceeds only the module's own maximum is refused by
/// Wasmtime itself and is not counted here.
impl ResourceLimiter for weir_limits {
    fn memory_growing(&mut self, _now: usize, wanted: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let granted = wanted <= self.memory_bytes;
        self.refused_growths += u64::from(!granted);
        Ok(granted)
    }

    fn table_growing(&mut self, now: usize, wanted: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| wanted > maximum) {
            return Ok(false);
        }
        let more = wanted.saturating_sub(now);
        let granted = more <= self.table_elements - self.granted_elements;
        self.granted_elements += if granted { more } else { 0 };
        self.refused_growths += u64::from(!granted);
        Ok(granted)
    }
}

/// Lets a closure carry the pointer: the limits are touched only by the thread that uses the store.
struct LimitsOfStore(*mut weir_limits);
unsafe impl Send for LimitsOfStore {}
unsafe impl Sync for LimitsOfStore {}

impl LimitsOfStore {
    fn limiter<'a>(&self) -> &'a mut dyn ResourceLimiter {
        // SAFETY: whoever called weir_store_set_limits promised that the limits outlive the store.
        unsafe { &mut *self.0 }
    }
}

/// Holds the store to the limits from now on.
///
/// # Safety
/// `limits` must stay valid and in place until the store is deleted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weir_store_set_limits(store: &mut wasmtime_store_t, limits: *mut weir_limits) {
    // SAFETY: wasmtime_store_t is repr(C) and holds exactly one field, a WasmtimeStore.
    let store = unsafe { &mut *std::ptr::from_mut(store).cast::<WasmtimeStore>() };
    let limits = LimitsOfStore(limits);
    store.limiter(move |_data| limits.limiter());
}
