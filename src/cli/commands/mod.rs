//! The commands, one file each. `run` is the command without a name.

pub(crate) mod batch;
pub(crate) mod bench;
pub(crate) mod cache;
mod compared;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod diff;
mod diff_batch;
#[cfg_attr(not(feature = "fuzz"), path = "diff_fuzz_disabled.rs")]
mod diff_fuzz;
pub(crate) mod engines;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod run;
pub(crate) mod schema;
mod words;
