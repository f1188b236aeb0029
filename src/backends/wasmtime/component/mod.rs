//! Components on Wasmtime.

mod call;
mod compiled;
mod convert;
mod data;
mod embedder_runtime;
mod errors;
mod executor;
mod function;
mod host;
mod instance;
mod instantiate;
mod limits;
mod link;
mod resources;
mod stacks;
mod tasks;
mod types;

pub use compiled::WasmtimeComponent;
pub(super) use compiled::{compile, restore};
pub use function::WasmtimeComponentFunction;
pub use instance::WasmtimeComponentInstance;
pub(super) use instantiate::instantiate;
pub(super) use link::check_imports;
pub(super) use stacks::configure;
