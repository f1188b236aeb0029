//! What an entry tells people of itself. No code is chosen by it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::key;
use crate::config::RuntimeConfig;

/// What an entry's code was compiled from, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntryMetadata {
    /// What the module was called when it was compiled: a hint, since an entry is found by contents.
    pub module: Option<String>,
    /// The size of the module in bytes, as it came.
    pub module_bytes: u64,
    /// The engine, by name.
    pub runtime: String,
    /// Its version.
    pub runtime_version: String,
    /// Its compiler, by name.
    pub compiler: String,
    /// What is in the code besides: `fuel`, `timeout`, `deterministic`, after the options that ask for it; `opt-none`, `opt-size`.
    pub options: Vec<String>,
    /// The version of this program.
    pub wrun_version: String,
    /// When it was compiled, in seconds since 1970.
    pub created_unix: u64,
}

impl EntryMetadata {
    /// What is compiled now by a runtime of this configuration.
    pub(super) fn new(config: &RuntimeConfig, module: Option<&str>, module_bytes: u64) -> Self {
        Self {
            module: module.map(str::to_owned),
            module_bytes,
            runtime: config.kind.as_str().to_owned(),
            runtime_version: config.kind.version().to_owned(),
            compiler: config.effective_compiler().as_str().to_owned(),
            options: key::options(config).into_iter().map(str::to_owned).collect(),
            wrun_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_unix: unix(SystemTime::now()),
        }
    }
}

/// Seconds since 1970; a clock that is before that says 0.
pub(super) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
