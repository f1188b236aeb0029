//! The contract with the engines, and what is shared above them.

pub mod access;
pub mod artifact;
pub mod asynchronous;
pub mod budget;
pub mod control;
pub mod core;
pub mod enforce;
pub mod ext;
pub mod features;
pub mod fuel;
pub mod grants;
pub mod host;
pub mod kind;
pub mod life;
pub mod metrics;
pub mod preflight;
pub(crate) mod reins;
pub mod signature;
pub mod traits;
pub(crate) mod wasix;
pub(crate) mod watchdog;
