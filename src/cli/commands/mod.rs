//! The commands, one file each. `run` is the command without a name.

pub(crate) mod batch;
pub(crate) mod cache;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod engines;
pub(crate) mod inspect;
pub(crate) mod run;
