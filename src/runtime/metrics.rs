//! Public counters of a runtime.

use serde::Serialize;

/// Counters of a runtime since its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuntimeMetrics {
    /// Compiled modules, including those that wrun generates to call a function for many records of a batch.
    pub modules_compiled: u64,
    /// Modules loaded from the cache instead of compiled.
    pub cache_hits: u64,
    /// Instances that exist now.
    pub instances_alive: u64,
    /// Created instances.
    pub instances_created: u64,
    /// Linear memory in use now, in bytes, for all existing instances together.
    pub memory_bytes: u64,
    /// The sum of the peaks of all existing instances, in bytes. An upper bound on their common peak.
    pub memory_peak_bytes: u64,
    /// Calls into guests, including dropped instances.
    pub calls: u64,
    /// Calls and start functions that trapped.
    pub traps: u64,
    /// Calls that were stopped by a time limit, an interruption or a shutdown.
    pub stopped: u64,
    /// Portable fuel used, if it is metered. Excludes calls that trapped or were stopped, whose fuel is unknown.
    pub fuel_used: u64,
}

/// The result of [`WasmRuntime::shutdown`](crate::WasmRuntime::shutdown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shutdown {
    /// Calls that were running and were stopped.
    pub stopped: u64,
    /// Calls that were still running after the wait: in a host function, or in a runtime without interruption.
    pub running: u64,
    /// Instances that have not been dropped. They accept no calls.
    pub instances_alive: u64,
}
