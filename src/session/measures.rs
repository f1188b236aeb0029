//! What a session measures, and tells of on the way.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;

/// What one call took. Times are wall clock in nanoseconds; what was not measured, or not reached, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallMetrics {
    /// Reading the module, asking the cache; where that has no code, assembling the module where it is text, validating it.
    pub load_ns: Option<u64>,
    /// Making the engine, and compiling the module or loading the code that the cache has.
    pub compile_ns: Option<u64>,
    /// Whether the compiled code came from the cache.
    pub cache: CacheUse,
    /// Instantiating it, with its start function and `_initialize`.
    pub instantiate_ns: Option<u64>,
    /// The call itself.
    pub call_ns: Option<u64>,
    /// From the start to the result.
    pub total_ns: Option<u64>,
    /// Portable fuel used; `None` where fuel is not metered.
    pub fuel_used: Option<u64>,
    /// Bytes of linear memory in use after the call.
    pub memory_bytes: Option<u64>,
    /// The most bytes of linear memory in use.
    pub memory_peak_bytes: Option<u64>,
    /// Bytes of compiled code; `None` where the engine does not tell.
    pub compiled_bytes: Option<u64>,
}

/// Where compiled code came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CacheUse {
    /// The cache was not asked.
    #[default]
    Off,
    /// It had no code, or none that could be used, so the module was compiled, and the code written to the cache where that
    /// is possible.
    Miss,
    /// The code came from the cache: the module was neither validated nor compiled.
    Hit,
}

/// What happens during a call, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Compilation starts, of a module of this many bytes.
    Compiling(usize),
    /// Compilation ended, well or not.
    Compiled,
    /// Instantiation starts: the start function and `_initialize` run.
    Instantiating,
    /// The function is called.
    Calling,
    /// A step ended; what was measured so far.
    Measured(CallMetrics),
}

/// Runs a step and notes how long it took, whatever came of it.
pub(super) fn timed<T>(entry: &mut Option<u64>, step: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = step();
    *entry = Some(nanoseconds(start));
    result
}

/// Wall clock since `start`, in nanoseconds.
#[must_use]
pub fn nanoseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
