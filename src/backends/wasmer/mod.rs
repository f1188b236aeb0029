//! Wasmer behind the contract.

mod artifact;
mod convert;
mod counting;
mod errors;
mod fuel;
mod host;
mod instance;
mod interruption;
mod limits;
mod memory;
mod metering;
mod module;
mod runtime;
mod typed;
#[cfg_attr(not(feature = "wasix"), path = "wasix/absent.rs")]
mod wasix;

pub(crate) use artifact::CODE;
pub use instance::{WasmerFunctionCaller, WasmerInstance};
pub use module::WasmerModule;
pub use runtime::WasmerRuntime;
pub(crate) use runtime::create;
