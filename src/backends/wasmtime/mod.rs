//! Wasmtime behind the contract.

mod artifact;
mod caller;
mod convert;
mod errors;
mod host;
mod instance;
mod interruption;
mod limits;
mod memory;
mod metering;
mod module;
mod raw;
mod runtime;
mod stack;
mod start;

pub(crate) use artifact::CODE;
pub use caller::WasmtimeFunctionCaller;
pub use instance::WasmtimeInstance;
pub use module::WasmtimeModule;
pub use runtime::WasmtimeRuntime;
pub(crate) use runtime::create;
