//! The engines. Only `select` chooses between them.

#[cfg(not(all(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]
mod disabled;
mod select;
#[cfg(feature = "wasmer-runtime")]
pub mod wasmer;
#[cfg(feature = "wasmtime-runtime")]
pub mod wasmtime;

#[cfg(not(feature = "wasmer-runtime"))]
use disabled as wasmer;
#[cfg(not(feature = "wasmtime-runtime"))]
use disabled as wasmtime;
pub use select::create_runtime;
