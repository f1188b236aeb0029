//! The Wasmer backend.

mod br_table;
mod convert;
mod errors;
mod fuel;
mod fuel_charges;
mod host;
mod instance;
mod interrupt;
mod limits;
mod memory;
mod middleware;
mod module;
mod offsets;
mod private_exports;
mod row_loop;
mod runtime;
mod serialize;
mod typed;
mod typed_host;
#[cfg_attr(not(feature = "wasix"), path = "wasix/disabled.rs")]
mod wasix;

pub use instance::{WasmerFunctionCaller, WasmerInstance};
pub use module::WasmerModule;
pub use runtime::WasmerRuntime;
pub(crate) use runtime::create;
