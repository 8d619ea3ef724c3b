//! Engines whose instances come out of a pool, and exports found once for a module instead of by name in each instance.
//! C declarations are in src/wasm/engine_pool.h.
use wasmtime_c_api::wasmtime::{
    Config, Enabled, Engine, Extern, Func, Instance, Memory, ModuleExport, PoolingAllocationConfig,
};
use wasmtime_c_api::{WasmtimeStoreContextMut, wasm_config_t, wasm_engine_t, wasmtime_error_t, wasmtime_module_t};

/// What a pool holds, and what of it stays in memory after use.
#[repr(C)]
pub struct weir_pool_settings {
    /// Instances at the same time, each with a memory and a table at most.
    instances: u32,
    /// Unused places beyond which one of another module is taken over before a new one is begun.
    warm: u32,
    /// Most bytes of a memory, and elements of a table.
    memory_bytes: usize,
    table_elements: usize,
    /// Bytes of an instance's memory, and of its table, that are written back by hand instead of given back to the
    /// system.
    memory_resident: usize,
    table_resident: usize,
    /// Whether the pages that the guest wrote to are asked for (PAGEMAP_SCAN), if the system can tell.
    scan: bool,
}

/// An engine as the configuration has it, with a pool. Error: there is no room for it, or the settings do not fit.
///
/// # Safety
/// `out` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weir_pool_engine_new(
    config: Box<wasm_config_t>,
    settings: &weir_pool_settings,
    out: *mut *mut wasm_engine_t,
) -> Option<Box<wasmtime_error_t>> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(settings.instances)
        .total_tables(settings.instances)
        .total_core_instances(settings.instances)
        .total_component_instances(0)
        .max_core_instance_size(1 << 20)
        .max_unused_warm_slots(settings.warm)
        .max_memory_size(settings.memory_bytes)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .table_elements(settings.table_elements)
        .linear_memory_keep_resident(settings.memory_resident)
        .table_keep_resident(settings.table_resident)
        .pagemap_scan(if settings.scan { Enabled::Auto } else { Enabled::No });
    // SAFETY: wasm_config_t is repr(C) and holds exactly one field, a Config.
    let mut config = unsafe { Box::from_raw(Box::into_raw(config).cast::<Config>()) };
    config.allocation_strategy(pool);
    match Engine::new(&config) {
        Ok(engine) => {
            // SAFETY: wasm_engine_t is repr(C) and holds exactly one field, an Engine; `out` as promised.
            unsafe { out.write(Box::into_raw(Box::new(engine)).cast::<wasm_engine_t>()) };
            None
        }
        Err(error) => Some(Box::new(wasmtime_error_t::from(error))),
    }
}

/// Whether the system tells which pages were written to.
#[unsafe(no_mangle)]
pub extern "C" fn weir_pool_scans() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available()
}

/// An export of a module, for all its instances. Null: there is none of that name.
///
/// # Safety
/// `name` must point to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weir_module_export(
    module: &wasmtime_module_t,
    name: *const u8,
    size: usize,
) -> Option<Box<ModuleExport>> {
    // SAFETY: as promised; wasmtime_module_t holds exactly one field, a Module.
    let (name, module) = unsafe {
        let module = &*std::ptr::from_ref(module).cast::<wasmtime_c_api::wasmtime::Module>();
        (std::slice::from_raw_parts(name, size), module)
    };
    module.get_export_index(std::str::from_utf8(name).ok()?).map(Box::new)
}

#[unsafe(no_mangle)]
pub extern "C" fn weir_export_delete(_export: Box<ModuleExport>) {}

/// The function, or the memory, that the export is in an instance of its module. False: it is no such thing.
#[unsafe(no_mangle)]
pub extern "C" fn weir_instance_function(
    mut store: WasmtimeStoreContextMut<'_>,
    instance: &Instance,
    export: &ModuleExport,
    out: &mut std::mem::MaybeUninit<Func>,
) -> bool {
    match instance.get_module_export(&mut store, export) {
        Some(Extern::Func(function)) => {
            out.write(function);
            true
        }
        _ => false,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn weir_instance_memory(
    mut store: WasmtimeStoreContextMut<'_>,
    instance: &Instance,
    export: &ModuleExport,
    out: &mut std::mem::MaybeUninit<Memory>,
) -> bool {
    match instance.get_module_export(&mut store, export) {
        Some(Extern::Memory(memory)) => {
            out.write(memory);
            true
        }
        _ => false,
    }
}

/// Bytes that unused places keep in memory; 0 for an engine without a pool.
#[unsafe(no_mangle)]
pub extern "C" fn weir_pool_resident(engine: &wasm_engine_t) -> usize {
    // SAFETY: as above.
    let engine = unsafe { &*std::ptr::from_ref(engine).cast::<Engine>() };
    let metrics = engine.pooling_allocator_metrics();
    metrics.map_or(0, |pool| {
        pool.unused_memory_bytes_resident() + pool.unused_table_bytes_resident()
    })
}
