//! The most one instance may take.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The most elements of a table on both engines, where no limit says less: 1 GiB of references. Unbounded, growth that
/// the machine has no room for would end in a trap on Wasmtime and not give -1.
pub(crate) const MOST_TABLE_ELEMENTS: u32 = 128 << 20;

/// The most threads a WASIX guest has at a time, the one that calls into it not counted. A further one is not started: the
/// guest is told so with the errno `access`.
pub const MOST_THREADS: usize = 128;

/// Amounts one instance may not exceed. `None` is the engine's own bound (4 GiB for a 32-bit memory).
///
/// Both engines enforce every limit: growth past one gives the guest -1, and a module whose minimum is past one is
/// refused before it is instantiated, with [`LimitExceeded`] in the error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Linear memory in bytes, all memories of the instance together. A shared memory counts with its declared
    /// maximum, since other threads may grow it at any time.
    pub memory: Option<u64>,
    /// Elements in each table of the instance; at most 134217728, which is also the bound where this is `None`.
    pub table_elements: Option<u64>,
    /// [Portable fuel](crate::runtime::fuel) for everything the instance runs, its start function included. Needs a
    /// runtime that meters ([`RuntimeConfig::metering`](crate::RuntimeConfig::metering)).
    pub fuel: Option<u64>,
    /// Wall clock for everything the instance runs, its start function included: what runs into it is stopped. Between
    /// calls, and while a call is [paused](crate::Control::pause), none passes. Needs a runtime that interrupts
    /// ([`RuntimeConfig::interruption`](crate::RuntimeConfig::interruption)).
    pub time: Option<Duration>,
}

impl Limits {
    /// No limit but the engines' own.
    #[must_use]
    pub const fn none() -> Self {
        Self { memory: None, table_elements: None, fuel: None, time: None }
    }

    /// The same with linear memory bounded, in bytes.
    #[must_use]
    pub const fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// The same with each table bounded, in elements.
    #[must_use]
    pub const fn with_table_elements(mut self, elements: u64) -> Self {
        self.table_elements = Some(elements);
        self
    }

    /// The same with portable fuel bounded.
    #[must_use]
    pub const fn with_fuel(mut self, units: u64) -> Self {
        self.fuel = Some(units);
        self
    }

    /// The same with time bounded.
    #[must_use]
    pub const fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }
}

/// Which limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::memory`], in bytes.
    Memory,
    /// [`Limits::table_elements`], in elements.
    TableElements,
    /// [`Limits::fuel`], in units of portable fuel.
    Fuel,
    /// [`Limits::time`], in nanoseconds.
    Time,
}

/// A limit, and what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// Which limit.
    pub kind: LimitKind,
    /// The limit in force, in the unit of `kind`.
    pub limit: u64,
    /// What the module asked for, in the same unit.
    pub attempted: u64,
}

impl LimitExceeded {
    /// A limit of `kind` at `limit` that was asked for `attempted`.
    #[must_use]
    pub const fn new(kind: LimitKind, limit: u64, attempted: u64) -> Self {
        Self { kind, limit, attempted }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, attempted, .. } = self;
        match self.kind {
            LimitKind::Memory => {
                write!(f, "needs {attempted} bytes of linear memory, the limit is {limit}")
            }
            LimitKind::Time => write!(f, "ran for more than {:?}", Duration::from_nanos(*limit)),
            LimitKind::Fuel => write!(f, "used more than its {limit} units of fuel"),
            LimitKind::TableElements => write!(f, "needs {attempted} table elements, the limit is {limit}"),
        }
    }
}
