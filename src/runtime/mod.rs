//! The contract with the engines, and the code above it that all engines share.

pub(crate) mod access;
pub mod async_call;
pub(crate) mod cached_code;
pub mod call;
pub mod callable;
pub mod code;
pub mod component;
pub mod component_ext;
pub mod component_host;
pub mod control;
pub mod ext;
pub mod fuel;
pub mod host;
pub(crate) mod interrupt;
pub mod lookup;
pub(crate) mod memory_budget;
pub mod metrics;
pub(crate) mod owner;
pub mod preflight;
pub(crate) mod registry;
pub(crate) mod sealed;
pub mod signature;
pub mod status;
pub mod text_abi;
pub mod traits;
pub(crate) mod watchdog;
