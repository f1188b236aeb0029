//! The contract with the engines, and what is shared above them.

pub mod access;
pub mod async_call;
pub mod compiled_code;
pub mod control;
pub mod core;
pub mod ext;
pub mod fuel;
pub mod grants;
pub mod host;
pub(crate) mod interrupt;
pub mod memory_budget;
pub mod metrics;
pub mod preflight;
pub mod signature;
pub mod status;
pub mod traits;
pub(crate) mod wasix;
pub(crate) mod watchdog;
