//! The same call on several engines, compilers and optimization levels, and what differs.
//!
//! A [`Comparer`] calls a function once on each [`Variant`], under the same limits and grants. Clocks, random bytes and NaNs are
//! deterministic, standard input is replayed, and each run has copies of the directories that it may change.

mod difference;
mod files;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod globals;
mod memory;
mod observation;
mod options;
mod run;
mod sessions;
mod variant;
mod verdict;

pub use difference::{Aspect, Difference};
pub use observation::{Ending, ErrorSummary, MemoryState, Observation};
pub use options::CompareOptions;
pub use run::Comparer;
pub use sessions::CompareSessions;
pub use variant::Variant;
pub use verdict::{Comparison, Inconclusive, Verdict};
