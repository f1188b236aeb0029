//! The metadata of an entry, for users. It does not affect which code is used.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::key;
use crate::config::RuntimeConfig;

/// The source of an entry's code, and how it was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EntryMetadata {
    /// The module's name when it was compiled. It is only a label, since the module's contents decide which entry is used.
    pub module: Option<String>,
    /// The size of the module in bytes, as it was given (binary or text).
    pub module_bytes: u64,
    /// The name of the engine.
    pub runtime: String,
    /// The engine's version.
    pub runtime_version: String,
    /// The name of the compiler.
    pub compiler: String,
    /// The options that the code was compiled with: `fuel`, `timeout`, `deterministic`, `opt-none`, `opt-size`.
    pub options: Vec<String>,
    /// The version of wrun that compiled it.
    pub wrun_version: String,
    /// When it was compiled, in seconds since 1970.
    pub created_unix: u64,
}

impl EntryMetadata {
    /// Describes code that a runtime of this configuration compiles now.
    pub(super) fn new(config: &RuntimeConfig, module: Option<&str>, module_bytes: u64) -> Self {
        Self {
            module: module.map(str::to_owned),
            module_bytes,
            runtime: config.kind.as_str().to_owned(),
            runtime_version: config.kind.version().to_owned(),
            compiler: config.effective_compiler().as_str().to_owned(),
            options: key::options(config).into_iter().map(str::to_owned).collect(),
            wrun_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_unix: unix_seconds(SystemTime::now()),
        }
    }
}

/// Converts to seconds since 1970; an earlier time is 0.
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
