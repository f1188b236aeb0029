//! The resource limits of one instance.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The maximum number of elements of a table on both engines: 1 GiB of references. Without a maximum, growth beyond the
/// machine's memory would trap on Wasmtime instead of returning -1.
pub(crate) const MAX_TABLE_ELEMENTS: u32 = 128 << 20;

/// The maximum number of threads that a WASIX guest has at a time, without the one that calls into it. Starting another fails with
/// the errno `access`.
pub const MAX_THREADS: usize = 128;

/// The amounts that one instance must not exceed. `None` means the engine's own bound (4 GiB for a 32-bit memory).
///
/// Both engines enforce every limit. Growth beyond a limit returns -1 to the guest. Instantiating a module whose minimum exceeds
/// a limit fails, with [`LimitExceeded`] in the error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of linear memory, all memories of the instance together. A shared memory counts with its declared
    /// maximum, since other threads can grow it at any time.
    pub memory: Option<u64>,
    /// Elements of each table of the instance; at most 134217728, which is also the limit if this is `None`. In a component, the
    /// elements of all tables together, 10000000 if this is `None`.
    pub table_elements: Option<u64>,
    /// Units of [portable fuel](crate::runtime::fuel) for everything the instance runs, including its start function. Needs a
    /// runtime with [`RuntimeConfig::metering`](crate::RuntimeConfig::metering).
    pub fuel: Option<u64>,
    /// Wall-clock time for everything the instance runs, including its start function. The clock stands still between calls, unless
    /// threads of the guest run on, and while a call is [paused](crate::Control::pause). A host function is not interrupted: the call fails when it returns. Needs a runtime with
    /// [`RuntimeConfig::interruption`](crate::RuntimeConfig::interruption).
    pub time: Option<Duration>,
}

impl Limits {
    /// No limits except the engines' own bounds.
    #[must_use]
    pub const fn none() -> Self {
        Self { memory: None, table_elements: None, fuel: None, time: None }
    }

    /// Limits linear memory, in bytes.
    #[must_use]
    pub const fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Limits each table of a module, and all tables of a component together, in elements.
    #[must_use]
    pub const fn with_table_elements(mut self, elements: u64) -> Self {
        self.table_elements = Some(elements);
        self
    }

    /// Limits portable fuel, in units.
    #[must_use]
    pub const fn with_fuel(mut self, units: u64) -> Self {
        self.fuel = Some(units);
        self
    }

    /// Limits the wall-clock time.
    #[must_use]
    pub const fn with_time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }
}

/// A limit of time as text: `1.5s`, `50ms`, `0s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

/// Converts a time to nanoseconds.
#[must_use]
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Duration` formats zero as `0ns`.
        if self.0.is_zero() { f.write_str("0s") } else { write!(f, "{:?}", self.0) }
    }
}

/// The kind of a limit.
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

/// A limit that was exceeded, and the amount that exceeded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// Which limit.
    pub kind: LimitKind,
    /// The limit in force, in the unit of `kind`.
    pub limit: u64,
    /// The amount that was requested, in the same unit.
    pub attempted: u64,
}

impl LimitExceeded {
    /// Creates a record of a `limit` of this `kind` that was exceeded by a request for `attempted`.
    #[must_use]
    pub const fn new(kind: LimitKind, limit: u64, attempted: u64) -> Self {
        Self { kind, limit, attempted }
    }
}

/// Displays a number of bytes in a binary unit as well, such as ` (64 MiB)`, if it is a multiple of that unit.
#[derive(Clone, Copy, Debug)]
pub struct InUnits(pub u64);

impl fmt::Display for InUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            bytes if bytes.is_multiple_of(1 << 30) => write!(f, " ({} GiB)", bytes >> 30),
            bytes if bytes.is_multiple_of(1 << 20) => write!(f, " ({} MiB)", bytes >> 20),
            bytes if bytes.is_multiple_of(1 << 10) => write!(f, " ({} KiB)", bytes >> 10),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, attempted, .. } = self;
        match self.kind {
            LimitKind::Memory => {
                write!(f, "needs {attempted} bytes of linear memory, the limit is {limit}{}", InUnits(*limit))
            }
            LimitKind::Time => write!(f, "exceeded its time limit of {}", TimeLimit(Duration::from_nanos(*limit))),
            LimitKind::Fuel => {
                write!(f, "used more than its {limit} unit{} of fuel", if *limit == 1 { "" } else { "s" })
            }
            LimitKind::TableElements => write!(f, "needs {attempted} table elements, the limit is {limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_has_its_unit() {
        let shown = [0, 250, 1500, 60_000].map(|ms| TimeLimit(Duration::from_millis(ms)).to_string());
        assert_eq!(shown, ["0s", "250ms", "1.5s", "60s"]);
    }
}
