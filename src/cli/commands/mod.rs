//! One file per subcommand; `run` is what happens without one.

pub(crate) mod cache;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod engines;
pub(crate) mod inspect;
pub(crate) mod run;
