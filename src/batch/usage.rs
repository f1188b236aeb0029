//! The times, fuel and memory of many calls.

use hdrhistogram::Histogram;

use crate::session::CallUsage;

/// The totals of one or more workers.
#[derive(Debug)]
pub(super) struct CallTotals {
    /// Times in nanoseconds, to three digits.
    pub(super) times: Histogram<u64>,
    /// The longest call in nanoseconds.
    pub(super) longest_ns: u64,
    /// Fuel of all calls whose use is known. `None` if it was never known.
    pub(super) fuel_used: Option<u64>,
    /// The most fuel of one call.
    pub(super) fuel_max: Option<u64>,
    /// The most linear memory of one instance.
    pub(super) memory_peak_bytes: u64,
}

impl Default for CallTotals {
    fn default() -> Self {
        /// One hour; a longer call counts as one of an hour in percentiles.
        const MAX_NS: u64 = 3_600_000_000_000;
        let times = Histogram::new_with_max(MAX_NS, 3).unwrap_or_else(|error| unreachable!("constant bounds: {error}"));
        Self { times, longest_ns: 0, fuel_used: None, fuel_max: None, memory_peak_bytes: 0 }
    }
}

impl CallTotals {
    /// Adds a call.
    pub(super) fn add(&mut self, usage: &CallUsage) {
        if let Some(ns) = usage.call_ns {
            self.times.saturating_record(ns);
            self.longest_ns = self.longest_ns.max(ns);
        }
        if let Some(fuel) = usage.fuel_used {
            self.fuel_used = Some(self.fuel_used.unwrap_or(0).saturating_add(fuel));
            self.fuel_max = self.fuel_max.max(Some(fuel));
        }
        self.memory_peak_bytes = self.memory_peak_bytes.max(usage.memory_peak_bytes);
    }

    /// Adds the calls of another worker.
    pub(super) fn merge(&mut self, other: &Self) {
        self.times.add(&other.times).unwrap_or_else(|error| unreachable!("equal bounds: {error}"));
        self.longest_ns = self.longest_ns.max(other.longest_ns);
        self.fuel_used = match (self.fuel_used, other.fuel_used) {
            (Some(one), Some(two)) => Some(one.saturating_add(two)),
            (one, two) => one.or(two),
        };
        self.fuel_max = self.fuel_max.max(other.fuel_max);
        self.memory_peak_bytes = self.memory_peak_bytes.max(other.memory_peak_bytes);
    }
}
