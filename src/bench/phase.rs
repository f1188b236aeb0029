//! The phases from the module to the result.

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// A phase from the module to the result.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, VariantArray, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "title_case")]
#[non_exhaustive]
pub enum Phase {
    /// Creating the engine, reading and validating the module. It is in memory.
    Load,
    /// Compiling the validated module.
    Compile,
    /// In place of the first two: creating the engine and loading the code from a cache on disk.
    CacheLoad,
    /// Creating an instance, with start functions and `_initialize`.
    Instantiate,
    /// The first call in a new instance, or the run of a program.
    FirstCall,
    /// A later call in the same instance. A program has none.
    Call,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns a short description.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Load => "create the engine, read and validate the module",
            Self::Compile => "compile the module to machine code",
            Self::CacheLoad => "create the engine and load compiled code from disk",
            Self::Instantiate => "create an instance and run its start function",
            Self::FirstCall => "the first call in a new instance, or the run of a program",
            Self::Call => "later calls in the same instance",
        }
    }
}
