//! Measurements of one call.

use std::time::Instant;

use serde::Serialize;

use super::{CacheUse, Event};
use crate::limits::nanoseconds;

/// What one call took. Times are wall clock in nanoseconds; `None` is a value that was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallMetrics {
    /// Reading the module or component and looking for its code in the cache; on a miss also parsing and validating it.
    pub load_ns: Option<u64>,
    /// Compiling, or loading the code from the cache.
    pub compile_ns: Option<u64>,
    /// Whether the compiled code came from the cache.
    pub cache: CacheUse,
    /// Instantiating, including start functions and `_initialize`.
    pub instantiate_ns: Option<u64>,
    /// The call.
    pub call_ns: Option<u64>,
    /// From the start to the result.
    pub total_ns: Option<u64>,
    /// Portable fuel used; `None` if fuel is not metered or the guest trapped.
    pub fuel_used: Option<u64>,
    /// Bytes of linear memory in use after the call.
    pub memory_bytes: Option<u64>,
    /// The most bytes of linear memory that were in use.
    pub memory_peak_bytes: Option<u64>,
    /// Bytes of compiled code; `None` if the engine does not report them.
    pub compiled_bytes: Option<u64>,
}

impl CallMetrics {
    /// Returns the metrics with the measurements of `event` added.
    #[must_use]
    pub fn with(mut self, event: Event) -> Self {
        match event {
            Event::Prepared { ns, cache, compiled_bytes } => {
                (self.compile_ns, self.cache, self.compiled_bytes) = (Some(ns), cache, compiled_bytes);
            }
            Event::Instantiated { ns } => self.instantiate_ns = Some(ns),
            Event::Called { ns, fuel_used, memory_bytes, memory_peak_bytes } => {
                (self.call_ns, self.fuel_used) = (Some(ns), fuel_used);
                (self.memory_bytes, self.memory_peak_bytes) = (Some(memory_bytes), Some(memory_peak_bytes));
            }
            Event::Compiling { .. } | Event::Compiled | Event::Instantiating | Event::Initializing | Event::Calling => {
            }
        }
        self
    }
}

/// Runs a step. Returns its result and the nanoseconds it took.
pub(super) fn timed<T>(step: impl FnOnce() -> T) -> (T, u64) {
    let start = Instant::now();
    (step(), nanoseconds(start.elapsed()))
}
