//! The Wasmtime backend.

mod caller;
#[cfg_attr(not(feature = "components"), path = "component/disabled.rs")]
mod component;
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
mod parts;
mod pool;
mod raw;
mod row_loop;
mod runtime;
mod serialize;
mod stack;

pub use caller::WasmtimeFunctionCaller;
#[cfg(feature = "components")]
pub use component::{WasmtimeComponent, WasmtimeComponentFunction, WasmtimeComponentInstance};
pub use instance::WasmtimeInstance;
pub use module::WasmtimeModule;
pub use runtime::WasmtimeRuntime;
pub(crate) use runtime::create;
