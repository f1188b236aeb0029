//! The events that a session reports.

use serde::Serialize;

/// A step of a session that begins or ends. Times are wall clock in nanoseconds, and are reported whether the step
/// succeeds or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Compilation begins.
    Compiling {
        /// Length of the binary module or component in bytes.
        bytes: usize,
    },
    /// Compilation ended.
    Compiled,
    /// The code is compiled or loaded from the cache, or neither was possible.
    Prepared {
        /// The time to compile or to load the code.
        ns: u64,
        /// Whether the code came from the cache.
        cache: CacheUse,
        /// Bytes of compiled code, if the engine reports them.
        compiled_bytes: Option<u64>,
    },
    /// Instantiation begins.
    Instantiating,
    /// The call of `_initialize` begins, as part of instantiation.
    Initializing,
    /// Instantiation ended, including the start function and `_initialize`.
    Instantiated {
        /// The time it took.
        ns: u64,
    },
    /// A call begins.
    Calling,
    /// The call ended.
    Called {
        /// The time it took.
        ns: u64,
        /// Portable fuel used by the instance so far, if it is metered and known.
        fuel_used: Option<u64>,
        /// Bytes of linear memory in use.
        memory_bytes: u64,
        /// The most bytes of linear memory that were in use.
        memory_peak_bytes: u64,
    },
}

/// Whether compiled code came from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CacheUse {
    /// No cache is in use.
    #[default]
    Off,
    /// The cache had no usable code: it was compiled, and written to the cache if possible.
    Miss,
    /// The code came from the cache: nothing was validated or compiled.
    Hit,
}
