//! The Wasmtime backend.

mod caller;
mod convert;
mod deferred_start;
mod errors;
mod fuel;
mod host;
mod instance;
mod interrupt;
mod limits;
mod memory;
mod module;
mod offsets;
mod raw;
mod runtime;
mod serialize;
mod stack;

pub use caller::WasmtimeFunctionCaller;
pub use instance::WasmtimeInstance;
pub use module::WasmtimeModule;
pub use runtime::WasmtimeRuntime;
pub(crate) use runtime::create;
