//! What a batch counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters of a running batch, which any thread can read.
#[derive(Debug, Default)]
pub struct BatchCounters {
    records: AtomicU64,
    failed: AtomicU64,
}

impl BatchCounters {
    /// Returns the number of records that were processed, with those that failed.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Returns the number of records that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, records: u64, failed: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
    }
}

/// What a batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchReport {
    /// The number of records whose results or errors were written.
    pub records: u64,
    /// The number of records that failed.
    pub failed: u64,
    /// The number of records that failed, by the kind of the error.
    pub errors: BTreeMap<String, u64>,
}
