//! Pulls Wasmtime's C API into one static library, so that C++ links a single archive.
//! The functions themselves are declared by the headers that the crate ships.
pub use wasmtime_c_api::*;
