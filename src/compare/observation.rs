//! The observations of one run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::Variant;
use super::files::Files;
use crate::error::{Error, ErrorKind, Trap};
use crate::limits::LimitExceeded;
use crate::runtime::call::CallResult;
use crate::session::Completion;
use crate::value::types::Value;

/// The observations of one run. A field that could not be observed is `None` or empty.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Observation {
    /// The variant of the run.
    pub variant: Variant,
    /// How it ended.
    pub ending: Ending,
    /// The guest's standard output.
    #[serde(serialize_with = "lossy")]
    pub stdout: Vec<u8>,
    /// The guest's standard error.
    #[serde(serialize_with = "lossy")]
    pub stderr: Vec<u8>,
    /// Portable fuel used. `None` after a trap.
    pub fuel_used: Option<u64>,
    /// The values of the exported globals whose types can pass to the host.
    pub globals: BTreeMap<String, Value>,
    /// The exported memories.
    pub memories: BTreeMap<String, MemoryState>,
    /// The most bytes of linear memory that were in use.
    pub memory_peak_bytes: Option<u64>,
    /// The last growth of a memory or table that a limit denied.
    pub denied: Option<LimitExceeded>,
    /// The contents of each directory that the guest may change, after the run. By the guest's path.
    #[serde(skip)]
    pub(super) files: BTreeMap<String, Files>,
    /// Whether the guest wrote more than [`CompareOptions::max_output`](super::CompareOptions::max_output) to standard output or
    /// standard error.
    pub is_truncated: bool,
    /// The time from instantiation to the end, in nanoseconds.
    pub run_ns: u64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// The function returned.
    Returned(CallResult),
    /// The guest exited with this code.
    Exited(i32),
    /// The guest trapped or was stopped.
    Failed(ErrorSummary),
    /// The engine refused the module, a limit or a grant, and nothing ran.
    Refused(ErrorSummary),
}

impl Ending {
    /// Returns the ending of a call that failed.
    pub(super) fn of_call(error: &Error) -> Self {
        error.exit_code().map_or_else(|| Self::Failed(error.into()), Self::Exited)
    }

    /// Returns the ending of a run whose instance was not created.
    pub(super) fn of_instantiation(error: &Error) -> Self {
        let refuses = matches!(
            error.kind(),
            ErrorKind::InvalidModule
                | ErrorKind::UnsupportedFeature
                | ErrorKind::UnsupportedConfig
                | ErrorKind::EngineUnavailable
                | ErrorKind::Grant
                | ErrorKind::Unlinkable
                | ErrorKind::Limit
        );
        if refuses { Self::Refused(error.into()) } else { Self::of_call(error) }
    }
}

impl From<Completion> for Ending {
    fn from(completion: Completion) -> Self {
        match completion {
            Completion::Returned(result) => Self::Returned(result),
            Completion::Exited(code) => Self::Exited(code),
        }
    }
}

/// Formats the ending for people.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(result) => f.write_str(&result.to_text().replace('\n', " ")),
            Self::Exited(code) => write!(f, "exit {code}"),
            Self::Failed(error) => write!(f, "{error}"),
            Self::Refused(error) => write!(f, "refused: {error}"),
        }
    }
}

/// An error, without what engines word differently.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ErrorSummary {
    /// The kind.
    pub kind: ErrorKind,
    /// Why the guest trapped, if it did.
    pub trap: Option<Trap>,
    /// The limit that was exceeded.
    pub limit: Option<LimitExceeded>,
    /// The message, which is not compared.
    pub message: String,
}

/// Compares kind, trap and limit.
impl PartialEq for ErrorSummary {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.trap, self.limit) == (other.kind, other.trap, other.limit)
    }
}

impl Eq for ErrorSummary {}

impl fmt::Display for ErrorSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.trap, self.limit) {
            (Some(trap), _) => write!(f, "trap: {trap}"),
            (None, Some(limit)) => write!(f, "{limit}"),
            (None, None) => write!(f, "{}", self.kind.as_str().replace('_', " ")),
        }
    }
}

impl From<&Error> for ErrorSummary {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            trap: error.trap_code(),
            limit: error.limit_exceeded(),
            message: error.message().to_owned(),
        }
    }
}

/// The contents of a memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemoryState {
    /// Its size in bytes.
    pub bytes: u64,
    /// The BLAKE3 hash of its contents, in hexadecimal digits.
    pub hash: String,
    /// The address of the first byte that differs from the first variant, if one does. Memories of different sizes are compared
    /// as far as both go. Differences beyond the first 64 MiB of all memories together change only the hash.
    pub first_difference: Option<u64>,
}

fn lossy<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}
