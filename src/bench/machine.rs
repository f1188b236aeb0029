//! Where the measurements were made.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::engine::kind::RuntimeKind;

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Machine {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture, such as `x86_64`.
    pub arch: String,
    /// The name of the processor, if the system tells it.
    pub cpu: Option<String>,
    /// The number of threads that can run at once.
    pub threads: Option<usize>,
}

impl Machine {
    /// Returns this machine.
    #[must_use]
    pub fn this() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
            let line = info.lines().find(|line| line.starts_with("model name"))?;
            line.split_once(':').map(|(_, name)| name.trim().to_owned())
        });
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu,
            threads: thread::available_parallelism().ok().map(usize::from),
        }
    }
}

/// An engine that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EngineVersion {
    /// The engine.
    pub runtime: String,
    /// Its version.
    pub version: String,
}

impl From<RuntimeKind> for EngineVersion {
    fn from(kind: RuntimeKind) -> Self {
        Self { runtime: kind.as_str().to_owned(), version: kind.version().to_owned() }
    }
}
