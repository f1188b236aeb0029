//! The engines compared on generated modules.
//!
//! Each module depends only on the seed and its number. All its exported functions are called with generated arguments. A
//! difference is shrunk to a small module that still differs in the same way.

mod arguments;
mod check;
mod counters;
mod generate;
mod names;
mod options;
mod run;
mod shrink;
mod signature;

pub use check::Finding;
pub use counters::{FuzzCounters, FuzzReport};
pub use options::FuzzOptions;
pub use run::run;
pub use signature::Signature;
